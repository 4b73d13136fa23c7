import type { OnnxGraph } from '../../compute/onnx-graph';
import type { GraphWeights } from './weights';

/** What the builders of one model share. */
export interface Net {
  readonly graph: OnnxGraph;
  readonly weights: GraphWeights;
  /** Makes a stage an output under its name; does nothing unless stages were asked for. */
  readonly tap: (name: string, value: string) => void;
}

/** y = x·Wᵀ + b over rows [n, in], weight stored [out, in]; the bias where there is one. */
export function linear(net: Net, rows: string, name: string): string {
  const { graph, weights } = net;
  const inputs = [rows, weights.weight(`${name}.weight`)];
  if (weights.has(`${name}.bias`)) inputs.push(weights.weight(`${name}.bias`));
  return graph.node('Gemm', inputs, { transB: 1 });
}

export function layerNorm(net: Net, value: string, name: string, epsilon: number): string {
  const inputs = [value, net.weights.weight(`${name}.weight`), net.weights.weight(`${name}.bias`)];
  return net.graph.node('LayerNormalization', inputs, { axis: -1, epsilon: { float: epsilon } });
}

/** x / √(mean(x²) + ε) · w over the last axis. */
export function rmsNorm(net: Net, value: string, name: string, epsilon: number): string {
  const { graph } = net;
  const squares = graph.node('Mul', [value, value]);
  const mean = graph.node('ReduceMean', [squares, graph.integers(-1)], { keepdims: 1 });
  const root = graph.node('Sqrt', [graph.node('Add', [mean, graph.scalar(epsilon)])]);
  const normed = graph.node('Div', [value, root]);
  return graph.node('Mul', [normed, net.weights.weight(`${name}.weight`)]);
}

/** Exact GELU, x/2 · (1 + erf(x/√2)). */
export function gelu(net: Net, value: string): string {
  return net.graph.node('Gelu', [value]);
}

export function add(net: Net, ...values: readonly string[]): string {
  return values.reduce((sum, value) => net.graph.node('Add', [sum, value]));
}

export function multiply(net: Net, a: string, b: string): string {
  return net.graph.node('Mul', [a, b]);
}

export function matmul(net: Net, a: string, b: string): string {
  return net.graph.node('MatMul', [a, b]);
}

export function softmax(net: Net, value: string): string {
  return net.graph.node('Softmax', [value], { axis: -1 });
}

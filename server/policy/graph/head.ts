import type { PolicyConfig } from '../config';
import { headRope } from '../rope';
import type { Net } from './layers';
import { add, layerNorm, linear, matmul, multiply, softmax } from './layers';

const epsilon = 1e-5;

/** What block i of the head reads. */
interface BlockInputs {
  readonly index: number;
  /** [T, d] */
  readonly task: string;
  /** [Q + 1, d]: action states and the robot's state. */
  readonly action: string;
}

/**
 * Hidden states [N + 1, T + Q, d] and the normalised state [1, p] to normalised actions
 * [chunk, action size] (reference: policy forward §8). Weights are named as an expert names them
 * (`model.…`, `proprio.fc1.…`), whoever stores them.
 */
export function headGraph(net: Net, hidden: string, state: string, config: PolicyConfig): string {
  const { graph } = net;
  const { taskTokens, shape } = config;
  const width = shape.head.width;
  const proprio = proprioFeatures(net, state);
  net.tap('proprio_features', proprio);
  const slots = taskTokens + shape.queries;
  let x = firstRows(net, config);
  for (let index = 0; index < shape.head.blocks; index++) {
    const own = graph.reshape(graph.slice(hidden, 0, index + 1, index + 2), slots, width);
    x = headBlock(net, x, config, {
      index,
      task: graph.slice(own, 0, 0, taskTokens),
      action: graph.concat([graph.slice(own, 0, taskTokens, slots), proprio], 0),
    });
    net.tap(`head.block.${index}`, x);
  }
  const normed = layerNorm(net, x, 'model.layer_norm2', epsilon);
  net.tap('head.layer_norm2', normed);
  return linear(net, normed, 'model.fc2');
}

function proprioFeatures(net: Net, state: string): string {
  const hidden = net.graph.node('Gelu', [linear(net, state, 'proprio.fc1')]);
  return linear(net, hidden, 'proprio.fc2');
}

/** The head's input is all zeros, so the first norm gives its bias and every row starts the same. */
function firstRows(net: Net, { chunk, shape }: PolicyConfig): string {
  const { graph } = net;
  const bias = graph.reshape(net.weights.weight('model.layer_norm1.bias'), 1, -1);
  const one = linear(net, bias, 'model.fc1');
  const rows = graph.node('Expand', [one, graph.integers(chunk, shape.head.width)]);
  net.tap('head.fc1', rows);
  const active = graph.node('Relu', [rows]);
  net.tap('head.x0', active);
  return active;
}

function headBlock(net: Net, x: string, config: PolicyConfig, inputs: BlockInputs): string {
  const { graph } = net;
  const { chunk, taskTokens, shape } = config;
  const name = `model.mlp_resnet_blocks.${inputs.index}`;
  const size = shape.head.width / config.entry.head_heads;
  const project = (rows: string, which: string): string => {
    const value = linear(net, rows, `${name}.${which}`);
    if (inputs.index === 0) net.tap(`head.block0.${which}`, value);
    return splitHeads(net, value, config);
  };
  const actions = shape.queries + 1;
  const queryAction = turn(net, project(x, 'q_proj_adapter'), chunk, config);
  const keyAction = turn(net, project(inputs.action, 'k_adapter'), actions, config);
  const valueAction = project(inputs.action, 'v_adapter');
  const queryTask = turn(net, project(x, 'q_proj_task'), chunk, config);
  const keyTask = turn(net, project(inputs.task, 'k_task'), taskTokens, config);
  const valueTask = project(inputs.task, 'v_task');
  const gate = graph.node('Sigmoid', [net.weights.weight(`${name}.gating_factor`)]);
  const product = (a: string, b: string): string => matmul(net, a, graph.transpose(b, 0, 2, 1));
  const scores = graph.concat(
    [product(queryAction, keyAction), multiply(net, gate, product(queryTask, keyTask))],
    2,
  );
  const attention = softmax(net, multiply(net, scores, graph.scalar(size ** -0.5)));
  const mixed = matmul(net, attention, graph.concat([valueAction, valueTask], 1));
  const joined = graph.reshape(graph.transpose(mixed, 1, 0, 2), chunk, shape.head.width);
  const out = linear(net, joined, `${name}.o_proj`);
  if (inputs.index === 0) net.tap('head.block0.o_proj', out);
  const normed = layerNorm(net, add(net, x, out), `${name}.ffn.0`, epsilon);
  return graph.node('Relu', [linear(net, normed, `${name}.ffn.1`)]);
}

/** [rows, d] to [heads, rows, size]. */
function splitHeads(net: Net, value: string, config: PolicyConfig): string {
  const heads = config.entry.head_heads;
  const size = config.shape.head.width / heads;
  return net.graph.transpose(net.graph.reshape(value, -1, heads, size), 1, 0, 2);
}

/**
 * The released head's rotary embedding: tables laid out in halves, rotation over even and odd
 * neighbours. It is no rotation, and the weights were trained with it.
 */
function turn(net: Net, value: string, rows: number, config: PolicyConfig): string {
  const { graph } = net;
  const size = config.shape.head.width / config.entry.head_heads;
  const table = headRope(rows, size, config.entry.head_rope);
  // r[2i] = −t[2i+1], r[2i+1] = t[2i]: swap neighbours, and put the sign into the sine table.
  const swap = BigInt64Array.from({ length: size }, (_, i) => BigInt(i ^ 1));
  const signed = table.sin.map((sine, i) => (i % 2 === 0 ? -sine : sine));
  const cos = graph.initializer('float', [rows, size], table.cos);
  const sin = graph.initializer('float', [rows, size], signed);
  const order = graph.initializer('int64', [size], swap);
  const swapped = graph.node('Gather', [value, order], { axis: 2 });
  return add(net, multiply(net, value, cos), multiply(net, swapped, sin));
}

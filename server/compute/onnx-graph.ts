import { ProtobufWriter } from './protobuf';

/** Numbers of `TensorProto.DataType`. */
const typeNumbers = {
  float: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  bfloat16: 16,
} as const;

export type OnnxType = keyof typeof typeNumbers;

/** Bytes in the model itself, or a range of a file relative to the session's folder. */
type Content =
  | { readonly raw: Uint8Array }
  | { readonly location: string; readonly offset: number; readonly bytes: number };

export type Attribute =
  | number
  | string
  | readonly number[]
  /** A float where a bare number would be written as an integer. */
  | { readonly float: number };

interface Initializer {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  readonly content: Content;
}

/** A graph input or output. A name instead of a number is a free dimension. */
interface Port {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape?: readonly (number | string)[];
}

interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** Opset with `Gelu`, and the newest that every execution provider we use implements. */
const opset = 20;
const irVersion = 10;

/**
 * An ONNX model in the making. Methods return the name of the value they make, which is what later
 * calls take; weights stay where they are on disk (`fileInitializer`).
 */
export class OnnxGraph {
  private readonly nodes: Node[] = [];
  private readonly weightNodes: Node[] = [];
  private target = this.nodes;
  private readonly initializers: Initializer[] = [];
  private readonly inputs: Port[] = [];
  private readonly outputs: Port[] = [];
  private readonly constants = new Map<string, string>();
  private values = 0;

  input(name: string, type: OnnxType, shape: readonly (number | string)[]): string {
    this.inputs.push({ name, type, shape });
    return name;
  }

  /** Declares `value` an output called `name`. */
  output(name: string, value: string, type: OnnxType = 'float'): void {
    this.nodes.push({ operator: 'Identity', inputs: [value], outputs: [name], attributes: {} });
    this.outputs.push({ name, type });
  }

  initializer(type: OnnxType, shape: readonly number[], data: ArrayBufferView): string {
    const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return this.addInitializer(type, shape, { raw });
  }

  /** `location` is relative to the folder named when the session is made. */
  fileInitializer(
    type: OnnxType,
    shape: readonly number[],
    content: { readonly location: string; readonly offset: number; readonly bytes: number },
  ): string {
    return this.addInitializer(type, shape, content);
  }

  /** A float32 scalar. Equal constants are one. */
  scalar(value: number): string {
    return this.constant(`f${value}`, () =>
      this.initializer('float', [], new Float32Array([value])),
    );
  }

  /** An int64 vector, as shapes, axes and slices take it. */
  integers(...values: readonly number[]): string {
    return this.constant(`i${values.join()}`, () =>
      this.initializer('int64', [values.length], BigInt64Array.from(values, BigInt)),
    );
  }

  /**
   * Nodes made by `build` stand before all others. They may depend on graph inputs and initializers
   * only. The runtime walks back from the outputs and computes inputs of a node that stand later in
   * the file first; with weights at its head, each is composed when it is needed and freed after, and
   * not all of them before the first layer.
   */
  early<T>(build: () => T): T {
    const before = this.target;
    this.target = this.weightNodes;
    try {
      return build();
    } finally {
      this.target = before;
    }
  }

  /** One node with one output. */
  node(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    const output = this.freshName();
    this.target.push({ operator, inputs, outputs: [output], attributes });
    return output;
  }

  /** `value` cut into `parts` equal pieces along `axis`. */
  split(value: string, parts: number, axis: number): string[] {
    const outputs = Array.from({ length: parts }, () => this.freshName());
    this.target.push({
      operator: 'Split',
      inputs: [value],
      outputs,
      attributes: { axis, num_outputs: parts },
    });
    return outputs;
  }

  cast(value: string, to: OnnxType): string {
    return this.node('Cast', [value], { to: typeNumbers[to] });
  }

  reshape(value: string, ...shape: readonly number[]): string {
    return this.node('Reshape', [value, this.integers(...shape)]);
  }

  transpose(value: string, ...order: readonly number[]): string {
    return this.node('Transpose', [value], { perm: order });
  }

  /** Elements `from` to `to` (exclusive) along `axis`. */
  slice(value: string, axis: number, from: number, to: number): string {
    const bounds = [this.integers(from), this.integers(to), this.integers(axis)];
    return this.node('Slice', [value, ...bounds]);
  }

  concat(values: readonly string[], axis: number): string {
    return values.length === 1 ? (values[0] ?? '') : this.node('Concat', values, { axis });
  }

  /** The model's bytes. */
  encode(): Uint8Array {
    const graph = new ProtobufWriter();
    for (const node of [...this.weightNodes, ...this.nodes]) graph.message(1, encodeNode(node));
    graph.text(2, 'policy');
    for (const item of this.initializers) graph.message(5, encodeInitializer(item));
    for (const port of this.inputs) graph.message(11, encodePort(port));
    for (const port of this.outputs) graph.message(12, encodePort(port));
    return new ProtobufWriter()
      .int(1, irVersion)
      .text(2, 'mergevla')
      .message(7, graph)
      .message(8, new ProtobufWriter().text(1, '').int(2, opset))
      .finish();
  }

  private addInitializer(type: OnnxType, shape: readonly number[], content: Content): string {
    const name = this.freshName();
    this.initializers.push({ name, type, shape, content });
    return name;
  }

  private constant(key: string, make: () => string): string {
    const known = this.constants.get(key);
    if (known !== undefined) return known;
    const name = make();
    this.constants.set(key, name);
    return name;
  }

  private freshName(): string {
    return `v${this.values++}`;
  }
}

function encodeNode(node: Node): ProtobufWriter {
  const out = new ProtobufWriter();
  for (const name of node.inputs) out.text(1, name);
  for (const name of node.outputs) out.text(2, name);
  out.text(3, node.outputs[0] ?? '').text(4, node.operator);
  for (const [name, value] of Object.entries(node.attributes))
    out.message(5, encodeAttribute(name, value));
  return out;
}

/** Field 20 is the attribute's kind: 1 float, 2 integer, 3 text, 7 integers. */
function encodeAttribute(name: string, value: Attribute): ProtobufWriter {
  const out = new ProtobufWriter().text(1, name);
  if (typeof value === 'number') return out.int(3, value).int(20, 2);
  if (typeof value === 'string') return out.bytes(4, new TextEncoder().encode(value)).int(20, 3);
  if ('float' in value) return out.float(2, value.float).int(20, 1);
  for (const item of value) out.int(8, item);
  return out.int(20, 7);
}

function encodeInitializer(item: Initializer): ProtobufWriter {
  const out = new ProtobufWriter();
  for (const length of item.shape) out.int(1, length);
  out.int(2, typeNumbers[item.type]).text(8, item.name);
  if ('raw' in item.content) return out.bytes(9, item.content.raw);
  const { location, offset, bytes } = item.content;
  const entries = { location, offset: String(offset), length: String(bytes) };
  for (const [key, value] of Object.entries(entries))
    out.message(13, new ProtobufWriter().text(1, key).text(2, value));
  // data_location 1 = EXTERNAL.
  return out.int(14, 1);
}

function encodePort(port: Port): ProtobufWriter {
  const tensor = new ProtobufWriter().int(1, typeNumbers[port.type]);
  if (port.shape) {
    const shape = new ProtobufWriter();
    for (const length of port.shape) {
      const dimension = new ProtobufWriter();
      if (typeof length === 'number') dimension.int(1, length);
      else dimension.text(2, length);
      shape.message(1, dimension);
    }
    tensor.message(2, shape);
  }
  return new ProtobufWriter()
    .text(1, port.name)
    .message(2, new ProtobufWriter().message(1, tensor));
}

import type { OnnxGraph, OnnxType } from '../../compute/onnx-graph';
import { MergeError } from '../../protocol/merge-error';
import type { TensorInfo } from '../../tensors/types';
import { missingTensor } from '../errors';

/** A tensor on disk, or one already in memory as float32. */
export type Weight =
  TensorInfo | { readonly shape: readonly number[]; readonly values: Float32Array };

/** Where one vector tensor's mask begins in the concatenated mask input. */
export interface MaskSlot {
  readonly offset: number;
  readonly bytes: number;
}

export interface WeightOptions {
  readonly graph: OnnxGraph;
  /** Named in errors: the directory the tensors are from. */
  readonly where: string;
  readonly tensors: ReadonlyMap<string, Weight>;
  /** Merged task vector: these tensors become base + vector ⊙ mask, rounded to the base's dtype. */
  readonly vector?: ReadonlyMap<string, TensorInfo>;
  /** Absent where the vector counts whole. */
  readonly masks?: ReadonlyMap<string, MaskSlot>;
  /** True where the provider has no bit operations: the mask input then holds bytes as float32. */
  readonly arithmeticUnpack?: boolean;
  /** Path of a file relative to the session's folder. */
  readonly locate: (file: string) => string;
  /** Reads a tensor whose storage is strided into row-major bytes. */
  readonly read: (info: TensorInfo) => Uint8Array;
}

const onnxTypes: Readonly<Partial<Record<TensorInfo['dtype'], OnnxType>>> = {
  BF16: 'bfloat16',
  F16: 'float16',
  F32: 'float',
};

/**
 * Gives graphs their weights as float32 values. A masked weight is composed in the graph, so that one
 * session serves every task: W = round(base + vector ⊙ mask), rounded to the dtype the base is stored
 * in, because that is what the released code and a merge written as full weights hold.
 */
export class GraphWeights {
  private readonly made = new Map<string, string>();
  /** `mask`: all masks of a task, one after another; present once a masked weight was asked for. */
  private maskInput: string | undefined;
  private scaleInput: string | undefined;

  constructor(private readonly options: WeightOptions) {}

  has(name: string): boolean {
    return this.options.tensors.has(name);
  }

  shape(name: string): readonly number[] {
    return this.tensor(name).shape;
  }

  /** The whole tensor as float32, in its stored shape. */
  weight(name: string): string {
    const known = this.made.get(name);
    if (known !== undefined) return known;
    const value = this.options.graph.early(() => this.compose(name));
    this.made.set(name, value);
    return value;
  }

  /**
   * Rows `ids` of a matrix as float32. Only these rows are widened and masked, which matters for
   * embeddings; a masked matrix whose rows do not end on a byte of the mask is composed whole.
   */
  rows(name: string, ids: string): string {
    return this.options.graph.early(() => this.composeRows(name, ids));
  }

  private composeRows(name: string, ids: string): string {
    const { graph } = this.options;
    const tensor = this.tensor(name);
    const vector = this.options.vector?.get(name);
    const width = tensor.shape[1] ?? 1;
    if (vector && width % 8 !== 0)
      return graph.node('Gather', [this.weight(name), ids], { axis: 0 });
    const pick = (value: string): string => graph.node('Gather', [value, ids], { axis: 0 });
    const base = this.widen(pick(this.stored(tensor)), tensor);
    if (!vector) return base;
    const slot = this.options.masks?.get(name);
    const bytes = slot && pick(graph.reshape(this.maskBytes(slot), -1, width / 8));
    const bits = bytes && graph.reshape(this.unpack(graph.reshape(bytes, -1)), -1, width);
    return this.sum(base, this.widen(pick(this.stored(vector)), vector), bits, tensor);
  }

  /** Adds the inputs that masked weights need. Call before the first weight. */
  declareMask(bytes: number, scaled: boolean): void {
    const type = this.options.arithmeticUnpack ? 'float' : 'uint8';
    this.maskInput = this.options.graph.input('mask', type, [bytes]);
    if (scaled) this.scaleInput = this.options.graph.input('scale', 'float', [1]);
  }

  private compose(name: string): string {
    const { graph } = this.options;
    const tensor = this.tensor(name);
    const base = this.widen(this.stored(tensor), tensor);
    const vector = this.options.vector?.get(name);
    if (!vector) return base;
    const slot = this.options.masks?.get(name);
    const elements = vector.elements;
    const bits = slot && this.unpack(this.maskBytes(slot));
    const trimmed = bits && elements % 8 !== 0 ? graph.slice(bits, 0, 0, elements) : bits;
    const shaped = trimmed && graph.reshape(trimmed, ...tensor.shape);
    return this.sum(base, this.widen(this.stored(vector), vector), shaped, tensor);
  }

  /** round(base + vector ⊙ bits · scale). */
  private sum(base: string, vector: string, bits: string | undefined, tensor: Weight): string {
    const { graph } = this.options;
    const masked = bits ? this.select(bits, vector) : vector;
    const scaled = this.scaleInput ? graph.node('Mul', [masked, this.scaleInput]) : masked;
    const total = graph.node('Add', [base, scaled]);
    if (!('dtype' in tensor) || tensor.dtype === 'F32') return total;
    if (this.options.arithmeticUnpack && tensor.dtype === 'BF16') return this.roundBfloat16(total);
    return graph.cast(graph.cast(total, onnxTypes[tensor.dtype] ?? 'float'), 'float');
  }

  /**
   * Rounds float32 to bfloat16 without that type: x·(2¹⁶ + 1) − (x·(2¹⁶ + 1) − x) keeps the leading
   * 8 bits, to nearest (Dekker's splitting). For providers whose casts know no bfloat16.
   */
  private roundBfloat16(value: string): string {
    const { graph } = this.options;
    const scaled = graph.node('Mul', [value, graph.scalar(65537)]);
    return graph.node('Sub', [scaled, graph.node('Sub', [scaled, value])]);
  }

  private maskBytes(slot: MaskSlot): string {
    if (this.maskInput === undefined) throw new Error('declareMask was not called');
    return this.options.graph.slice(this.maskInput, 0, slot.offset, slot.offset + slot.bytes);
  }

  /** Bytes [n] to bits [8n], least significant first: booleans, or 0 and 1 where there are no bit operations. */
  private unpack(bytes: string): string {
    const { graph } = this.options;
    const column = graph.reshape(bytes, -1, 1);
    if (!this.options.arithmeticUnpack) {
      const places = graph.initializer('uint8', [8], Uint8Array.of(1, 2, 4, 8, 16, 32, 64, 128));
      const bits = graph.cast(graph.node('BitwiseAnd', [column, places]), 'bool');
      return graph.reshape(bits, -1);
    }
    // Bit k of b is ⌊b/2ᵏ⌋ − 2⌊b/2ᵏ⁺¹⌋; all numbers are small integers, exact in float32.
    const shifted = (from: number): string => {
      const factors = Float32Array.from({ length: 8 }, (_, k) => 2 ** -(k + from));
      const scaled = graph.node('Mul', [column, graph.initializer('float', [8], factors)]);
      return graph.node('Floor', [scaled]);
    };
    const doubled = graph.node('Mul', [shifted(1), graph.scalar(2)]);
    return graph.reshape(graph.node('Sub', [shifted(0), doubled]), -1);
  }

  private select(bits: string, vector: string): string {
    const { graph } = this.options;
    if (this.options.arithmeticUnpack) return graph.node('Mul', [bits, vector]);
    return graph.node('Where', [bits, vector, graph.scalar(0)]);
  }

  private widen(value: string, tensor: Weight): string {
    if (!('dtype' in tensor) || tensor.dtype === 'F32') return value;
    return this.options.graph.cast(value, 'float');
  }

  /** The tensor as it is stored: a reference into its file. */
  private stored(tensor: Weight): string {
    const { graph } = this.options;
    if (!('dtype' in tensor)) return graph.initializer('float', tensor.shape, tensor.values);
    const type = onnxTypes[tensor.dtype];
    if (!type)
      throw new MergeError(
        'MV565',
        `${tensor.name} in ${tensor.file} has dtype ${tensor.dtype}; a policy runs on BF16, F16 or F32`,
      );
    if (tensor.strides) return graph.initializer(type, tensor.shape, this.options.read(tensor));
    return graph.fileInitializer(type, tensor.shape, {
      location: this.options.locate(tensor.file),
      offset: tensor.offset,
      bytes: tensor.elements * (tensor.dtype === 'F32' ? 4 : 2),
    });
  }

  private tensor(name: string): Weight {
    const tensor = this.options.tensors.get(name);
    if (!tensor) throw missingTensor(name, this.options.where);
    return tensor;
  }
}

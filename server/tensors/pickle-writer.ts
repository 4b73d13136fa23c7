import type { Dtype } from './types';

/** A value that a released loader reads back with `torch.load`. */
export type TorchValue =
  | string
  | number
  | boolean
  | null
  | TorchTensor
  | {
      readonly kind: 'dictionary';
      readonly entries: readonly (readonly [TorchKey, TorchValue])[];
    };

/** `suite` is pickled as the enum member `__main__.TaskSuite(value)`, as the released scripts do. */
export type TorchKey = string | { readonly kind: 'suite'; readonly value: string };

export interface TorchTensor {
  readonly kind: 'tensor';
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** The tensor's little-endian bytes in order, in pieces of any size; called once. */
  readonly chunks: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** Torch's storage class of each dtype that it has one for. */
const storageNames: Readonly<Partial<Record<Dtype, string>>> = {
  BF16: 'BFloat16Storage',
  F16: 'HalfStorage',
  F32: 'FloatStorage',
  F64: 'DoubleStorage',
  I64: 'LongStorage',
  I32: 'IntStorage',
  I16: 'ShortStorage',
  I8: 'CharStorage',
  U8: 'ByteStorage',
  BOOL: 'BoolStorage',
};

/**
 * The pickle (protocol 2, no memo) of a value, and its tensors in the order of their storage keys
 * `0`, `1`, ….
 */
export function writePickle(root: TorchValue): {
  readonly pickle: Uint8Array;
  readonly tensors: readonly TorchTensor[];
} {
  const out = new PickleText();
  out.bytes(0x80, 2);
  out.value(root);
  out.code('.');
  return { pickle: out.finish(), tensors: out.tensors };
}

class PickleText {
  readonly tensors: TorchTensor[] = [];
  private readonly pieces: Uint8Array[] = [];

  bytes(...values: readonly number[]): void {
    this.pieces.push(Uint8Array.from(values));
  }

  code(text: string): void {
    this.pieces.push(Buffer.from(text, 'latin1'));
  }

  value(value: TorchValue): void {
    if (value === null) this.code('N');
    else if (typeof value === 'boolean') this.bytes(value ? 0x88 : 0x89);
    else if (typeof value === 'string') this.text(value);
    else if (typeof value === 'number') this.number(value);
    else if (value.kind === 'tensor') this.tensor(value);
    else this.dictionary(value.entries);
  }

  finish(): Uint8Array {
    return Buffer.concat(this.pieces);
  }

  private dictionary(entries: readonly (readonly [TorchKey, TorchValue])[]): void {
    this.code('}(');
    for (const [key, value] of entries) {
      if (typeof key === 'string') this.text(key);
      else this.suite(key.value);
      this.value(value);
    }
    this.code('u');
  }

  /** `__main__.TaskSuite('name')`. */
  private suite(name: string): void {
    this.code('c__main__\nTaskSuite\n');
    this.text(name);
    this.bytes(0x85);
    this.code('R');
  }

  /** `_rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())`. */
  private tensor(tensor: TorchTensor): void {
    const storage = storageNames[tensor.dtype];
    if (!storage) throw new RangeError(`torch has no storage of ${tensor.dtype}`);
    const elements = tensor.shape.reduce((product, n) => product * n, 1);
    this.code('ctorch._utils\n_rebuild_tensor_v2\n((');
    this.text('storage');
    this.code(`ctorch\n${storage}\n`);
    this.text(String(this.tensors.length));
    this.text('cpu');
    this.number(elements);
    this.code('tQ');
    this.number(0);
    this.tuple(tensor.shape);
    this.tuple(rowMajor(tensor.shape));
    this.bytes(0x89);
    this.code('ccollections\nOrderedDict\n)RtR');
    this.tensors.push(tensor);
  }

  private tuple(values: readonly number[]): void {
    this.code('(');
    for (const value of values) this.number(value);
    this.code('t');
  }

  private text(text: string): void {
    const encoded = Buffer.from(text, 'utf8');
    const length = Buffer.alloc(5, 'X');
    length.writeUInt32LE(encoded.length, 1);
    this.pieces.push(length, encoded);
  }

  private number(value: number): void {
    if (!Number.isSafeInteger(value)) {
      const float = Buffer.alloc(9, 'G');
      float.writeDoubleBE(value, 1);
      this.pieces.push(float);
    } else if (value >= 0 && value < 256) this.bytes(0x4b, value);
    else if (value === (value | 0)) {
      const int = Buffer.alloc(5, 'J');
      int.writeInt32LE(value, 1);
      this.pieces.push(int);
    } else {
      const long = Buffer.alloc(10);
      long.writeUInt8(0x8a, 0);
      long.writeUInt8(8, 1);
      long.writeBigInt64LE(BigInt(value), 2);
      this.pieces.push(long);
    }
  }
}

function rowMajor(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let step = 1;
  for (const length of shape.toReversed()) {
    strides.unshift(step);
    step *= Math.max(length, 1);
  }
  return strides;
}

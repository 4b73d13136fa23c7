import { elementBytes, isFloat, widen } from '../../server/tensors/dtypes';
import { TensorReader } from '../../server/tensors/reader';
import type { CheckpointFile, TensorInfo } from '../../server/tensors/types';

/** Opened tensors as one reader, closed by the caller. */
export function bytesOf(files: readonly CheckpointFile[]): {
  bytes: (info: TensorInfo) => Uint8Array;
  values: (info: TensorInfo) => Float32Array;
  close: () => void;
} {
  const reader = new TensorReader(files);
  const bytes = (info: TensorInfo): Uint8Array => {
    const target = new Uint8Array(info.elements * elementBytes(info.dtype));
    reader.readBytes(info, 0, target);
    return target;
  };
  const values = (info: TensorInfo): Float32Array => {
    const target = new Float32Array(info.elements);
    if (!isFloat(info.dtype)) throw new Error(`${info.name} holds no numbers`);
    widen(info.dtype, bytes(info), target);
    return target;
  };
  return { bytes, values, close: () => reader.close() };
}

/** Bits of a mask, one byte each, from either form of storage. */
export function unpack(bits: Uint8Array, elements: number): Uint8Array {
  return Uint8Array.from({ length: elements }, (_, i) => (bits[i >> 3] >> (i & 7)) & 1);
}

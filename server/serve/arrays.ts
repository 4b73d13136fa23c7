import { isRecord } from '../protocol/shape';
import type { Packable } from './msgpack';

/** A numeric array from the wire. */
export interface WireArray {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

type Reader = (view: DataView, at: number) => number;

/** NumPy's names of little-endian dtypes: bytes of an element and how to read one. */
const readers: Readonly<Record<string, readonly [bytes: number, read: Reader]>> = {
  '|u1': [1, (view, at) => view.getUint8(at)],
  '|i1': [1, (view, at) => view.getInt8(at)],
  '|b1': [1, (view, at) => view.getUint8(at)],
  '<u2': [2, (view, at) => view.getUint16(at, true)],
  '<i2': [2, (view, at) => view.getInt16(at, true)],
  '<i4': [4, (view, at) => view.getInt32(at, true)],
  '<u4': [4, (view, at) => view.getUint32(at, true)],
  '<i8': [8, (view, at) => Number(view.getBigInt64(at, true))],
  '<f4': [4, (view, at) => view.getFloat32(at, true)],
  '<f8': [8, (view, at) => view.getFloat64(at, true)],
};

/** `uint8`, as some clients write, to `|u1`, as NumPy's short form has it. */
const longNames: Readonly<Record<string, string>> = {
  uint8: '|u1',
  int8: '|i1',
  bool: '|b1',
  int32: '<i4',
  int64: '<i8',
  float32: '<f4',
  float64: '<f8',
};

/**
 * Reads an array map (`__ndarray__`, `data`, `dtype`, `shape`); undefined for anything else.
 * Throws where its length does not fit its shape.
 */
export function asArray(value: unknown): WireArray | undefined {
  if (!isRecord(value) || value['__ndarray__'] !== true) return undefined;
  const dtype = dtypeOf(value['dtype']);
  const { data, shape } = value;
  if (!(data instanceof Uint8Array) || !isShape(shape))
    throw new Error('an array has no data or no shape');
  const size = readers[dtype]?.[0];
  if (size === undefined) throw new Error(`arrays of dtype ${dtype} are not understood`);
  const expected = shape.reduce((product, length) => product * length, size);
  if (expected !== data.length)
    throw new Error(
      `an array of shape [${shape.join(', ')}] has ${data.length} bytes instead of ${expected}`,
    );
  return { dtype, shape, data };
}

function dtypeOf(value: unknown): string {
  const text = value instanceof Uint8Array ? new TextDecoder().decode(value) : value;
  if (typeof text !== 'string') throw new Error('an array has no dtype');
  return longNames[text] ?? text;
}

function isShape(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && Number(n) >= 0);
}

/** Numbers of an array, of a list, or of a scalar's map. */
export function asNumbers(value: unknown): Float64Array | undefined {
  const array = asArray(value);
  if (array) {
    const [size, read] = readers[array.dtype] ?? [1, () => NaN];
    const view = new DataView(array.data.buffer, array.data.byteOffset, array.data.byteLength);
    return Float64Array.from({ length: array.data.length / size }, (_, i) => read(view, i * size));
  }
  if (Array.isArray(value) && value.every((item) => typeof item === 'number'))
    return Float64Array.from(value);
  return undefined;
}

/** Float32 rows as an array map: keys as bytes for openpi, as text for vla-eval. */
export function packArray(
  values: Float32Array,
  shape: readonly number[],
  keys: 'bytes' | 'text',
): Packable {
  const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const entries = { __ndarray__: true, data, dtype: '<f4', shape } as const;
  return keys === 'text' ? entries : new Map<string, Packable>(Object.entries(entries));
}

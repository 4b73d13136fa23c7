import type { Dtype } from './types';

const elementSizes: Readonly<Record<Dtype, number>> = {
  BF16: 2,
  F16: 2,
  F32: 4,
  F64: 8,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
};

const floats: ReadonlySet<Dtype> = new Set(['BF16', 'F16', 'F32', 'F64', 'F8_E4M3', 'F8_E5M2']);

/** Dtypes whose every value float32 holds exactly, and F64, which is rounded once. */
export type FloatDtype = 'BF16' | 'F16' | 'F32' | 'F64' | 'F8_E4M3' | 'F8_E5M2';

/** Bytes of one element. */
export function elementBytes(dtype: Dtype): number {
  return elementSizes[dtype];
}

/** True for the dtypes that can be merged; integers and booleans are copied when equal. */
export function isFloat(dtype: Dtype): dtype is FloatDtype {
  return floats.has(dtype);
}

/** True for a name that safetensors uses for a dtype we know. */
export function isDtype(name: unknown): name is Dtype {
  return typeof name === 'string' && Object.hasOwn(elementSizes, name);
}

/**
 * Little-endian elements to float32, exactly (F64 is rounded to nearest even).
 * `bytes` holds `target.length` elements; NaN payloads of 16-bit types are kept.
 */
export function widen(dtype: FloatDtype, bytes: Uint8Array, target: Float32Array): void {
  const count = target.length;
  switch (dtype) {
    case 'F32':
      new Uint8Array(target.buffer, target.byteOffset, count * 4).set(bytes.subarray(0, count * 4));
      return;
    case 'BF16': {
      const source = asUint16(bytes, count);
      const bits = bitsOf(target);
      for (let i = 0; i < count; i++) bits[i] = (source[i] ?? 0) << 16;
      return;
    }
    case 'F16':
      widenSmall(asUint16(bytes, count), half, target);
      return;
    case 'F8_E4M3':
      widenSmall(bytes, e4m3, target);
      return;
    case 'F8_E5M2':
      widenSmall(bytes, e5m2, target);
      return;
    case 'F64': {
      const view = new DataView(bytes.buffer, bytes.byteOffset, count * 8);
      for (let i = 0; i < count; i++) target[i] = view.getFloat64(i * 8, true);
      return;
    }
  }
}

/**
 * Float32 to little-endian elements, rounded once, half to even. Values beyond the range become
 * infinity (NaN for F8_E4M3, which has no infinity); NaN stays NaN and is made quiet.
 */
export function narrow(dtype: FloatDtype, source: Float32Array, target: Uint8Array): void {
  switch (dtype) {
    case 'F32':
      target.set(new Uint8Array(source.buffer, source.byteOffset, source.byteLength));
      return;
    case 'F64':
      target.set(new Uint8Array(Float64Array.from(source).buffer));
      return;
    case 'BF16':
      narrow16(source, target, bfloat16Bits);
      return;
    case 'F16':
      narrow16(source, target, (bits) => smallFloatBits(bits, half));
      return;
    case 'F8_E5M2':
      narrow8(source, target, e5m2);
      return;
    case 'F8_E4M3':
      narrow8(source, target, e4m3);
      return;
  }
}

function narrow16(
  source: Float32Array,
  target: Uint8Array,
  convert: (bits: number) => number,
): void {
  const bits = bitsOf(source);
  for (let i = 0; i < bits.length; i++) {
    const code = convert(bits[i] ?? 0);
    target[i * 2] = code;
    target[i * 2 + 1] = code >>> 8;
  }
}

function narrow8(source: Float32Array, target: Uint8Array, to: SmallFloat): void {
  const bits = bitsOf(source);
  for (let i = 0; i < bits.length; i++) target[i] = smallFloatBits(bits[i] ?? 0, to);
}

/** The nearest bfloat16 of float32 bits, half to even; NaN keeps its high bits and becomes quiet. */
export function bfloat16Bits(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return ((bits >>> 16) | 0x40) & 0xffff;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

interface SmallFloat {
  readonly exponentBits: number;
  readonly mantissaBits: number;
  readonly bias: number;
  /** Bits of the largest finite value; what rounds above it becomes infinity, or NaN without one. */
  readonly largest: number;
  readonly infinity?: number;
  readonly nan: number;
}

const half: SmallFloat = {
  exponentBits: 5,
  mantissaBits: 10,
  bias: 15,
  largest: 0x7bff,
  infinity: 0x7c00,
  nan: 0x7e00,
};
const e5m2: SmallFloat = {
  exponentBits: 5,
  mantissaBits: 2,
  bias: 15,
  largest: 0x7b,
  infinity: 0x7c,
  nan: 0x7e,
};
// E4M3 as torch and ONNX store it (the FN variant): no infinity, one NaN, largest value 448.
const e4m3: SmallFloat = { exponentBits: 4, mantissaBits: 3, bias: 7, largest: 0x7e, nan: 0x7f };

/** Float32 bits to a smaller IEEE-like format, half to even. */
function smallFloatBits(bits: number, to: SmallFloat): number {
  const sign = (bits >>> 31) << (to.exponentBits + to.mantissaBits);
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | to.nan;
  if (magnitude === 0x7f800000) return sign | (to.infinity ?? to.nan);
  const exponent = (magnitude >>> 23) - 127 + to.bias;
  const dropped = 23 - to.mantissaBits;
  const rounded =
    exponent > 0
      ? roundShift(magnitude - ((127 - to.bias) << 23), dropped)
      : // Below the smallest normal value the hidden bit becomes explicit and slides right.
        roundShift((magnitude & 0x7fffff) | 0x800000, Math.min(dropped + 1 - exponent, 25));
  return sign | (rounded > to.largest ? (to.infinity ?? to.nan) : rounded);
}

/** value / 2^shift, half to even; 1 ≤ shift ≤ 25, value below 2^31. */
function roundShift(value: number, shift: number): number {
  const odd = (value >>> shift) & 1;
  return (value + (2 ** (shift - 1) - 1) + odd) >>> shift;
}

function bitsOf(array: Float32Array): Uint32Array {
  return new Uint32Array(array.buffer, array.byteOffset, array.length);
}

/** A view when the bytes are aligned, else a copy. */
function asUint16(bytes: Uint8Array, count: number): Uint16Array {
  if (bytes.byteOffset % 2 === 0) return new Uint16Array(bytes.buffer, bytes.byteOffset, count);
  return new Uint16Array(bytes.slice(0, count * 2).buffer);
}

function widenSmall(
  source: Uint8Array | Uint16Array,
  from: SmallFloat,
  target: Float32Array,
): void {
  const bits = bitsOf(target);
  for (let i = 0; i < target.length; i++) bits[i] = float32BitsOf(source[i] ?? 0, from);
}

/** Bits of the float32 that equals a smaller float; infinities and NaN payloads are kept. */
function float32BitsOf(code: number, from: SmallFloat): number {
  const width = from.exponentBits + from.mantissaBits;
  const sign = (code >>> width) << 31;
  const magnitude = code & ((1 << width) - 1);
  const shift = 23 - from.mantissaBits;
  if (magnitude > from.largest)
    return (
      sign | 0x7f800000 | ((magnitude << shift) & (magnitude === from.infinity ? 0 : 0x7fffff))
    );
  if (magnitude >>> from.mantissaBits > 0)
    return sign | ((magnitude << shift) + ((127 - from.bias) << 23));
  if (magnitude === 0) return sign;
  // A subnormal is normal in float32: move its leading bit to the hidden position.
  const lead = 31 - Math.clz32(magnitude);
  const exponent = 127 - from.bias + 1 - from.mantissaBits + lead;
  return sign | (exponent << 23) | ((magnitude << (23 - lead)) & 0x7fffff);
}

import { narrow, widen } from '../tensors/dtypes';
import type { Dtype } from '../tensors/types';
import { column, type Columns } from './stages';

/** Rounds values in place to a narrower dtype, kept as float32. */
export type Rounding = (values: Float32Array, n: number) => void;

/**
 * Half to even to bfloat16 precision, NaN untouched. The released code computes in the stored dtype and
 * rounds after every step (policy-forward §9); `precision: native` repeats it.
 */
export const roundToBf16: Rounding = (values, n) => {
  const bits = new Uint32Array(values.buffer, values.byteOffset, n);
  for (let i = 0; i < n; i++) {
    const u = bits[i];
    if ((u & 0x7fffffff) <= 0x7f800000) bits[i] = (u + 0x7fff + ((u >>> 16) & 1)) & 0xffff0000;
  }
};

/** The rounding of a stored dtype; null where float32 arithmetic is the native one. */
export function roundingOf(dtype: Dtype): Rounding | null {
  if (dtype === 'BF16') return roundToBf16;
  return dtype === 'F16' ? roundToF16 : null;
}

const roundToF16: Rounding = (values, n) => {
  const halves = new Uint8Array(n * 2);
  narrow('F16', values.subarray(0, n), halves);
  widen('F16', halves, values.subarray(0, n));
};

/** merged = ((0 + r(w_1 c_1)) + r(w_2 c_2)) + …, rounded after every product and sum. */
export function nativeSum(
  columns: Columns,
  weights: readonly number[],
  round: Rounding,
  merged: Float32Array,
): void {
  const n = merged.length;
  const product = new Float32Array(n);
  merged.fill(0);
  for (let m = 0; m < columns.count; m++) {
    const weight = Math.fround(weights[m]);
    const values = column(columns, m);
    for (let i = 0; i < n; i++) product[i] = weight * values[i];
    round(product, n);
    for (let i = 0; i < n; i++) merged[i] = merged[i] + product[i];
    round(merged, n);
  }
}

/** |τ| > r(λ · |r(τ_merge − τ)|), bits least significant first; returns the active count. */
export function nativeMask(
  taskVector: Float32Array,
  merged: Float32Array,
  options: { readonly lambda: number; readonly round: Rounding; readonly n: number },
  bits: Uint8Array,
): number {
  const { n, round } = options;
  const lambda = Math.fround(options.lambda);
  const away = new Float32Array(n);
  for (let i = 0; i < n; i++) away[i] = merged[i] - taskVector[i];
  round(away, n);
  for (let i = 0; i < n; i++) away[i] = lambda * Math.abs(away[i]);
  round(away, n);
  let active = 0;
  bits.fill(0, 0, Math.ceil(n / 8));
  for (let i = 0; i < n; i++) {
    if (!(Math.abs(taskVector[i]) > away[i])) continue;
    bits[i >>> 3] |= 1 << (i & 7);
    active++;
  }
  return active;
}

import { narrow, widen } from './dtypes';
import type { AdapterDelta } from './types';

/** Both factors of one delta, widened to float32: A [r, …] and B [out, r] as stored, row-major. */
export interface AdapterFactors {
  readonly a: Float32Array;
  readonly b: Float32Array;
}

/**
 * Rows `from` to `to` (exclusive) of scale · B·A in the layout of the base tensor, whose trailing
 * axes are flattened: `into` holds (to − from) · columns elements. Every product and sum is rounded
 * to float32, ranks in order, the scale last, as PEFT 0.21.2 does (reference: merge methods §14).
 */
export function adapterDeltaRows(
  delta: AdapterDelta,
  factors: AdapterFactors,
  rows: { readonly from: number; readonly to: number },
  into: Float32Array,
): void {
  into.fill(0);
  if (delta.transpose) transposedRows(delta, factors, rows, into);
  else plainRows(delta, factors, rows, into);
  const scale = Math.fround(delta.scale);
  for (let i = 0; i < into.length; i++) into[i] = (into[i] ?? 0) * scale;
  if (delta.roundProduct) {
    const rounded = new Uint8Array(into.length * 2);
    narrow(delta.roundProduct, into, rounded);
    widen(delta.roundProduct, rounded, into);
  }
}

type Rows = Parameters<typeof adapterDeltaRows>[2];

/** Row o: Σ_r B[o, r] · A[r, ·]. */
function plainRows(
  delta: AdapterDelta,
  { a, b }: AdapterFactors,
  rows: Rows,
  into: Float32Array,
): void {
  const rank = delta.a.shape[0] ?? 0;
  const columns = a.length / rank;
  for (let row = rows.from; row < rows.to; row++) {
    const start = (row - rows.from) * columns;
    for (let r = 0; r < rank; r++) {
      const factor = b[row * rank + r] ?? 0;
      const from = r * columns;
      for (let i = 0; i < columns; i++)
        into[start + i] = (into[start + i] ?? 0) + Math.fround(factor * (a[from + i] ?? 0));
    }
  }
}

/** Row i: Σ_r A[r, i] · B[·, r]. */
function transposedRows(
  delta: AdapterDelta,
  { a, b }: AdapterFactors,
  rows: Rows,
  into: Float32Array,
): void {
  const rank = delta.a.shape[0] ?? 0;
  const inputs = a.length / rank;
  const columns = b.length / rank;
  for (let row = rows.from; row < rows.to; row++) {
    const start = (row - rows.from) * columns;
    for (let r = 0; r < rank; r++) {
      const factor = a[r * inputs + row] ?? 0;
      for (let o = 0; o < columns; o++)
        into[start + o] = (into[start + o] ?? 0) + Math.fround((b[o * rank + r] ?? 0) * factor);
    }
  }
}

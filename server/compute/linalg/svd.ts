import type { MatrixView, RightSingular } from '../../engine/subspace';
import type { Algebra } from './matrix';

/**
 * The first `rank` right singular vectors of W, in float64. Each vector's entry of largest magnitude
 * is positive, the first of equals, so that the answer does not depend on the solver. Where σ is
 * zero to working precision the row is zero: no direction is singled out.
 */
export function rightSingularVectors(algebra: Algebra, w: MatrixView, rank: number): RightSingular {
  const { rows, columns } = w;
  const { s, v } = algebra.thinSvd({ rows, columns, data: Float64Array.from(w.data) });
  const k = Math.min(rank, s.length);
  const floor = (s[0] ?? 0) * Math.max(rows, columns) * Number.EPSILON;
  const vectors = new Float64Array(k * columns);
  for (let i = 0; i < k; i++) {
    if ((s[i] ?? 0) <= floor) continue;
    const sign = signOfLargest(v.data, i, v.columns);
    for (let j = 0; j < columns; j++)
      vectors[i * columns + j] = sign * (v.data[j * v.columns + i] ?? 0);
  }
  return { values: s.slice(0, k), vectors };
}

/** The sign of the entry of largest magnitude in a strided column. */
function signOfLargest(data: Float64Array, from: number, step: number): number {
  let largest = 0;
  for (let at = from; at < data.length; at += step) {
    const value = data[at] ?? 0;
    if (Math.abs(value) > Math.abs(largest)) largest = value;
  }
  return largest < 0 ? -1 : 1;
}

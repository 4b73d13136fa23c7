import { column } from '../stages';
import type { ColumnInput, ColumnMethod } from './method';

/**
 * Spherical interpolation of whole weights from the base to the one expert, or between two experts
 * (merge-methods §8): factors from the angle of the flattened tensors, applied unnormalised.
 */
export const slerp: ColumnMethod = {
  kind: 'columns',
  space: 'weights',
  statisticsLength: () => 3,
  statistics: (input, sums) => {
    const [a, b] = ends(input);
    sums[0] += input.stages.sumSquares(a, input.n);
    sums[1] += input.stages.sumSquares(b, input.n);
    sums[2] += input.stages.dot(a, b, new Float64Array(0), input.n);
  },
  combine: (input) => {
    const [a, b] = ends(input);
    const [fromFactor, toFactor] = slerpFactors(input.facts.sums, input.parameters.t);
    for (let i = 0; i < input.n; i++)
      input.merged[i] = Math.fround(fromFactor * a[i]) + Math.fround(toFactor * b[i]);
  },
};

function ends(input: ColumnInput): [Float32Array, Float32Array] {
  return input.columns.count === 1
    ? [input.base, column(input.columns, 0)]
    : [column(input.columns, 0), column(input.columns, 1)];
}

/** Float32 factors of both ends. `sums`: ‖a‖², ‖b‖², a·b. */
export function slerpFactors(sums: readonly number[], t: number): [number, number] {
  const norm = (square: number) => (Math.sqrt(square) > 1e-8 ? Math.sqrt(square) : 1);
  const cosine = Math.max(-1, Math.min(1, sums[2] / (norm(sums[0]) * norm(sums[1]))));
  // Nearly parallel ends are joined by a straight line, as every peer does.
  if (Math.abs(cosine) > 0.9995) return [Math.fround(1 - t), Math.fround(t)];
  const angle = Math.acos(cosine);
  const sine = Math.sin(angle);
  return [Math.fround(Math.sin((1 - t) * angle) / sine), Math.fround(Math.sin(t * angle) / sine)];
}

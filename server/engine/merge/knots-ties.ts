import { plainStages } from '../plain-stages';
import type { Columns, Cut } from '../stages';
import { column, makeColumns } from '../stages';
import type { MatrixInput } from './method';
import { keepCount } from './ties';

/**
 * TIES on the right parts of KnOTS: trim each to its largest magnitudes, elect, join. Trimming and
 * the sign that decides ties are taken over this matrix alone, because the parts of two matrices have
 * no common scale. The weights are in the parts already and serve as the divisor of `agree: mean`.
 */
export function tiesOfParts(
  parts: readonly Float32Array[],
  { settings, parameters }: Pick<MatrixInput, 'settings' | 'parameters'>,
): Float32Array {
  const n = parts[0].length;
  const trimmed = makeColumns(new Float32Array(n * parts.length), n, parts.length);
  parts.forEach((part, m) => {
    trimInto(part, keepCount(parameters.density[m], n), column(trimmed, m));
  });
  const merged = new Float32Array(n);
  const options = {
    agree: settings.agree,
    tieNegative: settings.elect_tie === 'global' && signBalance(trimmed) <= 0,
    weights: Float32Array.from(parameters.weights),
  };
  plainStages.elect(trimmed, options, merged, n);
  return merged;
}

const signBalance = (columns: Columns): number => plainStages.signBalance(columns, columns.stride);

function trimInto(part: Float32Array, keep: number, target: Float32Array): void {
  if (keep >= part.length) target.set(part);
  else if (keep > 0) plainStages.trim(part, cutOf(part, keep), target, part.length);
}

/** The cut that keeps `keep` magnitudes, the first of equal ones. */
function cutOf(part: Float32Array, keep: number): Cut {
  const bits = new Uint32Array(part.slice().buffer).map((word) => word & 0x7fffffff).sort();
  const threshold = bits[bits.length - keep];
  let above = 0;
  while (above < keep && bits[bits.length - 1 - above] > threshold) above++;
  return { threshold, remaining: keep - above };
}

import { columnsOf, composeFactors, polarFactor, sideBySide, singularFromGram } from './factors';
import type { Operand } from './operand';
import { gramOf, longFactor, shortSide } from './operand';
import type { SpectralResult } from './result';
import { weakShare, zeroResult } from './result';

/** Directions that TSV keeps of each task; 0 when there are more tasks than directions. */
export function tsvDirections(directions: number, tasks: number): number {
  return Math.floor(directions / tasks);
}

/**
 * TSV-Merge: the ⌊r / M⌋ leading singular triples of each τ_m, their factors made orthonormal
 * together by the polar factor, multiplied with the kept singular values (Gargiulo et al. 2025;
 * merge-methods §11).
 */
export function tsv(operand: Operand): SpectralResult {
  const { algebra, taskVectors } = operand;
  const directions = shortSide(operand);
  const each = tsvDirections(directions, taskVectors.length);
  const parts = taskVectors.map((_, task) => {
    const singular = singularFromGram(algebra, gramOf(operand, task), 0);
    const count = Math.min(each, singular.rank);
    return {
      short: columnsOf(singular.vectors, 0, count),
      long: longFactor(operand, columnsOf(singular.vectors, 0, count, singular.values), task),
      values: singular.values.slice(0, count),
    };
  });
  const s = Float64Array.from(parts.flatMap(({ values }) => [...values]));
  if (s.length === 0) return zeroResult(operand.rows * operand.columns, directions);
  const short = polarFactor(algebra, sideBySide(parts.map((part) => part.short)));
  const long = polarFactor(algebra, sideBySide(parts.map((part) => part.long)));
  return {
    merged: composeFactors(operand, short, s, long),
    facts: {
      directions,
      rank: s.length,
      singularValues: s.slice().sort().reverse(),
      weakShare: weakShare(s, 'squared'),
    },
  };
}

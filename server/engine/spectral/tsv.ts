import {
  columnsOf,
  inverseRoot,
  polarFactor,
  scaleColumns,
  sideBySide,
  singularFromGram,
} from './factors';
import { LongFactor } from './long-factor';
import type { Operand } from './operand';
import { gramOf, shortSide, tasksOf } from './operand';
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
  const each = tsvDirections(directions, taskVectors.count);
  const parts = tasksOf(operand).map((task) => {
    const singular = singularFromGram(algebra, gramOf(operand, task), 0);
    const count = Math.min(each, singular.rank);
    return {
      short: columnsOf(singular.vectors, 0, count),
      long: [{ source: task, right: columnsOf(singular.vectors, 0, count, singular.values) }],
      values: singular.values.slice(0, count),
    };
  });
  const s = Float64Array.from(parts.flatMap(({ values }) => [...values]));
  if (s.length === 0) return zeroResult(operand.rows * operand.columns, directions);
  const short = polarFactor(algebra, sideBySide(parts.map((part) => part.short)));
  const long = new LongFactor(
    operand,
    parts.map((part) => part.long),
  );
  // short · S · (P (PᵀP)^(−1/2))ᵀ: the long side's polar factor is never formed.
  const left = algebra.multiply(scaleColumns(short, s), inverseRoot(algebra, long.gram()));
  return {
    merged: long.compose(left),
    facts: {
      directions,
      rank: s.length,
      singularValues: s.slice().sort().reverse(),
      weakShare: weakShare(s, 'squared'),
    },
  };
}

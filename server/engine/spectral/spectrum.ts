import type { Matrix } from '../../compute/linalg/matrix';
import type { MatrixSpectrum, Spectrum, SubspaceOverlap } from '../../protocol/spectrum';
import { columnsOf, singularFromGram, type ShortSingular } from './factors';
import { LongFactor } from './long-factor';
import type { Operand, Source } from './operand';
import { gramOf, isTall, isUnchanged, shortSide, tasksOf } from './operand';
import { effectiveRank, weakBelow } from './result';

/** Singular values that are told of one matrix, at most. */
const mostValues = 64;

/**
 * Spectra of τ_1 … τ_M and of their sum, and the principal angles between the spans of the leading
 * `k` right singular vectors of every two tasks (Björck & Golub 1973). In float64. Null where no task
 * changed the matrix.
 */
export function matrixSpectrum(operand: Operand, k: number): MatrixSpectrum | null {
  if (isUnchanged(operand)) return null;
  const directions = shortSide(operand);
  const indices = sampledIndices(directions);
  const found = tasksOf(operand).map((task) => singularOf(operand, task));
  const leading = found.map((singular, task) => rightVectors(operand, singular, task, k));
  const overlaps = leading.flatMap((a, i) =>
    leading.slice(i + 1).map((b) => subspaceOverlap(operand, a, b)),
  );
  return {
    directions,
    indices,
    tasks: found.map((singular) => spectrumOf(singular, indices)),
    sum: spectrumOf(singularOf(operand, 'sum'), indices),
    overlaps,
  };
}

function singularOf(operand: Operand, source: Source): ShortSingular {
  return singularFromGram(operand.algebra, gramOf(operand, source), 0);
}

function spectrumOf({ values, rank }: ShortSingular, indices: readonly number[]): Spectrum {
  const floor = values[0] * weakBelow;
  const weak = values.filter((value) => value < floor).length / values.length;
  return {
    values: indices.map((i) => values[i]),
    rank,
    effective_rank: effectiveRank(values.subarray(0, rank)),
    weak,
  };
}

/** The leading right singular vectors as columns, `[columns, ≤ k]`. */
function rightVectors(
  operand: Operand,
  { values, vectors, rank }: ShortSingular,
  task: number,
  k: number,
): Matrix {
  const count = Math.min(k, rank);
  // Tall matrices have their right vectors on the short side.
  if (isTall(operand)) return columnsOf(vectors, 0, count);
  const right = columnsOf(vectors, 0, count, values);
  return new LongFactor(operand, [[{ source: task, right }]]).whole();
}

function subspaceOverlap({ algebra }: Operand, a: Matrix, b: Matrix): SubspaceOverlap {
  const count = Math.min(a.columns, b.columns);
  if (count === 0) return { cosines: [], shares: [] };
  const product = algebra.multiply(a, b, { transposeA: true });
  const cosines = [...algebra.thinSvd(product).s].map((cosine) => Math.min(1, cosine));
  return { cosines, shares: leadingShares(product, count) };
}

/** Mean squared cosines of growing subspaces: those of a product's leading n × n block are ‖block‖² / n. */
function leadingShares({ columns, data }: Matrix, count: number): readonly number[] {
  let squares = 0;
  return Array.from({ length: count }, (_, last) => {
    for (let i = 0; i < last; i++)
      squares += data[i * columns + last] ** 2 + data[last * columns + i] ** 2;
    squares += data[last * columns + last] ** 2;
    return squares / (last + 1);
  });
}

/** All indices of a short spectrum, else the first, the last and steps between that grow evenly. */
export function sampledIndices(directions: number): readonly number[] {
  if (directions <= mostValues) return Array.from({ length: directions }, (_, i) => i);
  const steps = Array.from({ length: mostValues }, (_, i) =>
    Math.round((directions - 1) ** (i / (mostValues - 1))),
  );
  return [...new Set([0, ...steps])].sort((a, b) => a - b);
}

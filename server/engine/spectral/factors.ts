import type { Algebra, Matrix } from '../../compute/linalg/matrix';

/**
 * Directions whose singular value is below this share of the largest are not determined by float32
 * data: every library fills them with rounding noise of its own. They are always left out.
 */
export const undeterminedBelow = 1e-6;

/** Leading singular triples of a logical `[r, L]` matrix, without the long vectors. */
export interface ShortSingular {
  /** Singular values in descending order, all r of them. */
  readonly values: Float64Array;
  /** Short-side singular vectors as columns, `[r, r]`. */
  readonly vectors: Matrix;
  /** Number of values above the tolerance. */
  readonly rank: number;
}

/**
 * Singular values and short-side vectors from the Gram matrix A Aᵀ, in float64. `scale`: the largest
 * singular value of what A was projected from, which tolerances are relative to.
 */
export function singularFromGram(
  algebra: Algebra,
  gram: Matrix,
  rankTolerance: number,
  scale = 0,
): ShortSingular {
  const { values, vectors } = algebra.symmetricEigen(gram);
  const singular = values.map((value) => Math.sqrt(Math.max(0, value)));
  const floor = Math.max(singular[0], scale) * Math.max(rankTolerance, undeterminedBelow);
  let rank = 0;
  while (rank < singular.length && singular[rank] > floor) rank++;
  return { values: singular, vectors, rank };
}

/** Columns `from … to` of a matrix, each divided by `divisors[column]` when given. */
export function columnsOf(a: Matrix, from: number, to: number, divisors?: Float64Array): Matrix {
  const width = to - from;
  const data = new Float64Array(a.rows * width);
  for (let i = 0; i < a.rows; i++)
    for (let j = 0; j < width; j++)
      data[i * width + j] = a.data[i * a.columns + from + j] / (divisors ? divisors[from + j] : 1);
  return { rows: a.rows, columns: width, data };
}

/** Matrices of equal height side by side. */
export function sideBySide(parts: readonly Matrix[]): Matrix {
  const rows = parts[0].rows;
  const columns = parts.reduce((sum, part) => sum + part.columns, 0);
  const data = new Float64Array(rows * columns);
  let at = 0;
  for (const part of parts) {
    for (let i = 0; i < rows; i++)
      data.set(part.data.subarray(i * part.columns, (i + 1) * part.columns), i * columns + at);
    at += part.columns;
  }
  return { rows, columns, data };
}

/** v · diag(f(values)) · vᵀ for the columns `v` whose value exceeds `floor`, `[n, n]`. */
export function spectralFunction(
  algebra: Algebra,
  { values, vectors }: { readonly values: Float64Array; readonly vectors: Matrix },
  floor: number,
  f: (value: number) => number,
): Matrix {
  let kept = 0;
  while (kept < values.length && values[kept] > floor) kept++;
  const left = columnsOf(vectors, 0, kept);
  const scaled = { ...left, data: left.data.slice() };
  for (let i = 0; i < scaled.rows; i++)
    for (let j = 0; j < kept; j++) scaled.data[i * kept + j] *= f(values[j]);
  return algebra.multiply(scaled, left, { transposeB: true });
}

/**
 * G^(−1/2) of a Gram matrix G = XᵀX, `[p, p]`, so that X times it is the polar factor of X: the nearest
 * matrix with orthonormal columns. Columns that are zero or depend on others stay zero.
 */
export function inverseRoot(algebra: Algebra, gram: Matrix): Matrix {
  if (gram.rows === 0) return gram;
  const eigen = algebra.symmetricEigen(gram);
  const floor = eigen.values[0] * undeterminedBelow * undeterminedBelow;
  return spectralFunction(algebra, eigen, floor, (value) => 1 / Math.sqrt(value));
}

/** Polar factor of a matrix with no more columns than rows. */
export function polarFactor(algebra: Algebra, x: Matrix): Matrix {
  if (x.columns === 0) return x;
  return algebra.multiply(x, inverseRoot(algebra, algebra.gram(x, { transpose: true })));
}

/** Each column times its own factor. */
export function scaleColumns(a: Matrix, factors: Float64Array): Matrix {
  return { ...a, data: a.data.map((value, at) => value * factors[at % a.columns]) };
}

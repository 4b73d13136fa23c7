import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import type { MatrixView, RightSingular } from '../../engine/subspace';

/**
 * The first `rank` right singular vectors of W, by the eigenvectors of the smaller Gram matrix in
 * float64. Each vector's entry of largest magnitude is positive, the first of equals, so that the
 * answer does not depend on the solver. Where σ is zero to working precision and the Gram matrix is
 * W·Wᵀ, the row is zero: no direction is singled out.
 */
export function rightSingularVectors(matrix: MatrixView, rank: number): RightSingular {
  const { rows, columns } = matrix;
  const k = Math.min(rank, rows, columns);
  const wide = columns > rows;
  const { values, vectors } = leadingEigenvectors(gramMatrix(matrix, wide), k);
  const size = wide ? rows : columns;
  const result = { values: values.map(Math.sqrt), vectors: new Float64Array(k * columns) };
  const floor = (result.values[0] ?? 0) * size * Number.EPSILON;
  for (let i = 0; i < k; i++) {
    const left = vectors.subarray(i * size, (i + 1) * size);
    const row = result.vectors.subarray(i * columns, (i + 1) * columns);
    if (!wide) row.set(left);
    else if ((result.values[i] ?? 0) > floor) projectRows(matrix, left, row);
    normalize(row);
    fixSign(row);
  }
  return result;
}

/** W·Wᵀ when `wide`, else Wᵀ·W, in float64. */
function gramMatrix({ rows, columns, data }: MatrixView, wide: boolean): Matrix {
  const size = wide ? rows : columns;
  const [alongStep, acrossStep, length] = wide ? [1, columns, columns] : [columns, 1, rows];
  const vectors = Array.from({ length: size }, (_, i) => {
    const vector = new Float64Array(length);
    for (let j = 0; j < length; j++) vector[j] = data[i * acrossStep + j * alongStep] ?? 0;
    return vector;
  });
  const gram = Matrix.zeros(size, size);
  vectors.forEach((a, i) => {
    for (let j = i; j < size; j++) {
      const product = dot(a, vectors[j] ?? a);
      gram.set(i, j, product);
      gram.set(j, i, product);
    }
  });
  return gram;
}

/** The `count` largest eigenvalues, falling, clipped at zero, with unit eigenvectors as rows. */
function leadingEigenvectors(symmetric: Matrix, count: number): RightSingular {
  const size = symmetric.rows;
  const solved = new EigenvalueDecomposition(symmetric, { assumeSymmetric: true });
  const order = solved.realEigenvalues
    .map((value, index) => ({ value, index }))
    .sort((a, b) => b.value - a.value || a.index - b.index)
    .slice(0, count);
  const vectors = new Float64Array(count * size);
  order.forEach(({ index }, i) => {
    vectors.set(solved.eigenvectorMatrix.getColumn(index), i * size);
  });
  return { values: Float64Array.from(order, ({ value }) => Math.max(0, value)), vectors };
}

/** row += Wᵀ·left. */
function projectRows(matrix: MatrixView, left: Float64Array, row: Float64Array): void {
  for (let i = 0; i < matrix.rows; i++) {
    const factor = left[i] ?? 0;
    const offset = i * matrix.columns;
    for (let j = 0; j < row.length; j++)
      row[j] = (row[j] ?? 0) + factor * (matrix.data[offset + j] ?? 0);
  }
}

function normalize(vector: Float64Array): void {
  const norm = Math.sqrt(dot(vector, vector));
  if (norm > 0) for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] ?? 0) / norm;
}

function fixSign(vector: Float64Array): void {
  let largest = 0;
  for (const value of vector) if (Math.abs(value) > Math.abs(largest)) largest = value;
  if (largest < 0) for (let i = 0; i < vector.length; i++) vector[i] = -(vector[i] ?? 0);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

/** A dense matrix `[rows, columns]` of float64, row-major. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

export interface MultiplyOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** The product is added to this matrix, which is also what is returned. */
  readonly addTo?: Matrix;
}

/** The linear algebra that merging needs, in float64. Inputs are never changed, `addTo` apart. */
export interface Algebra {
  /** a · b, either read transposed. Throws `RangeError` when the shapes do not fit. */
  multiply(a: Matrix, b: Matrix, options?: MultiplyOptions): Matrix;
  /** a · aᵀ, or aᵀ · a with `transpose`. */
  gram(a: Matrix, options?: { readonly transpose?: boolean; readonly addTo?: Matrix }): Matrix;
  /** Eigenvalues in descending order with the eigenvectors as columns; `a` is symmetric. */
  symmetricEigen(a: Matrix): { readonly values: Float64Array; readonly vectors: Matrix };
  /** a = u · diag(s) · vᵀ with k = min(rows, columns) columns in u and v, s in descending order. */
  thinSvd(a: Matrix): { readonly u: Matrix; readonly s: Float64Array; readonly v: Matrix };
}

/** A matrix of zeros, or over the data given. */
export function matrix(rows: number, columns: number, data?: Float64Array): Matrix {
  return { rows, columns, data: data ?? new Float64Array(rows * columns) };
}

export function transpose({ rows, columns, data }: Matrix): Matrix {
  const out = matrix(columns, rows);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) out.data[j * rows + i] = data[i * columns + j] ?? 0;
  return out;
}

/** A row-major matrix. */
export interface MatrixView {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array | Float64Array;
}

/** The largest singular values, falling, and their right singular vectors as rows [rank, columns]. */
export interface RightSingular {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/** Which value projections the router's bases come from, and which hidden state they are applied to. */
export interface RouterPlace {
  /** 0-based block of the action expert whose value projections are decomposed: b = N − n − 1. */
  readonly valueBlock: number;
  /** Entry of the hidden states, 0 = input embeddings: i = N − n + 1. */
  readonly hiddenEntry: number;
}

/** A router basis P [rank, width]: rows are right singular vectors of one value projection. */
export interface RouterBasis {
  readonly rank: number;
  readonly width: number;
  /** Row-major, float64 before it is rounded to the stored dtype. */
  readonly rows: Float64Array;
}

/**
 * The released code's indices (MergeVLA reference §5.2, item 2 of §10), which a recipe may override.
 * `blocks` = N of the action expert, `unmerged` = n, the blocks kept per task.
 */
export function routerPlace(
  blocks: number,
  unmerged: number,
  override: { readonly valueBlock?: number | undefined; readonly hiddenEntry?: number | undefined },
): RouterPlace {
  return {
    valueBlock: override.valueBlock ?? Math.max(0, blocks - unmerged - 1),
    hiddenEntry: override.hiddenEntry ?? Math.max(1, blocks - unmerged + 1),
  };
}

/**
 * P of one task and path: the first `rank` right singular vectors of the expert's own value
 * projection W [out, in] (MergeVLA reference §5.2). They live in W's input space, the hidden states'.
 * A projection of lower rank than asked gives fewer rows. Biases take no part.
 */
export function routerBasis(
  value: MatrixView,
  rank: number,
  decompose: (matrix: MatrixView, rank: number) => RightSingular,
): RouterBasis {
  const { values, vectors } = decompose(value, rank);
  return { rank: values.length, width: value.columns, rows: vectors };
}

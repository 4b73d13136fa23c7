/** Singular spectra of task vectors: the answer of `inspect --spectrum`, and what panels draw. */
export interface SpectrumReport {
  readonly tasks: readonly string[];
  /** Leading right singular vectors that overlaps are taken over, at most. */
  readonly k: number;
  /** Matrices that some expert changed, in name order. */
  readonly tensors: readonly TensorSpectrum[];
  /** Matrices that `run.memory` cannot hold, with the bytes they need. */
  readonly skipped: readonly { readonly name: string; readonly bytes: number }[];
}

export interface TensorSpectrum extends MatrixSpectrum {
  readonly name: string;
  readonly component: string;
  readonly block: number | null;
  readonly kind: string;
  readonly shape: readonly number[];
}

export interface MatrixSpectrum {
  /** Length of the short side: how many singular values there are. */
  readonly directions: number;
  /** Which singular values, counted from 0, `values` holds: all of a small matrix, else even on a log scale. */
  readonly indices: readonly number[];
  /** Of τ_m, in task order. */
  readonly tasks: readonly Spectrum[];
  /** Of Στ. */
  readonly sum: Spectrum;
  /** Pairs in the order (1,2) (1,3) … (2,3) …. */
  readonly overlaps: readonly SubspaceOverlap[];
}

export interface Spectrum {
  /** Singular values at `indices`, falling. */
  readonly values: readonly number[];
  /** Singular values above 1e-6 of the largest: what float32 data determines at all. */
  readonly rank: number;
  /** exp of the entropy of σ / Σσ; 0 for a zero matrix. */
  readonly effective_rank: number;
  /** Share of directions below 1e-3 of the largest; 0 for a zero matrix. */
  readonly weak: number;
}

/** How much the spans of two tasks' leading right singular vectors have in common. */
export interface SubspaceOverlap {
  /** Cosines of the principal angles, falling; as many as both tasks have directions, at most k. */
  readonly cosines: readonly number[];
  /** Mean squared cosine: 0 orthogonal, 1 equal; about k / columns for unrelated tasks. */
  readonly share: number;
}

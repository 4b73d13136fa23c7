import type { Guard } from './shape';
import { arrayOf, isCount, isNumber, isString, object, oneOf, literal, tagged } from './shape';

/** Singular spectra of task vectors: the answer of `inspect --spectrum`, and what panels draw. */
export interface SpectrumReport extends SpectrumScope {
  /** Matrices that some expert changed, in name order. */
  readonly tensors: readonly TensorSpectrum[];
}

/** What is measured, known before any weight is read. */
export interface SpectrumScope {
  readonly tasks: readonly string[];
  /** Leading right singular vectors that overlaps are taken over, at most. */
  readonly k: number;
  /** The recipe's `merge.rank_tolerance`. */
  readonly rank_tolerance: number;
  /** Matrices to read; those that no expert changed have no spectrum. */
  readonly matrices: number;
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
  /**
   * Mean squared cosine over the leading 1, 2 … directions of both: 0 orthogonal, 1 equal, about
   * n / columns for n directions of unrelated tasks.
   */
  readonly shares: readonly number[];
}

/** `inspect --spectrum --lines`: what is measured, then each matrix as soon as it is done. */
export type SpectrumLine =
  | { readonly type: 'scope'; readonly scope: SpectrumScope }
  | { readonly type: 'matrix'; readonly tensor: TensorSpectrum | null };

const isBlock: Guard<number | null> = oneOf(isCount, literal(null));
const isSpectrum = object<Spectrum>({
  values: arrayOf(isNumber),
  rank: isCount,
  effective_rank: isNumber,
  weak: isNumber,
});

export const isTensorSpectrum = object<TensorSpectrum>({
  name: isString,
  component: isString,
  block: isBlock,
  kind: isString,
  shape: arrayOf(isCount),
  directions: isCount,
  indices: arrayOf(isCount),
  tasks: arrayOf(isSpectrum),
  sum: isSpectrum,
  overlaps: arrayOf(
    object<SubspaceOverlap>({ cosines: arrayOf(isNumber), shares: arrayOf(isNumber) }),
  ),
});

export const isSpectrumScope = object<SpectrumScope>({
  tasks: arrayOf(isString),
  k: isCount,
  rank_tolerance: isNumber,
  matrices: isCount,
  skipped: arrayOf(object<{ name: string; bytes: number }>({ name: isString, bytes: isNumber })),
});

export const isSpectrumLine = tagged<SpectrumLine>({
  scope: object<Extract<SpectrumLine, { type: 'scope' }>>({
    type: literal('scope'),
    scope: isSpectrumScope,
  }),
  matrix: object<Extract<SpectrumLine, { type: 'matrix' }>>({
    type: literal('matrix'),
    tensor: oneOf(isTensorSpectrum, literal(null)),
  }),
});

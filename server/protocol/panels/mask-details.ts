import type { Numbers } from '../shape';
import { arrayOf, isCount, isNumber, isNumbers, isString, literal, object, orNull } from '../shape';
import type { Figure } from './shared';
import { isFigure } from './shared';

/** An exact pass that is running for the recipe on screen. */
export interface JobView {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  readonly unit: string;
}

/** Two tasks by block, in place of the mean over all pairs. */
export interface PairView {
  /** Places among the tasks, first below second. */
  readonly first: number;
  readonly second: number;
  /** B × 3: sign conflict, low, high. */
  readonly conflict: Numbers;
  /** B. */
  readonly cosine: Numbers;
}

/** Square over tasks, row-major; the diagonals are unused. */
export interface PairFigures {
  readonly cosine: readonly (Figure | null)[];
  readonly conflict: readonly (Figure | null)[];
  /** Norm of each task vector as a share of the base's. */
  readonly norms: readonly (Figure | null)[];
}

/** One tensor's own page of numbers. */
export interface TensorView extends PairFigures {
  readonly name: string;
  readonly shape: string;
  readonly rule: string;
  /** By task. */
  readonly active: readonly (Figure | null)[];
  readonly distance: readonly (Figure | null)[];
}

/** Asks for a pair by block, and for a tensor by its name; an empty one puts it away. */
export type FromDetails =
  | { readonly type: 'showPair'; readonly pair: readonly number[] }
  | { readonly type: 'showTensor'; readonly name: string };

export const isFigureOrNull = orNull(isFigure);
export const isFigures = arrayOf(isFigureOrNull);

export const isJobView = object<JobView>({
  phase: isString,
  done: isNumber,
  total: isNumber,
  unit: isString,
});

export const isPairView = object<PairView>({
  first: isCount,
  second: isCount,
  conflict: isNumbers,
  cosine: isNumbers,
});

export const isTensorView = object<TensorView>({
  name: isString,
  shape: isString,
  rule: isString,
  active: isFigures,
  distance: isFigures,
  cosine: isFigures,
  conflict: isFigures,
  norms: isFigures,
});

type From<K extends FromDetails['type']> = Extract<FromDetails, { type: K }>;
export const fromDetails = {
  showPair: object<From<'showPair'>>({ type: literal('showPair'), pair: arrayOf(isCount) }),
  showTensor: object<From<'showTensor'>>({ type: literal('showTensor'), name: isString }),
};

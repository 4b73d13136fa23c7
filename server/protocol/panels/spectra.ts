import type { SpectrumScope, TensorSpectrum } from '../spectrum';
import { isSpectrumScope, isTensorSpectrum } from '../spectrum';
import type { Guard } from '../shape';
import { arrayOf, isBoolean, isCount, isString, literal, object, optional, orNull } from '../shape';
import type { BlockRange } from './mask-ratios';

/** Singular spectra in the mask-ratio panel: measured exactly, on demand, matrix by matrix. */
export interface SpectraView {
  readonly state: 'measuring' | 'done' | 'stopped' | 'failed';
  /** What was chosen: `all matrices`, `Language model · block 3`. */
  readonly title: string;
  /** Known once the command has read the headers. */
  readonly scope?: SpectrumScope;
  /** Matrices that were read, of `scope.matrices`; some may not have changed and have no spectrum. */
  readonly done: number;
  readonly tensors: readonly TensorSpectrum[];
  /** Why it failed, with its code. */
  readonly message?: string;
}

/** `tensors` replaces what the page has from this place on. */
export interface SpectraDelta {
  readonly type: 'spectra';
  readonly from: number;
  readonly spectra: SpectraView;
}

/** Matrices of some blocks; null: every matrix of the recipe. */
export type SpectraRange = BlockRange | null;

export type FromSpectra =
  | {
      readonly type: 'measureSpectra';
      readonly range: SpectraRange;
      /** Only what was measured before is shown: a page that was reloaded asks for it again. */
      readonly known: boolean;
    }
  | { readonly type: 'stopSpectra' };

export const isSpectraView = object<SpectraView>({
  state: literal('measuring', 'done', 'stopped', 'failed'),
  title: isString,
  scope: optional(isSpectrumScope),
  done: isCount,
  tensors: arrayOf(isTensorSpectrum),
  message: optional(isString),
});

const isPlace = orNull(isCount);
export const isSpectraRange: Guard<SpectraRange> = orNull(
  object<BlockRange>({ component: isString, from: isPlace, to: isPlace }),
);

type From<K extends FromSpectra['type']> = Extract<FromSpectra, { type: K }>;
export const fromSpectra = {
  measureSpectra: object<From<'measureSpectra'>>({
    type: literal('measureSpectra'),
    range: isSpectraRange,
    known: isBoolean,
  }),
  stopSpectra: object<From<'stopSpectra'>>({ type: literal('stopSpectra') }),
};

import {
  arrayOf,
  isBoolean,
  isNumber,
  isRecord,
  isString,
  object,
  recordOf,
  type Guard,
} from './shape';

/**
 * The shapes of `report.json` (product of a merge, of `inspect`, and of the sketch).
 * `Figure` is a plain number when exact and an estimate with a 95 % interval when sampled.
 */
export interface Estimate {
  readonly value: number;
  /** Null where no sample can bound the figure honestly (norms, cosines, distances): approximate only. */
  readonly low: number | null;
  readonly high: number | null;
}

/** What both kinds of report share; `F` is `number` for exact reports, `Estimate | number` for sampled ones. */
export interface Metrics<F> {
  /** Number of elements the shares below are of. */
  readonly elements: number;
  /** Mask bits set, for each task (a count; sampled reports scale it to the whole). */
  readonly active?: Readonly<Record<string, F>>;
  /** Number of positions active in exactly 0, 1 … M task masks. */
  readonly coverage?: readonly F[];
  /** Share of the retained positions that one task alone keeps; of a sample only, null when not to be told. */
  readonly selfish_of_retained?: F | null;
  /** Euclidean norms: of the base, of the merged task vector, and of each task vector by its name. */
  readonly norm: Readonly<Record<string, F>>;
  /** Cosine of two task vectors, keyed `a|b` in recipe order. */
  readonly cosine: Readonly<Record<string, F>>;
  /** Among positions where both task vectors are non-zero, the share whose signs differ, keyed `a|b`. */
  readonly sign_conflict: Readonly<Record<string, F>>;
  /** ‖S_m ⊙ τ_merge − τ_m‖ / ‖τ_m‖ for each task. */
  readonly distance?: Readonly<Record<string, F>>;
}

/** What a spectral method found in one matrix. */
export interface SpectralReport {
  /** Length of the short side: how many directions a full-rank result has. */
  readonly directions: number;
  /** Directions above `rank_tolerance` (KnOTS: `tolerance`); only these are in the result. */
  readonly rank: number;
  /** exp of the entropy of the normalised singular values. */
  readonly effective_rank: number;
  /**
   * Share of the result's energy in directions whose singular value is below 1e-3 of the largest:
   * what is likely to be rounding noise. Null for `wudi`, whose result no spectrum makes.
   */
  readonly weak_share: number | null;
}

export interface TensorReport<F> extends Metrics<F> {
  readonly name: string;
  readonly component: string;
  readonly block: number | null;
  readonly kind: string;
  readonly shape: readonly number[];
  /** Which rule made it: a method's name, `mean`, `average`, `per_task`, `copy`, `keep:<task>`, `base`. */
  readonly rule: string;
  /** Only where a spectral method made it (`iso_c`, `iso_cts`, `tsv`, `knots`, `wudi`). */
  readonly spectral?: SpectralReport;
}

export interface BlockReport<F> extends Metrics<F> {
  readonly component: string;
  readonly block: number | null;
}

export interface MergeReport<F = number> {
  readonly tasks: readonly string[];
  readonly exact: boolean;
  readonly tensors: readonly TensorReport<F>[];
  readonly blocks: readonly BlockReport<F>[];
  readonly components: Readonly<Record<string, Metrics<F>>>;
  readonly total: Metrics<F>;
  /** Of a sample: names of tensors with NaN or infinity in it, which nothing counts. */
  readonly nonfinite?: readonly string[];
}

/** What every reader of a report leans on. */
const isMetrics = (value: unknown): value is Metrics<number> =>
  isRecord(value) &&
  isNumber(value['elements']) &&
  ['norm', 'cosine', 'sign_conflict'].every((key) => isRecord(value[key])) &&
  ['active', 'distance'].every((key) => value[key] === undefined || isRecord(value[key])) &&
  (value['coverage'] === undefined || Array.isArray(value['coverage']));

const isBlock = (value: unknown): value is BlockReport<number> =>
  isMetrics(value) && 'component' in value && isString(value.component);

/** `report.json` of a run; a file cut short, or of something else, is none. */
export const isMergeReport = object<Omit<MergeReport, 'nonfinite'>>({
  tasks: arrayOf(isString),
  exact: isBoolean,
  tensors: arrayOf(isBlock) as Guard<MergeReport['tensors']>,
  blocks: arrayOf(isBlock),
  components: recordOf(isMetrics),
  total: isMetrics,
});

/** What of a report is final while the merge still runs: blocks and components whose tensors are all done. */
export type MeasuredParts = Pick<MergeReport, 'tasks' | 'tensors' | 'blocks' | 'components'>;
export const isMeasuredParts = object<MeasuredParts>({
  tasks: arrayOf(isString),
  tensors: arrayOf(isBlock) as Guard<MergeReport['tensors']>,
  blocks: arrayOf(isBlock),
  components: recordOf(isMetrics),
});

import type { MergeReport, TensorReport } from '../report';
import type { Numbers } from '../shape';
import {
  arrayOf,
  isCount,
  isNumber,
  isString,
  literal,
  object,
  oneOf,
  optional,
  orNull,
  recordOf,
  tagged,
} from '../shape';
import type { FromDetails, JobView, PairFigures, PairView, TensorView } from './mask-details';
import { fromDetails } from './mask-details';
import type { Banner, CommonFromPanel, CommonToPanel, Figure, Phase, Revised } from './shared';
import { commonFromPanel } from './shared';
import type { FromSpectra, SpectraDelta, SpectraView } from './spectra';
import { fromSpectra } from './spectra';

/** λ by task. */
export type Lambdas = Readonly<Record<string, number>>;

/** What the sliders move. */
export interface MergeParameters {
  /** λ of every task, or the mean of `lambdas`. */
  readonly lambda: number;
  readonly alpha: number;
  readonly density: number;
  /** Where tasks have a λ of their own. */
  readonly lambdas?: Lambdas;
}
export type ParameterName = Exclude<keyof MergeParameters, 'lambdas'>;

/** A value for the recipe; λ may be one for each task. */
export interface ParameterValue {
  readonly parameter: ParameterName;
  readonly value: number | Lambdas;
}

export function lambdaOfTask({ lambda, lambdas = {} }: MergeParameters, task: string): number {
  return Object.hasOwn(lambdas, task) ? (lambdas[task] ?? lambda) : lambda;
}

export function meanLambda(lambdas: Lambdas): number {
  const all = Object.values(lambdas);
  return all.reduce((sum, value) => sum + value, 0) / Math.max(1, all.length);
}

/** The same λs times one factor, so that their mean is `mean`; where all are 0 they become it. */
export function scaledLambdas(lambdas: Lambdas, mean: number): Lambdas {
  const now = meanLambda(lambdas);
  // Four digits keep the ratios and can be read in a recipe.
  const scaled = (own: number) => (now === 0 ? mean : Number(((own * mean) / now).toPrecision(4)));
  return Object.fromEntries(Object.entries(lambdas).map(([task, own]) => [task, scaled(own)]));
}

/** Asks the server for the numbers of a recipe as it stands, with parameters moved or not. */
export interface MaskRatioRequest {
  readonly uri: string;
  /** Only the newest request's answer is drawn. */
  readonly n: number;
  readonly parameters?: Partial<MergeParameters>;
  /** From the first round of the sample alone, while a handle moves. */
  readonly quick?: boolean;
}

/** The server's answer, from the sketch or from a finished run: shares as the report has them. */
export interface MaskRatioAnswer {
  readonly n: number;
  readonly recipe: RecipeFacts;
  readonly parameters: MergeParameters;
  readonly source: NumberSource;
  /** Blocks, components and total; `tensors` may be empty, they are asked for by block. */
  readonly report: MergeReport<Figure>;
  /** The same method on independent Gaussian task vectors of equal size. */
  readonly unrelated?: Unrelated;
}

/** What the server has to say: numbers, how far reading is, or why there are none. */
export type MaskRatioReply =
  | { readonly state: 'none'; readonly reason: string; readonly recipe: RecipeFacts }
  | {
      readonly state: 'reading';
      readonly bytesRead: number;
      readonly bytesTotal: number;
      readonly recipe: RecipeFacts;
    }
  | { readonly state: 'ready'; readonly answer: MaskRatioAnswer };

export interface RecipeFacts {
  readonly name: string;
  /** Of the text as it stands. */
  readonly hash: string;
  readonly method: string;
  readonly tasks: readonly string[];
  /** Tasks whose checkpoint cannot be read. */
  readonly missing: readonly string[];
  readonly tensors: number;
  readonly elements: number;
  /** What the file says; `uses` tells which parameters the method has. */
  readonly saved: MergeParameters;
  readonly uses: Readonly<Record<ParameterName, boolean>>;
  /** What becomes of the action expert, which has no numbers. */
  readonly actionExpert?: string;
}

export type NumberSource =
  | {
      readonly kind: 'estimate';
      /** Share of the bytes that were read. */
      readonly fractionRead: number;
      readonly positionsRead: number;
    }
  | { readonly kind: 'exact'; readonly run: string };

export interface Unrelated {
  readonly active: number;
  /** Share of positions active in 0, 1 … M tasks. */
  readonly coverage: readonly number[];
}

/** Active ratio over one parameter, the others as requested. Every task has the λ that is asked about. */
export interface CurveRequest extends MaskRatioRequest {
  readonly parameter: ParameterName;
  readonly grid: readonly number[];
}
export interface Curve {
  readonly parameter: ParameterName;
  readonly grid: readonly number[];
  /** Shares, tasks × grid, row-major. */
  readonly values: Numbers;
  readonly unrelated?: Numbers;
  /** A consensus makes one mask of all: a task's ratio is on its line only while all have the same λ. */
  readonly joint?: boolean;
}

/** Blocks of a component. What is in no block comes before the first one, and is called null. */
export interface BlockRange {
  readonly component: string;
  readonly from: number | null;
  readonly to: number | null;
}
export function isInside(
  { component, block }: { readonly component: string; readonly block: number | null },
  range: BlockRange,
): boolean {
  const place = (one: number | null) => one ?? -1;
  if (component !== range.component) return false;
  return place(block) >= place(range.from) && place(block) <= place(range.to);
}

/** The tensors of one block, or of a range. */
export interface LayerRequest extends MaskRatioRequest, BlockRange {}
export interface LayerAnswer {
  readonly n: number;
  readonly tensors: readonly TensorReport<Figure>[];
}

/** One column of the layer tracks. */
export interface SectionView {
  readonly component: string;
  readonly label: string;
  /** Block numbers, or names where the component has no blocks (`fc1`). */
  readonly blocks: readonly { readonly label: string; readonly block: number | null }[];
}

/** Everything that the parameters change; shares are in [0, 1], missing ones NaN. */
export interface MaskView extends PairFigures {
  readonly n: number;
  readonly parameters: MergeParameters;
  readonly source: NumberSource;
  /** Groups of the bar chart, then of the coverage bars; the first row of `coverage` is the whole. */
  readonly totals: readonly {
    readonly label: string;
    readonly active: readonly (Figure | null)[];
  }[];
  readonly coverage: readonly { readonly label: string; readonly shares: readonly Figure[] }[];
  readonly selfishOfRetained?: Figure;
  readonly unrelated?: Unrelated;
  /** M × B × 3: value, low, high. */
  readonly active: Numbers;
  /** (M + 1) × B. */
  readonly coverageTrack: Numbers;
  /** B × 3: mean over pairs, low, high. */
  readonly conflictTrack: Numbers;
  readonly sentences: { readonly totals: string; readonly pairs: string; readonly layers: string };
}

export interface DrawerView {
  readonly title: string;
  /** What a row is: one block is shown by tensor, several by block. */
  readonly by: 'tensor' | 'block';
  readonly glob: string;
  readonly positionsRead?: number;
  readonly positions: number;
  readonly rows: readonly DrawerRow[];
}
export interface DrawerRow {
  readonly name: string;
  /** Matches the tensors of the row. */
  readonly glob: string;
  readonly shape: string;
  readonly active: readonly (Figure | null)[];
  readonly coverage: readonly Figure[];
  readonly conflict: Figure | null;
  readonly cosine: Figure | null;
  /** Mean norm of the task vectors as a share of the base's. */
  readonly norm: Figure | null;
}

export interface MaskSnapshot {
  readonly phase: Phase;
  readonly banners: readonly Banner[];
  readonly recipes: readonly { readonly uri: string; readonly label: string }[];
  readonly uri?: string;
  readonly recipe?: RecipeFacts;
  readonly sections: readonly SectionView[];
  readonly view?: MaskView;
  /** Exact numbers of a finished run with the recipe's own parameters, as yardstick. */
  readonly exact?: MaskView;
  readonly curves: readonly Curve[];
  readonly drawer?: DrawerView;
  readonly pair?: PairView;
  readonly tensor?: TensorView;
  readonly job?: JobView;
  /** What was measured of the recipe's singular spectra since the panel was opened. */
  readonly spectra?: SpectraView;
  /** Words of the paper that apply to this suite. */
  readonly paper?: { readonly totals?: string; readonly coverage?: string };
  /** False in an untrusted workspace: nothing may be read or written. */
  readonly trusted: boolean;
}

export type ToMaskPanel = Revised &
  (
    | CommonToPanel<MaskSnapshot>
    | { readonly type: 'view'; readonly view: MaskView }
    | { readonly type: 'curves'; readonly curves: readonly Curve[] }
    | { readonly type: 'drawer'; readonly drawer: DrawerView }
    | { readonly type: 'pair'; readonly pair: PairView | null }
    | { readonly type: 'tensor'; readonly tensor: TensorView | null }
    | { readonly type: 'job'; readonly job: JobView | null }
    | SpectraDelta
  );

export type FromMaskPanel =
  | CommonFromPanel
  | FromDetails
  | FromSpectra
  | ({ readonly type: 'setParameters'; readonly n: number } & MergeParameters)
  | { readonly type: 'writeRecipe'; readonly values: readonly ParameterValue[] }
  | { readonly type: 'selectRecipe'; readonly uri: string }
  | ({ readonly type: 'select' } & BlockRange)
  | { readonly type: 'reveal'; readonly target: 'scope' | 'method' }
  | { readonly type: 'exclude'; readonly glob: string }
  | { readonly type: 'computeExactly' };

export const isBlock = orNull(isCount);
export const isParameterName = literal('lambda', 'alpha', 'density');
const isLambdas = recordOf(isNumber);
export const parameterFields = {
  lambda: isNumber,
  alpha: isNumber,
  density: isNumber,
  lambdas: optional(isLambdas),
};

export const isFromMaskPanel = tagged<FromMaskPanel>({
  ...commonFromPanel,
  ...fromDetails,
  ...fromSpectra,
  setParameters: object<Extract<FromMaskPanel, { type: 'setParameters' }>>({
    type: literal('setParameters'),
    n: isCount,
    ...parameterFields,
  }),
  writeRecipe: object<Extract<FromMaskPanel, { type: 'writeRecipe' }>>({
    type: literal('writeRecipe'),
    values: arrayOf(
      object<ParameterValue>({ parameter: isParameterName, value: oneOf(isNumber, isLambdas) }),
    ),
  }),
  selectRecipe: object<Extract<FromMaskPanel, { type: 'selectRecipe' }>>({
    type: literal('selectRecipe'),
    uri: isString,
  }),
  select: object<Extract<FromMaskPanel, { type: 'select' }>>({
    type: literal('select'),
    component: isString,
    from: isBlock,
    to: isBlock,
  }),
  reveal: object<Extract<FromMaskPanel, { type: 'reveal' }>>({
    type: literal('reveal'),
    target: literal('scope', 'method'),
  }),
  exclude: object<Extract<FromMaskPanel, { type: 'exclude' }>>({
    type: literal('exclude'),
    glob: isString,
  }),
  computeExactly: object<{ type: 'computeExactly' }>({ type: literal('computeExactly') }),
});

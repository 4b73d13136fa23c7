import type { Guard } from '../shape';
import {
  arrayOf,
  isBoolean,
  isCount,
  isNumber,
  isNumbers,
  isRecord,
  isString,
  literal,
  object,
  optional,
  orNull,
  tagged,
} from '../shape';
import { isFigureOrNull, isFigures, isJobView, isPairView, isTensorView } from './mask-details';
import type {
  Curve,
  DrawerRow,
  DrawerView,
  MaskSnapshot,
  MaskView,
  MergeParameters,
  NumberSource,
  RecipeFacts,
  SectionView,
  ToMaskPanel,
  Unrelated,
} from './mask-ratios';
import { isBlock, isParameterName, parameterFields } from './mask-ratios';
import { commonToPanel, isBanner, isFigure, isPhase } from './shared';
import { isSpectraView } from './spectra';

const isParameters = object<MergeParameters>(parameterFields);
const isUnrelated = object<Unrelated>({ active: isNumber, coverage: arrayOf(isNumber) });
const isSource: Guard<NumberSource> = (value): value is NumberSource =>
  isRecord(value) &&
  ((value['kind'] === 'exact' && isString(value['run'])) ||
    (value['kind'] === 'estimate' && isNumber(value['fractionRead'])));

const isMaskView = object<MaskView>({
  n: isCount,
  parameters: isParameters,
  source: isSource,
  totals: arrayOf(object<MaskView['totals'][number]>({ label: isString, active: isFigures })),
  coverage: arrayOf(
    object<MaskView['coverage'][number]>({ label: isString, shares: arrayOf(isFigure) }),
  ),
  selfishOfRetained: optional(isFigure),
  unrelated: optional(isUnrelated),
  cosine: isFigures,
  conflict: isFigures,
  norms: isFigures,
  active: isNumbers,
  coverageTrack: isNumbers,
  conflictTrack: isNumbers,
  sentences: object<MaskView['sentences']>({ totals: isString, pairs: isString, layers: isString }),
});

const isCurve = object<Curve>({
  parameter: isParameterName,
  grid: arrayOf(isNumber),
  values: isNumbers,
  unrelated: optional(isNumbers),
  joint: optional(isBoolean),
});

const isDrawer = object<DrawerView>({
  title: isString,
  by: literal('tensor', 'block'),
  glob: isString,
  positionsRead: optional(isNumber),
  positions: isNumber,
  rows: arrayOf(
    object<DrawerRow>({
      name: isString,
      glob: isString,
      shape: isString,
      active: isFigures,
      coverage: arrayOf(isFigure),
      conflict: isFigureOrNull,
      cosine: isFigureOrNull,
      norm: isFigureOrNull,
    }),
  ),
});

const isRecipeFacts = object<RecipeFacts>({
  name: isString,
  hash: isString,
  method: isString,
  tasks: arrayOf(isString),
  missing: arrayOf(isString),
  tensors: isCount,
  elements: isNumber,
  saved: isParameters,
  uses: object<RecipeFacts['uses']>({ lambda: isBoolean, alpha: isBoolean, density: isBoolean }),
  actionExpert: optional(isString),
});

const isSnapshot = object<MaskSnapshot>({
  phase: isPhase,
  banners: arrayOf(isBanner),
  recipes: arrayOf(object<{ uri: string; label: string }>({ uri: isString, label: isString })),
  uri: optional(isString),
  recipe: optional(isRecipeFacts),
  sections: arrayOf(
    object<SectionView>({
      component: isString,
      label: isString,
      blocks: arrayOf(object<SectionView['blocks'][number]>({ label: isString, block: isBlock })),
    }),
  ),
  view: optional(isMaskView),
  exact: optional(isMaskView),
  curves: arrayOf(isCurve),
  drawer: optional(isDrawer),
  pair: optional(isPairView),
  tensor: optional(isTensorView),
  job: optional(isJobView),
  spectra: optional(isSpectraView),
  paper: optional(
    object<NonNullable<MaskSnapshot['paper']>>({
      totals: optional(isString),
      coverage: optional(isString),
    }),
  ),
  trusted: isBoolean,
});

type To<K extends ToMaskPanel['type']> = Extract<ToMaskPanel, { type: K }>;

export const isToMaskPanel = tagged<ToMaskPanel>({
  ...commonToPanel(isSnapshot),
  view: object<To<'view'>>({ type: literal('view'), revision: isCount, view: isMaskView }),
  curves: object<To<'curves'>>({
    type: literal('curves'),
    revision: isCount,
    curves: arrayOf(isCurve),
  }),
  drawer: object<To<'drawer'>>({ type: literal('drawer'), revision: isCount, drawer: isDrawer }),
  pair: object<To<'pair'>>({ type: literal('pair'), revision: isCount, pair: orNull(isPairView) }),
  tensor: object<To<'tensor'>>({
    type: literal('tensor'),
    revision: isCount,
    tensor: orNull(isTensorView),
  }),
  job: object<To<'job'>>({ type: literal('job'), revision: isCount, job: orNull(isJobView) }),
  spectra: object<To<'spectra'>>({
    type: literal('spectra'),
    revision: isCount,
    from: isCount,
    spectra: isSpectraView,
  }),
});

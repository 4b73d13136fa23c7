import { isEpisodeRecording } from '../episode-guards';
import type { Guard } from '../shape';
import {
  arrayOf,
  isBoolean,
  isCount,
  isNumber,
  isRecord,
  isString,
  literal,
  object,
  oneOf,
  optional,
  orNull,
  recordOf,
  tagged,
} from '../shape';
import { commonFromPanel, commonToPanel, isBanner, isPhase } from './shared';
import type {
  Comparison,
  EpisodeItem,
  EpisodeList,
  FromSuccessPanel,
  RateCell,
  RateGroup,
  RateRow,
  RateTable,
  Replay,
  RowLetters,
  Study,
  SuccessSnapshot,
  ToSuccessPanel,
  TrialForm,
} from './success-rates';

type From<K extends FromSuccessPanel['type']> = Extract<FromSuccessPanel, { type: K }>;
const isInterval = literal('wilson', 'exact', 'posterior');

export const isFromSuccessPanel = tagged<FromSuccessPanel>({
  ...commonFromPanel,
  openCell: object<From<'openCell'>>({ type: literal('openCell'), row: isString, task: isString }),
  closeCell: object<From<'closeCell'>>({ type: literal('closeCell') }),
  replay: object<From<'replay'>>({ type: literal('replay'), id: isString }),
  compare: object<From<'compare'>>({ type: literal('compare'), rows: arrayOf(isString) }),
  setInterval: object<From<'setInterval'>>({ type: literal('setInterval'), kind: isInterval }),
  showRun: object<From<'showRun'>>({ type: literal('showRun'), id: isString, shown: isBoolean }),
  showPaper: object<From<'showPaper'>>({ type: literal('showPaper'), id: isString }),
  evaluate: object<From<'evaluate'>>({ type: literal('evaluate') }),
  stop: object<From<'stop'>>({ type: literal('stop') }),
  import: object<From<'import'>>({ type: literal('import') }),
  openRun: object<From<'openRun'>>({ type: literal('openRun'), id: isString }),
  trial: object<From<'trial'>>({
    type: literal('trial'),
    entry: isCount,
    outcome: literal('success', 'failure', 'void'),
    reason: isString,
    note: isString,
    seconds: isNumber,
  }),
  undoTrial: object<From<'undoTrial'>>({ type: literal('undoTrial'), entry: isCount }),
  pauseTrials: object<From<'pauseTrials'>>({ type: literal('pauseTrials') }),
  finishTrials: object<From<'finishTrials'>>({ type: literal('finishTrials') }),
});

const isCell = object<RateCell>({
  successes: isCount,
  trials: isCount,
  low: isNumber,
  high: isNumber,
  errors: isCount,
  planned: optional(isCount),
  printed: optional(isNumber),
});
const isCellOrNull = orNull(isCell);

const isRow = object<RateRow>({
  id: isString,
  label: isString,
  detail: isString,
  cells: arrayOf(isCellOrNull),
  mean: optional(
    object<NonNullable<RateRow['mean']>>({
      value: isNumber,
      low: optional(isNumber),
      high: optional(isNumber),
    }),
  ),
  letters: optional(isString),
  routed: optional(object<NonNullable<RateRow['routed']>>({ right: isCount, known: isCount })),
  state: literal('done', 'running', 'queued', 'partial', 'paper'),
  progress: optional(
    object<NonNullable<RateRow['progress']>>({
      done: isCount,
      total: isCount,
      seconds: optional(isNumber),
    }),
  ),
  note: optional(isString),
});

const isPair: Guard<readonly [string, string]> = (value): value is readonly [string, string] =>
  Array.isArray(value) && value.length === 2 && value.every((item) => typeof item === 'string');

const isTable = object<RateTable>({
  tasks: arrayOf(isString),
  groups: arrayOf(object<RateGroup>({ title: isString, rows: arrayOf(isRow) })),
  protocol: isString,
  reporting: arrayOf(
    object<RateTable['reporting'][number]>({ title: isString, facts: arrayOf(isPair) }),
  ),
  letterTest: isString,
});

const isComparison: Guard<Comparison> = (value): value is Comparison =>
  isRecord(value) &&
  isNumber(value['p']) &&
  isNumber(value['difference']) &&
  isString(value['verdict']);

const isSelection = orNull(
  oneOf(
    isComparison,
    object<RowLetters>({
      letters: recordOf(isString),
      test: isString,
      waiting: arrayOf(isString),
    }),
  ),
);

const isEpisodes = object<EpisodeList>({
  row: isString,
  task: isString,
  label: isString,
  other: optional(isString),
  items: arrayOf(
    object<EpisodeItem>({
      id: isString,
      seed: isCount,
      success: isBoolean,
      steps: isCount,
      reason: isString,
      error: optional(isString),
      note: optional(isString),
      routed: optional(isString),
      other: optional(isBoolean),
      replay: isBoolean,
    }),
  ),
});

const isBytes: Guard<Uint8Array> = (value): value is Uint8Array => value instanceof Uint8Array;

const isReplay = object<Replay>({
  id: isString,
  recording: isEpisodeRecording,
  events: arrayOf(
    object<Replay['events'][number]>({ step: isCount, name: isString, bad: isBoolean }),
  ),
  frames: arrayOf(
    object<Replay['frames'][number]>({
      camera: isString,
      size: isCount,
      steps: arrayOf(isCount),
      pixels: isBytes,
    }),
  ),
});

const isTrials = object<TrialForm>({
  name: isString,
  task: isString,
  criterion: isString,
  trial: isCount,
  planned: isCount,
  start: optional(isCount),
  policy: optional(isString),
  reasons: arrayOf(isString),
  voided: isCount,
  canUndo: isBoolean,
  done: isBoolean,
  entry: isCount,
});

const isStudy = object<Study>({
  kind: literal('progressive', 'components'),
  title: isString,
  points: arrayOf(
    object<Study['points'][number]>({
      label: isString,
      x: isNumber,
      cell: isCellOrNull,
      run: optional(isString),
      paper: optional(isNumber),
    }),
  ),
  statements: arrayOf(
    object<Study['statements'][number]>({
      text: isString,
      from: isNumber,
      to: isNumber,
      value: isNumber,
    }),
  ),
});

const choice = { id: isString, label: isString, shown: isBoolean };
const isChoice = object<SuccessSnapshot['papers'][number]>(choice);
const isRun = object<SuccessSnapshot['runs'][number]>({
  ...choice,
  recipeHash: optional(isString),
});

const isSnapshot = object<SuccessSnapshot>({
  phase: isPhase,
  banners: arrayOf(isBanner),
  runs: arrayOf(isRun),
  papers: arrayOf(isChoice),
  interval: isInterval,
  table: optional(isTable),
  cross: optional(isTable),
  comparison: isSelection,
  episodes: optional(isEpisodes),
  studies: arrayOf(isStudy),
  trials: optional(isTrials),
  trusted: isBoolean,
});

type To<K extends ToSuccessPanel['type']> = Extract<ToSuccessPanel, { type: K }>;
const revision = isCount;

export const isToSuccessPanel = tagged<ToSuccessPanel>({
  ...commonToPanel(isSnapshot),
  comparison: object<To<'comparison'>>({
    type: literal('comparison'),
    revision,
    comparison: isSelection,
  }),
  episodes: object<To<'episodes'>>({ type: literal('episodes'), revision, episodes: isEpisodes }),
  replay: object<To<'replay'>>({ type: literal('replay'), revision, replay: isReplay }),
  noReplay: object<To<'noReplay'>>({
    type: literal('noReplay'),
    revision,
    id: isString,
    reason: isString,
  }),
  trials: object<To<'trials'>>({ type: literal('trials'), revision, trials: isTrials }),
});

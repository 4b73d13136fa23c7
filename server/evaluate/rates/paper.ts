import type { RateGroup, RateRow, Study } from '../../protocol/panels/success-rates';
import type { IntervalKind } from './intervals';
import { rateInterval } from './intervals';

/** A table of the paper (MergeVLA, arXiv 2511.18810) as printed: rates in percent, the last is the printed mean. */
interface PaperTable {
  readonly id: string;
  readonly label: string;
  readonly title: string;
  readonly tasks: readonly string[];
  /** Rollouts a task, where the paper states them. */
  readonly trials?: number;
  readonly rows: readonly (readonly [string, string, readonly number[]])[];
}

const so101: PaperTable = {
  id: 'so101',
  label: 'SO-101',
  title:
    'Paper · supplement Table 3, real SO-101, 20 rollouts a task · printed rates, counts derived',
  tasks: ['pick_place', 'push_cube', 'stack_cube'],
  trials: 20,
  rows: [
    ['single-task', 'fine-tuned', [90, 85, 95, 90]],
    ['MergeVLA', 'TA', [70, 70, 60, 66.7]],
    ['MergeVLA', 'TIES', [90, 90, 90, 90]],
  ],
};

const libero: PaperTable = {
  id: 'libero',
  label: 'LIBERO',
  title: 'Paper · LIBERO, 500 rollouts a suite · printed rates',
  tasks: ['libero_spatial', 'libero_object', 'libero_goal', 'libero_10'],
  rows: [
    ['MergeVLA', 'fine-tuned', [98, 98.6, 95, 95, 96.7]],
    ['OpenVLA', 'TA + S, all', [74.2, 82.6, 68.8, 24, 62.4]],
    ['VLA-Adapter', 'TA + S, all', [0, 0, 0, 0, 0]],
    ['VLA-Adapter', 'TA + S, except the last expert block', [50.2, 34.6, 0, 7.4, 23.1]],
    ['MergeVLA', 'EMR', [96, 63.2, 62, 40.6, 65.5]],
    ['MergeVLA', 'TSV + S', [99.4, 97.8, 74.4, 54.8, 81.6]],
    ['MergeVLA', 'KnOTS + S', [96.8, 98.8, 84.8, 71.4, 88]],
    ['MergeVLA', 'TA + S', [98, 98.8, 85.4, 76.6, 89.7]],
    ['MergeVLA', 'WUDI + S', [97.6, 98.2, 85.6, 78.2, 89.9]],
    ['MergeVLA', 'TIES + S', [94.8, 94.6, 91.8, 79.4, 90.2]],
  ],
};

const papers: readonly PaperTable[] = [so101, libero];

export const paperChoices: readonly { readonly id: string; readonly label: string }[] = papers.map(
  ({ id, label }) => ({ id, label: `Paper: ${label}` }),
);

/** Rows of a table of the paper under the columns of ours; a task that it has not stays empty. */
export function paperGroup(
  id: string,
  tasks: readonly string[],
  interval: IntervalKind,
): RateGroup | undefined {
  const paper = papers.find((table) => table.id === id);
  if (!paper) return undefined;
  const columns = tasks.map((task) => paper.tasks.indexOf(normal(task)));
  // Tasks of another suite: nothing of this table belongs under these columns.
  if (tasks.length > 0 && columns.every((column) => column < 0)) return undefined;
  return {
    title: paper.title,
    rows: paper.rows.map((row, i) => paperRow(paper, row, { i, columns, interval })),
  };
}

export function paperTasks(id: string): readonly string[] {
  return papers.find((table) => table.id === id)?.tasks ?? [];
}

interface Place {
  readonly i: number;
  readonly columns: readonly number[];
  readonly interval: IntervalKind;
}

function paperRow(paper: PaperTable, row: PaperTable['rows'][number], place: Place): RateRow {
  const [label, detail, values] = row;
  const { trials = 0 } = paper;
  const cell = (column: number) => {
    const printed = values[column];
    if (column < 0 || printed === undefined) return null;
    const successes = Math.round((printed / 100) * trials);
    const { low, high } = rateInterval(place.interval, { successes, trials });
    return { successes, trials, low, high, errors: 0, printed: printed / 100 };
  };
  const mean = values.at(-1);
  return {
    id: `paper/${paper.id}/${String(place.i)}`,
    label,
    detail,
    cells: place.columns.map(cell),
    ...(mean === undefined ? {} : { mean: { value: mean / 100 } }),
    state: 'paper',
  };
}

/** `libero_long` is the benchmark's `libero_10`. */
function normal(task: string): string {
  return task === 'libero_long' ? 'libero_10' : task;
}

/** Supplement Table 2: merging parts of OpenVLA with Iso-CTS, mean over LIBERO in percent. */
export const componentRows: readonly (readonly [string, number])[] = [
  ['fine-tuned', 76.5],
  ['D lm_head', 73.6],
  ['A + D', 48.3],
  ['A vision', 47.4],
  ['A + B', 44.2],
  ['A + B + D', 44.2],
  ['C LM body', 0],
];

/** Supplement Figure 1 in words: success over the number of merged blocks. */
export const progressiveStatements: Study['statements'] = [
  { text: 'paper: about 80 % up to 8', from: 1, to: 8, value: 0.8 },
  { text: 'paper: 0 beyond 21', from: 22, to: 32, value: 0 },
];

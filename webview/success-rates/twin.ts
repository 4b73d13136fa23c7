import type { RateCell, RateRow, Study } from '../../server/protocol/panels/success-rates';
import { missing, nbsp, percent } from '../shared/format';
import type { Twin, TwinCell } from '../shared/twin';
import { plainCell } from '../shared/twin';
import type { SuccessModel } from './model';
import { rateOf, rateText, tableOf } from './model';
import { lettersOf } from './selection';

/** Every chart of the panel as a table: the dot plot of each task, the means, the studies. */
export function successTwins(model: SuccessModel): readonly Twin[] {
  const table = tableOf(model);
  if (!table) return [];
  const rows = table.groups.flatMap((group) => group.rows);
  return [
    ...table.tasks.map((task, place) => ({
      title: task,
      head: ['policy', ...counted, 'crashed'],
      rows: rows.map((row) => {
        const cell = row.cells[place];
        return { name: nameOf(row), cells: [...countedCells(cell), whole(cell?.errors)] };
      }),
    })),
    {
      title: 'Task mean',
      head: ['policy', ...means],
      rows: rows.map((row) => meanRow(model, row)),
    },
    ...model.snapshot.studies.map(studyTwin),
  ];
}

const counted = ['successes', 'rollouts', 'rate', 'low', 'high'];
const means = ['mean', 'low', 'high', 'letters', 'routed right', 'routed'];

/** Rows of the paper are told apart in words, as they are by their look in the chart. */
function nameOf({ label, detail, state }: RateRow): string {
  return [label, detail, state === 'paper' ? '(paper)' : ''].filter(Boolean).join(' ');
}

/** Successes, rollouts, rate and interval; a paper that states no count has its rate only. */
function countedCells(cell: RateCell | null | undefined): TwinCell[] {
  const known = cell && cell.trials > 0 ? cell : undefined;
  return [
    whole(known?.successes),
    whole(known?.trials),
    plainCell(rateOf(cell), rateText(cell)),
    share(known?.low),
    share(known?.high),
  ];
}

function meanRow(model: SuccessModel, row: RateRow): Twin['rows'][number] {
  const { mean, routed } = row;
  const cells = [
    ...[mean?.value, mean?.low, mean?.high].map((value) => share(value)),
    words(lettersOf(model, row) ?? ''),
    ...[routed?.right, routed?.known].map((count) => whole(count)),
  ];
  return { name: nameOf(row), cells };
}

function studyTwin({ kind, title, points, statements }: Study): Twin {
  const steps = kind === 'progressive';
  return {
    title: `${steps ? 'Progressive merge' : 'Merging one part'}, ${title}`,
    head: [steps ? 'merged blocks' : 'part', ...counted, 'paper'],
    rows: [
      ...points.map(({ label, cell, paper }) => ({
        name: label,
        cells: [...countedCells(cell), share(paper)],
      })),
      ...statements.map(({ text, from, to, value }) => ({
        name: `k ${String(from)} to ${String(to)}`,
        cells: [...counted.map(() => words('')), { shown: text, exact: String(value) }],
      })),
    ],
  };
}

const words = (text: string): TwinCell => ({ shown: text || missing, exact: text });
const whole = (count = Number.NaN): TwinCell =>
  plainCell(count, Number.isNaN(count) ? missing : String(count));
const share = (value = Number.NaN): TwinCell =>
  plainCell(value, `${percent(value, 1)}${Number.isNaN(value) ? '' : `${nbsp}%`}`);

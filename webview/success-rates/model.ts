import type {
  EpisodeList,
  IntervalName,
  RateCell,
  RateRow,
  RateTable,
  Replay,
  SuccessSnapshot,
  ToSuccessPanel,
} from '../../server/protocol/panels/success-rates';
import { nbsp, percent } from '../shared/format';
import type { Theme } from '../shared/theme';

/** `better` and `worse`: only this policy, or only the one that it is compared with, succeeded. */
const filters = ['all', 'failed', 'crashed', 'wrong', 'better', 'worse'] as const;
export type EpisodeFilter = (typeof filters)[number];

export const filterOf = (value: unknown): EpisodeFilter =>
  filters.find((filter) => filter === value) ?? 'all';

export interface SuccessModel {
  readonly snapshot: SuccessSnapshot;
  readonly theme: Theme;
  readonly view: 'policies' | 'cross';
  /** The list of conditions is open. */
  readonly reporting: boolean;
  /** Tables instead of charts. */
  readonly twin: boolean;
  /** The joints' charts below the replay. */
  readonly joints: boolean;
  readonly selectedRows: readonly string[];
  readonly cell: { readonly row: string; readonly task: string } | undefined;
  readonly filter: EpisodeFilter;
  /** The episode that is played; with neither recording nor reason while the host looks for it. */
  readonly replayed:
    { readonly id: string; readonly replay?: Replay; readonly noReplay?: string } | undefined;
}

/** Before the first message: what the user arranged on an earlier page, and nothing to show. */
export function firstModel(
  theme: Theme,
  { view, selectedRows, filter, reporting, twin, joints }: Readonly<Record<string, unknown>>,
): SuccessModel {
  const rows = Array.isArray(selectedRows) ? selectedRows : [];
  return {
    snapshot: {
      phase: { kind: 'loading', text: 'Reading the runs' },
      banners: [],
      runs: [],
      papers: [],
      interval: 'wilson',
      comparison: null,
      studies: [],
      trusted: true,
    },
    theme,
    view: view === 'cross' ? 'cross' : 'policies',
    reporting: reporting === true,
    twin: twin === true,
    joints: joints === true,
    selectedRows: rows.filter((id) => typeof id === 'string'),
    cell: undefined,
    filter: filterOf(filter),
    replayed: undefined,
  };
}

/** What a message changes. The host says which cell is open, as a command may have opened it. */
export function received(
  { snapshot }: SuccessModel,
  message: ToSuccessPanel,
): Partial<SuccessModel> {
  switch (message.type) {
    case 'snapshot':
      return { snapshot: message.snapshot, cell: cellOf(message.snapshot.episodes) };
    case 'comparison':
      return { snapshot: { ...snapshot, comparison: message.comparison } };
    case 'episodes':
      return {
        snapshot: { ...snapshot, episodes: message.episodes },
        cell: cellOf(message.episodes),
      };
    case 'trials':
      return { snapshot: { ...snapshot, trials: message.trials } };
    case 'status':
      return { snapshot: { ...snapshot, phase: message.phase, banners: message.banners } };
    case 'replay':
      return { replayed: { id: message.replay.id, replay: message.replay } };
    case 'noReplay':
      return { replayed: { id: message.id, noReplay: message.reason } };
  }
}

const cellOf = (list: EpisodeList | undefined): SuccessModel['cell'] =>
  list && { row: list.row, task: list.task };

export interface SuccessActions {
  openCell(row: string, task: string): void;
  closeCell(): void;
  selectRows(rows: readonly string[]): void;
  setFilter(filter: EpisodeFilter): void;
  play(id: string): void;
  copy(text: string): void;
  openRun(id: string): void;
}

export const intervalNames: Readonly<Record<IntervalName, string>> = {
  wilson: `Wilson 95${nbsp}%`,
  exact: 'Clopper–Pearson',
  posterior: 'Posterior',
};

/** The table that is looked at. */
export function tableOf({ snapshot, view }: SuccessModel): RateTable | undefined {
  return view === 'cross' ? (snapshot.cross ?? snapshot.table) : snapshot.table;
}

export function rowOf(model: SuccessModel, id: string): RateRow | undefined {
  return tableOf(model)
    ?.groups.flatMap(({ rows }) => rows)
    .find((row) => row.id === id);
}

/** Rate of a cell; NaN where nothing was tried. */
export function rateOf(cell: RateCell | null | undefined): number {
  if (!cell) return Number.NaN;
  return cell.printed ?? (cell.trials > 0 ? cell.successes / cell.trials : Number.NaN);
}

/** No decimals up to 100 rollouts, one above. */
export function rateText(cell: RateCell | null | undefined): string {
  const rate = rateOf(cell);
  const fine = cell && (cell.trials > 100 || (cell.trials === 0 && (rate * 1000) % 10 > 0.01));
  return `${percent(rate, fine ? 1 : 0)}${Number.isFinite(rate) ? `${nbsp}%` : ''}`;
}

export function cellSentence(
  row: RateRow,
  task: string,
  cell: RateCell | null | undefined,
): string {
  return `${row.label} ${row.detail}, ${task}: ${cell ? countsSentence(cell) : 'not run'}`;
}

/** Counts, rate, interval and crashes in words. */
export function countsSentence(cell: RateCell): string {
  const errors = cell.errors > 0 ? `, ${String(cell.errors)} crashed and counted apart` : '';
  if (cell.trials === 0) return `${rateText(cell)}${errors}`;
  const counts = `${String(cell.successes)} of ${String(cell.trials)}`;
  const interval = `95 percent interval ${percent(cell.low, 0)} to ${percent(cell.high, 0)}`;
  return `${counts}, ${rateText(cell)}, ${interval}${errors}`;
}

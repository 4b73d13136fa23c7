import { crossRows, rateRows } from '../../evaluate/rates/text';
import { summarizeRates, type RateTableData } from '../../evaluate/rates/summary';
import { protocolLine } from '../../jobs/rate-files';
import { readEpisodes, readEvaluation } from '../../runs/episodes';
import type { Style } from '../style';
import { formatTable } from '../table';
import type { Cell, ReportTable } from './document';

/** What a run's rollouts came to. */
export interface ReportedRates {
  readonly table: RateTableData;
  /** Suite, shift, seeds and the like in one line; absent where nobody wrote it down. */
  readonly protocol?: string;
}

/** Undefined for a run without episodes. */
export function readRates(folder: string, tasks: readonly string[]): ReportedRates | undefined {
  const lines = readEpisodes(folder);
  if (lines.length === 0) return undefined;
  const known = [...new Set([...tasks, ...lines.map(({ task }) => task)])];
  const record = readEvaluation(folder);
  const table = summarizeRates(lines, known);
  return { table, ...(record && { protocol: protocolLine(record) }) };
}

/** Tables of one run as people read them. */
export function rateTables({ table, protocol }: ReportedRates): ReportTable[] {
  const title = protocol === undefined ? 'Success rates' : `Success rates (${protocol})`;
  const cross = crossRows(table);
  return [
    textTable(title, rateRows(table)),
    ...(cross.rows.length > 0 ? [textTable('Experts on each other’s tasks', cross)] : []),
  ];
}

/** Policies of several runs under each other. */
export function comparedRates(
  runs: readonly { readonly id: string; readonly rates: ReportedRates | undefined }[],
): ReportTable[] {
  const rated = runs.flatMap(({ id, rates }) => (rates ? [{ id, table: rates.table }] : []));
  if (rated.length === 0) return [];
  const tasks = [...new Set(rated.flatMap(({ table }) => table.tasks))];
  const rows = rated.flatMap(({ id, table }) =>
    rateRows({ ...table, tasks }).rows.map((row) => [id, ...row.slice(0, tasks.length + 2)]),
  );
  return [textTable('Success rates', { titles: ['run', 'policy', ...tasks, 'average'], rows })];
}

/** One row a cell with numbers, for spreadsheets. */
export function numericRates(
  runs: readonly { readonly id: string; readonly rates: ReportedRates | undefined }[],
): ReportTable[] {
  const rows = runs.flatMap(({ id, rates }) =>
    (rates?.table.cells ?? []).map((cell): Cell[] => [
      id,
      cell.policy,
      cell.expert ?? '',
      cell.task,
      { count: cell.successes },
      { count: cell.trials },
      cell.rate === null ? null : { share: cell.rate },
      { share: cell.low },
      { share: cell.high },
      { count: cell.errors },
    ]),
  );
  if (rows.length === 0) return [];
  const names = ['run', 'policy', 'expert', 'task'].map((title) => ({ title, numeric: false }));
  const numbers = ['successes', 'trials', 'rate', 'low', 'high', 'crashed'];
  const columns = [...names, ...numbers.map((title) => ({ title, numeric: true }))];
  return [{ title: 'Success rates', columns, rows }];
}

function textTable(title: string, { titles, rows }: ReturnType<typeof rateRows>): ReportTable {
  const columns = titles.map((name, index) => ({ title: name, numeric: index > 0 }));
  return { title, columns, rows };
}

/** The table on the terminal, in the form it has while it fills up. */
export function ratesText(table: RateTableData, style: Style): string {
  const set = ({ titles, rows }: ReturnType<typeof rateRows>): string =>
    formatTable(
      titles.map((title) => ({ title })),
      rows,
      style,
    );
  const cross = crossRows(table);
  return [set(rateRows(table)), ...(cross.rows.length > 0 ? [set(cross)] : [])].join('\n\n');
}

import { crossRows, rateRows } from '../../evaluate/rates/text';
import { policyName, protocolLine } from '../../evaluate/rates/protocol';
import { summarizeRates, type RateTableData } from '../../evaluate/rates/summary';
import type { ImportFacts } from '../../protocol/import-facts';
import { readEpisodes, readEvaluation, readImportFacts } from '../../runs/episodes';
import type { Style } from '../style';
import { formatTable } from '../table';
import type { Cell, ReportTable } from './document';

/** What a run's rollouts came to. */
export interface ReportedRates {
  readonly table: RateTableData;
  /** Suite, shift, seeds and the like in one line; absent where nobody wrote it down. */
  readonly protocol?: string;
  /** Absent: seeds that tables are made from. */
  readonly range?: 'validation';
}

/** Undefined for a run without results: neither rolled out nor imported. */
export function readRates(folder: string, tasks: readonly string[]): ReportedRates | undefined {
  const lines = readEpisodes(folder);
  const facts = readImportFacts(folder);
  const counts = facts?.counts ?? [];
  const known = [...new Set([...tasks, ...[...lines, ...counts].map(({ task }) => task)])];
  if (lines.length + counts.length === 0) return undefined;
  const record = readEvaluation(folder);
  const protocol = record ? protocolLine(record) : facts && sourceLine(facts);
  const table = summarizeRates(lines, known, facts);
  const range = record?.settings.range;
  return {
    table,
    ...(protocol !== undefined && { protocol }),
    ...(range !== undefined && { range }),
  };
}

/** Where imported numbers come from, and what is missing. */
function sourceLine({ manual, partial }: ImportFacts): string {
  const parts = [
    manual ? 'manual trials' : 'imported',
    ...(manual ? [manual.blind ? 'blind order' : 'open order'] : []),
    ...(manual?.judge === undefined ? [] : [`judged by ${manual.judge}`]),
    ...(partial === undefined ? [] : [`partial: ${partial}`]),
  ];
  return parts.join(', ');
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
  const rated = runs.flatMap(({ id, rates }) => (rates ? [{ id, rates }] : []));
  if (rated.length === 0) return [];
  const tasks = [...new Set(rated.flatMap(({ rates }) => rates.table.tasks))];
  const rows = rated.flatMap(({ id, rates }) =>
    rateRows({ ...rates.table, tasks }).rows.map(([policy = '', ...row]) => [
      id,
      policyName(policy, rates),
      ...row.slice(0, tasks.length + 1),
    ]),
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
      policyName(cell.policy, rates),
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

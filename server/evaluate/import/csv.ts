import type { Imported, ImportedCounts, ImportedEpisode, ImportOptions, ResultFile } from './types';
import { refuse } from './types';

/**
 * Our own form: `policy,suite,task,episode,seed,success` with one row an episode, or
 * `policy,suite,task,successes,trials` with one row a task. `policy`, `suite`, `episode`, `seed`,
 * `steps`, `error` and `routed` may be left out; other columns are ignored.
 */
export function readCsv(file: ResultFile, options: ImportOptions): Imported {
  const rows = parseCsv(file.text);
  if (!rows) return refuse(`${file.name} has a quoted field that never ends`);
  const [head, ...body] = rows;
  const columns = (head ?? []).map((name) => name.trim().toLowerCase());
  const missing = ['task'].filter((name) => !columns.includes(name));
  const form = columns.includes('success')
    ? 'episodes'
    : columns.includes('successes') && columns.includes('trials')
      ? 'counts'
      : undefined;
  if (missing.length > 0 || !form)
    return refuse(
      `${file.name} needs the columns task and success, or task, successes and trials; it has ${columns.join(', ')}`,
    );
  return readRows(file, { columns, body, form }, options);
}

interface Sheet {
  readonly columns: readonly string[];
  readonly body: readonly (readonly string[])[];
  readonly form: 'episodes' | 'counts';
}

type Row = (column: string) => string;

function readRows(file: ResultFile, sheet: Sheet, options: ImportOptions): Imported {
  const episodes: ImportedEpisode[] = [];
  const counts: ImportedCounts[] = [];
  for (const [i, fields] of sheet.body.entries()) {
    const where = `${file.name}, row ${String(i + 2)}`;
    if (fields.length !== sheet.columns.length)
      return refuse(
        `${where} has ${String(fields.length)} fields instead of ${String(sheet.columns.length)}`,
      );
    if (fields.every((field, at) => field.trim().toLowerCase() === sheet.columns[at]))
      return refuse(`${where} is a second head; import the files one by one`);
    const row: Row = (column) => fields[sheet.columns.indexOf(column)]?.trim() ?? '';
    const found = sheet.form === 'episodes' ? episodeOf(row, i, options) : countsOf(row, options);
    if (typeof found === 'string') return refuse(`${where}: ${found}`);
    if ('trials' in found) counts.push(found);
    else episodes.push(found);
  }
  if (episodes.length + counts.length === 0) return refuse(`${file.name} has a head but no row`);
  return { run: { format: 'csv', file: file.name, episodes, counts, warnings: [] } };
}

const yes = new Set(['true', '1', 'yes', 'success', 'y']);
const no = new Set(['false', '0', 'no', 'failure', 'fail', 'n']);

function episodeOf(row: Row, place: number, options: ImportOptions): ImportedEpisode | string {
  const word = row('success').toLowerCase();
  if (!yes.has(word) && !no.has(word)) return `success is "${row('success')}", not true or false`;
  const odd = ['seed', 'steps', 'episode'].find((name) => !/^\d*$/.test(row(name)));
  if (odd) return `${odd} is "${row(odd)}", not a whole number`;
  return {
    ...common(row, options),
    episode: place,
    ...numbers(row),
    ...(row('error') ? { error: row('error') } : {}),
    ...(row('routed') ? { routed: row('routed') } : {}),
    success: yes.has(word),
  };
}

/** The whole numbers that this row fills in. */
function numbers(row: Row): { episode?: number; seed?: number; steps?: number } {
  const filled = (['episode', 'seed', 'steps'] as const).filter((name) => row(name) !== '');
  return Object.fromEntries(filled.map((name) => [name, Number(row(name))]));
}

function countsOf(row: Row, options: ImportOptions): ImportedCounts | string {
  const [successes, trials] = [row('successes'), row('trials')];
  if (!/^\d+$/.test(successes) || !/^\d+$/.test(trials))
    return 'successes and trials must be whole numbers';
  if (Number(successes) > Number(trials)) return `${successes} successes of ${trials} trials`;
  return { ...common(row, options), successes: Number(successes), trials: Number(trials) };
}

function common(row: Row, options: ImportOptions) {
  return {
    policy: row('policy') || (options.policy ?? 'policy'),
    ...(row('suite') ? { suite: row('suite') } : {}),
    task: row('task') || 'task',
  };
}

/** RFC 4180: quoted fields may hold commas, quotes (doubled) and line breaks. Nothing for an open quote. */
export function parseCsv(text: string): string[][] | undefined {
  const source = text.replace(/^\uFEFF/, '').replace(/\r?\n$/, '');
  const token = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  const rows: string[][] = [];
  let row: string[] = [];
  for (;;) {
    const match = token.exec(source);
    if (!match) return undefined;
    row.push(match[1]?.replace(/""/g, '"') ?? match[2] ?? '');
    if (match[3] === ',') continue;
    if (row.some((field) => field.trim() !== '')) rows.push(row);
    if (match[3] === '') return rows;
    row = [];
  }
}

import { readCsv } from './csv';
import { parseLenient, readJsonResults } from './json-results';
import { looksLikeLiberoLog, readLiberoLog } from './libero-log';
import { looksLikeRobotwin, readRobotwin } from './robotwin';
import type { Imported, ImportOptions, ResultFile } from './types';
import { refuse } from './types';

/** Logs of a 500-episode suite are about 0.3 MB; a hundred times that is no result file. */
export const largestResultFile = 64 * 1024 * 1024;

/**
 * Reads one result file of a foreign evaluation, told apart by its content. Pure: the text comes from
 * the caller. A foreign, truncated or mixed file is refused in one sentence or marked partial.
 */
export function importResults(file: ResultFile, options: ImportOptions = {}): Imported {
  const unusable = whyUnusable(file);
  if (unusable) return refuse(`${file.name} ${unusable}`);
  const reader = readers.find(({ fits }) => fits(file));
  if (reader) return reader.read(file, options);
  return refuse(
    `${file.name} is none of the known results (LIBERO logs of OpenVLA, MergeVLA and openpi, eval_info.json, vla-eval, RoboTwin, CSV)`,
  );
}

function whyUnusable({ text }: ResultFile): string | undefined {
  if (text.length > largestResultFile) return 'is larger than any result file (64 MB)';
  if (text.includes('\0')) return 'is not a text file';
  return text.trim() === '' ? 'is empty' : undefined;
}

/** In this order: a log may hold a JSON line, and a table of success rates may hold a log's words. */
const readers: readonly {
  readonly fits: (file: ResultFile) => boolean;
  readonly read: (file: ResultFile, options: ImportOptions) => Imported;
}[] = [
  { fits: ({ text }) => looksLikeLiberoLog(text), read: readLiberoLog },
  { fits: ({ text }) => /^\s*[{[]/.test(text), read: readJsonResults },
  { fits: (file) => looksLikeRobotwin(file.text) || onlyRates(file), read: readRobotwin },
  {
    fits: ({ name, text }) =>
      /\.csv$/i.test(name) || /^[^\n]*\btask\b[^\n]*,[^\n]*success/i.test(text),
    read: readCsv,
  },
];

/** Older RoboTwin scripts write nothing but fractions. */
function onlyRates(file: ResultFile): boolean {
  return /_result\.txt$/.test(file.name) && typeof parseLenient(file.text.trim()) === 'number';
}

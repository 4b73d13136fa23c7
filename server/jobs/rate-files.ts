import { existsSync, readFileSync } from 'node:fs';
import { protocolLine } from '../evaluate/rates/protocol';
import { summarizeRates, type RateTableData } from '../evaluate/rates/summary';
import { ratesSection } from '../evaluate/rates/text';
import type { EpisodeLine } from '../protocol/episode-line';
import { isRecord } from '../protocol/shape';
import type { EvaluationRecord } from '../protocol/evaluation-record';
import { writeFileAtomic, writeJsonAtomic } from '../runs/files';
import { putSection } from '../runs/model-card';
import type { RunDirectory } from '../runs/run-directory';

export interface EvaluatedRun {
  readonly record: EvaluationRecord;
  readonly lines: readonly EpisodeLine[];
}

/** Adds the rates to `metrics.json` and to the model card. */
export function writeRates(run: Pick<RunDirectory, 'file'>, { record, lines }: EvaluatedRun): void {
  const table = summarizeRates(lines, record.tasks);
  const metrics = run.file('metrics.json');
  writeJsonAtomic(metrics, { ...withoutRates(readMetrics(metrics)), ...flatRates(table, record) });
  const card = run.file('README.md');
  const text = existsSync(card) ? readFileSync(card, 'utf8') : '';
  writeFileAtomic(
    card,
    putSection(text, 'Success rates', ratesSection(table, protocolLine(record))),
  );
}

function readMetrics(path: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

function withoutRates(metrics: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(metrics).filter(([key]) => !key.startsWith('success.')));
}

/**
 * `success.<policy>.<task>` and `success.<policy>.average`, each a share; on validation seeds
 * `success.validation.…`, which no table of results looks for.
 */
function flatRates(
  { cells, averages }: RateTableData,
  { settings: { range } }: EvaluationRecord,
): Record<string, number> {
  const flat: Record<string, number> = {};
  const success = range === undefined ? 'success' : `success.${range}`;
  for (const { policy, expert, task, rate } of cells)
    if (rate !== null)
      flat[`${success}.${expert === undefined ? policy : `cross.${expert}`}.${task}`] = rate;
  for (const { policy, rate } of averages)
    if (rate !== null) flat[`${success}.${policy}.average`] = rate;
  return flat;
}

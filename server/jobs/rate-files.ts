import { existsSync, readFileSync } from 'node:fs';
import { summarizeRates, type RateTableData } from '../evaluate/rates/summary';
import { ratesSection } from '../evaluate/rates/text';
import type { EpisodeLine } from '../protocol/episode-line';
import { isRecord } from '../protocol/shape';
import type { EvaluationRecord } from '../runs/episodes';
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
  writeJsonAtomic(metrics, { ...withoutRates(readMetrics(metrics)), ...flatRates(table) });
  const card = run.file('README.md');
  const text = existsSync(card) ? readFileSync(card, 'utf8') : '';
  writeFileAtomic(
    card,
    putSection(text, 'Success rates', ratesSection(table, protocolLine(record))),
  );
}

/** One line that says under which conditions the numbers hold. */
export function protocolLine({ settings, seeds }: EvaluationRecord): string {
  const { suite, shift, execute, max_steps: steps, routing } = settings;
  const parts = [
    suite,
    shift === 'colours' ? 'unseen cube colours' : 'scene as trained',
    `seeds ${seeds.first} to ${seeds.last}`,
    execute === null ? 'whole chunks' : `${execute} actions of each chunk`,
    steps === null ? '' : `at most ${steps} steps`,
    settings.offset === 'stored' ? 'router scores divided by stored means (not in the paper)' : '',
    routing === 'episode' ? 'routed at the first observation' : `routed once a ${routing}`,
  ];
  return parts.filter((part) => part !== '').join(', ');
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

/** `success.<policy>.<task>` and `success.<policy>.average`, each a share. */
function flatRates({ cells, averages }: RateTableData): Record<string, number> {
  const flat: Record<string, number> = {};
  for (const { policy, expert, task, rate } of cells)
    if (rate !== null)
      flat[`success.${expert === undefined ? policy : `cross.${expert}`}.${task}`] = rate;
  for (const { policy, rate } of averages)
    if (rate !== null) flat[`success.${policy}.average`] = rate;
  return flat;
}

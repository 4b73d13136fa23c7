import { join } from 'node:path';
import { writeFileAtomic, writeJsonAtomic } from '../../runs/files';
import type { SweepStore } from './store';
import type { PointState } from './types';

export interface SweepSummary {
  readonly name: string;
  readonly folder: string;
  readonly total: number;
  /** How many points are in each state; states without any are left out. */
  readonly states: Readonly<Partial<Record<PointState, number>>>;
  readonly points: readonly PointSummary[];
}

export interface PointSummary {
  readonly id: string;
  readonly index: number;
  readonly label: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly state: PointState;
  /** Why it is not done, where that is known. */
  readonly reason?: string;
  readonly metrics?: Readonly<Record<string, number>>;
  readonly seconds?: number;
  /** The run's folder, relative to the sweep's. */
  readonly run?: string;
}

/** What a sweep has so far; points without a result are told with their state. */
export function summarize(store: SweepStore): SweepSummary {
  const points = store.points.map((point): PointSummary => {
    const { id, index, label, values } = point;
    const { state, reason } = store.status(point);
    const result = store.result(point);
    return {
      id,
      index,
      label,
      values,
      state,
      ...(reason !== undefined && { reason }),
      ...(result && {
        metrics: result.metrics,
        seconds: result.seconds,
        run: join('points', id, result.run),
      }),
    };
  });
  const states: Partial<Record<PointState, number>> = {};
  for (const { state } of points) states[state] = (states[state] ?? 0) + 1;
  return { name: store.record.name, folder: store.folder, total: points.length, states, points };
}

/** Writes `summary.json`, `metrics.json` and `README.md` beside the points. Gaps are no fault. */
export function collect(store: SweepStore): SweepSummary {
  const summary = summarize(store);
  const metrics = Object.fromEntries(
    summary.points.flatMap((point) => (point.metrics ? [[point.label, point.metrics]] : [])),
  );
  writeJsonAtomic(join(store.folder, 'summary.json'), { ...summary, folder: '.' });
  writeJsonAtomic(join(store.folder, 'metrics.json'), metrics);
  writeFileAtomic(join(store.folder, 'README.md'), readme(summary));
  return summary;
}

/** Metrics that tables show: success rates, else those of the whole model that differ; at most six. */
export function shownMetrics({ points }: SweepSummary): readonly string[] {
  const first = points.find(({ metrics }) => metrics)?.metrics ?? {};
  const rates = Object.keys(first).filter((name) => name.startsWith('success.'));
  if (rates.length > 0) return rates.slice(0, 6);
  const names = Object.keys(first).filter((name) => /^total\.(active|distance)\./.test(name));
  const differs = (name: string): boolean =>
    points.some(({ metrics }) => metrics && metrics[name] !== first[name]);
  return names.filter(differs).slice(0, 6);
}

function readme(summary: SweepSummary): string {
  const names = shownMetrics(summary);
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const number = (value: number | undefined): string => value?.toPrecision(4) ?? '';
  const lines = summary.points.map(({ label, state, metrics, run }) =>
    row([
      run === undefined ? label : `[${label}](${run})`,
      state,
      ...names.map((name) => number(metrics?.[name])),
    ]),
  );
  const states = Object.entries(summary.states).map(([state, count]) => `${count} ${state}`);
  return [
    `# ${summary.name}`,
    '',
    `${summary.total} points: ${states.join(', ')}.`,
    '',
    row(['point', 'state', ...names]),
    row(['---', '---', ...names.map(() => '---')]),
    ...lines,
    '',
  ].join('\n');
}

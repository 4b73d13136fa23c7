import { shownMetrics, type SweepSummary } from '../jobs/sweep/collect';
import type { Style } from './style';
import { formatTable } from './table';
import { exitCodes, type Outcome } from './verb';

/** A sweep as a table of its points; failed when not every point is done. */
export function sweepOutcome(summary: SweepSummary, style: Style): Outcome {
  const names = shownMetrics(summary);
  const columns = [
    { title: 'point' },
    { title: 'state' },
    ...names.map((name) => ({ title: name.replace('total.', ''), align: 'right' as const })),
  ];
  const rows = summary.points.map(({ label, state, metrics }) => [
    label,
    state,
    ...names.map((name) => metrics?.[name]?.toFixed(4) ?? ''),
  ]);
  const reasons = summary.points.flatMap(({ label, reason }) =>
    reason === undefined ? [] : [`${label}: ${reason}`],
  );
  const done = summary.states.done ?? 0;
  const text = [
    formatTable(columns, rows, style),
    ...(reasons.length > 0 ? ['', ...reasons] : []),
    '',
    `${done} of ${summary.total} points done in ${summary.folder}`,
  ].join('\n');
  return {
    code: done === summary.total ? exitCodes.done : exitCodes.failed,
    json: summary,
    text,
    quiet: summary.folder,
  };
}

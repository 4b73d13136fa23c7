import type { RunSummary } from '../server/protocol/methods';

/** Texts for numbers, the same in every tree and message: no-break space before the unit. */

const sizes = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** `2.51 GB`, decimal units. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < sizes.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)}\u00a0${sizes[unit] ?? 'B'}`;
}

/** `18 s`, `3 min`, `2 h`, `4 d`. */
export function formatDuration(seconds: number): string {
  if (seconds < 1) return '<\u00a01\u00a0s';
  if (seconds < 90) return `${seconds.toFixed(0)}\u00a0s`;
  if (seconds < 5400) return `${(seconds / 60).toFixed(0)}\u00a0min`;
  if (seconds < 36 * 3600) return `${(seconds / 3600).toFixed(0)}\u00a0h`;
  return `${(seconds / 86_400).toFixed(0)}\u00a0d`;
}

/** A count of anything, or bytes with their unit. */
export function formatCount(value: number, unit: string): string {
  return unit === 'bytes' ? formatBytes(value) : value.toLocaleString('en-US');
}

/** `evaluate 164/300 · 1 min left`; the parts that are not known are left out. */
export function formatProgress(progress: NonNullable<RunSummary['progress']>): string {
  const { phase, done, total, unit, remainingSeconds } = progress;
  const amount =
    unit === 'bytes'
      ? `${total > 0 ? Math.floor((100 * done) / total).toFixed(0) : '0'}\u00a0%`
      : `${formatCount(done, unit)}/${formatCount(total, unit)}`;
  return [
    `${phase} ${amount}`,
    ...(remainingSeconds === undefined ? [] : [`${formatDuration(remainingSeconds)} left`]),
  ].join(' · ');
}

/** `2.3 episodes/s`, where it is known. */
export function formatSpeed({
  rate,
  unit,
}: NonNullable<RunSummary['progress']>): string | undefined {
  if (rate === undefined || rate <= 0) return undefined;
  return `${unit === 'bytes' ? formatBytes(rate) : `${rate.toPrecision(2)} ${unit}`}/s`;
}

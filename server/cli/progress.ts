import type { Style } from './style';
import { width } from './style';
import { formatBytes, formatSeconds } from './units';

export interface Progress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  readonly unit: 'bytes' | 'tensors' | 'episodes' | 'candidates' | 'points';
}

/** A line on a terminal that is drawn over itself: a bar, the amount, the rate and the time left. */
export interface ProgressBar {
  update(progress: Progress): void;
  clear(): void;
}

export interface ProgressTarget {
  readonly columns?: number;
  write(text: string): unknown;
}

const redrawMs = 100;
const barColumns = 24;

export function makeProgressBar(
  target: ProgressTarget,
  style: Style,
  now: () => number = Date.now,
): ProgressBar {
  let drawn = 0;
  let rate = new Rate();
  let phase = '';
  return {
    update(progress) {
      if (progress.phase !== phase) {
        rate = new Rate();
        phase = progress.phase;
      }
      rate.add(now(), progress.done);
      if (progress.done < progress.total && now() - drawn < redrawMs) return;
      drawn = now();
      const line = progressLine(progress, rate, style);
      const fits = width(line) < (target.columns ?? 80);
      target.write(`\r\x1b[K${fits ? line : shortLine(progress)}`);
    },
    clear() {
      if (drawn > 0) target.write('\r\x1b[K');
      drawn = 0;
    },
  };
}

/** Units a second over the last seconds, so that a slow start is forgotten. */
class Rate {
  private readonly points: { readonly at: number; readonly done: number }[] = [];

  add(at: number, done: number): void {
    this.points.push({ at, done });
    while (this.points.length > 2 && at - (this.points[0]?.at ?? at) > 5000) this.points.shift();
  }

  get perSecond(): number | undefined {
    const first = this.points[0];
    const last = this.points.at(-1);
    if (!first || !last || last.at - first.at < 300) return undefined;
    return ((last.done - first.done) / (last.at - first.at)) * 1000;
  }
}

function progressLine(progress: Progress, rate: Rate, style: Style): string {
  const share = shareOf(progress);
  const filled = Math.round(share * barColumns);
  const bar = style.cyan('█'.repeat(filled)) + style.dim('░'.repeat(barColumns - filled));
  const parts = [`${style.bold(progress.phase)}  ${bar} ${percent(share)}`, amount(progress)];
  const perSecond = rate.perSecond;
  if (perSecond !== undefined && perSecond > 0) {
    parts.push(`${quantity(perSecond, progress.unit)}/s`);
    parts.push(`${formatSeconds((progress.total - progress.done) / perSecond)} left`);
  }
  return parts.join('  ');
}

function shortLine(progress: Progress): string {
  return `${progress.phase} ${percent(shareOf(progress))}`;
}

function shareOf({ done, total }: Progress): number {
  return total > 0 ? Math.min(1, done / total) : 1;
}

function percent(share: number): string {
  return `${String(Math.floor(share * 100)).padStart(3)} %`;
}

function amount({ done, total, unit }: Progress): string {
  return unit === 'bytes'
    ? `${formatBytes(done)} of ${formatBytes(total)}`
    : `${done} of ${total} ${unit}`;
}

function quantity(value: number, unit: Progress['unit']): string {
  return unit === 'bytes' ? formatBytes(value) : `${value.toFixed(1)} ${unit}`;
}

import { betaDraw, betaQuantile, uniformStream } from './beta';

/** A share with its 95 % interval, all in [0, 1]. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface Counts {
  readonly successes: number;
  readonly trials: number;
}

/** `wilson` is the default; `exact` is Clopper–Pearson; `posterior` is Beta under a uniform prior. */
export type IntervalKind = 'wilson' | 'exact' | 'posterior';

const z = 1.959963984540054;
const alpha = 0.05;

/** The interval of the given kind; [0, 1] where nothing was tried. */
export function rateInterval(kind: IntervalKind, counts: Counts): Interval {
  check(counts);
  if (counts.trials === 0) return { low: 0, high: 1 };
  switch (kind) {
    case 'wilson':
      return wilson(counts);
    case 'exact':
      return clopperPearson(counts);
    case 'posterior':
      return posterior(counts, 1);
  }
}

/** Wilson's score interval (1927): the values whose two-sided score test keeps s of n. */
export function wilson({ successes: s, trials: n }: Counts): Interval {
  const p = s / n;
  const scale = 1 + (z * z) / n;
  const centre = (p + (z * z) / (2 * n)) / scale;
  const half = (z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))) / scale;
  return {
    low: s === 0 ? 0 : Math.max(0, centre - half),
    high: s === n ? 1 : Math.min(1, centre + half),
  };
}

/** Clopper and Pearson (1934): covers at least 95 % whatever the true rate, so it is wide. */
export function clopperPearson({ successes: s, trials: n }: Counts): Interval {
  return {
    low: s === 0 ? 0 : betaQuantile(alpha / 2, s, n - s + 1),
    high: s === n ? 1 : betaQuantile(1 - alpha / 2, s + 1, n - s),
  };
}

/** Central 95 % of Beta(s + prior, n − s + prior): prior 1 is uniform, ½ is Jeffreys. */
export function posterior({ successes: s, trials: n }: Counts, prior: number): Interval {
  const a = s + prior;
  const b = n - s + prior;
  return { low: betaQuantile(alpha / 2, a, b), high: betaQuantile(1 - alpha / 2, a, b) };
}

/** Jeffreys' interval with its ends set to 0 and 1 where nothing, or everything, succeeded. */
export function jeffreys(counts: Counts): Interval {
  const inner = posterior(counts, 0.5);
  return {
    low: counts.successes === 0 ? 0 : inner.low,
    high: counts.successes === counts.trials ? 1 : inner.high,
  };
}

/**
 * Interval of the plain mean of several tasks' rates: central 95 % of 10,000 seeded draws of the mean
 * of the tasks' Jeffreys posteriors, widened where it would leave out the mean itself (0/n, n/n).
 */
export function meanInterval(
  tasks: readonly Counts[],
  draws = 10_000,
): Interval & { mean: number } {
  tasks.forEach(check);
  const tried = tasks.filter((task) => task.trials > 0);
  if (tried.length === 0) return { mean: Number.NaN, low: 0, high: 1 };
  const mean = tried.reduce((sum, t) => sum + t.successes / t.trials, 0) / tried.length;
  const uniform = uniformStream(20251207);
  const sample = new Float64Array(draws);
  for (let i = 0; i < draws; i += 1) {
    let sum = 0;
    for (const { successes, trials } of tried)
      sum += betaDraw(successes + 0.5, trials - successes + 0.5, uniform);
    sample[i] = sum / tried.length;
  }
  sample.sort();
  const at = (share: number) => sample[Math.round(share * (draws - 1))] ?? mean;
  return {
    mean,
    low: Math.min(mean, at(alpha / 2)),
    high: Math.max(mean, at(1 - alpha / 2)),
  };
}

function check({ successes, trials }: Counts): void {
  if (!(successes >= 0 && successes <= trials && Number.isFinite(trials)))
    throw new RangeError(`${successes} successes of ${trials} trials`);
}

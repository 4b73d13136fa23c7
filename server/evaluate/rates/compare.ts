import { betaCdf, betaDensity, logBeta, logGamma } from './beta';
import type { Counts, Interval } from './intervals';
import { wilson } from './intervals';

/**
 * Exact McNemar test, two-sided: b pairs where only the first succeeded, c where only the second did.
 * p = 2·P(Bin(b + c, ½) ≤ min(b, c)), at most 1.
 */
export function mcnemar(b: number, c: number): number {
  const n = b + c;
  if (n === 0) return 1;
  const choose = logChoose(n);
  let sum = 0;
  for (let k = 0; k <= Math.min(b, c); k += 1) sum += Math.exp(at(choose, k) - n * Math.LN2);
  return Math.min(1, 2 * sum);
}

/**
 * Evidence that two policies on shared seeds differ, valid at any time:
 * E = 2^(b+c)·Beta(b + 1, c + 1), a uniform mixture over the win rate. Stop when E ≥ 1/α.
 */
export function sequentialEvidence(b: number, c: number): number {
  return Math.exp((b + c) * Math.LN2 + logBeta(b + 1, c + 1));
}

/**
 * Barnard's unconditional exact test, two-sided, for independent rollouts: tables are ordered by the
 * pooled z of the difference, and p is the largest probability, over the common rate, of a table at
 * least as extreme. Grid of 1,000 rates with a local refinement around the best.
 */
export function barnard(first: Counts, second: Counts): number {
  if (first.trials === 0 || second.trials === 0) return 1;
  const region = extremeTables(first, second);
  if (!region) return 1;
  const tail = tailProbability(first.trials, second.trials, region);
  const steps = 1000;
  let best = 0;
  let bestRate = 0.5;
  for (let i = 1; i < steps; i += 1) {
    const p = tail(i / steps);
    if (p > best) [best, bestRate] = [p, i / steps];
  }
  for (let width = 1 / steps; width > 1e-7; width /= 2)
    for (const rate of [bestRate - width / 2, bestRate + width / 2]) {
      const p = tail(rate);
      if (p > best) [best, bestRate] = [p, rate];
    }
  return Math.min(1, best);
}

/** For each i successes of the first, the second's counts ≤ below[i] or ≥ above[i] are as extreme. */
interface Region {
  readonly below: Int32Array;
  readonly above: Int32Array;
}

function pooledZ(i: number, n: number, j: number, m: number): number {
  const pooled = (i + j) / (n + m);
  const variance = pooled * (1 - pooled) * (1 / n + 1 / m);
  return variance === 0 ? 0 : (i / n - j / m) / Math.sqrt(variance);
}

function extremeTables(first: Counts, second: Counts): Region | undefined {
  const [n, m] = [first.trials, second.trials];
  // The tolerance keeps tables with mathematically equal statistics together.
  const limit = Math.abs(pooledZ(first.successes, n, second.successes, m)) - 1e-9;
  if (limit <= 0) return undefined;
  const below = new Int32Array(n + 1).fill(-1);
  const above = new Int32Array(n + 1).fill(m + 1);
  for (let i = 0; i <= n; i += 1) {
    // For fixed i the statistic falls monotonically in j, so both ends are intervals.
    let low = -1;
    while (low < m && pooledZ(i, n, low + 1, m) >= limit) low += 1;
    let high = m + 1;
    while (high > 0 && pooledZ(i, n, high - 1, m) <= -limit) high -= 1;
    below[i] = low;
    above[i] = high;
  }
  return { below, above };
}

function tailProbability(n: number, m: number, region: Region): (rate: number) => number {
  const chooseN = logChoose(n);
  const chooseM = logChoose(m);
  const cumulative = new Float64Array(m + 2);
  return (rate) => {
    const log = Math.log(rate);
    const rest = Math.log1p(-rate);
    for (let j = 0; j <= m; j += 1)
      cumulative[j + 1] = at(cumulative, j) + Math.exp(at(chooseM, j) + j * log + (m - j) * rest);
    const whole = at(cumulative, m + 1);
    let p = 0;
    for (let i = 0; i <= n; i += 1) {
      const low = at(cumulative, at(region.below, i) + 1);
      const high = whole - at(cumulative, at(region.above, i));
      p += Math.exp(at(chooseN, i) + i * log + (n - i) * rest) * (low + high);
    }
    return p;
  };
}

/** An element that is there by construction; the index is never out of range in this file. */
function at(array: Float64Array | Int32Array, i: number): number {
  return array[i] ?? 0;
}

/** ln C(n, k) for k = 0 … n. */
function logChoose(n: number): Float64Array {
  const top = logGamma(n + 1);
  return Float64Array.from(
    { length: n + 1 },
    (_, k) => top - logGamma(k + 1) - logGamma(n - k + 1),
  );
}

/** Newcombe's interval (1998, method 10) of the difference of two independent rates. */
export function newcombe(first: Counts, second: Counts): Interval {
  const [p, q] = [first.successes / first.trials, second.successes / second.trials];
  const [a, b] = [wilson(first), wilson(second)];
  return {
    low: p - q - Math.hypot(p - a.low, b.high - q),
    high: p - q + Math.hypot(a.high - p, q - b.low),
  };
}

/** What pairs on shared seeds say. */
export interface Paired {
  /** Pairs where both, only the first, only the second, neither succeeded. */
  readonly both: number;
  readonly first: number;
  readonly second: number;
  readonly neither: number;
}

/**
 * Interval of the difference of two paired rates: Newcombe (1998, method 10 for pairs), which takes the
 * correlation φ between the two policies on the same seed into account.
 */
export function pairedInterval({ both, first, second, neither }: Paired): Interval {
  const n = both + first + second + neither;
  const a: Counts = { successes: both + first, trials: n };
  const b: Counts = { successes: both + second, trials: n };
  const [p, q, wa, wb] = [a.successes / n, b.successes / n, wilson(a), wilson(b)];
  const product = (both + first) * (second + neither) * (both + second) * (first + neither);
  const phi = product === 0 ? 0 : (both * neither - first * second) / Math.sqrt(product);
  const width = (x: number, y: number) => Math.sqrt(Math.max(0, x * x - 2 * phi * x * y + y * y));
  return {
    low: p - q - width(p - wa.low, wb.high - q),
    high: p - q + width(wa.high - p, q - wb.low),
  };
}

/** P(A > B) under uniform priors: ∫ f_A(x) F_B(x) dx on a grid of 2,000 points. */
export function probabilityBetter(first: Counts, second: Counts): number {
  const points = 2000;
  const [a, b] = [first.successes + 1, first.trials - first.successes + 1];
  const [c, d] = [second.successes + 1, second.trials - second.successes + 1];
  let sum = 0;
  for (let i = 0; i < points; i += 1) {
    const x = (i + 0.5) / points;
    sum += betaDensity(x, a, b) * betaCdf(x, c, d);
  }
  return sum / points;
}

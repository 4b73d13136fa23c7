import type { Estimate } from '../../protocol/report';
import { shareInterval } from './interval';

/**
 * What one band of one tensor says about one ratio y / x: expanded totals, and the moments from
 * which the variance of any aggregate follows (sketch design §2: an aggregate is just more strata).
 */
export interface BandMoments {
  /** Σ over drawn clusters, times population / drawn. */
  readonly y: number;
  readonly x: number;
  /** N² (1 − k/N) s² / k of y, of x, and of their product; 0 when the band is read whole. */
  readonly yy: number;
  readonly yx: number;
  readonly xx: number;
  /** Clusters drawn, k; 0 when the band is read whole. */
  readonly drawn: number;
  /** Kish: Σx over clusters and Σx², both expanded, for how many clusters carry the denominator. */
  readonly weight: number;
  readonly squaredWeight: number;
}

/** Moments of one band from the totals of its drawn clusters. */
export function bandMoments(
  y: ArrayLike<number>,
  x: ArrayLike<number>,
  population: number,
): BandMoments {
  const k = y.length;
  const expansion = population / k;
  const sums = { y: 0, x: 0, squares: 0 };
  for (let i = 0; i < k; i++) {
    sums.y += y[i];
    sums.x += x[i];
    sums.squares += x[i] * x[i];
  }
  const totals = { y: sums.y * expansion, x: sums.x * expansion };
  const weights = { weight: totals.x, squaredWeight: sums.squares * expansion * expansion };
  if (k >= population) return { ...totals, ...weights, yy: 0, yx: 0, xx: 0, drawn: 0 };
  const centred = { yy: 0, yx: 0, xx: 0 };
  for (let i = 0; i < k; i++) {
    const dy = y[i] - sums.y / k;
    const dx = x[i] - sums.x / k;
    centred.yy += dy * dy;
    centred.yx += dy * dx;
    centred.xx += dx * dx;
  }
  // With one cluster there is no variance to see; treating it as drawn from two is the widest guess.
  const factor = (population * population * (1 - k / population)) / (k * Math.max(1, k - 1));
  return {
    ...totals,
    ...weights,
    yy: centred.yy * factor,
    yx: centred.yx * factor,
    xx: centred.xx * factor,
    drawn: k,
  };
}

/** Fewer clusters than this behind a denominator, and no share of it is shown. */
const fewestClusters = 8;

/**
 * The share y / x over any set of bands, with its 95 % interval; a plain number when all of them are
 * read whole; null when nothing is in the denominator, or too few clusters carry a random one.
 */
export function shareOf(
  bands: readonly BandMoments[],
  options: { readonly randomDenominator: boolean },
): Estimate | number | null {
  const total = { y: 0, x: 0, weight: 0, squared: 0, clusters: 0 };
  for (const band of bands) {
    total.y += band.y;
    total.x += band.x;
    total.clusters += band.drawn;
    total.squared += band.squaredWeight;
  }
  const exact = total.clusters === 0;
  if (total.x <= 0) return exact || options.randomDenominator ? null : 0;
  const p = Math.min(1, Math.max(0, total.y / total.x));
  if (exact) return p;
  if (options.randomDenominator && total.x ** 2 / total.squared < fewestClusters) return null;
  return shareInterval(p, { ...spread(bands, p, total.x), clusters: total.clusters });
}

/** Variance of the ratio p and its degrees of freedom, from z = (y − p x) / X in every band. */
function spread(
  bands: readonly BandMoments[],
  p: number,
  x: number,
): { readonly variance: number; readonly degreesOfFreedom: number } {
  let variance = 0;
  let squares = 0;
  let most = 0;
  for (const band of bands) {
    if (band.drawn === 0) continue;
    const v = Math.max(0, band.yy - 2 * p * band.yx + p * p * band.xx) / (x * x);
    const freedom = Math.max(1, band.drawn - 1);
    variance += v;
    squares += (v * v) / (freedom + 2);
    most += freedom;
  }
  const df = squares > 0 ? (variance * variance) / squares - 2 : most;
  return { variance, degreesOfFreedom: Math.min(Math.max(2, df), Math.max(2, most)) };
}

import type { Estimate } from '../../protocol/report';
import { shareInterval } from './interval';
import type { Band } from './sketch';

/**
 * What the bands of one tensor say about one ratio y / x: expanded totals, and the moments from which
 * the variance of any aggregate follows (sketch design §2: an aggregate is just more strata). One array
 * of `numbersOfBand` numbers a band, because a moving slider fills thousands of them each frame:
 *
 * - y, x: Σ over drawn clusters, times population / drawn
 * - yy, yx, xx: N² (1 − k/N) s² / k of y, of their product and of x; 0 when the band is read whole
 * - drawn: clusters, k; 0 when the band is read whole
 * - squared: Σx², expanded, for how many clusters carry the denominator (Kish)
 */
export type Strata = Float64Array;

const numbersOfBand = 7;
const at = { y: 0, x: 1, yy: 2, yx: 3, xx: 4, drawn: 5, squared: 6 } as const;

export function emptyStrata(bands: readonly Band[]): Strata {
  return new Float64Array(bands.length * numbersOfBand);
}

/** Moments of every band from the totals of its drawn clusters. */
export function fillStrata(
  into: Strata,
  bands: readonly Band[],
  y: Float64Array,
  x: Float64Array,
): Strata {
  for (let b = 0; b < bands.length; b++) fillBand(into, b * numbersOfBand, bands[b], { y, x });
  return into;
}

function fillBand(
  into: Strata,
  first: number,
  { from, to, population }: Band,
  { y, x }: { readonly y: Float64Array; readonly x: Float64Array },
): void {
  const k = to - from;
  const expansion = population / k;
  let sumY = 0;
  let sumX = 0;
  let squares = 0;
  for (let i = from; i < to; i++) {
    sumY += y[i];
    sumX += x[i];
    squares += x[i] * x[i];
  }
  const all = k >= population;
  into[first + at.y] = sumY * expansion;
  into[first + at.x] = sumX * expansion;
  into[first + at.squared] = squares * expansion * expansion;
  into[first + at.drawn] = all ? 0 : k;
  let yy = 0;
  let yx = 0;
  let xx = 0;
  for (let i = from; i < to && !all; i++) {
    const dy = y[i] - sumY / k;
    const dx = x[i] - sumX / k;
    yy += dy * dy;
    yx += dy * dx;
    xx += dx * dx;
  }
  // With one cluster there is no variance to see; treating it as drawn from two is the widest guess.
  const factor = (population * population * (1 - k / population)) / (k * Math.max(1, k - 1));
  into[first + at.yy] = yy * factor;
  into[first + at.yx] = yx * factor;
  into[first + at.xx] = xx * factor;
}

/** Fewer clusters than this behind a denominator, and no share of it is shown. */
const fewestClusters = 8;

/**
 * The share y / x over the bands of any tensors, with its 95 % interval; a plain number when all of
 * them are read whole; null when nothing is in the denominator, or too few clusters carry a random one.
 */
export function shareOf(
  members: readonly Strata[],
  options: { readonly randomDenominator: boolean },
): Estimate | number | null {
  const total = { y: 0, x: 0, squared: 0, clusters: 0 };
  for (const bands of members) {
    for (let b = 0; b < bands.length; b += numbersOfBand) {
      total.y += bands[b + at.y];
      total.x += bands[b + at.x];
      total.clusters += bands[b + at.drawn];
      total.squared += bands[b + at.squared];
    }
  }
  const exact = total.clusters === 0;
  if (total.x <= 0) return exact || options.randomDenominator ? null : 0;
  const p = Math.min(1, Math.max(0, total.y / total.x));
  if (exact) return p;
  if (options.randomDenominator && total.x ** 2 / total.squared < fewestClusters) return null;
  return shareInterval(p, { ...spread(members, p, total.x), clusters: total.clusters });
}

/** Variance of the ratio p and its degrees of freedom, from z = (y − p x) / X in every band. */
function spread(
  members: readonly Strata[],
  p: number,
  x: number,
): { readonly variance: number; readonly degreesOfFreedom: number } {
  let variance = 0;
  let squares = 0;
  let most = 0;
  for (const bands of members) {
    for (let b = 0; b < bands.length; b += numbersOfBand) {
      if (bands[b + at.drawn] === 0) continue;
      const z = bands[b + at.yy] - 2 * p * bands[b + at.yx] + p * p * bands[b + at.xx];
      const v = Math.max(0, z) / (x * x);
      const freedom = Math.max(1, bands[b + at.drawn] - 1);
      variance += v;
      squares += (v * v) / (freedom + 2);
      most += freedom;
    }
  }
  const df = squares > 0 ? (variance * variance) / squares - 2 : most;
  return { variance, degreesOfFreedom: Math.min(Math.max(2, df), Math.max(2, most)) };
}

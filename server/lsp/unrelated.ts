import type { Unrelated } from '../protocol/panels/mask-ratios';
import type { Recipe } from '../recipe/schema';

/** What decides the masks of independent Gaussian task vectors of equal size; one entry a task. */
export interface UnrelatedMerge {
  /** Factor of each τ_m in the merged vector. */
  readonly factors: readonly number[];
  readonly lambdas: readonly number[];
}

/** A recipe's merge in these words, for the tasks that are there; undefined where it has no closed form. */
export function unrelatedMerge(
  { merge, masks, experts }: Recipe,
  tasks: readonly string[],
): UnrelatedMerge | undefined {
  const { method, alpha } = merge;
  if (method !== 'task_arithmetic' || typeof alpha !== 'number') return undefined;
  if (masks === 'none' || masks.rule !== 'tall' || masks.consensus > 0) return undefined;
  const present = experts.filter(({ task }) => tasks.includes(task));
  const weights = present
    .map(({ weight }) => weight)
    .filter((weight) => typeof weight === 'number');
  if (weights.length < present.length || present.length === 0) return undefined;
  const whole = merge.normalize ? weights.reduce((sum, weight) => sum + weight, 0) : 1;
  if (whole === 0) return undefined;
  return {
    factors: weights.map((weight) => (alpha * weight) / whole),
    lambdas: present.map(({ task }) => masks.lambda[task] ?? 0),
  };
}

/**
 * Share of positions that the mask rule keeps, mean over the tasks. With x = τ_m, the factor f of τ_m
 * and the others' sum s·y, s² the sum of their squared factors, the rule |x| ≥ λ|(f − 1)x + s·y| holds
 * on a range of y/x, which is Cauchy: an arctangent at each end.
 * For equal factors of 1 this is 1 − (2/π)·atan(λ√(M − 1)).
 */
export function unrelatedActive(merge: UnrelatedMerge): number;
export function unrelatedActive(merge: UnrelatedMerge | undefined): number | undefined;
export function unrelatedActive(merge: UnrelatedMerge | undefined): number | undefined {
  if (!merge) return undefined;
  const { factors, lambdas } = merge;
  const squares = factors.reduce((sum, factor) => sum + factor * factor, 0);
  const shares = factors.map((factor, m) =>
    keptShare(lambdas[m] ?? 0, factor - 1, Math.sqrt(Math.max(0, squares - factor * factor))),
  );
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

/** Probability of |x| ≥ λ|own·x + others·y| for standard normal x and y. */
function keptShare(lambda: number, own: number, others: number): number {
  if (lambda === 0) return 1;
  if (others < 1e-12) return Math.abs(lambda * own) <= 1 ? 1 : 0;
  const [low = 0, high = 0] = [(-1 / lambda - own) / others, (1 / lambda - own) / others].map(
    Math.atan,
  );
  return Math.abs(high - low) / Math.PI;
}

const columns = 20_000;

/** The same tasks' coverage, counted on 20,000 seeded columns (standard error below 0.4 points). */
export function unrelatedTasks(merge: UnrelatedMerge): Unrelated {
  const { factors, lambdas } = merge;
  const tasks = factors.length;
  const counts = new Array<number>(tasks + 1).fill(0);
  const drawn = gaussianColumns(tasks);
  for (let from = 0; from < drawn.length; from += tasks) {
    let sum = 0;
    for (let m = 0; m < tasks; m += 1) sum += (factors[m] ?? 0) * (drawn[from + m] ?? 0);
    let active = 0;
    for (let m = 0; m < tasks; m += 1) {
      const tau = drawn[from + m] ?? 0;
      if (Math.abs(tau) >= (lambdas[m] ?? 0) * Math.abs(sum - tau)) active += 1;
    }
    counts[active] = (counts[active] ?? 0) + 1;
  }
  return {
    active: unrelatedActive(merge),
    coverage: counts.map((count) => count / columns),
  };
}

let kept: { readonly tasks: number; readonly drawn: Float64Array } | undefined;

/** The columns of the last number of tasks: a moving slider asks for the same ones each time. */
function gaussianColumns(tasks: number): Float64Array {
  if (kept?.tasks === tasks) return kept.drawn;
  const random = gaussianStream(20251207);
  const drawn = Float64Array.from({ length: columns * tasks }, random);
  kept = { tasks, drawn };
  return drawn;
}

/** Standard normal numbers from a seeded 32-bit generator (Box and Muller). */
function gaussianStream(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

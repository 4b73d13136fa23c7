import type { Unrelated } from '../protocol/panels/mask-ratios';

/**
 * Share of positions that the mask rule keeps under task arithmetic when the task vectors are
 * independent Gaussians of equal size. With x = τ_m and the others' sum √(M − 1)·y, the rule
 * |x| ≥ λ|(α − 1)x + α√(M − 1)·y| holds on a range of y/x, which is Cauchy: an arctangent at each end.
 * For α = 1 this is 1 − (2/π)·atan(λ√(M − 1)).
 */
export function unrelatedActive(tasks: number, lambda: number, alpha: number): number {
  const own = alpha - 1;
  const others = alpha * Math.sqrt(Math.max(0, tasks - 1));
  if (lambda === 0) return 1;
  if (others === 0) return Math.abs(lambda * own) <= 1 ? 1 : 0;
  const ends = [(-1 / lambda - own) / others, (1 / lambda - own) / others].map(Math.atan);
  return Math.abs((ends[1] ?? 0) - (ends[0] ?? 0)) / Math.PI;
}

const columns = 20_000;

/** The same tasks' coverage, counted on 20,000 seeded columns (standard error below 0.4 points). */
export function unrelatedTasks(tasks: number, lambda: number, alpha: number): Unrelated {
  const counts = new Array<number>(tasks + 1).fill(0);
  const drawn = gaussianColumns(tasks);
  for (let from = 0; from < drawn.length; from += tasks) {
    let sum = 0;
    for (let m = from; m < from + tasks; m += 1) sum += drawn[m] ?? 0;
    let kept = 0;
    for (let m = from; m < from + tasks; m += 1) {
      const tau = drawn[m] ?? 0;
      if (Math.abs(tau) >= lambda * Math.abs(alpha * sum - tau)) kept += 1;
    }
    counts[kept] = (counts[kept] ?? 0) + 1;
  }
  return {
    active: unrelatedActive(tasks, lambda, alpha),
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

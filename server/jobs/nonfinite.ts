import type { TensorJob } from '../engine/plan-types';
import { column } from '../engine/stages';
import type { UnitRunner } from './unit-runner';
import type { MergeResult } from './units';

/** Counts NaN and infinities of base and experts over a run of elements: only called when there are some. */
export function countNonfinite(
  runner: UnitRunner,
  job: TensorJob,
  range: { readonly start: number; readonly end: number },
): MergeResult['nonfinite'] {
  const { blocks, plan } = runner;
  const nan = new Array<number>(plan.tasks.length + 1).fill(0);
  const infinite = new Array<number>(plan.tasks.length + 1).fill(0);
  const count = (values: Float32Array, n: number, model: number): void => {
    for (let i = 0; i < n; i++) {
      const value = values[i] ?? 0;
      if (Number.isFinite(value)) continue;
      const counts = Number.isNaN(value) ? nan : infinite;
      counts[model] = (counts[model] ?? 0) + 1;
    }
  };
  blocks.open(job, 'weights');
  blocks.forEachBlock(range, ({ n }) => {
    if (job.base) count(blocks.base, n, 0);
    for (let m = 0; m < blocks.columns.count; m++) count(column(blocks.columns, m), n, m + 1);
  });
  return nan.flatMap((_, model) => {
    const found = { model, nan: nan[model] ?? 0, infinite: infinite[model] ?? 0 };
    return found.nan + found.infinite > 0 ? [found] : [];
  });
}

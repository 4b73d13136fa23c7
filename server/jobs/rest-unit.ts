import { MergeError } from '../protocol/merge-error';
import { nativeSum, roundingOf } from '../engine/native';
import type { TensorJob } from '../engine/plan-types';
import { column } from '../engine/stages';
import { elementBytes } from '../tensors/dtypes';
import type { TensorInfo } from '../tensors/types';
import type { TensorSlot } from '../tensors/writer';
import type { Block } from './block-reader';
import { writeValues } from './merge-unit';
import { countNonfinite } from './nonfinite';
import type { UnitRunner } from './unit-runner';
import type { MergeResult, Work } from './units';

type MergeWork = Extract<Work, { kind: 'merge' }>;

/** Tensors that no method merges: averages, one task's or every task's own, the base's, and integers. */
export function restUnit(runner: UnitRunner, job: TensorJob, work: MergeWork): MergeResult {
  const slots = work.slots?.weights ?? work.slots?.rest ?? [];
  if (job.rule.kind !== 'copy') return writeFloats(runner, job, work, slots);
  const from = job.base?.stored ?? job.experts[0]?.stored;
  if (from) copyBytes(runner, from, slots, work.unit);
  return { kind: 'merge', sums: null, nonfinite: [], overflow: false };
}

/** Raw bytes, piece by piece. */
function copyBytes(
  runner: UnitRunner,
  from: TensorInfo,
  slots: readonly TensorSlot[],
  { start, end }: { readonly start: number; readonly end: number },
): void {
  const size = elementBytes(from.dtype);
  const step = Math.floor((1 << 20) / size);
  for (let at = start; at < end; at += step) {
    const bytes = new Uint8Array(Math.min(step, end - at) * size);
    runner.reader.readBytes(from, at, bytes);
    for (const slot of slots) runner.writer.write(slot, at, bytes);
  }
}

function writeFloats(
  runner: UnitRunner,
  job: TensorJob,
  { unit }: MergeWork,
  slots: readonly TensorSlot[],
): MergeResult {
  const { blocks } = runner;
  // Set in the visits below, which the compiler does not follow.
  const seen = { overflow: false, infinite: false };
  // One model at a time: the buffers hold as many as the form writes, which may be fewer than the slots.
  slots.forEach((slot, model) => {
    blocks.open(job, 'weights');
    blocks.forEachBlock(
      unit,
      (block) => {
        const values = valuesFor(runner, job, model, block);
        if (!Number.isFinite(runner.kernels.stages.sumSquares(values, block.padded)))
          seen.infinite = true;
        const to = { model: 0, offset: block.offset, dtype: job.outputDtype };
        if (runner.outputs.store(runner.kernels, values, to, block)) seen.overflow = true;
      },
      (piece) => {
        writeValues(runner, 0, slot, piece);
      },
    );
  });
  const bad = seen.infinite || seen.overflow;
  const nonfinite = bad ? countNonfinite(runner, job, unit) : [];
  return { kind: 'merge', sums: null, nonfinite, overflow: bad && nonfinite.length === 0 };
}

/** The block's weights as the rule has them; `model` is the slot's index. */
function valuesFor(runner: UnitRunner, job: TensorJob, model: number, block: Block): Float32Array {
  const { columns, base } = runner.blocks;
  switch (job.rule.kind) {
    case 'take':
      return column(columns, job.rule.task);
    case 'per_task':
      return column(columns, model);
    case 'average':
      return averaged(runner, job, block.padded);
    case 'base':
      return base;
    case 'merge':
    case 'copy':
      throw new MergeError('MV599', `tensor ${job.name} has no rule of its own`, {
        fault: 'system',
      });
  }
}

/** Σ θ / T in float32, or with every product and sum rounded as the released code does. */
function averaged(runner: UnitRunner, job: TensorJob, n: number): Float32Array {
  const { columns } = runner.blocks;
  const target = runner.outputs.block;
  const round = runner.plan.precision === 'native' ? roundingOf(job.dtype) : null;
  if (round) {
    const weights = runner.plan.tasks.map(() => 1 / columns.count);
    nativeSum(columns, weights, round, target.subarray(0, n));
    return target;
  }
  runner.kernels.stages.sum(columns, target, n);
  for (let i = 0; i < n; i++) target[i] = (target[i] ?? 0) / columns.count;
  return target;
}

import { emrMask } from '../engine/merge/emr';
import { methodFor } from '../engine/merge/methods';
import { electsOverModel } from '../engine/merge/ties';
import { isNegative } from '../engine/merge/weighted';
import { nativeMask, roundingOf } from '../engine/native';
import type { MergePlan, TensorJob } from '../engine/plan-types';
import { column, type Columns } from '../engine/stages';
import { elementBytes } from '../tensors/dtypes';
import type { TensorSlot } from '../tensors/writer';
import type { Block, Piece } from './block-reader';
import { parametersOf, unitFacts, type Combiner } from './combiner';
import { countNonfinite } from './nonfinite';
import type { UnitRunner } from './unit-runner';
import type { MergeResult, UnitFacts, Work } from './units';

type MergeWork = Extract<Work, { kind: 'merge' }>;

/** Merges a run of elements of one tensor: reads, combines, masks, measures and writes in one pass. */
export async function mergeUnit(
  runner: UnitRunner,
  job: TensorJob,
  { unit, facts, slots }: MergeWork,
): Promise<MergeResult> {
  const { blocks, combiner, sums } = runner;
  const own = unitFacts(facts);
  const whole = await combiner.wholeUnit(job, unit, own);
  const { method } = methodFor(runner.plan.settings, job.shape, runner.plan.tasks.length);
  blocks.open(job, method.space);
  sums.reset();
  combiner.signs.fill(0);
  // Set in the visits below, which the compiler does not follow.
  const seen = { overflow: false };
  blocks.forEachBlock(
    unit,
    (block) => {
      const taskVectors = combiner.combine(job, block, own, whole);
      const masks = makeMasks(runner, job, block, taskVectors);
      sums.addBlock({
        base: blocks.base,
        taskVectors,
        merged: combiner.merged,
        padded: block.padded,
        masks: masks && measuresLater(runner.plan) ? masks : null,
      });
      if (slots && storeBlock(runner, job, block, { facts, masks })) seen.overflow = true;
    },
    (piece) => {
      if (!slots) return;
      const output = slots.merged ?? slots.rest?.[0];
      if (output) writeValues(runner, 0, output, piece);
      slots.weights?.forEach((slot, m) => {
        writeValues(runner, m, slot, piece);
      });
      slots.masks?.forEach((slot, m) => {
        const bits = runner.outputs.masks[m]?.subarray(0, Math.ceil(piece.n / 8));
        if (bits) runner.writer.write(slot, piece.start / 8, bits);
      });
    },
  );
  const bad = seen.overflow || !sums.isFinite();
  const nonfinite = bad ? countNonfinite(runner, job, unit) : [];
  return {
    kind: 'merge',
    sums: sums.result(),
    nonfinite,
    overflow: bad && nonfinite.length === 0,
    ...(whole?.spectral && { spectral: whole.spectral }),
    ...(electsOverModel(runner.plan.settings) && { election: electionOf(combiner, facts) }),
  };
}

function electionOf(
  { signs: [balance = 0, ties = 0] }: Combiner,
  { signBalance }: UnitFacts,
): Required<MergeResult>['election'] {
  return { isNegative: isNegative(signBalance), balance, ties };
}

/** True where the distances cannot be taken while the masks are made. */
function measuresLater({ masks, precision }: MergePlan): boolean {
  return masks?.rule === 'emr' || (masks?.consensus ?? 0) > 0 || precision === 'native';
}

/** Mask bits of a block, in the piece's buffers; null where the run has no masks. */
function makeMasks(
  runner: UnitRunner,
  job: TensorJob,
  block: Block,
  taskVectors: Columns,
): readonly Uint8Array[] | null {
  const { plan, outputs, combiner, kernels, sums } = runner;
  if (!plan.masks || !job.base) return null;
  const masks = outputs.masksAt(block.offset);
  const { merged } = combiner;
  const { lambda } = parametersOf(job);
  const n = block.padded;
  const round = plan.precision === 'native' ? roundingOf(job.dtype) : null;
  const distances = measuresLater(plan) ? null : masks.map(() => 0);
  const { rule, consensus } = plan.masks;
  let counts = masks.map((bits, m) => {
    const taskVector = column(taskVectors, m);
    if (rule === 'emr') return emrMask(taskVector, merged, bits, n);
    const pair = { taskVector, merged, lambda: lambda[m] ?? 0 };
    if (round) return nativeMask(taskVector, merged, { lambda: pair.lambda, round, n }, bits);
    outputs.distance[0] = 0;
    const count = kernels.stages.taskMask(pair, bits, n, outputs.distance);
    if (distances) distances[m] = outputs.distance[0];
    return count;
  });
  const bits = masks[0] ?? outputs.bits;
  const set = { bits, stride: outputs.maskStride, count: masks.length, atLeast: consensus };
  outputs.histogram.fill(0);
  kernels.stages.coverage(set, outputs.histogram, n);
  if (consensus > 0) {
    // The masks have become equal; coverage describes the task masks that they were made from.
    const kept = outputs.histogram.slice(consensus).reduce((sum, count) => sum + count, 0);
    counts = counts.map(() => kept);
  }
  sums.addMasks(outputs.histogram, counts, distances, block);
  return masks;
}

/** Brings one block into the output buffers; true when a number overflowed. */
function storeBlock(
  runner: UnitRunner,
  job: TensorJob,
  block: Block,
  { facts, masks }: { readonly facts: UnitFacts; readonly masks: readonly Uint8Array[] | null },
): boolean {
  const { plan, outputs, combiner, blocks, kernels } = runner;
  const { stages } = kernels;
  const dtype = job.outputDtype;
  const store = (values: Float32Array, model: number): boolean =>
    outputs.store(kernels, values, { model, offset: block.offset, dtype }, block);
  if (plan.form !== 'weights' || !job.base) return store(combiner.merged, 0);
  if (!masks && combiner.weights) return store(combiner.weights, 0);
  if (!masks) {
    stages.add(blocks.base, combiner.merged, outputs.block, block.padded);
    return store(outputs.block, 0);
  }
  let overflow = false;
  masks.forEach((bits, m) => {
    let { merged } = combiner;
    const factor = facts.rescalers[m] ?? 1;
    if (factor !== 1) {
      stages.scale(merged, factor, outputs.other, block.padded);
      merged = outputs.other;
    }
    stages.applyMask({ base: blocks.base, merged }, bits, outputs.block, block.padded);
    overflow = store(outputs.block, m) || overflow;
  });
  return overflow;
}

/** Writes one piece of one model's numbers. */
export function writeValues(
  runner: UnitRunner,
  model: number,
  slot: TensorSlot,
  piece: Piece,
): void {
  const bytes = piece.n * elementBytes(slot.dtype);
  const values = runner.outputs.values[model]?.subarray(0, bytes);
  if (values) runner.writer.write(slot, piece.start, values);
}

import { join } from 'node:path';
import type { MergePlan, TensorJob } from '../engine/plan-types';
import type { Part } from '../tensors/types';
import { planOutput, type OutputPlan, type TensorSlot, type TensorSpec } from '../tensors/writer';

/** Where the results of one tensor go. */
export interface JobSlots {
  /** τ_merge. */
  readonly merged?: TensorSlot;
  /** One a task. */
  readonly masks?: readonly TensorSlot[];
  /** Weights of the rest: one, or one a task. */
  readonly rest?: readonly TensorSlot[];
  /** Weights of whole models: one, or one a task. */
  readonly weights?: readonly TensorSlot[];
}

/** Every file of `merged/` and where each tensor lies in them. */
export interface MergeOutputs {
  readonly plans: readonly OutputPlan[];
  readonly slots: readonly JobSlots[];
  /** The masks' tensors, for the header that is written once the popcounts are known. */
  readonly masks: { readonly specs: readonly TensorSpec[]; readonly folder: string } | null;
}

/** Tensors with the base's values everywhere are in no file of the compact form. */
export function planOutputs(
  plan: MergePlan,
  changed: readonly boolean[],
  folder: string,
): MergeOutputs {
  return plan.form === 'weights'
    ? weightOutputs(plan, folder)
    : compactOutputs(plan, changed, folder);
}

function compactOutputs(
  plan: MergePlan,
  changed: readonly boolean[],
  folder: string,
): MergeOutputs {
  const merged: TensorSpec[] = [];
  const rest: TensorSpec[] = [];
  const masks: TensorSpec[] = [];
  plan.jobs.forEach((job, i) => {
    const spec = { name: job.name, dtype: job.outputDtype, shape: job.shape };
    if (job.rule.kind === 'merge' && changed[i]) {
      if (!job.base) rest.push(spec);
      else merged.push(spec);
      if (plan.masks && job.base) masks.push(...plan.tasks.map((task) => maskSpec(task, job)));
    } else if (job.rule.kind === 'per_task')
      for (const task of plan.tasks) rest.push({ ...spec, name: `${task}/${job.name}` });
    else if (hasOwnRest(job)) rest.push(spec);
  });
  if (plan.settings.method === 'emr')
    for (const task of plan.tasks) rest.push({ name: `${task}/rescaler`, dtype: 'F32', shape: [] });
  const shard = { folder, shardBytes: plan.shardBytes };
  const vectors = planOutput(merged, {
    ...shard,
    stem: 'task_vector',
    metadata: { format: 'pt', kind: 'merged_task_vector' },
  });
  const plans = [vectors];
  const rests = planOutput(rest, { ...shard, stem: 'rest', metadata: { format: 'pt' } });
  if (rest.length > 0) plans.push(rests);
  const bits = planOutput(masks, {
    folder,
    stem: 'masks',
    metadata: maskMetadata(plan, changed, null),
  });
  if (plan.masks) plans.push(bits);
  const slots = plan.jobs.map((job) => {
    const vector = vectors.slots.get(job.name);
    const own = slotsOf(rests, plan, job);
    const taskMasks = plan.tasks.flatMap((task) => bits.slots.get(`${task}/${job.name}`) ?? []);
    return {
      ...(vector && { merged: vector }),
      ...(own && { rest: own }),
      ...(taskMasks.length > 0 && { masks: taskMasks }),
    };
  });
  return { plans, slots, masks: plan.masks ? { specs: masks, folder } : null };
}

/** Averages, taken and kept tensors, and integers that only experts have. */
function hasOwnRest(job: TensorJob): boolean {
  if (job.rule.kind === 'copy') return job.base === null;
  return job.rule.kind === 'average' || job.rule.kind === 'take';
}

function slotsOf(
  output: OutputPlan,
  plan: MergePlan,
  job: TensorJob,
): readonly TensorSlot[] | undefined {
  const one = output.slots.get(job.name);
  if (one) return [one];
  const each = plan.tasks.flatMap((task) => output.slots.get(`${task}/${job.name}`) ?? []);
  return each.length > 0 ? each : undefined;
}

function maskSpec(task: string, job: TensorJob): TensorSpec {
  const length = Math.ceil(job.elements / 8);
  return { name: `${task}/${job.name}`, dtype: 'U8', shape: [length] };
}

/**
 * Shapes and popcounts of the masks as JSON texts. Before the counts are known they are written as large
 * as they can become, and afterwards padded with spaces, so that the header keeps its length.
 */
export function maskMetadata(
  plan: MergePlan,
  changed: readonly boolean[],
  active: readonly (readonly number[] | null)[] | null,
): Record<string, string> {
  const shapes: Record<string, readonly number[]> = {};
  const largest: Record<string, number> = {};
  const counts: Record<string, number> = {};
  plan.jobs.forEach((job, i) => {
    if (job.rule.kind !== 'merge' || !job.base || !changed[i]) return;
    const found = active?.[i];
    shapes[job.name] = job.shape;
    plan.tasks.forEach((task, m) => {
      largest[`${task}/${job.name}`] = job.elements;
      counts[`${task}/${job.name}`] = found?.[m] ?? job.elements;
    });
  });
  const room = JSON.stringify(largest).length;
  return {
    packing: '1 bit per element, flat row-major, least significant bit first',
    tasks: JSON.stringify(plan.tasks),
    shapes: JSON.stringify(shapes),
    popcounts: JSON.stringify(counts).padEnd(room, ' '),
  };
}

/** One checkpoint, or one a task when the models are masked. */
function weightOutputs(plan: MergePlan, folder: string): MergeOutputs {
  if (plan.masks) {
    const plans = plan.tasks.map((task) => planParts(plan, plan.jobs, join(folder, task)));
    const slots = plan.jobs.map((job) => ({ weights: plans.flatMap(slotIn(job)) }));
    return { plans: plans.flat(), slots, masks: null };
  }
  const shared = plan.jobs.filter((job) => job.rule.kind !== 'per_task');
  const own = plan.jobs.filter((job) => job.rule.kind === 'per_task');
  const model = planParts(plan, shared, folder);
  // One model cannot hold every task's own tensors, so they lie beside it, one file a task.
  const heads = plan.tasks.map((task) =>
    planOutput(own.map(specOf), { folder: join(folder, 'per_task'), stem: task, ...weightFile }),
  );
  const slots = plan.jobs.map((job) => {
    const one = slotIn(job)(model);
    return { weights: one.length > 0 ? one : heads.flatMap((head) => slotIn(job)([head])) };
  });
  return { plans: own.length > 0 ? [...model, ...heads] : model, slots, masks: null };
}

const weightFile = { metadata: { format: 'pt' } } as const;

/** The model, and a file for each companion part that the checkpoints keep in files of their own. */
function planParts(plan: MergePlan, jobs: readonly TensorJob[], folder: string): OutputPlan[] {
  return (['model', 'action_head', 'proprio_projector'] as const).flatMap((stem) => {
    const specs = jobs.filter((job) => partOf(job) === stem).map(specOf);
    if (specs.length === 0 && stem !== 'model') return [];
    const shardBytes = stem === 'model' ? plan.shardBytes : Infinity;
    return [planOutput(specs, { folder, stem, shardBytes, ...weightFile })];
  });
}

function partOf({ base, experts }: TensorJob): Part {
  return base?.stored?.part ?? experts[0]?.stored?.part ?? 'model';
}

function specOf(job: TensorJob): TensorSpec {
  return { name: job.name, dtype: job.outputDtype, shape: job.shape };
}

function slotIn(job: TensorJob): (plans: readonly OutputPlan[]) => TensorSlot[] {
  return (plans) => plans.flatMap(({ slots }) => slots.get(job.name) ?? []);
}

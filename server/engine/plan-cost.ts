import { elementBytes } from '../tensors/dtypes';
import type { MergePlan, TensorJob, TensorSource } from './plan-types';

/** Elements of one unit of work: fixed, because sums are joined unit by unit in order. */
export const unitElements = 1 << 22;
/** Elements of one block of the kernels: columns of a few tasks stay in the second-level cache. */
export const blockElements = 1 << 12;
/** Elements read by one system call into each model's buffer, at most. */
export const chunkElements = 1 << 19;

/** Bytes read and written, disk and memory; upper bounds where only the data can tell. */
export function estimate(
  plan: Pick<MergePlan, 'jobs' | 'passes' | 'tasks' | 'form' | 'masks'>,
): Pick<MergePlan, 'bytesToRead' | 'bytesToWrite' | 'diskBytes' | 'memoryPerThread'> {
  const readings = plan.passes.filter((pass) => pass !== 'scan').length;
  let bytesToRead = 0;
  let bytesToWrite = 0;
  for (const job of plan.jobs) {
    const once = readBytes(job, plan.form);
    bytesToRead += once * (job.rule.kind === 'merge' ? readings : 1);
    bytesToWrite += writtenBytes(job, plan);
  }
  const memoryPerThread = threadBytes(plan.tasks.length, chunkElements);
  return { bytesToRead, bytesToWrite, diskBytes: bytesToWrite, memoryPerThread };
}

/** Kernel memory of one thread: raw pieces of every model, columns of a block, outputs of a piece. */
export function threadBytes(tasks: number, chunk: number): number {
  const raw = (tasks + 1) * (chunk * 4 + 256);
  const columns = (4 * tasks + 7) * blockElements * 4;
  const outputs = chunk * 4 + (tasks * chunk) / 8;
  return raw + columns + outputs + tallyBytes + (1 << 20);
}

/** Histograms of a threshold pass: bins of all tasks together. */
export const tallyBytes = 1 << 24;

function readBytes(job: TensorJob, form: MergePlan['form']): number {
  const experts = job.experts.reduce((sum, source) => sum + bytesOf(source, job.base), 0);
  const base = job.base ? bytesOf(job.base, null) : 0;
  switch (job.rule.kind) {
    case 'merge':
    case 'copy':
      return base + experts;
    case 'average':
    case 'per_task':
      return experts;
    case 'take':
      return bytesOf(job.experts[job.rule.task], null);
    case 'base':
      return form === 'weights' ? base : 0;
  }
}

/** What an adapter leaves as the base has it is not read again. */
function bytesOf({ stored, delta }: TensorSource, base: TensorSource | null): number {
  const same = stored && stored.file === base?.stored?.file && stored.offset === base.stored.offset;
  const own = stored && !same ? stored.elements * elementBytes(stored.dtype) : 0;
  return delta
    ? own +
        delta.a.elements * elementBytes(delta.a.dtype) +
        delta.b.elements * elementBytes(delta.b.dtype)
    : own;
}

function writtenBytes(
  job: TensorJob,
  { form, masks, tasks }: Pick<MergePlan, 'form' | 'masks' | 'tasks'>,
): number {
  const size = job.elements * elementBytes(job.outputDtype);
  const count = tasks.length;
  if (form === 'weights') return masks || job.rule.kind === 'per_task' ? size * count : size;
  if (job.rule.kind === 'merge') return size + (masks ? count * Math.ceil(job.elements / 8) : 0);
  if (job.rule.kind === 'per_task') return size * count;
  return job.rule.kind === 'base' || job.rule.kind === 'copy' ? 0 : size;
}

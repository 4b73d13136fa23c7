import { methods, methodFor } from '../merge/methods';
import type { MergePlan, MethodSettings, TensorJob, TensorSource } from '../plan-types';
import { wudiOperations } from './wudi';

/** Float64 operations a second of one thread in matrix products; measured on a busy x86-64 core. */
const operationsPerSecond = 12e9;
/** Largest panel of the long side, its copy for the algebra and the product of both. */
const panelBytes = 3 * 8 * 4 * 1024 * 1024;

/** What merging one matrix takes beside the thread's buffers. */
export interface MatrixNeed {
  readonly job: TensorJob;
  readonly bytes: number;
  /** CPU hours of iterations; 0 for methods that do not iterate. */
  readonly hours: number;
}

/** Whole matrices that the plan merges; empty where the method needs none. */
export function matrixNeeds(
  plan: Pick<MergePlan, 'jobs' | 'settings' | 'tasks'>,
): readonly MatrixNeed[] {
  if (methods[plan.settings.method]?.kind !== 'matrix') return [];
  return plan.jobs.flatMap((job) => {
    if (!isWholeMatrix(plan, job)) return [];
    const [rows, columns] = [job.shape[0], job.shape[1]];
    const { method, iterations } = plan.settings;
    const operations = method === 'wudi' ? wudiOperations(rows, columns, iterations) : 0;
    const weighted =
      job.rule.kind === 'merge' && job.rule.parameters.weights.some((weight) => weight !== 1);
    const bytes = matrixBytes(plan.settings, { rows, columns, tasks: plan.tasks.length, weighted });
    return [{ job, bytes, hours: operations / operationsPerSecond / 3600 }];
  });
}

/** True where the method takes the tensor as one matrix. */
export function isWholeMatrix(
  { settings, tasks }: Pick<MergePlan, 'settings' | 'tasks'>,
  job: TensorJob,
): boolean {
  if (job.rule.kind !== 'merge') return false;
  return methodFor(settings, job.shape, tasks.length).method.kind === 'matrix';
}

/** True when no expert can differ from the base: an adapter without a product for this tensor. */
export function isUntouched({ base, experts }: TensorJob): boolean {
  return experts.every((expert) => !expert.delta && sharesData(expert, base));
}

/** True when headers alone say that an expert differs: an adapter has a product for this tensor. */
export function isSurelyChanged({ experts }: TensorJob): boolean {
  return experts.some(({ delta }) => delta !== null);
}

interface MatrixSize {
  readonly rows: number;
  readonly columns: number;
  readonly tasks: number;
  readonly weighted: boolean;
}

/** Peak bytes of one matrix: task vectors and result in float32, factors and Gram matrices in float64. */
export function matrixBytes(
  { method, inner }: MethodSettings,
  { rows, columns, tasks, weighted }: MatrixSize,
): number {
  const n = rows * columns;
  const square = Math.min(rows, columns) ** 2;
  const stored = 4 * n * (weighted ? 2 * tasks + 1 : tasks + 1);
  const panels = Math.min(panelBytes, 3 * 8 * n);
  switch (method) {
    case 'iso_c':
      return stored + panels + 8 * 7 * square;
    case 'knots': {
      const gram = Math.min(rows, columns * tasks) ** 2;
      const parts = inner === 'ties' ? 4 * n * (3 * tasks) : 0;
      return stored + panels + 8 * 6 * gram + 8 * 4 * n + parts;
    }
    case 'wudi':
      return stored + 8 * 9 * n + 8 * 4 * columns * columns;
    default:
      return stored + panels + 8 * 7 * n + 8 * 8 * square;
  }
}

/** Most directions that the adapters of a matrix determine together; null where a whole tensor is stored. */
export function rankBound({ base, experts, shape }: TensorJob): number | null {
  if (!experts.every((expert) => sharesData(expert, base))) return null;
  const ranks = experts.reduce((sum, { delta }) => sum + (delta?.a.shape[0] ?? 0), 0);
  return Math.min(ranks, ...shape);
}

/** True when the stored part of a model's tensor is the base's own. */
function sharesData({ stored }: TensorSource, base: TensorSource | null): boolean {
  return stored?.file === base?.stored?.file && stored?.offset === base?.stored?.offset;
}

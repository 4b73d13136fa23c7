import { methods, methodFor } from '../merge/methods';
import type { MergePlan, MethodSettings, TensorJob, TensorSource } from '../plan-types';
import { keptElements } from './long-factor';
import { panelElements } from './operand';
import { wudiOperations } from './wudi';

/** Float64 operations a second of one thread in matrix products; measured on a busy x86-64 core. */
const operationsPerSecond = 12e9;
/** Largest panel of the long side, its copy for the algebra and the product of both. */
const panelBytes = 3 * 8 * panelElements;
/** Task vectors of one matrix that are held in memory; larger ones are read again in every pass. */
const heldBytes = 256 * 1024 * 1024;
/** Methods whose passes read task vectors panel by panel. */
const panelMethods: readonly string[] = ['iso_c', 'iso_cts', 'tsv'];

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
    const bytes = matrixBytes(plan.settings, job.shape, plan.tasks.length);
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

/** True where all task vectors of a matrix are kept in memory between passes. */
export function areHeld(elements: number, tasks: number): boolean {
  return 4 * elements * tasks <= heldBytes;
}

/**
 * Bytes of task vectors that are in memory at once. Rows can be read again panel by panel; a method that
 * takes the matrix as a whole, and a matrix with more columns than rows, has all of them.
 */
function taskVectorBytes(
  method: string,
  [rows, columns]: readonly number[],
  tasks: number,
): number {
  const inPanels = panelMethods.includes(method) && rows > columns;
  const isHeld = !inPanels || areHeld(rows * columns, tasks);
  return 4 * tasks * (isHeld ? rows * columns : panelElements);
}

/** Peak bytes of one matrix: task vectors and result in float32, factors and Gram matrices in float64. */
export function matrixBytes(
  { method, inner }: MethodSettings,
  shape: readonly number[],
  tasks: number,
): number {
  const [rows, columns] = shape;
  const n = rows * columns;
  const square = Math.min(rows, columns) ** 2;
  const stored = 4 * n + taskVectorBytes(method, shape, tasks);
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
      // Iso-CTS keeps three factors between passes, and Gram matrices of every size.
      return stored + 2 * panels + 8 * 3 * Math.min(keptElements, n) + 8 * 10 * square;
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

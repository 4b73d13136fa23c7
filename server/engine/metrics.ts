import type {
  BlockReport,
  MergeReport,
  Metrics,
  SpectralReport,
  TensorReport,
} from '../protocol/report';
import type { MergePlan, TensorJob } from './plan-types';

/** Sums over some elements, float64; what every figure of a report is made from. */
export interface MetricSums {
  readonly elements: number;
  readonly base: number;
  readonly merged: number;
  readonly tasks: readonly number[];
  /** Pairs in the order (1,2) (1,3) … (2,3) …. */
  readonly dots: readonly number[];
  /** Positions whose signs differ, and positions where both are non-zero. */
  readonly conflicts: readonly number[];
  readonly compared: readonly number[];
  /** Empty without masks, as are the next two. */
  readonly distances: readonly number[];
  readonly active: readonly number[];
  readonly coverage: readonly number[];
}

/** a + b, field by field. */
export function addSums(a: MetricSums, b: MetricSums): MetricSums {
  const each = (x: readonly number[], y: readonly number[]) =>
    x.length === 0 ? y : x.map((value, i) => value + (y[i] ?? 0));
  return {
    elements: a.elements + b.elements,
    base: a.base + b.base,
    merged: a.merged + b.merged,
    tasks: each(a.tasks, b.tasks),
    dots: each(a.dots, b.dots),
    conflicts: each(a.conflicts, b.conflicts),
    compared: each(a.compared, b.compared),
    distances: each(a.distances, b.distances),
    active: each(a.active, b.active),
    coverage: each(a.coverage, b.coverage),
  };
}

/** Sums of a tensor that no expert changed: only the base's norm is not zero. */
export function unchangedSums(plan: MergePlan, elements: number, base: number): MetricSums {
  const tasks = plan.tasks.length;
  const zeros = (length: number) => new Array<number>(length).fill(0);
  const masked = plan.masks ? tasks : 0;
  return {
    elements,
    base,
    merged: 0,
    tasks: zeros(tasks),
    dots: zeros((tasks * (tasks - 1)) / 2),
    conflicts: zeros((tasks * (tasks - 1)) / 2),
    compared: zeros((tasks * (tasks - 1)) / 2),
    distances: zeros(masked),
    active: zeros(masked),
    coverage: plan.masks ? [elements, ...zeros(tasks)] : [],
  };
}

/**
 * Figures from sums (reference §3.2). The cosine with a zero vector is 0; the distance of a task whose
 * vector is zero is 0 when nothing of the merged vector is active there, and is left out otherwise.
 */
export function metricsOf(tasks: readonly string[], sums: MetricSums): Metrics<number> {
  const norm: Record<string, number> = {
    base: Math.sqrt(sums.base),
    merged: Math.sqrt(sums.merged),
  };
  tasks.forEach((task, m) => (norm[task] = Math.sqrt(sums.tasks[m])));
  const cosine: Record<string, number> = {};
  const conflict: Record<string, number> = {};
  let pair = 0;
  for (let a = 0; a < tasks.length; a++)
    for (let b = a + 1; b < tasks.length; b++, pair++) {
      const norms = Math.sqrt(sums.tasks[a]) * Math.sqrt(sums.tasks[b]);
      const key = `${tasks[a]}|${tasks[b]}`;
      cosine[key] = norms > 0 ? sums.dots[pair] / norms : 0;
      conflict[key] = sums.compared[pair] > 0 ? sums.conflicts[pair] / sums.compared[pair] : 0;
    }
  const common = { elements: sums.elements, norm, cosine, sign_conflict: conflict };
  return sums.coverage.length > 0 ? { ...common, ...maskMetrics(tasks, sums) } : common;
}

function maskMetrics(tasks: readonly string[], sums: MetricSums) {
  const active: Record<string, number> = {};
  const distance: Record<string, number> = {};
  tasks.forEach((task, m) => {
    active[task] = sums.active[m];
    if (sums.tasks[m] > 0) distance[task] = Math.sqrt(sums.distances[m] / sums.tasks[m]);
    else if (sums.distances[m] === 0) distance[task] = 0;
  });
  return { active, coverage: sums.coverage, distance };
}

/** What a merge found out about one tensor; no sums where nothing was compared. */
export interface TensorOutcome {
  readonly job: TensorJob;
  readonly rule: string;
  readonly sums: MetricSums | null;
  readonly spectral?: SpectralReport;
}

/**
 * `report.json`: tensors in plan order, blocks, components and the total. Sums are over the tensors
 * that some expert changed (K of the MergeVLA reference §2.1); unchanged ones (rule `base`) have
 * figures of their own only.
 */
export function reportOf(plan: MergePlan, outcomes: readonly TensorOutcome[]): MergeReport {
  const { tasks } = plan;
  const blocks = new Map<string, { component: string; block: number | null; sums: MetricSums }>();
  const components = new Map<string, MetricSums>();
  let total: MetricSums = unchangedSums(plan, 0, 0);
  for (const { job, rule, sums } of outcomes) {
    if (!sums || rule === 'base') continue;
    const { component, block } = job.place;
    const key = `${component} ${String(block)}`;
    const own = blocks.get(key)?.sums;
    blocks.set(key, { component, block, sums: own ? addSums(own, sums) : sums });
    const all = components.get(component);
    components.set(component, all ? addSums(all, sums) : sums);
    total = addSums(total, sums);
  }
  return {
    tasks,
    exact: true,
    tensors: outcomes.map((outcome) => tensorReport(tasks, outcome)),
    blocks: [...blocks.values()].map(({ component, block, sums }): BlockReport<number> => ({
      component,
      block,
      ...metricsOf(tasks, sums),
    })),
    components: Object.fromEntries(
      [...components].map(([component, sums]) => [component, metricsOf(tasks, sums)]),
    ),
    total: metricsOf(tasks, total),
  };
}

function tensorReport(
  tasks: readonly string[],
  { job, rule, sums, spectral }: TensorOutcome,
): TensorReport<number> {
  const { component, block, kind } = job.place;
  const head = {
    name: job.name,
    component,
    block,
    kind,
    shape: job.shape,
    rule,
    ...(spectral && { spectral }),
  };
  if (sums) return { ...head, ...metricsOf(tasks, sums) };
  return { ...head, elements: job.elements, norm: {}, cosine: {}, sign_conflict: {} };
}

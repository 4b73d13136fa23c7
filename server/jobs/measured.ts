import type { TensorOutcome } from '../engine/metrics';
import { reportOf } from '../engine/metrics';
import type { MergePlan, TensorJob } from '../engine/plan-types';
import type { MeasuredParts } from '../protocol/report';
import type { MergeResult, Unit } from './units';

/** Parts are told at most so often, and take at most a fiftieth of the time. */
const tellMs = 1000;
const costShare = 50;

export interface Measuring {
  readonly plan: MergePlan;
  readonly units: readonly Unit[];
  readonly outcomeOf: (job: number) => TensorOutcome;
  readonly tell: (parts: MeasuredParts) => void;
}

/** Follows a merge and tells what it has measured, in whole blocks. */
export class Measured {
  /** Units that are not merged, by job; what nothing is merged for is known from the start. */
  private readonly left: number[];
  private next = 0;

  constructor(
    private readonly options: Measuring,
    private readonly now = () => performance.now(),
  ) {
    this.left = options.plan.jobs.map(() => 0);
    for (const { job } of options.units) this.left[job] = (this.left[job] ?? 0) + 1;
    this.next = this.now() + tellMs;
  }

  /** A tie of the whole model's election may be merged again, so its tensor is not final before the end. */
  note({ job }: Unit, { election }: MergeResult): void {
    if (!election || election.ties === 0) this.left[job] = (this.left[job] ?? 0) - 1;
    const started = this.now();
    if (started < this.next) return;
    this.options.tell(this.parts());
    const ended = this.now();
    this.next = ended + Math.max(tellMs, costShare * (ended - started));
  }

  /** Numbers of what is final. */
  parts(): MeasuredParts {
    const { plan, outcomeOf } = this.options;
    const merged = [...plan.jobs.keys()].filter((i) => plan.jobs[i]?.rule.kind === 'merge');
    const open = new Set<string>();
    for (const i of merged)
      if (this.left[i] !== 0) for (const key of keysOf(plan.jobs[i])) open.add(key);
    const done = merged.filter((i) => keysOf(plan.jobs[i]).every((key) => !open.has(key)));
    const ofBlocks = merged.filter((i) => !open.has(keysOf(plan.jobs[i])[0] ?? ''));
    const { tasks, tensors, blocks } = reportOf(plan, ofBlocks.map(outcomeOf));
    return { tasks, tensors, blocks, components: reportOf(plan, done.map(outcomeOf)).components };
  }
}

/** The block that a tensor belongs to, and its component. */
function keysOf(job: TensorJob | undefined): readonly string[] {
  if (!job) return [];
  const { component, block } = job.place;
  return [`${component} ${String(block)}`, component];
}

/** From the first block to the last, component by component: the order in which the model is looked at. */
export function inNetworkOrder(plan: MergePlan, units: readonly Unit[]): readonly Unit[] {
  const components = [...new Set(plan.jobs.map(({ place }) => place.component))];
  const rank = ({ job }: Unit): readonly [number, number] => {
    const place = plan.jobs[job]?.place;
    return [components.indexOf(place?.component ?? ''), place?.block ?? -1];
  };
  return [...units].sort((a, b) => {
    const [one, other] = [rank(a), rank(b)];
    return one[0] - other[0] || one[1] - other[1];
  });
}

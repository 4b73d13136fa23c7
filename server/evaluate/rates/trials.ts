import type { TrialEntry, TrialPlan, TrialTask } from '../../protocol/trials';
import { uniformStream } from './beta';

/** One trial to be made. `start` is the number of the start position, from 1. */
export interface PlannedTrial extends TrialTask {
  readonly policy: string;
  readonly start: number;
}

type Recorded = Extract<TrialEntry, { outcome: unknown }>;

export interface TrialState {
  /** What stands, in order: entries that were undone are gone, void ones are kept. */
  readonly standing: readonly Recorded[];
  /** Trials that count so far, each with its outcome. */
  readonly done: readonly { readonly trial: PlannedTrial; readonly entry: Recorded }[];
  readonly planned: number;
  /** The trial to be made now; absent when all are done. */
  readonly next?: PlannedTrial;
  readonly voided: number;
}

/**
 * All trials in the order in which they are made: task after task, because a scene is laborious to
 * rebuild. Blind ones are shuffled by the seed: policies within each start position where starts are
 * shared, all trials of a task otherwise.
 */
export function trialOrder(plan: TrialPlan): readonly PlannedTrial[] {
  const uniform = uniformStream(plan.seed);
  const starts = Array.from({ length: plan.trials }, (_, i) => i + 1);
  const mixed = <T>(items: readonly T[]) => (plan.blind ? shuffled(items, uniform) : items);
  return plan.tasks.flatMap((task) => {
    const trial = (policy: string, start: number): PlannedTrial => ({ ...task, policy, start });
    return plan.sharedStarts
      ? starts.flatMap((start) => mixed(plan.policies.map((policy) => trial(policy, start))))
      : mixed(plan.policies.flatMap((policy) => starts.map((start) => trial(policy, start))));
  });
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], uniform: () => number): readonly T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i -= 1) {
    const j = Math.floor(uniform() * (i + 1));
    const [a, b] = [result[i], result[j]];
    if (a === undefined || b === undefined) break;
    result[i] = b;
    result[j] = a;
  }
  return result;
}

/** Where a series stands after the entries of its journal. Entries beyond the plan do not count. */
export function trialState(plan: TrialPlan, entries: readonly TrialEntry[]): TrialState {
  const standing: Recorded[] = [];
  for (const entry of entries)
    if ('undo' in entry) standing.pop();
    else standing.push(entry);
  const order = trialOrder(plan);
  const counted = standing.filter(({ outcome }) => outcome !== 'void');
  const done = order.flatMap((trial, i) => {
    const entry = counted[i];
    return entry ? [{ trial, entry }] : [];
  });
  const next = order[done.length];
  return {
    ...{ standing, done, planned: order.length, voided: standing.length - counted.length },
    ...(next ? { next } : {}),
  };
}

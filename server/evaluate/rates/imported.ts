import type { EpisodeLine } from '../../protocol/episode-line';
import type { PolicyRollouts, TaskRollouts } from './table';
import { sumEpisodes } from './table';

/** What this module needs of an imported result. */
export interface ForeignResults {
  readonly partial?: string;
  readonly episodes: readonly {
    readonly policy: string;
    readonly task: string;
    readonly episode: number;
    readonly seed?: number;
    readonly success: boolean;
    readonly error?: string;
    readonly steps?: number;
    readonly routed?: string;
  }[];
  readonly counts: readonly ForeignCounts[];
}

export interface ForeignCounts {
  readonly policy: string;
  readonly task: string;
  readonly successes: number;
  readonly trials: number;
}

/**
 * Policies of foreign results. Episodes are told apart by their place in the file; only those with
 * seeds keep them, because a pair without a shared seed is no pair.
 */
export function importedPolicies(runs: readonly ForeignResults[]): readonly PolicyRollouts[] {
  const names = [
    ...new Set(
      runs.flatMap(({ episodes, counts }) => [...episodes, ...counts].map(({ policy }) => policy)),
    ),
  ];
  return names.map((name) => {
    const partial = runs.find((run) => run.partial !== undefined)?.partial;
    return {
      id: `import/${name}`,
      label: name,
      detail: '',
      tasks: tasksOf(runs, name),
      state: partial === undefined ? 'done' : 'partial',
      ...(partial === undefined ? {} : { note: partial }),
    };
  });
}

function tasksOf(
  runs: readonly ForeignResults[],
  policy: string,
): ReadonlyMap<string, TaskRollouts> {
  const own = runs.flatMap(({ episodes }) => episodes).filter((e) => e.policy === policy);
  const seeded = own.every(({ seed }) => seed !== undefined);
  const lines = own.map(({ seed, steps, ...rest }, place): EpisodeLine => ({
    ...rest,
    seed: seed ?? place,
    steps: steps ?? 0,
  }));
  const tasks = new Map(sumEpisodes(lines));
  if (!seeded) for (const [task, sum] of tasks) tasks.set(task, { ...sum, bySeed: new Map() });
  for (const count of runs.flatMap(({ counts }) => counts))
    if (count.policy === policy) tasks.set(count.task, added(tasks.get(count.task), count));
  return tasks;
}

/** Counts without episodes on top of what is there. */
export function added(sum: TaskRollouts = nothing, count: ForeignCounts): TaskRollouts {
  return {
    ...sum,
    successes: sum.successes + count.successes,
    trials: sum.trials + count.trials,
    bySeed: new Map(),
  };
}

const nothing: TaskRollouts = {
  successes: 0,
  trials: 0,
  errors: 0,
  bySeed: new Map(),
  routedRight: 0,
  routedKnown: 0,
};

import type { EpisodeLine } from '../../protocol/episode-line';
import type { ForeignCounts } from '../../protocol/import-facts';
import type { Counts } from './intervals';

/** What one policy did on one task. A crashed rollout is counted apart and is no trial. */
export interface TaskRollouts extends Counts {
  readonly errors: number;
  readonly planned?: number;
  /** Outcome by seed, where seeds are known: what pairs are made of. */
  readonly bySeed: ReadonlyMap<number, boolean>;
  /** Control steps of all trials together. */
  readonly steps: number;
  /** How often the router chose each task. */
  readonly routes: Readonly<Record<string, number>>;
}

export const noRollouts: TaskRollouts = {
  successes: 0,
  trials: 0,
  errors: 0,
  bySeed: new Map(),
  steps: 0,
  routes: {},
};

/**
 * Sums episodes up by task. Of two lines with the same seed (a run that was resumed) the later one counts.
 */
export function sumEpisodes(
  lines: readonly EpisodeLine[],
  planned?: number,
): ReadonlyMap<string, TaskRollouts> {
  const byTask = new Map<string, Map<number, EpisodeLine>>();
  for (const line of lines) {
    const seeds = byTask.get(line.task) ?? new Map<number, EpisodeLine>();
    seeds.set(line.seed, line);
    byTask.set(line.task, seeds);
  }
  return new Map([...byTask].map(([task, seeds]) => [task, sumTask([...seeds.values()], planned)]));
}

function sumTask(lines: readonly EpisodeLine[], planned: number | undefined): TaskRollouts {
  const whole = lines.filter(({ error }) => error === undefined);
  const routes: Record<string, number> = {};
  for (const { routed } of whole)
    if (routed !== undefined) routes[routed] = (routes[routed] ?? 0) + 1;
  return {
    successes: whole.filter(({ success }) => success).length,
    trials: whole.length,
    errors: lines.length - whole.length,
    ...(planned === undefined ? {} : { planned }),
    bySeed: new Map(whole.map(({ seed, success }) => [seed, success])),
    steps: whole.reduce((sum, { steps }) => sum + steps, 0),
    routes,
  };
}

/** Rollouts of two sources together: their seeds are no pairs any more. */
export function plus(a: TaskRollouts, b: Partial<TaskRollouts>): TaskRollouts {
  const routes = { ...a.routes };
  for (const [task, count] of Object.entries(b.routes ?? {}))
    routes[task] = (routes[task] ?? 0) + count;
  return {
    successes: a.successes + (b.successes ?? 0),
    trials: a.trials + (b.trials ?? 0),
    errors: a.errors + (b.errors ?? 0),
    bySeed: new Map(),
    steps: a.steps + (b.steps ?? 0),
    routes,
  };
}

/** Counts without episodes on top of what is there; seeds are dropped where they are only places in a file. */
export function withCounts(
  sums: ReadonlyMap<string, TaskRollouts>,
  { counts, seeds }: { readonly counts: readonly ForeignCounts[]; readonly seeds: boolean },
  policy: string,
): ReadonlyMap<string, TaskRollouts> {
  const tasks = new Map(
    [...sums].map(([task, sum]) => [task, seeds ? sum : { ...sum, bySeed: new Map() }] as const),
  );
  for (const count of counts) {
    if (count.policy !== policy) continue;
    const { task, successes, trials } = count;
    tasks.set(task, plus(tasks.get(task) ?? noRollouts, { successes, trials }));
  }
  return tasks;
}

/** Of the rollouts that were routed, how many went to their own task. */
export function routedRight(
  tasks: Iterable<readonly [string, Pick<TaskRollouts, 'routes'>]>,
): { readonly right: number; readonly known: number } | undefined {
  let [right, known] = [0, 0];
  for (const [task, { routes }] of tasks) {
    right += routes[task] ?? 0;
    known += Object.values(routes).reduce((sum, count) => sum + count, 0);
  }
  return known > 0 ? { right, known } : undefined;
}

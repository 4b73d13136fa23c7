import type { EpisodeLine } from '../../protocol/episode-line';
import { meanInterval, wilson } from './intervals';

/** One policy on one task: a crashed rollout is no trial. */
export interface RateSummary {
  readonly policy: string;
  /** The cross matrix: the task whose expert acted. */
  readonly expert?: string;
  readonly task: string;
  readonly successes: number;
  readonly trials: number;
  /** Null where nothing was tried. */
  readonly rate: number | null;
  /** Ends of the 95 % Wilson interval. */
  readonly low: number;
  readonly high: number;
  readonly errors: number;
  /** Mean control steps of the trials. */
  readonly steps: number | null;
  /** How often the router chose each task. */
  readonly routed?: Readonly<Record<string, number>>;
}

/** The plain mean of the tasks' rates, as papers print it, with a 95 % interval. */
export interface RateAverage {
  readonly policy: string;
  readonly successes: number;
  readonly trials: number;
  readonly rate: number | null;
  readonly low: number;
  readonly high: number;
  readonly routed?: { readonly right: number; readonly known: number };
}

export interface RateTableData {
  readonly tasks: readonly string[];
  readonly policies: readonly string[];
  readonly cells: readonly RateSummary[];
  /** One for each policy, over all tasks; none for the cross matrix. */
  readonly averages: readonly RateAverage[];
}

/** Sums episodes up. Of two lines of one episode the later one counts. */
export function summarizeRates(
  lines: readonly EpisodeLine[],
  tasks: readonly string[],
): RateTableData {
  const cells = new Map<string, Map<number, EpisodeLine>>();
  for (const line of lines) {
    const key = JSON.stringify([line.policy, line.expert ?? '', line.task]);
    const cell = cells.get(key) ?? new Map<number, EpisodeLine>();
    cell.set(line.seed, line);
    cells.set(key, cell);
  }
  const summaries = [...cells.values()].map((cell) => summarize([...cell.values()]));
  const own = summaries.filter(({ expert }) => expert === undefined);
  const policies = [...new Set(own.map(({ policy }) => policy))];
  return {
    tasks,
    policies,
    cells: summaries,
    averages: policies.map((policy) =>
      average(
        policy,
        own.filter((c) => c.policy === policy),
      ),
    ),
  };
}

function summarize(lines: readonly EpisodeLine[]): RateSummary {
  const tried = lines.filter(({ error }) => error === undefined);
  const trials = tried.length;
  const successes = tried.filter(({ success }) => success).length;
  const interval = trials === 0 ? { low: 0, high: 1 } : wilson({ successes, trials });
  const steps = tried.reduce((sum, line) => sum + line.steps, 0);
  const routed = countRoutes(tried);
  return {
    ...placeOf(lines),
    successes,
    trials,
    rate: trials === 0 ? null : successes / trials,
    ...interval,
    errors: lines.length - trials,
    steps: trials === 0 ? null : steps / trials,
    ...(routed && { routed }),
  };
}

function placeOf([first]: readonly EpisodeLine[]): Pick<RateSummary, 'policy' | 'expert' | 'task'> {
  const { policy = '', task = '', expert } = first ?? {};
  return { policy, ...(expert !== undefined && { expert }), task };
}

function countRoutes(lines: readonly EpisodeLine[]): Record<string, number> | undefined {
  const counts: Record<string, number> = {};
  for (const { routed } of lines)
    if (routed !== undefined) counts[routed] = (counts[routed] ?? 0) + 1;
  return Object.keys(counts).length === 0 ? undefined : counts;
}

function average(policy: string, cells: readonly RateSummary[]): RateAverage {
  const { mean, low, high } = meanInterval(cells);
  const sum = (pick: (cell: RateSummary) => number): number =>
    cells.reduce((total, cell) => total + pick(cell), 0);
  const known = sum(({ routed }) =>
    Object.values(routed ?? {}).reduce((total, count) => total + count, 0),
  );
  return {
    policy,
    successes: sum(({ successes }) => successes),
    trials: sum(({ trials }) => trials),
    rate: Number.isNaN(mean) ? null : mean,
    low,
    high,
    ...(known > 0 && {
      routed: { right: sum(({ routed, task }) => routed?.[task] ?? 0), known },
    }),
  };
}

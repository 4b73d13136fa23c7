import type { EpisodeLine } from '../../protocol/episode-line';
import type { ImportFacts } from '../../protocol/import-facts';
import { meanInterval, wilson } from './intervals';
import { routedRight, sumEpisodes, withCounts, type TaskRollouts } from './rollouts';

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

/** Of an imported run: whether its seeds are any, and counts without episodes. */
type Foreign = Pick<ImportFacts, 'counts' | 'seeds'>;

/** Sums episodes up, and the counts of an import. */
export function summarizeRates(
  lines: readonly EpisodeLine[],
  tasks: readonly string[],
  foreign: Foreign = { counts: [], seeds: true },
): RateTableData {
  const places: Place[] = [
    ...lines.map(({ policy, expert }) => ({ policy, ...(expert !== undefined && { expert }) })),
    ...foreign.counts.map(({ policy }) => ({ policy })),
  ];
  const rows = new Map(places.map((place) => [JSON.stringify(place), place]));
  const summaries = [...rows.values()].flatMap((place) => {
    const own = lines.filter((l) => l.policy === place.policy && l.expert === place.expert);
    const counted = place.expert === undefined ? foreign : { ...foreign, counts: [] };
    const sums = withCounts(sumEpisodes(own), counted, place.policy);
    return [...sums].map(([task, sum]) => summarize(place, task, sum));
  });
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

type Place = Pick<RateSummary, 'policy' | 'expert'>;

function summarize(place: Place, task: string, sum: TaskRollouts): RateSummary {
  const { successes, trials, errors, steps, routes } = sum;
  return {
    ...place,
    task,
    successes,
    trials,
    rate: trials === 0 ? null : successes / trials,
    ...(trials === 0 ? { low: 0, high: 1 } : wilson(sum)),
    errors,
    steps: trials === 0 ? null : steps / trials,
    ...(Object.keys(routes).length > 0 ? { routed: routes } : {}),
  };
}

function average(policy: string, cells: readonly RateSummary[]): RateAverage {
  const { mean, low, high } = meanInterval(cells);
  const sum = (pick: (cell: RateSummary) => number): number =>
    cells.reduce((total, cell) => total + pick(cell), 0);
  const routed = routedRight(cells.map(({ task, routed: routes = {} }) => [task, { routes }]));
  return {
    policy,
    successes: sum(({ successes }) => successes),
    trials: sum(({ trials }) => trials),
    rate: Number.isNaN(mean) ? null : mean,
    low,
    high,
    ...(routed && { routed }),
  };
}

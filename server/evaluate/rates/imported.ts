import type { EpisodeLine } from '../../protocol/episode-line';
import type { ForeignCounts } from '../../protocol/import-facts';
import { sumEpisodes, withCounts, type TaskRollouts } from './rollouts';
import type { PolicyRollouts } from './table';

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
  const counts = runs.flatMap((run) => run.counts);
  return withCounts(sumEpisodes(lines), { counts, seeds: seeded }, policy);
}

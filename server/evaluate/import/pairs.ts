import type { ImportedEpisode, ImportedRun } from './types';

/**
 * Episodes are paired by seed. Where two of one policy and task have the same one, as in a file given
 * twice or in suites with equal task names, none is a pair: seeds are dropped, and nothing is lost.
 */
export function withoutTwins(runs: readonly ImportedRun[]): {
  readonly runs: readonly ImportedRun[];
  readonly warning?: string;
} {
  const keys = runs.flatMap(({ episodes }) =>
    episodes.flatMap(({ policy, task, seed }) =>
      seed === undefined ? [] : [JSON.stringify([policy, task, seed])],
    ),
  );
  const twins = keys.length - new Set(keys).size;
  if (twins === 0) return { runs };
  return {
    runs: runs.map((run) => ({
      ...run,
      episodes: run.episodes.map(withoutSeed),
    })),
    warning: `${String(twins)} episodes have the policy, task and seed of another one, so no outcomes are paired`,
  };
}

function withoutSeed(episode: ImportedEpisode): ImportedEpisode {
  const rest: { -readonly [K in keyof ImportedEpisode]: ImportedEpisode[K] } = { ...episode };
  delete rest.seed;
  return rest;
}

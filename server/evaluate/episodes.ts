import type { EpisodeLine } from '../protocol/episode-line';
import type { Evaluate } from '../recipe/schema';

export type PolicyName = Evaluate['policies'][number];

/** One rollout to be played: everything that decides it, so that it is the same wherever it runs. */
export interface EpisodeJob {
  readonly policy: PolicyName;
  /** The task of the scene and of the instruction. */
  readonly task: string;
  /** `cross`: the task whose expert acts. */
  readonly expert?: string;
  readonly seed: number;
  /** Number of the episode within its cell, from 0. */
  readonly index: number;
}

/** What an evaluator hands back for a job. */
export interface PlayedEpisode {
  readonly line: EpisodeLine;
  /** Gzipped JSON of the recording, where there is one. */
  readonly recording?: Uint8Array;
}

export interface EpisodePlan {
  readonly tasks: readonly string[];
  readonly policies: readonly PolicyName[];
  readonly episodes: number;
  readonly seedOf: (index: number) => number;
}

/** All episodes, cell by cell: policies in the order asked for, then tasks, then seeds. */
export function planEpisodes({ tasks, policies, episodes, seedOf }: EpisodePlan): EpisodeJob[] {
  const cells = policies.flatMap((policy) => tasks.flatMap((task) => cellsOf(policy, task, tasks)));
  return cells.flatMap((cell) =>
    Array.from({ length: episodes }, (_, index) => ({ ...cell, index, seed: seedOf(index) })),
  );
}

function cellsOf(
  policy: PolicyName,
  task: string,
  tasks: readonly string[],
): Omit<EpisodeJob, 'seed' | 'index'>[] {
  if (policy !== 'cross') return [{ policy, task }];
  return tasks.filter((other) => other !== task).map((expert) => ({ policy, task, expert }));
}

/** Lines of the cross matrix are the experts', with the name of the expert that acted. */
export function lineOf(job: EpisodeJob): Pick<EpisodeLine, 'policy' | 'task' | 'expert' | 'seed'> {
  const { policy, task, seed, expert } = job;
  return expert === undefined ? { policy, task, seed } : { policy: 'experts', task, expert, seed };
}

/** The same for a job and for its line. */
export function episodeKey(
  episode: Pick<EpisodeLine, 'policy' | 'task' | 'seed' | 'expert'>,
): string {
  return JSON.stringify([episode.policy, episode.expert ?? '', episode.task, episode.seed]);
}

/** Where an episode's recording lies, relative to the run directory. */
export function replayPath(job: EpisodeJob): string {
  const actor = job.expert === undefined ? job.policy : `${job.policy}-${job.expert}`;
  return `replays/${actor}/${job.task}-${job.seed}.json.gz`;
}

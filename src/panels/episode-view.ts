import type { EpisodeLine } from '../../server/protocol/episode-line';
import type { ForeignCounts } from '../../server/protocol/import-facts';
import type { EpisodeList } from '../../server/protocol/panels/success-rates';
import type { RunEpisodes } from './success-view';

/** Identity of a table's row: the policy of one run. */
export const policyRow = (run: string, policy: string): string => JSON.stringify([run, policy]);
/** Identity of a row of the cross matrix: one expert, whichever run it acted in. */
export const crossRow = (expert: string): string => JSON.stringify(['', expert]);

/** One rollout with its place in the panel. */
export interface FoundEpisode {
  readonly id: string;
  readonly run: RunEpisodes['run'];
  readonly line: EpisodeLine;
  readonly row: string;
}

/** Identity of a rollout. */
export function episodeId(run: string, { policy, expert, task, seed }: EpisodeLine): string {
  return JSON.stringify([run, policy, expert ?? task, task, seed]);
}

/** Every rollout of some runs; of two lines of one rollout the later counts. */
export function allEpisodes(runs: readonly RunEpisodes[]): readonly FoundEpisode[] {
  const found = new Map<string, FoundEpisode>();
  for (const { run, lines } of runs)
    for (const line of lines) {
      const { policy, expert, task } = line;
      const isCross = expert !== undefined && expert !== task;
      const row = isCross ? crossRow(expert) : policyRow(run.path, policy);
      const id = episodeId(run.path, line);
      found.set(id, { id, run, line, row });
    }
  return [...found.values()];
}

/** Episodes of one cell, by seed; undefined for a row that is not there. */
export function episodeList(
  runs: readonly RunEpisodes[],
  row: string,
  task: string,
): EpisodeList | undefined {
  const own = allEpisodes(runs).filter(
    (episode) =>
      episode.line.task === task &&
      (episode.row === row ||
        // The diagonal of the cross matrix: an expert on its own task.
        (row === crossRow(task) && isOwnExpert(episode.line))),
  );
  const name = nameOf(runs, row);
  if (name === undefined) return undefined;
  return {
    row,
    task,
    label: `${name} · ${task}`,
    items: own
      .map(({ id, line }) => ({
        ...{ id, seed: line.seed, success: line.success, steps: line.steps },
        reason: outcomeOf(line),
        ...(line.error === undefined ? {} : { error: line.error }),
        ...(line.note === undefined ? {} : { note: line.note }),
        ...(line.routed === undefined ? {} : { routed: line.routed }),
        replay: line.replay !== undefined,
      }))
      .sort((a, b) => a.seed - b.seed),
  };
}

/** A list with the outcomes of another one on the same seeds. */
export function besides(list: EpisodeList, second: EpisodeList): EpisodeList {
  const whole = second.items.filter(({ error }) => error === undefined);
  const outcomes = new Map(whole.map(({ seed, success }) => [seed, success]));
  const items = list.items.map((item) => {
    const other = outcomes.get(item.seed);
    return other === undefined || item.error !== undefined ? item : { ...item, other };
  });
  return { ...list, other: second.label.split(' · ')[0] ?? second.label, items };
}

const isOwnExpert = ({ policy, expert, task }: EpisodeLine): boolean =>
  policy === 'experts' && (expert ?? task) === task;

/** What the row is called; undefined where it belongs to no run that is shown. */
function nameOf(runs: readonly RunEpisodes[], row: string): string | undefined {
  for (const { run, lines, imported } of runs)
    for (const { policy, expert, task } of [...lines, ...(imported?.counts ?? []).map(bare)]) {
      if (row === policyRow(run.path, policy)) return policy;
      if (row === crossRow(expert ?? task)) return `${expert ?? task} expert`;
    }
  return undefined;
}

const bare = ({
  policy,
  task,
}: ForeignCounts): Pick<EpisodeLine, 'policy' | 'task' | 'expert'> => ({
  policy,
  task,
});

/** How a rollout ended, for people. */
export function outcomeOf({ success, reason, error }: EpisodeLine): string {
  return error ?? reason ?? (success ? 'success' : 'failed');
}

import { QuickPickItemKind, window, type QuickPickItem } from 'vscode';
import { allEpisodes, outcomeOf, type FoundEpisode } from '../panels/episode-view';
import { readRunEpisodes } from '../panels/run-episodes';
import type { Parts } from './context';

interface EpisodeItem extends QuickPickItem {
  readonly episode?: FoundEpisode;
}

/** The identity of a recorded rollout: the one given, or one picked by run, policy, task and seed. */
export async function chooseEpisode(parts: Parts, given: unknown): Promise<string | undefined> {
  const all = allEpisodes(await readRunEpisodes(parts.runs));
  const recorded = all.filter(({ line }) => line.replay !== undefined);
  if (typeof given === 'string') return recorded.find(({ id }) => id === given)?.id;
  if (recorded.length === 0) {
    void window.showInformationMessage(
      'No run of this workspace has recorded episodes: evaluate one on the built-in bench.',
    );
    return undefined;
  }
  const picked = await window.showQuickPick(items(recorded), {
    ...{ title: 'Which episode?', matchOnDescription: true, matchOnDetail: true },
    placeHolder: 'Policy, task, seed, or how it ended',
  });
  return picked?.episode?.id;
}

/** Grouped as in the table: run, policy, task; then by seed. */
function items(episodes: readonly FoundEpisode[]): readonly EpisodeItem[] {
  const cells = new Map<string, FoundEpisode[]>();
  for (const episode of episodes) {
    const { policy, expert, task } = episode.line;
    const acting = expert === undefined ? policy : `${policy} (${expert})`;
    const key = `${episode.run.name} · ${acting} · ${task}`;
    cells.set(key, [...(cells.get(key) ?? []), episode]);
  }
  return [...cells].flatMap(([label, members]) => [
    { label, kind: QuickPickItemKind.Separator },
    ...members
      .sort((a, b) => a.line.seed - b.line.seed)
      .map((episode): EpisodeItem => {
        const { policy, task, seed, success, steps } = episode.line;
        return {
          label: `$(${success ? 'check' : 'close'}) ${String(seed)}`,
          description: `${policy} · ${task} · ${outcomeOf(episode.line)} after ${String(steps)} steps`,
          episode,
        };
      }),
  ]);
}

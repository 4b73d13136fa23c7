import { join } from 'node:path';
import type { EpisodeLine } from '../../server/protocol/episode-line';
import type { RoutedEpisode, RoutedSet } from '../../server/protocol/panels/routing';
import type { Pairing } from '../../server/protocol/routing';
import { wilson } from '../../server/evaluate/rates/intervals';
import type { RunEpisodes } from './success-view';
import { episodeId } from './episode-view';

/** Tasks that a run's routed episodes name, in the order of their scores. */
export function routedTasks({ lines }: RunEpisodes): readonly string[] {
  const scored = lines.find(({ scores }) => scores !== undefined)?.scores;
  return scored ? Object.keys(scored) : [...new Set(lines.map(({ task }) => task))];
}

/** The pairing that a run routed with. */
export function pairingOf({ lines }: RunEpisodes): Pairing {
  return lines.find(({ pairing }) => pairing !== undefined)?.pairing ?? 'same';
}

/** All routed episodes of a run as one pairing decided, or would have decided, them. */
export function routedSet(entry: RunEpisodes, pairing: Pairing): RoutedSet | undefined {
  const tasks = routedTasks(entry);
  const episodes = entry.lines
    .filter((line) => line.routed !== undefined && line.error === undefined)
    .flatMap((line): RoutedEpisode[] => {
      const scores = pairing === 'same' ? line.scores : line.crossed;
      return scores ? [routedEpisode(line, scores, [tasks, entry.run.path])] : [];
    });
  if (episodes.length === 0) return undefined;
  const right = episodes.filter(({ truth, routed }) => truth === routed).length;
  const counts = { successes: right, trials: episodes.length };
  return { episodes, right: right / episodes.length, ...wilson(counts) };
}

/** Recorded episodes of the routed policy, whose first frames can be routed again. */
export function recordedEpisodes({ run, lines }: RunEpisodes) {
  return lines.flatMap((line) =>
    line.replay === undefined || line.routed === undefined
      ? []
      : [
          {
            id: episodeId(run.path, line),
            label: `seed ${String(line.seed)} · ${line.task}`,
            file: join(run.path, line.replay),
          },
        ],
  );
}

function routedEpisode(
  line: EpisodeLine,
  scores: Readonly<Record<string, number>>,
  [tasks, run]: readonly [readonly string[], string],
): RoutedEpisode {
  const values = tasks.map((task) => scores[task] ?? Number.NEGATIVE_INFINITY);
  const truth = Math.max(0, tasks.indexOf(line.task));
  // A tie goes to the lowest index, as the router has it.
  const routed = values.indexOf(Math.max(...values));
  const others = values.filter((_, i) => i !== truth);
  const best = others.length > 0 ? Math.max(...others) : (values[truth] ?? 0);
  const softmax = softmaxOf(values);
  return {
    id: episodeId(run, line),
    seed: line.seed,
    truth,
    routed,
    margin: (values[truth] ?? 0) - best,
    pTrue: softmax[truth] ?? 0,
    pRouted: softmax[routed] ?? 0,
    success: line.success,
    reason: line.reason ?? '',
    steps: line.steps,
    replay: line.replay !== undefined,
  };
}

function softmaxOf(values: readonly number[]): readonly number[] {
  const most = Math.max(...values);
  const exp = values.map((value) => Math.exp(value - most));
  const sum = exp.reduce((a, b) => a + b, 0);
  return exp.map((value) => value / sum);
}

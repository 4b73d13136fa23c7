import type { Imported, ImportedEpisode, ImportOptions } from './types';
import { refuse } from './types';

const video = /^(success|failure)_obj_(?:episode_(\d+)|.*?)(?:_.*)?\.mp4$/;

/** SimplerEnv leaves a tree of videos: a file's name starts with its outcome, its folders say the condition. */
export function readSimplerEnv(
  root: string,
  paths: readonly string[],
  options: ImportOptions,
): Imported {
  const numbers = new Map<string, number>();
  const episodes = paths.flatMap((path): ImportedEpisode[] => {
    const parts = path.split(/[/\\]/);
    const match = video.exec(parts.at(-1) ?? '');
    if (!match) return [];
    const place = parts.findIndex((part) => part.startsWith('rob_'));
    const folders = place < 0 ? parts.slice(0, -1) : parts.slice(0, place);
    const task = folders.at(-1) ?? 'task';
    const number = numbers.get(task) ?? 0;
    numbers.set(task, number + 1);
    return [
      {
        policy: options.policy ?? folders.at(-4) ?? 'policy',
        ...(folders.at(-3) === undefined ? {} : { suite: folders.at(-3) ?? '' }),
        task,
        episode: number,
        success: match[1] === 'success',
      },
    ];
  });
  if (episodes.length === 0)
    return refuse(`${root} holds no video whose name starts with success_ or failure_`);
  return {
    run: { format: 'simpler-env', file: root, episodes, counts: [], warnings: [] },
  };
}

import { Uri, workspace } from 'vscode';
import { parseEpisodeLines } from '../../server/protocol/episode-line';
import type { EpisodeRecording } from '../../server/protocol/episode';
import { isRecord } from '../../server/protocol/shape';
import type { Runs } from '../runs';
import type { RunEpisodes } from './success-view';

/** A recording is a few kB; a file larger than this is none. */
const largestRecording = 16 * 1024 * 1024;

/** Runs that have episodes, newest first. A file that cannot be read is a run without episodes. */
export async function readRunEpisodes(runs: Runs): Promise<readonly RunEpisodes[]> {
  const all = await Promise.all(
    runs.list().map(async (run): Promise<RunEpisodes> => {
      const [lines, imported] = await Promise.all([
        readText(run.path, 'episodes.jsonl'),
        readText(run.path, 'import.json'),
      ]);
      return {
        run,
        lines: parseEpisodeLines(lines),
        ...(imported === '' ? {} : { imported: importFacts(imported) }),
      };
    }),
  );
  return all.filter(({ lines, run }) => lines.length > 0 || run.progress?.phase === 'evaluate');
}

function importFacts(text: string): { partial?: string } {
  try {
    const value: unknown = JSON.parse(text);
    const partial = isRecord(value) ? value['partial'] : undefined;
    return typeof partial === 'string' ? { partial } : {};
  } catch {
    return { partial: 'import.json cannot be read' };
  }
}

async function readText(folder: string, file: string): Promise<string> {
  try {
    const bytes = await workspace.fs.readFile(Uri.joinPath(Uri.file(folder), file));
    return new TextDecoder().decode(bytes);
  } catch {
    return '';
  }
}

/** A recording of a run by the relative path that its line gives, or the reason why there is none. */
export async function readRecording(
  folder: string,
  path: string,
): Promise<EpisodeRecording | string> {
  if (path.split(/[/\\]/).includes('..') || path.startsWith('/'))
    return `${path} is outside of the run`;
  try {
    const uri = Uri.joinPath(Uri.file(folder), path);
    const { size } = await workspace.fs.stat(uri);
    if (size > largestRecording) return `${path} is too large for a recording`;
    const value: unknown = JSON.parse(new TextDecoder().decode(await workspace.fs.readFile(uri)));
    if (isRecord(value) && isRecord(value['scene']) && typeof value['qpos'] === 'string')
      return value as unknown as EpisodeRecording;
    return `${path} is no recording`;
  } catch {
    return `${path} is not there any more`;
  }
}

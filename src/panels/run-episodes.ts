import { isActive } from '../../server/protocol/events';
import { gunzipSync } from 'node:zlib';
import { Uri, workspace } from 'vscode';
import { parseEpisodeLines } from '../../server/protocol/episode-line';
import { decodePositions, type EpisodeRecording } from '../../server/protocol/episode';
import { isEpisodeRecording } from '../../server/protocol/episode-guards';
import { parseEvaluation } from '../../server/protocol/evaluation-record';
import { parseImportFacts } from '../../server/protocol/import-facts';
import type { Runs } from '../runs';
import type { RunEpisodes } from './success-view';

/** A recording is a few kB; a file larger than this is none. */
const largestRecording = 16 * 1024 * 1024;
const unpackLimit = { maxOutputLength: 4 * largestRecording };

/** Runs that have episodes, newest first. A file that cannot be read is a run without episodes. */
export async function readRunEpisodes(runs: Runs): Promise<readonly RunEpisodes[]> {
  const all = await Promise.all(
    runs.list().map(async (run): Promise<RunEpisodes> => {
      const [lines, imported, evaluation] = await Promise.all([
        readText(run.path, 'episodes.jsonl'),
        readText(run.path, 'import.json'),
        readText(run.path, 'evaluation.json'),
      ]);
      const plan = parseEvaluation(evaluation);
      return {
        run,
        lines: parseEpisodeLines(lines),
        ...(plan ? { plan } : {}),
        ...(imported === '' ? {} : { imported: parseImportFacts(imported) }),
      };
    }),
  );
  return all.filter(
    ({ lines, run, imported, plan }) =>
      lines.length > 0 || imported !== undefined || (plan !== undefined && isActive(run)),
  );
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
    const bytes = await workspace.fs.readFile(uri);
    const plain = path.endsWith('.gz') ? gunzipSync(bytes, unpackLimit) : bytes;
    const value: unknown = JSON.parse(new TextDecoder().decode(plain));
    if (!isEpisodeRecording(value)) return `${path} is no recording`;
    return decodePositions(value)
      ? value
      : `${path} is damaged: its positions do not fit its scene`;
  } catch {
    return `${path} is not there any more`;
  }
}

import { RelativePattern, Uri, workspace } from 'vscode';
import { parseEpisodeLines } from '../../server/protocol/episode-line';
import { isRecord } from '../../server/protocol/shape';
import type { StudyPoint, StudySweep } from './study-view';

/** More sweeps than this are not looked at, and a sweep of more points is no study. */
const most = { sweeps: 20, points: 200 };

/** Sweeps below the workspace's folders with what their points have rolled out so far. */
export async function readSweeps(): Promise<readonly StudySweep[]> {
  const folders = workspace.workspaceFolders ?? [];
  const found = await Promise.all(
    folders.map((folder) =>
      workspace.findFiles(
        new RelativePattern(folder, '**/sweep.json'),
        '**/node_modules/**',
        most.sweeps,
      ),
    ),
  );
  const sweeps = await Promise.all(found.flat().map((file) => readSweep(Uri.joinPath(file, '..'))));
  return sweeps.filter((sweep) => sweep !== undefined);
}

/** Undefined for a folder whose files do not belong together, which `mergevla collect` explains. */
async function readSweep(folder: Uri): Promise<StudySweep | undefined> {
  const record = parse(await readText(folder, 'sweep.json'));
  const lines = (await readText(folder, 'points.jsonl')).split('\n').filter(Boolean);
  if (!isRecord(record) || lines.length === 0 || lines.length > most.points) return undefined;
  const points = await Promise.all(lines.map((line) => readPoint(folder, parse(line))));
  if (!points.every((point) => point !== undefined)) return undefined;
  const { name, created } = record;
  return {
    name: typeof name === 'string' ? name : (folder.path.split('/').at(-1) ?? ''),
    created: typeof created === 'string' ? created : '',
    points,
  };
}

async function readPoint(folder: Uri, record: unknown): Promise<StudyPoint | undefined> {
  if (!isRecord(record) || !isRecord(record['values'])) return undefined;
  const { id, values } = record;
  // The identity is part of a path, and the file may be anybody's.
  if (typeof id !== 'string' || !/^[\w-]+$/.test(id)) return undefined;
  const run = Uri.joinPath(folder, 'points', id, 'run');
  const [parameters, episodes] = await Promise.all([
    readText(run, 'params.yaml'),
    readText(run, 'episodes.jsonl'),
  ]);
  const rest = restOf(parameters);
  return {
    ...{ run: run.fsPath, values, lines: parseEpisodeLines(episodes) },
    ...(rest === undefined ? {} : { rest }),
  };
}

/** `params.yaml` has one `key: JSON value` a line. */
function restOf(parameters: string): string | undefined {
  const found = /^merge\.rest: (.+)$/m.exec(parameters)?.[1];
  const value = parse(found ?? '');
  return typeof value === 'string' ? value : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readText(folder: Uri, file: string): Promise<string> {
  try {
    return new TextDecoder().decode(await workspace.fs.readFile(Uri.joinPath(folder, file)));
  } catch {
    return '';
  }
}

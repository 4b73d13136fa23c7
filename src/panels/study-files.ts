import { parseEpisodeLines } from '../../server/protocol/episode-line';
import { isRecord } from '../../server/protocol/shape';
import type { StudyPoint, StudySweep } from './study-view';

/** A sweep of more points is no study. */
const mostPoints = 200;

/** Text of a file of a sweep's folder, by its parts below it; empty where there is none. */
export type ReadText = (...parts: readonly string[]) => Promise<string>;

/**
 * A sweep with what its points have rolled out so far; undefined for a folder whose files do not belong
 * together, which `mergevla collect` explains. `place`: the folder, for the addresses of runs.
 */
export async function readSweep(
  place: { readonly name: string; readonly run: (id: string) => string },
  read: ReadText,
): Promise<StudySweep | undefined> {
  const record = parse(await read('sweep.json'));
  const lines = (await read('points.jsonl')).split('\n').filter(Boolean);
  if (!isRecord(record) || lines.length === 0 || lines.length > mostPoints) return undefined;
  const points = await Promise.all(lines.map((line) => readPoint(place, parse(line), read)));
  if (!points.every((point) => point !== undefined)) return undefined;
  const { name, created } = record;
  return {
    name: typeof name === 'string' ? name : place.name,
    created: typeof created === 'string' ? created : '',
    points,
  };
}

async function readPoint(
  place: { readonly run: (id: string) => string },
  record: unknown,
  read: ReadText,
): Promise<StudyPoint | undefined> {
  if (!isRecord(record) || !isRecord(record['values'])) return undefined;
  const { id, values } = record;
  // The identity is part of a path, and the file may be anybody's.
  if (typeof id !== 'string' || !/^[\w-]+$/.test(id)) return undefined;
  const [parameters, episodes] = await Promise.all([
    read('points', id, 'run', 'params.yaml'),
    read('points', id, 'run', 'episodes.jsonl'),
  ]);
  const rest = textOf(parameters, 'merge.rest');
  const range = textOf(parameters, 'evaluate.range');
  return {
    ...{ run: place.run(id), values, lines: parseEpisodeLines(episodes) },
    ...(rest === undefined ? {} : { rest }),
    ...(range === 'validation' ? { range } : {}),
  };
}

/** `params.yaml` has one `key: JSON value` a line. */
function textOf(parameters: string, key: string): string | undefined {
  const line = parameters.split('\n').find((text) => text.startsWith(`${key}: `));
  const value = parse(line?.slice(key.length + 2) ?? '');
  return typeof value === 'string' ? value : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

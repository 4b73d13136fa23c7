import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { decodePicture } from '../policy/pictures';
import type { Observation } from '../policy/types';
import { MergeError } from '../protocol/merge-error';
import { isRecord } from '../protocol/shape';

/**
 * First frames that `router.offset: stored` divides by, as the run's recipe names them under
 * `router.calibration`: JSON files `{"images": ["full.png", …], "instruction": "…"}` with pictures
 * beside them. Empty without that option.
 */
export async function readCalibration(run: string): Promise<Observation[]> {
  const text = await readFile(join(run, 'recipe.resolved.json'), 'utf8').catch(() => '{}');
  const resolved: unknown = JSON.parse(text);
  const recipe = isRecord(resolved) ? resolved['recipe'] : undefined;
  const router = isRecord(recipe) ? recipe['router'] : undefined;
  if (!isRecord(router) || router['offset'] !== 'stored') return [];
  const paths = Array.isArray(router['calibration']) ? router['calibration'].map(String) : [];
  return Promise.all(paths.map((path) => readFrame(findFrame(path, run))));
}

/** Paths are relative to the recipe, whose output folder holds the run. */
function findFrame(path: string, run: string): string {
  const places = [dirname(dirname(run)), dirname(run), process.cwd()];
  const found = places.map((place) => resolve(place, path)).find((place) => existsSync(place));
  if (found !== undefined) return found;
  throw new MergeError(
    'MV578',
    `the calibration frame ${path} of ${run} is not there; it is looked for beside the recipe`,
  );
}

async function readFrame(path: string): Promise<Observation> {
  let frame: unknown;
  try {
    frame = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new MergeError('MV578', `${path} is not JSON`, { cause });
  }
  const images = isRecord(frame) ? frame['images'] : undefined;
  const instruction = isRecord(frame) ? frame['instruction'] : undefined;
  if (!Array.isArray(images) || typeof instruction !== 'string')
    throw new MergeError('MV578', `${path} holds no images and instruction`);
  const pictures = images.map(async (name) => {
    const file = resolve(dirname(path), String(name));
    const bytes = await readFile(file).catch((cause: unknown) => {
      throw new MergeError('MV571', `${file}: cannot be read`, { cause });
    });
    return decodePicture(bytes, file);
  });
  return { images: await Promise.all(pictures), instruction };
}

import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import {
  demonstrationFrame,
  firstFrames,
  openDemonstrations,
  type DemonstrationFile,
} from '../evaluate/so101/demonstration-frames';
import { firstFrame } from '../evaluate/so101/recorded-frame';
import { decodePicture } from '../policy/pictures';
import type { Observation } from '../policy/types';
import type { EpisodeRecording } from '../protocol/episode';
import { MergeError } from '../protocol/merge-error';
import { isNumber, isRecord, isString } from '../protocol/shape';

/** A recording and a frame's own file are small; what is larger is something else. */
const maximumBytes = 64 * 1024 * 1024;
/** A list for people to choose from. */
const maximumChoices = 1000;

/** One frame of a file that a person can choose. */
export interface FrameChoice {
  /** `FILE#N`, as `readFrame` takes it. */
  readonly id: string;
  readonly label: string;
}

/**
 * The observation that `FILE` or `FILE#N` names: frame N of demonstrations that `mergevla demos` wrote
 * (`.safetensors`), the first frame of an episode that an evaluation recorded (`.json.gz`), or a JSON
 * file `{"images": ["full.png", …], "instruction": "…", "proprio": […]}` with the pictures beside it.
 * Recordings hold no pictures: they are drawn with an edge of `size` pixels. Throws MV578 where the
 * file holds no such frame.
 */
export async function readFrame(reference: string, size: number): Promise<Observation> {
  const { path, index } = splitReference(reference);
  if (path.endsWith('.safetensors')) {
    const file = await demonstrations(path);
    const frame = demonstrationFrame(file, index);
    if (frame) return frame;
    throw unusable(path, `has frames 0 to ${(file.images.shape[0] ?? 0) - 1}, and not ${index}`);
  }
  if (index > 0) throw unusable(path, `holds one frame, the first, and not ${index}`);
  const value = await readJson(path);
  if (!isRecording(value)) return frameOfFile(value, path);
  const frame = await firstFrame(value, size);
  if (frame) return frame;
  throw unusable(path, 'was recorded on another bench, whose pictures cannot be drawn here');
}

/** The first frames of the episodes in a file. Throws like `readFrame`. */
export async function listFrames(path: string): Promise<readonly FrameChoice[]> {
  if (!path.endsWith('.safetensors')) {
    const value = await readJson(path);
    if (isRecording(value)) return [{ id: path, label: `seed ${value.seed} · ${value.task}` }];
    await frameOfFile(value, path);
    return [{ id: path, label: basename(path) }];
  }
  return firstFrames(await demonstrations(path))
    .slice(0, maximumChoices)
    .map((frame, episode) => ({
      id: `${path}#${frame}`,
      label: `episode ${episode} · frame ${frame}`,
    }));
}

/** Throws MV578 for the first file that is not there. */
export async function expectFrames(references: readonly string[]): Promise<void> {
  for (const reference of references) {
    const { path } = splitReference(reference);
    if (!(await stat(path).catch(() => undefined))?.isFile()) throw unusable(path, 'is no file');
  }
}

function splitReference(reference: string): { readonly path: string; readonly index: number } {
  const [, path = reference, index = '0'] = /^(.*)#(\d{1,9})$/s.exec(reference) ?? [];
  return { path, index: Number(index) };
}

async function demonstrations(path: string): Promise<DemonstrationFile> {
  const file = await openDemonstrations(path);
  if (file) return file;
  throw unusable(
    path,
    'holds no images, proprio, episode and instruction as mergevla demos writes',
  );
}

async function readJson(path: string): Promise<unknown> {
  const { size } = await stat(path).catch((cause: unknown) => {
    throw unusable(path, 'is not there', cause);
  });
  if (size > maximumBytes) throw unusable(path, 'is too large for a frame');
  try {
    const bytes = await readFile(path);
    const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
    const text = isPacked ? await unpack(bytes, { maxOutputLength: maximumBytes }) : bytes;
    return JSON.parse(text.toString('utf8'));
  } catch (cause) {
    throw unusable(path, 'is not JSON', cause);
  }
}

const unpack = promisify(gunzip);

function isRecording(value: unknown): value is EpisodeRecording {
  return (
    isRecord(value) &&
    isString(value['qpos']) &&
    isString(value['instruction']) &&
    isNumber(value['seed']) &&
    isNumber(value['steps']) &&
    isRecord(value['scene']) &&
    Array.isArray(value['scene']['bodies'])
  );
}

async function frameOfFile(value: unknown, path: string): Promise<Observation> {
  const { images, instruction, proprio } = isRecord(value) ? value : {};
  if (!Array.isArray(images) || !isString(instruction))
    throw unusable(path, 'holds no images and instruction');
  if (proprio !== undefined && !(Array.isArray(proprio) && proprio.every(isNumber)))
    throw unusable(path, 'holds a proprio that is no list of numbers');
  const pictures = await Promise.all(
    images.map((name) => readPicture(resolve(dirname(path), String(name)))),
  );
  return { images: pictures, instruction, ...(proprio && { proprio: proprio.map(Number) }) };
}

/** A picture file. Throws MV571 naming it. */
export async function readPicture(path: string): Promise<Observation['images'][number]> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new MergeError('MV571', `${path}: cannot be read`, { cause });
  });
  return decodePicture(bytes, path);
}

function unusable(path: string, why: string, cause?: unknown): MergeError {
  return new MergeError('MV578', `${path} ${why}`, { cause });
}

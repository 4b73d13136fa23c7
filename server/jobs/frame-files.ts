import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import {
  firstFrames,
  openDemonstrations,
  type DemonstrationFile,
} from '../evaluate/so101/demonstration-frames';
import type { EpisodeRecording } from '../protocol/episode';
import { isEpisodeRecording } from '../protocol/episode-guards';
import { MergeError } from '../protocol/merge-error';
import type { FrameChoice } from '../protocol/methods';
import { isNumber, isRecord, isString } from '../protocol/shape';

/** A recording and a frame's own file are small; what is larger is something else. */
const maximumBytes = 64 * 1024 * 1024;
/** A list for people to choose from. */
const maximumChoices = 1000;

const unpack = promisify(gunzip);

/** A file of frames by its content, without its pictures. */
export type FrameFile =
  | { readonly kind: 'demonstrations'; readonly file: DemonstrationFile }
  | { readonly kind: 'recording'; readonly recording: EpisodeRecording }
  | { readonly kind: 'frame'; readonly frame: StoredFrame };

/** A JSON file with pictures beside it. */
export interface StoredFrame {
  readonly images: readonly string[];
  readonly instruction: string;
  readonly proprio?: readonly number[];
}

/** Throws MV578 for files that hold no frames, MV41x for a damaged header. */
export async function openFrames(path: string): Promise<FrameFile> {
  if (path.endsWith('.safetensors')) {
    await expectFrames([path]);
    const file = await openDemonstrations(path);
    if (file) return { kind: 'demonstrations', file };
    const parts = 'images, proprio, episode and instruction';
    throw unusable(path, `holds no ${parts} as mergevla demos writes`);
  }
  const value = await readJson(path);
  return isEpisodeRecording(value)
    ? { kind: 'recording', recording: value }
    : { kind: 'frame', frame: storedFrame(value, path) };
}

/** The first frames of the episodes in a file. Throws like `openFrames`. */
export async function listFrames(path: string): Promise<readonly FrameChoice[]> {
  const opened = await openFrames(path);
  if (opened.kind === 'frame') return [{ id: path, label: basename(path) }];
  if (opened.kind === 'recording') {
    const { seed, task } = opened.recording;
    return [{ id: path, label: `seed ${seed} · ${task}` }];
  }
  return firstFrames(opened.file)
    .slice(0, maximumChoices)
    .map((frame, episode) => ({
      id: `${path}#${frame}`,
      label: `episode ${episode} · frame ${frame}`,
    }));
}

/** Throws MV578 for the first reference whose file is not there. */
export async function expectFrames(references: readonly string[]): Promise<void> {
  for (const reference of references) {
    const { path } = splitReference(reference);
    if (!(await stat(path).catch(() => undefined))?.isFile()) throw unusable(path, 'is no file');
  }
}

/** `FILE#N` or `FILE`. */
export function splitReference(reference: string): {
  readonly path: string;
  readonly index: number;
} {
  const [, path = reference, index = '0'] = /^(.*)#(\d{1,9})$/s.exec(reference) ?? [];
  return { path, index: Number(index) };
}

export function unusable(path: string, why: string, cause?: unknown): MergeError {
  return new MergeError('MV578', `${path} ${why}`, { cause });
}

async function readJson(path: string): Promise<unknown> {
  await expectFrames([path]);
  const { size } = await stat(path);
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

function storedFrame(value: unknown, path: string): StoredFrame {
  const { images, instruction, proprio } = isRecord(value) ? value : {};
  if (!Array.isArray(images) || !images.every(isString) || !isString(instruction))
    throw unusable(path, 'holds no images and instruction');
  if (proprio !== undefined && !(Array.isArray(proprio) && proprio.every(isNumber)))
    throw unusable(path, 'holds a proprio that is no list of numbers');
  return { images, instruction, ...(proprio && { proprio }) };
}

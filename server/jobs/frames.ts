import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { demonstrationFrame } from '../evaluate/so101/demonstration-frames';
import { firstFrame } from '../evaluate/so101/recorded-frame';
import { decodePicture } from '../policy/pictures';
import type { Observation, Picture } from '../policy/types';
import { MergeError } from '../protocol/merge-error';
import { openFrames, splitReference, unusable, type StoredFrame } from './frame-files';

/**
 * The observation that `FILE` or `FILE#N` names: frame N of demonstrations that `mergevla demos` wrote
 * (`.safetensors`), the first frame of an episode that an evaluation recorded (`.json.gz`), or a JSON
 * file `{"images": ["full.png", …], "instruction": "…", "proprio": […]}` with the pictures beside it.
 * Recordings hold no pictures: they are drawn with an edge of `size` pixels. Throws MV578 where the
 * file holds no such frame.
 */
export async function readFrame(reference: string, size: number): Promise<Observation> {
  const { path, index } = splitReference(reference);
  const opened = await openFrames(path);
  if (opened.kind === 'demonstrations') {
    const frame = demonstrationFrame(opened.file, index);
    if (frame) return frame;
    const last = (opened.file.images.shape[0] ?? 0) - 1;
    throw unusable(path, `has frames 0 to ${last}, and not ${index}`);
  }
  if (index > 0) throw unusable(path, `holds one frame, the first, and not ${index}`);
  if (opened.kind === 'frame') return pictured(opened.frame, path);
  const frame = await firstFrame(opened.recording, size);
  if (frame) return frame;
  throw unusable(path, 'was recorded on another bench, whose pictures cannot be drawn here');
}

async function pictured({ images, ...rest }: StoredFrame, path: string): Promise<Observation> {
  const files = images.map((name) => readPicture(resolve(dirname(path), name)));
  return { ...rest, images: await Promise.all(files) };
}

/** A picture file. Throws MV571 naming it. */
export async function readPicture(path: string): Promise<Picture> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new MergeError('MV571', `${path}: cannot be read`, { cause });
  });
  return decodePicture(bytes, path);
}

import { realpath } from 'node:fs/promises';
import { elementBytes } from '../tensors/dtypes';
import { TensorReader } from '../tensors/reader';
import type { Checkpoint, TensorInfo } from '../tensors/types';

/** Answers by file identity, kept by whoever checks the same recipe again and again. */
export type SameContentCache = Map<string, boolean>;

/**
 * True when two checkpoints are one by path, or agree in every sampled byte: the start, middle and
 * end of every tensor. Fine-tuning that changes none of these bytes has not been seen, but samples
 * prove nothing, so callers warn and do not refuse.
 */
export async function seemSame(
  one: Checkpoint,
  other: Checkpoint,
  cache?: SameContentCache,
): Promise<boolean> {
  if ((await realpath(one.path)) === (await realpath(other.path))) return true;
  if (!sameHeaders(one, other)) return false;
  const key = [...one.files, ...other.files].map((f) => `${f.path}:${f.size}:${f.mtimeMs}`).join();
  const known = cache?.get(key);
  if (known !== undefined) return known;
  const same = sameSamples(one, other);
  cache?.set(key, same);
  return same;
}

function sameHeaders(one: Checkpoint, other: Checkpoint): boolean {
  if (one.tensors.size !== other.tensors.size) return false;
  for (const tensor of one.tensors.values()) {
    const twin = other.tensors.get(tensor.name);
    if (twin?.dtype !== tensor.dtype || twin.shape.join() !== tensor.shape.join()) return false;
  }
  return true;
}

/** Elements read at each of three places; experts almost always differ in the first tensor. */
const sampleElements = 64;

function sameSamples(one: Checkpoint, other: Checkpoint): boolean {
  const reader = new TensorReader([...one.files, ...other.files]);
  try {
    for (const tensor of one.tensors.values()) {
      const twin = other.tensors.get(tensor.name);
      if (!twin || !sameSample(reader, tensor, twin)) return false;
    }
    return true;
  } finally {
    reader.close();
  }
}

function sameSample(reader: TensorReader, one: TensorInfo, other: TensorInfo): boolean {
  const count = Math.min(sampleElements, one.elements);
  const a = Buffer.alloc(count * elementBytes(one.dtype));
  const b = Buffer.alloc(a.length);
  return [0, Math.floor((one.elements - count) / 2), one.elements - count].every((start) => {
    reader.readBytes(one, start, a);
    reader.readBytes(other, start, b);
    return a.equals(b);
  });
}

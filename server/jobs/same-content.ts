import { realpath } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { throwIfCancelled } from '../protocol/merge-error';
import { elementBytes } from '../tensors/dtypes';
import { TensorReader } from '../tensors/reader';
import type { Checkpoint, TensorInfo } from '../tensors/types';

/** How sure it is that two checkpoints hold the same numbers. */
export type Sameness = 'different' | 'samples' | 'proven';

/** Answers by file identity, kept by whoever checks the same recipe again and again. */
export type SameContentCache = Map<string, Sameness>;

export interface CompareOptions {
  /** Reads everything where the samples agree; without it the answer is never more than `samples`. */
  readonly prove: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly cache?: SameContentCache | undefined;
}

/**
 * Compares two checkpoints: one place, other headers, then the start, middle and end of every tensor,
 * and only when all of these agree every byte, up to the first difference, of checkpoints of no more
 * than 256 MiB. Samples prove nothing, so
 * callers may refuse only what is `proven`. Throws `Cancelled`, and MV422 for a file that changes.
 */
export async function compareContent(
  one: Checkpoint,
  other: Checkpoint,
  options: CompareOptions,
): Promise<Sameness> {
  if ((await realpath(one.path)) === (await realpath(other.path))) return 'proven';
  if (!haveSameHeaders(one, other)) return 'different';
  const files = [...one.files, ...other.files];
  const key = files.map((f) => `${f.path}:${f.size}:${f.mtimeMs}`).join();
  const known = options.cache?.get(key);
  if (known !== undefined && !(known === 'samples' && options.prove)) return known;
  const reader = new TensorReader(files);
  try {
    const found = await compareTensors(reader, one, other, options);
    options.cache?.set(key, found);
    return found;
  } finally {
    reader.close();
  }
}

function bytesOf({ files }: Checkpoint): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

function haveSameHeaders(one: Checkpoint, other: Checkpoint): boolean {
  if (one.tensors.size !== other.tensors.size) return false;
  for (const tensor of one.tensors.values()) {
    const twin = other.tensors.get(tensor.name);
    if (twin?.dtype !== tensor.dtype || twin.shape.join() !== tensor.shape.join()) return false;
  }
  return true;
}

async function compareTensors(
  reader: TensorReader,
  one: Checkpoint,
  other: Checkpoint,
  { prove, signal }: CompareOptions,
): Promise<Sameness> {
  const pairs = [...one.tensors.values()].flatMap((tensor) => {
    const twin = other.tensors.get(tensor.name);
    return twin ? [[tensor, twin] as const] : [];
  });
  if (!pairs.every(([tensor, twin]) => isSampleEqual(reader, tensor, twin))) return 'different';
  if (!prove || bytesOf(one) > provableBytes) return 'samples';
  for (const [tensor, twin] of pairs)
    for (let start = 0; start < tensor.elements; start += pieceElements) {
      throwIfCancelled(signal);
      const count = Math.min(pieceElements, tensor.elements - start);
      if (!isEqual(reader, [tensor, twin], { start, count })) return 'different';
      // A signal is only heard between two pieces.
      await setImmediate();
    }
  return 'proven';
}

/** Elements read at each of three places; experts almost always differ in the first tensor. */
const sampleElements = 64;
/** Above this a proof would read for seconds, and nothing may be slow before a merge has begun. */
const provableBytes = 256 * 1024 * 1024;
/** Elements compared at once when everything is read. */
const pieceElements = 1 << 20;

function isSampleEqual(reader: TensorReader, one: TensorInfo, other: TensorInfo): boolean {
  const count = Math.min(sampleElements, one.elements);
  return [0, Math.floor((one.elements - count) / 2), one.elements - count].every((start) =>
    isEqual(reader, [one, other], { start, count }),
  );
}

function isEqual(
  reader: TensorReader,
  [one, other]: readonly [TensorInfo, TensorInfo],
  { start, count }: { readonly start: number; readonly count: number },
): boolean {
  const a = Buffer.alloc(count * elementBytes(one.dtype));
  const b = Buffer.alloc(a.length);
  reader.readBytes(one, start, a);
  reader.readBytes(other, start, b);
  return a.equals(b);
}

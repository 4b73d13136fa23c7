import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { MergeError } from '../protocol/merge-error';
import { elementBytes, isFloat, widen } from './dtypes';
import { changed, unreadable } from './file-errors';
import type { CheckpointFile, TensorInfo } from './types';

/** A read of 2 GiB or more fails in Node; pieces of this size cost nothing. */
const maximumRead = 1 << 30;

/** Elements gathered at once from a tensor that is not contiguous. */
const gatherElements = 1 << 16;

/**
 * Reads elements of tensors by positional reads. Opens files when first asked, holds few of them
 * open, and refuses a file whose size or time of change is not what its header reading saw.
 */
export class TensorReader {
  private readonly files: ReadonlyMap<string, CheckpointFile>;
  /** Open descriptors, the one used last at the end. */
  private readonly open = new Map<string, number>();
  private readonly maximumOpen: number;

  constructor(files: readonly CheckpointFile[], options: { readonly maximumOpen?: number } = {}) {
    this.files = new Map(files.map((file) => [file.path, file]));
    this.maximumOpen = options.maximumOpen ?? 64;
  }

  /**
   * Fills `target` (whole elements, stored dtype, row-major order) from element `start` on.
   * Synchronous: worker threads call it for large pieces, the server for small samples.
   * Throws `MergeError` MV422 when the file was cut short or changed since its header was read.
   */
  readBytes(info: TensorInfo, start: number, target: Uint8Array): void {
    const size = elementBytes(info.dtype);
    const count = target.length / size;
    if (!Number.isInteger(count) || start < 0 || start + count > info.elements)
      throw new RangeError(`${info.name}: elements ${start} to ${start + count} do not exist`);
    if (count === 0) return;
    if (info.strides) this.gather(info, info.strides, { start, target });
    else this.readAt(info.file, info.offset + start * size, target);
  }

  /** Same, widened to float32; one element of `target` for each element read. Float dtypes only. */
  readFloat32(info: TensorInfo, start: number, target: Float32Array): void {
    if (!isFloat(info.dtype))
      throw new MergeError(
        'MV433',
        `tensor ${info.name} in ${info.file} holds ${info.dtype}, not numbers that can be merged`,
      );
    const bytes = new Uint8Array(target.length * elementBytes(info.dtype));
    this.readBytes(info, start, bytes);
    widen(info.dtype, bytes, target);
  }

  close(): void {
    for (const descriptor of this.open.values()) closeSync(descriptor);
    this.open.clear();
  }

  /** Collects elements in row-major order; runs along the last axis are read together. */
  private gather(
    info: TensorInfo,
    strides: readonly number[],
    piece: { readonly start: number; readonly target: Uint8Array },
  ): void {
    const size = elementBytes(info.dtype);
    const row = info.shape.at(-1) ?? 1;
    const step = strides.at(-1) ?? 1;
    const total = piece.target.length / size;
    let done = 0;
    while (done < total) {
      const index = piece.start + done;
      const count = Math.min(row - (index % row), total - done, gatherElements);
      const first = info.offset + elementOffset(index, info.shape, strides) * size;
      const target = piece.target.subarray(done * size, (done + count) * size);
      if (step === 1) this.readAt(info.file, first, target);
      else this.readSpread(info.file, first, { target, size, step });
      done += count;
    }
  }

  /** Elements `step` apart: one read over all of them when they are near, else one each. */
  private readSpread(
    file: string,
    position: number,
    to: { readonly target: Uint8Array; readonly size: number; readonly step: number },
  ): void {
    const { target, size, step } = to;
    const count = target.length / size;
    if (step > 4096) {
      for (let i = 0; i < count; i++)
        this.readAt(file, position + i * step * size, target.subarray(i * size, (i + 1) * size));
      return;
    }
    const span = new Uint8Array(((count - 1) * step + 1) * size);
    this.readAt(file, position, span);
    for (let i = 0; i < count; i++)
      for (let byte = 0; byte < size; byte++)
        target[i * size + byte] = span[i * step * size + byte] ?? 0;
  }

  private readAt(path: string, position: number, target: Uint8Array): void {
    const descriptor = this.descriptor(path);
    let done = 0;
    try {
      while (done < target.length) {
        const length = Math.min(target.length - done, maximumRead);
        const read = readSync(descriptor, target, done, length, position + done);
        if (read === 0) throw changed(path, 'became shorter');
        done += read;
      }
    } catch (cause) {
      throw cause instanceof MergeError ? cause : unreadable(path, cause);
    }
  }

  private descriptor(path: string): number {
    const held = this.open.get(path);
    if (held !== undefined) {
      this.open.delete(path);
      this.open.set(path, held);
      return held;
    }
    this.closeOldest();
    const descriptor = openUnchanged(path, this.files.get(path));
    this.open.set(path, descriptor);
    return descriptor;
  }

  private closeOldest(): void {
    if (this.open.size < this.maximumOpen) return;
    for (const [path, descriptor] of this.open) {
      closeSync(descriptor);
      this.open.delete(path);
      return;
    }
  }

  /**
   * Throws MV422 when any file read so far has changed since. A merge calls it once at its end,
   * because a file that is rewritten in place keeps its descriptor valid.
   */
  checkUnchanged(): void {
    for (const [path, descriptor] of this.open) compare(path, descriptor, this.files.get(path));
  }
}

/** Position of a row-major index among the elements of the storage. */
function elementOffset(
  index: number,
  shape: readonly number[],
  strides: readonly number[],
): number {
  let rest = index;
  let offset = 0;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] ?? 1;
    offset += (rest % length) * (strides[axis] ?? 0);
    rest = Math.floor(rest / length);
  }
  return offset;
}

function openUnchanged(path: string, known: CheckpointFile | undefined): number {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (cause) {
    throw unreadable(path, cause);
  }
  try {
    compare(path, descriptor, known);
  } catch (cause) {
    closeSync(descriptor);
    throw cause;
  }
  return descriptor;
}

function compare(path: string, descriptor: number, known: CheckpointFile | undefined): void {
  if (!known) return;
  const now = fstatSync(descriptor);
  if (now.size !== known.size) throw changed(path, 'changed its size');
  if (now.mtimeMs !== known.mtimeMs) throw changed(path, 'was written to');
}

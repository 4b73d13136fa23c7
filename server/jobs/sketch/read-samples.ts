import { open, type FileHandle } from 'node:fs/promises';
import type { Cluster } from '../../engine/sketch/positions';
import { MergeError, throwIfCancelled } from '../../protocol/merge-error';
import { elementBytes } from '../../tensors/dtypes';
import { changed, unreadable } from '../../tensors/file-errors';
import type { CheckpointFile, TensorInfo } from '../../tensors/types';
import { readsAtOnce } from './disk-threads';

/** One run of elements to read from one tensor into its place among the tensor's sampled bytes. */
interface Piece {
  readonly position: number;
  readonly target: Uint8Array;
}

/** What to read of one tensor. `bytes` has room for every cluster, padded to equal length. */
export interface TensorRequest {
  readonly info: TensorInfo;
  readonly clusters: readonly Cluster[];
  /** Elements that each cluster takes in `bytes`. */
  readonly clusterStride: number;
  readonly bytes: Uint8Array;
}

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** A read that does not answer for this long is a mount that has gone. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 10_000;

/** Counts of what was asked of the disk. */
export interface ReadCount {
  reads: number;
  bytes: number;
}

/**
 * Reads clusters of many tensors: one file at a time in descending order of position, because
 * ascending order wakes the kernel's read-ahead (55 times the bytes, sketch design §6). Refuses a file
 * that is not what its header reading saw, and a disk that stops answering.
 */
export async function readSamples(
  requests: readonly TensorRequest[],
  files: readonly CheckpointFile[],
  options: ReadOptions = {},
): Promise<ReadCount> {
  const known = new Map(files.map((file) => [file.path, file]));
  const count: ReadCount = { reads: 0, bytes: 0 };
  for (const [path, pieces] of piecesByFile(requests)) {
    throwIfCancelled(options.signal);
    const handle = await within(options, path, openUnchanged(path, known.get(path)));
    try {
      await readPieces(handle, { path, pieces, count }, options);
      await within(options, path, checkUnchanged(handle, path, known.get(path)));
    } finally {
      // A descriptor of a mount that has gone may never close; nothing waits for it.
      void handle.close().catch(() => undefined);
    }
  }
  return count;
}

function piecesByFile(requests: readonly TensorRequest[]): Map<string, Piece[]> {
  const byFile = new Map<string, Piece[]>();
  for (const request of requests) {
    const list = byFile.get(request.info.file) ?? [];
    list.push(...piecesOf(request));
    byFile.set(request.info.file, list);
  }
  for (const list of byFile.values()) list.sort((a, b) => b.position - a.position);
  return byFile;
}

/** Neighbouring clusters are read together, so that a whole tensor is one read. */
function piecesOf({ info, clusters, clusterStride, bytes }: TensorRequest): Piece[] {
  const size = elementBytes(info.dtype);
  const pieces: { position: number; from: number; to: number }[] = [];
  clusters.forEach(({ start, length }, at) => {
    const position = info.offset + start * size;
    const from = at * clusterStride * size;
    const last = pieces.at(-1);
    const follows = last && last.to === from && last.position + (last.to - last.from) === position;
    if (last && follows) last.to = from + length * size;
    else pieces.push({ position, from, to: from + length * size });
  });
  return pieces.map(({ position, from, to }) => ({ position, target: bytes.subarray(from, to) }));
}

async function readPieces(
  handle: FileHandle,
  work: { readonly path: string; readonly pieces: readonly Piece[]; readonly count: ReadCount },
  options: ReadOptions,
): Promise<void> {
  const { path, pieces, count } = work;
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let piece = pieces[next++]; piece; piece = pieces[next++]) {
      throwIfCancelled(options.signal);
      count.reads++;
      count.bytes += piece.target.length;
      const { bytesRead } = await handle.read(piece.target, 0, piece.target.length, piece.position);
      if (bytesRead < piece.target.length) throw changed(path, 'became shorter');
    }
  };
  const lanes = Promise.all(Array.from({ length: Math.min(readsAtOnce(), pieces.length) }, lane));
  await within(options, path, lanes, () => next);
}

/**
 * Waits for work on one file, and gives up when it makes no progress for the time-out.
 * `progress` returns a number that changes while work goes on.
 */
async function within<Result>(
  { timeoutMs = defaultTimeoutMs }: ReadOptions,
  path: string,
  work: Promise<Result>,
  progress: () => number = () => 0,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const gone = new Promise<never>((_, reject) => {
    let seen = progress();
    timer = setInterval(() => {
      if (progress() === seen) reject(notAnswering(path, timeoutMs));
      seen = progress();
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, gone]);
  } catch (cause) {
    throw cause instanceof Error && 'code' in cause && !(cause instanceof MergeError)
      ? unreadable(path, cause)
      : cause;
  } finally {
    clearInterval(timer);
  }
}

async function openUnchanged(path: string, known: CheckpointFile | undefined): Promise<FileHandle> {
  const handle = await open(path, 'r');
  try {
    await checkUnchanged(handle, path, known);
    return handle;
  } catch (cause) {
    await handle.close();
    throw cause;
  }
}

async function checkUnchanged(
  handle: FileHandle,
  path: string,
  known: CheckpointFile | undefined,
): Promise<void> {
  if (!known) return;
  const now = await handle.stat();
  if (now.size !== known.size) throw changed(path, 'changed its size');
  if (now.mtimeMs !== known.mtimeMs) throw changed(path, 'was written to');
}

function notAnswering(path: string, timeoutMs: number): MergeError {
  return new MergeError(
    'MV423',
    `${path} has not answered for ${String(Math.round(timeoutMs / 1000))} s; check that its disk or mount is there and try again`,
    { fault: 'system' },
  );
}

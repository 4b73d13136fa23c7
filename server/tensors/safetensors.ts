import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { MergeError, throwIfCancelled } from '../protocol/merge-error';
import { elementBytes, isDtype } from './dtypes';
import { unreadable } from './file-errors';
import { openFile } from './open-file';
import { duplicateKey } from './json-keys';
import type { TensorInfo } from './types';

/** What the header of one `.safetensors` file says. */
export interface SafetensorsHeader {
  /** In the order of the data. `part` is `model`; offsets count from the start of the file. */
  readonly tensors: readonly TensorInfo[];
  readonly metadata: Readonly<Record<string, string>>;
  /** SHA-256 of the header, length field included. */
  readonly headerHash: string;
  readonly size: number;
  readonly mtimeMs: number;
}

/**
 * The format's own limit (safetensors 0.8): a real header has about 120 bytes a tensor, and a parser
 * that believes a larger length can be made to allocate whatever a file asks for.
 */
export const maximumHeaderBytes = 100_000_000;

/** Far above any real tensor (convolutions have 5 axes); keeps error texts and loops short. */
export const maximumRank = 32;

const lengthBytes = 8;

/**
 * Reads and checks the header of a `.safetensors` file: names once, known dtypes, and offsets that
 * tile the rest of the file exactly, as the format demands. Zero-sized and 0-d tensors are valid.
 * Throws `MergeError` MV410, MV411, MV413 (not a valid header), MV414 (cut short) or MV415 (dtype).
 */
export async function readSafetensorsHeader(
  path: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<SafetensorsHeader> {
  throwIfCancelled(options.signal);
  const file = await openFile(path);
  try {
    const { size, mtimeMs } = await file.stat();
    const header = await readHeaderBytes(file, path, size);
    throwIfCancelled(options.signal);
    const parsed = parseSafetensorsHeader(header.subarray(lengthBytes), { path, size });
    const headerHash = createHash('sha256').update(header).digest('hex');
    return { ...parsed, headerHash, size, mtimeMs };
  } catch (cause) {
    if (cause instanceof Error && 'syscall' in cause) throw unreadable(path, cause);
    throw cause;
  } finally {
    await file.close();
  }
}

/** Length field and header together, once the length is believable. */
async function readHeaderBytes(file: FileHandle, path: string, size: number): Promise<Buffer> {
  if (size < lengthBytes)
    throw cutShort(path, `it has ${size} bytes, less than a safetensors file can have`);
  const field = Buffer.alloc(lengthBytes);
  await file.read(field, 0, lengthBytes, 0);
  const length = field.readBigUInt64LE();
  if (length > BigInt(maximumHeaderBytes))
    throw malformed(
      path,
      `its header claims ${length} bytes, above the limit of ${maximumHeaderBytes}; it may not be a safetensors file`,
    );
  const total = lengthBytes + Number(length);
  if (total > size)
    throw cutShort(path, `its header claims ${length} bytes and the file has ${size}`);
  const header = Buffer.alloc(total);
  const { bytesRead } = await file.read(header, 0, total, 0);
  if (bytesRead !== total) throw cutShort(path, 'its header could not be read to the end');
  return header;
}

/** Checks header text against the size of its file. Pure. */
export function parseSafetensorsHeader(
  text: Uint8Array,
  file: { readonly path: string; readonly size: number },
): Pick<SafetensorsHeader, 'tensors' | 'metadata'> {
  const { path, size } = file;
  const dataStart = lengthBytes + text.length;
  let metadata: Readonly<Record<string, string>> = {};
  const tensors: TensorInfo[] = [];
  for (const [name, entry] of Object.entries(parseObject(text, path)))
    if (name === '__metadata__') metadata = parseMetadata(entry, path);
    else tensors.push(parseTensor(name, entry, { path, dataStart, dataBytes: size - dataStart }));
  tensors.sort((a, b) => a.offset - b.offset || a.elements - b.elements);
  checkTiling(tensors, { path, dataStart, size });
  return { tensors, metadata };
}

function parseObject(bytes: Uint8Array, path: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (cause) {
    throw malformed(path, 'its header is not JSON', cause);
  }
  if (!isRecord(value)) throw malformed(path, 'its header is not a JSON object');
  const twice = duplicateKey(text);
  if (twice !== undefined) throw malformed(path, `its header names "${twice}" twice`);
  return value;
}

function parseMetadata(entry: unknown, path: string): Readonly<Record<string, string>> {
  if (!isRecord(entry)) throw malformed(path, '__metadata__ is not an object');
  const metadata: Record<string, string> = {};
  for (const [key, value] of Object.entries(entry)) {
    if (typeof value !== 'string')
      throw malformed(path, `__metadata__ "${key}" is not a string, as the format demands`);
    metadata[key] = value;
  }
  return metadata;
}

interface DataRegion {
  readonly path: string;
  readonly dataStart: number;
  readonly dataBytes: number;
}

function parseTensor(name: string, entry: unknown, region: DataRegion): TensorInfo {
  const { path } = region;
  if (!isRecord(entry)) throw malformed(path, `the entry of tensor ${name} is not an object`);
  const dtype = entry['dtype'];
  if (!isDtype(dtype))
    throw new MergeError(
      'MV415',
      `tensor ${name} in ${path} has the unknown dtype ${String(dtype).slice(0, 40)}`,
    );
  const shape = entry['shape'];
  if (!isCounts(shape) || shape.length > maximumRank)
    throw malformed(
      path,
      `tensor ${name} has no valid shape (at most ${maximumRank} whole numbers)`,
    );
  const elements = shape.reduce((product, n) => product * n, 1);
  const tensor: TensorInfo = { name, part: 'model', dtype, shape, elements, file: path, offset: 0 };
  return { ...tensor, offset: parseOffset(tensor, entry['data_offsets'], region) };
}

/** Offset of a tensor in its file, once its two offsets fit its size and the file's. */
function parseOffset(tensor: TensorInfo, offsets: unknown, region: DataRegion): number {
  const { name, dtype, shape, elements, file: path } = tensor;
  const bytes = elements * elementBytes(dtype);
  if (!isCounts(offsets) || offsets.length !== 2)
    throw malformed(path, `tensor ${name} has no valid data_offsets`);
  const [begin = 0, end = 0] = offsets;
  if (end - begin !== bytes)
    throw malformed(
      path,
      `tensor ${name} of shape [${shape.join(', ')}] and dtype ${dtype} takes ${bytes} bytes and its offsets span ${end - begin}`,
    );
  if (end > region.dataBytes)
    throw cutShort(
      path,
      `tensor ${name} ends ${end - region.dataBytes} bytes behind the end of the file`,
    );
  return region.dataStart + begin;
}

/** The format allows neither overlap nor holes; both hide data from some readers. */
function checkTiling(
  tensors: readonly TensorInfo[],
  file: { readonly path: string; readonly dataStart: number; readonly size: number },
): void {
  let end = file.dataStart;
  let previous: string | undefined;
  for (const tensor of tensors) {
    if (tensor.offset < end)
      throw malformed(file.path, `tensors ${previous ?? ''} and ${tensor.name} overlap`);
    if (tensor.offset > end)
      throw malformed(
        file.path,
        `${tensor.offset - end} bytes in front of tensor ${tensor.name} belong to no tensor`,
      );
    end = tensor.offset + tensor.elements * elementBytes(tensor.dtype);
    previous = tensor.name;
  }
  if (end !== file.size)
    throw malformed(file.path, `${file.size - end} bytes at its end belong to no tensor`);
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && Number(n) >= 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(path: string, what: string, cause?: unknown): MergeError {
  return new MergeError('MV413', `${path} is not a valid safetensors file: ${what}`, { cause });
}

function cutShort(path: string, what: string): MergeError {
  return new MergeError('MV414', `${path} is cut short or damaged: ${what}`);
}

import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { MergeError, throwIfCancelled } from '../protocol/merge-error';
import { elementBytes } from './dtypes';
import { unreadable } from './file-errors';
import { openFile } from './open-file';
import { pickleLimits, readPickle } from './pickle';
import { isKind, type PickleTensor, type PickleValue } from './pickle-values';
import type { Dtype, TensorInfo } from './types';
import { entryDataOffset, isStored, readEntry, readZip, type ZipArchive } from './zip';

/** What a torch zip holds: a value whose tensors say where in the file their data is. */
export interface TorchFile {
  readonly root: PickleValue;
  /** Place of every tensor of `root`; `name` is empty. */
  readonly placed: ReadonlyMap<PickleTensor, TensorInfo>;
  /** SHA-256 of the archive's directory and the pickle. */
  readonly headerHash: string;
  readonly size: number;
  readonly mtimeMs: number;
}

const storageDtypes: Readonly<Record<string, Dtype>> = {
  BFloat16Storage: 'BF16',
  HalfStorage: 'F16',
  FloatStorage: 'F32',
  DoubleStorage: 'F64',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

/**
 * Reads a `.pt` or `.bin` file written by `torch.save` (torch ≥ 1.6) without running any of it.
 * Offsets, strides and shared storages are honoured; tensor data is not read.
 * Throws `MergeError` MV410, MV411, MV418 (not such a file) or MV419 (beyond the allow-list).
 */
export async function readTorchFile(
  path: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<TorchFile> {
  throwIfCancelled(options.signal);
  const file = await openFile(path);
  try {
    const { size, mtimeMs } = await file.stat();
    const archive = await readZip(file, path, size);
    const { folder, pickle } = await readRootPickle(file, archive);
    const root = readPickle(pickle, path);
    const placed = await placeTensors(root, { file, archive, folder });
    const hash = createHash('sha256').update(archive.directory).update(pickle);
    return { root, placed, headerHash: hash.digest('hex'), size, mtimeMs };
  } catch (cause) {
    if (cause instanceof Error && 'syscall' in cause) throw unreadable(path, cause);
    throw cause;
  } finally {
    await file.close();
  }
}

/**
 * The tensors of a state dict by name. A file that holds anything else beside tensors at its top is
 * refused with the name of the first such entry.
 */
export function stateDict(torch: TorchFile, path: string): Map<string, TensorInfo> {
  const { root } = torch;
  if (!isKind(root, 'map'))
    throw new MergeError('MV418', `${path} holds no state dict, but a single value`);
  const tensors = new Map<string, TensorInfo>();
  for (const [key, value] of root.entries) {
    const place = isKind(value, 'tensor') ? torch.placed.get(value) : undefined;
    if (typeof key !== 'string' || !place)
      throw new MergeError(
        'MV418',
        `${path} is not a plain state dict: its entry ${typeof key === 'string' ? key : 'with a key that is not a text'} is not a tensor`,
      );
    if (tensors.has(key)) throw new MergeError('MV418', `${path} names the tensor ${key} twice`);
    tensors.set(key, { ...place, name: key });
  }
  return tensors;
}

interface OpenTorch {
  readonly file: FileHandle;
  readonly archive: ZipArchive;
  /** Root folder of the archive, with its slash. */
  readonly folder: string;
}

async function readRootPickle(
  file: FileHandle,
  archive: ZipArchive,
): Promise<{ folder: string; pickle: Uint8Array }> {
  const { path } = archive;
  const roots = [...archive.entries.values()].filter((e) => /^[^/]+\/data\.pkl$/.test(e.name));
  const [root] = roots;
  if (!root || roots.length > 1)
    throw new MergeError('MV418', `${path} is not a valid torch file: it has no single data.pkl`);
  const folder = root.name.slice(0, -'data.pkl'.length);
  const order = archive.entries.get(`${folder}byteorder`);
  if (order && new TextDecoder().decode(await readEntry(file, archive, order, 16)) !== 'little')
    throw new MergeError('MV418', `${path} was written on a big-endian machine; convert it first`);
  return { folder, pickle: await readEntry(file, archive, root, pickleLimits.bytes) };
}

/** Finds every tensor of a value and where its storage begins; each storage is looked up once. */
async function placeTensors(
  root: PickleValue,
  torch: OpenTorch,
): Promise<ReadonlyMap<PickleTensor, TensorInfo>> {
  const placed = new Map<PickleTensor, TensorInfo>();
  const storages = new Map<string, Storage>();
  for (const tensor of tensorsOf(root)) {
    const { type, key, elements } = tensor.storage;
    const dtype = storageDtypes[type];
    if (!dtype)
      throw new MergeError(
        'MV418',
        `${torch.archive.path} holds a ${type}, which is not supported`,
      );
    const storage = storages.get(key) ?? (await findStorage(torch, key));
    storages.set(key, storage);
    const bytes = elements * elementBytes(dtype);
    if (storage.size < bytes)
      throw new MergeError(
        'MV418',
        `${torch.archive.path} is not a valid torch file: data/${key} has ${storage.size} bytes and its tensors need ${bytes}`,
      );
    placed.set(
      tensor,
      placeTensor(tensor, { dtype, start: storage.start, path: torch.archive.path }),
    );
  }
  return placed;
}

interface Storage {
  readonly start: number;
  readonly size: number;
}

async function findStorage(torch: OpenTorch, key: string): Promise<Storage> {
  const { archive, file, folder } = torch;
  const name = `${folder}data/${key}`;
  const entry = archive.entries.get(name);
  if (!entry)
    throw new MergeError('MV418', `${archive.path} is not a valid torch file: ${name} is missing`);
  if (!isStored(entry))
    throw new MergeError(
      'MV418',
      `${archive.path} holds compressed weights (${name}), which torch never writes; unpack and save it again`,
    );
  return { start: await entryDataOffset(file, archive, entry), size: entry.size };
}

function placeTensor(
  tensor: PickleTensor,
  at: { readonly dtype: Dtype; readonly start: number; readonly path: string },
): TensorInfo {
  const { shape, strides, storage } = tensor;
  const elements = shape.reduce((product, n) => product * n, 1);
  const last = shape.reduce((sum, n, axis) => sum + (n - 1) * (strides[axis] ?? 0), tensor.offset);
  if (!Number.isSafeInteger(elements) || (elements > 0 && last >= storage.elements))
    throw new MergeError(
      'MV418',
      `${at.path} is not a valid torch file: a tensor of shape [${shape.join(', ')}] reaches outside its storage`,
    );
  const info: TensorInfo = {
    name: '',
    part: 'model',
    dtype: at.dtype,
    shape,
    elements,
    file: at.path,
    offset: at.start + tensor.offset * elementBytes(at.dtype),
  };
  return isRowMajor(shape, strides) ? info : { ...info, strides };
}

/** Axes of length 1 may have any stride. */
function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] ?? 0;
    if (length === 0) return true;
    if (length > 1 && strides[axis] !== expected) return false;
    expected *= length;
  }
  return true;
}

/** Tensors in nested dictionaries, each once. Lists and tuples of weight files hold none. */
function* tensorsOf(root: PickleValue): Generator<PickleTensor> {
  const seen = new Set<PickleValue>([root]);
  const open: PickleValue[] = [root];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (isKind(value, 'tensor')) yield value;
    if (!isKind(value, 'map')) continue;
    for (const [, item] of value.entries)
      if (!seen.has(item) && typeof item === 'object') {
        seen.add(item);
        open.push(item);
      }
  }
}

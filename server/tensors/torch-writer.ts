import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { throwIfCancelled } from '../protocol/merge-error';
import { checksum } from './checksum';
import { elementBytes } from './dtypes';
import { writePickle, type TorchTensor, type TorchValue } from './pickle-writer';
import { flushFolder, guarded, writeAll } from './writer';

export type { TorchKey, TorchTensor, TorchValue } from './pickle-writer';

/**
 * Writes `path` as torch writes it (a zip of stored entries, one for each tensor), streaming: to a
 * temporary name, flushed, then renamed. `torch.load` reads it; a `suite` key needs a class
 * `TaskSuite` in `__main__`, as the released MergeVLA scripts have it.
 * Throws `MergeError` MV450 to MV452, or `Cancelled`; then nothing is left behind.
 */
export async function writeTorchFile(
  path: string,
  root: TorchValue,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const temporary = `${path}.partial`;
  const descriptor = guarded(path, () => openSync(temporary, 'w'));
  try {
    const zip = new ZipWriter(descriptor, path);
    await writeArchive(zip, root, options.signal);
    guarded(path, () => fsyncSync(descriptor));
  } catch (error) {
    closeSync(descriptor);
    rmSync(temporary, { force: true });
    throw error;
  }
  closeSync(descriptor);
  guarded(path, () => renameSync(temporary, path));
  flushFolder(dirname(path));
}

async function writeArchive(
  zip: ZipWriter,
  root: TorchValue,
  signal: AbortSignal | undefined,
): Promise<void> {
  const folder = basename(zip.path).replace(/\.\w+$/, '');
  const small = (text: string): Iterable<Uint8Array> => [Buffer.from(text)];
  const { pickle, tensors } = writePickle(root);
  await zip.entry(`${folder}/data.pkl`, pickle.length, [pickle]);
  await zip.entry(`${folder}/byteorder`, 6, small('little'));
  for (const [key, tensor] of tensors.entries()) {
    throwIfCancelled(signal);
    await zip.entry(`${folder}/data/${key}`, sizeOf(tensor), tensor.chunks());
  }
  await zip.entry(`${folder}/version`, 2, small('3\n'));
  zip.finish();
}

function sizeOf(tensor: TorchTensor): number {
  return tensor.shape.reduce((product, n) => product * n, 1) * elementBytes(tensor.dtype);
}

interface WrittenEntry {
  readonly name: Uint8Array;
  readonly size: number;
  readonly crc: number;
  readonly offset: number;
}

/** From this value on a size or an offset stands in a zip64 field. */
const wide = 0xffffffff;

/** Torch aligns storages so that a reader may map them. */
const alignment = 64;

/** Writes stored entries one behind the other; checksums are filled in behind the data. */
class ZipWriter {
  private readonly entries: WrittenEntry[] = [];
  private position = 0;

  constructor(
    private readonly descriptor: number,
    readonly path: string,
  ) {}

  async entry(
    text: string,
    size: number,
    chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const name = Buffer.from(text);
    const offset = this.position;
    const header = localHeader(name, size, offset);
    this.append(header);
    let crc = 0;
    let written = 0;
    for await (const chunk of chunks) {
      this.append(chunk);
      crc = checksum(chunk, crc);
      written += chunk.length;
    }
    if (written !== size)
      throw new RangeError(`${text} was declared with ${size} bytes and has ${written}`);
    header.writeUInt32LE(crc, 14);
    guarded(this.path, () => writeAll(this.descriptor, header, offset));
    this.entries.push({ name, size, crc, offset });
  }

  finish(): void {
    const start = this.position;
    for (const entry of this.entries) this.append(directoryEntry(entry));
    this.append(endRecords({ count: this.entries.length, start, end: this.position }));
  }

  private append(bytes: Uint8Array): void {
    guarded(this.path, () => writeAll(this.descriptor, bytes, this.position));
    this.position += bytes.length;
  }
}

function localHeader(name: Uint8Array, size: number, offset: number): Buffer {
  const sizes = size >= wide ? zip64Field([size, size]) : Buffer.alloc(0);
  const before = 30 + name.length + sizes.length + 4;
  const padding = (alignment - ((offset + before) % alignment)) % alignment;
  const header = Buffer.alloc(before + padding);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(size >= wide ? 45 : 20, 4);
  header.writeUInt16LE(0x800, 6);
  header.writeUInt32LE(Math.min(size, wide), 18);
  header.writeUInt32LE(Math.min(size, wide), 22);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(sizes.length + 4 + padding, 28);
  header.set(name, 30);
  header.set(sizes, 30 + name.length);
  // Field "FB" is the padding that torch itself writes.
  header.write('FB', before - 4, 'latin1');
  header.writeUInt16LE(padding, before - 2);
  return header;
}

function directoryEntry(entry: WrittenEntry): Buffer {
  const { name, size, crc, offset } = entry;
  const large = [...(size >= wide ? [size, size] : []), ...(offset >= wide ? [offset] : [])];
  const extra = large.length > 0 ? zip64Field(large) : Buffer.alloc(0);
  const record = Buffer.alloc(46);
  record.writeUInt32LE(0x02014b50, 0);
  record.writeUInt16LE(45, 4);
  record.writeUInt16LE(large.length > 0 ? 45 : 20, 6);
  record.writeUInt16LE(0x800, 8);
  record.writeUInt32LE(crc, 16);
  record.writeUInt32LE(Math.min(size, wide), 20);
  record.writeUInt32LE(Math.min(size, wide), 24);
  record.writeUInt16LE(name.length, 28);
  record.writeUInt16LE(extra.length, 30);
  record.writeUInt32LE(Math.min(offset, wide), 42);
  return Buffer.concat([record, name, extra]);
}

function zip64Field(values: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + values.length * 8);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(values.length * 8, 2);
  for (const [i, value] of values.entries()) field.writeBigUInt64LE(BigInt(value), 4 + i * 8);
  return field;
}

/** The plain end record, preceded by zip64's two where a number does not fit. */
function endRecords(directory: {
  readonly count: number;
  readonly start: number;
  readonly end: number;
}): Buffer {
  const { count, start, end } = directory;
  const size = end - start;
  const record = Buffer.alloc(22);
  record.writeUInt32LE(0x06054b50, 0);
  record.writeUInt16LE(Math.min(count, 0xffff), 8);
  record.writeUInt16LE(Math.min(count, 0xffff), 10);
  record.writeUInt32LE(Math.min(size, wide), 12);
  record.writeUInt32LE(Math.min(start, wide), 16);
  if (count < 0xffff && size < wide && start < wide) return record;
  const end64 = Buffer.alloc(56);
  end64.writeUInt32LE(0x06064b50, 0);
  end64.writeBigUInt64LE(44n, 4);
  end64.writeUInt16LE(45, 12);
  end64.writeUInt16LE(45, 14);
  for (const [i, value] of [count, count, size, start].entries())
    end64.writeBigUInt64LE(BigInt(value), 24 + i * 8);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(end), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([end64, locator, record]);
}

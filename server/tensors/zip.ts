import type { FileHandle } from 'node:fs/promises';
import { inflateRawSync } from 'node:zlib';
import { MergeError } from '../protocol/merge-error';
import { checksum } from './checksum';

/** One entry of a zip archive, as its central directory says. */
export interface ZipEntry {
  readonly name: string;
  readonly size: number;
  readonly compressedSize: number;
  readonly method: number;
  readonly crc: number;
  /** Offset of the local header; the data follows its name and extra field. */
  readonly headerOffset: number;
}

/** An open archive: its entries by name, and where its directory starts. */
export interface ZipArchive {
  readonly path: string;
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /** Bytes of the central directory, of which the checksum of every entry is a part. */
  readonly directory: Uint8Array;
  readonly directoryOffset: number;
}

/** A weight file has two entries a tensor; 64 MiB of directory are about half a million of them. */
export const maximumDirectoryBytes = 64 * 1024 * 1024;

const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;
const directorySignature = 0x02014b50;
const localSignature = 0x04034b50;
const stored = 0;
const deflated = 8;

/** Reads the central directory. Throws `MergeError` MV418 for anything that does not add up. */
export async function readZip(file: FileHandle, path: string, size: number): Promise<ZipArchive> {
  const end = await findEnd(file, path, size);
  if (end.size > maximumDirectoryBytes || end.offset + end.size > size)
    throw notZip(path, 'its directory lies outside the file');
  const directory = await readAt(file, path, { offset: end.offset, length: end.size });
  const entries = new Map<string, ZipEntry>();
  let position = 0;
  for (let i = 0; i < end.count; i++) {
    const { entry, next } = parseEntry(directory, position, path);
    if (entries.has(entry.name)) throw notZip(path, `it names the entry ${entry.name} twice`);
    if (entry.headerOffset + 30 + entry.compressedSize > end.offset)
      throw notZip(path, `the entry ${entry.name} lies outside the file`);
    entries.set(entry.name, entry);
    position = next;
  }
  return { path, entries, directory, directoryOffset: end.offset };
}

/** Offset of an entry's first data byte. Its local header must agree with the directory. */
export async function entryDataOffset(
  file: FileHandle,
  archive: ZipArchive,
  entry: ZipEntry,
): Promise<number> {
  const { path } = archive;
  const header = await readAt(file, path, { offset: entry.headerOffset, length: 30 });
  const view = viewOf(header);
  if (view.getUint32(0, true) !== localSignature)
    throw notZip(path, `the entry ${entry.name} has no header`);
  const data = entry.headerOffset + 30 + view.getUint16(26, true) + view.getUint16(28, true);
  if (data + entry.compressedSize > archive.directoryOffset)
    throw notZip(path, `the entry ${entry.name} lies outside the file`);
  return data;
}

/** A small entry whole, inflated if need be, its checksum compared. */
export async function readEntry(
  file: FileHandle,
  archive: ZipArchive,
  entry: ZipEntry,
  maximumBytes: number,
): Promise<Uint8Array> {
  const { path } = archive;
  if (entry.size > maximumBytes || entry.compressedSize > maximumBytes)
    throw notZip(path, `the entry ${entry.name} is larger than ${maximumBytes} bytes`);
  const offset = await entryDataOffset(file, archive, entry);
  const packed = await readAt(file, path, { offset, length: entry.compressedSize });
  const bytes = unpack(packed, entry, path);
  if (bytes.length !== entry.size || checksum(bytes) !== entry.crc)
    throw notZip(path, `the entry ${entry.name} does not match its checksum`);
  return bytes;
}

/** True when the entry's bytes stand in the file as they are. */
export function isStored(entry: ZipEntry): boolean {
  return entry.method === stored && entry.size === entry.compressedSize;
}

function unpack(packed: Uint8Array, entry: ZipEntry, path: string): Uint8Array {
  if (isStored(entry)) return packed;
  if (entry.method !== deflated)
    throw notZip(path, `the entry ${entry.name} is compressed in an unknown way`);
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(entry.size, 1) });
  } catch (cause) {
    throw notZip(path, `the entry ${entry.name} cannot be unpacked`, cause);
  }
}

interface DirectoryPlace {
  readonly count: number;
  readonly size: number;
  readonly offset: number;
}

/** The end record stands in the last 65,557 bytes; with zip64 it points to a larger one. */
async function findEnd(file: FileHandle, path: string, size: number): Promise<DirectoryPlace> {
  const length = Math.min(size, 65_557);
  const tail = await readAt(file, path, { offset: size - length, length });
  const view = viewOf(tail);
  let at = length - 22;
  while (at >= 0 && view.getUint32(at, true) !== endSignature) at--;
  if (at < 0)
    throw notZip(
      path,
      'it has no end record; it may be cut short, or a torch file older than version 1.6',
    );
  const locator = at - 20;
  if (locator >= 0 && view.getUint32(locator, true) === locator64Signature)
    return readEnd64(file, path, { offset: integer64(view, locator + 8, path), size });
  return {
    count: view.getUint16(at + 10, true),
    size: view.getUint32(at + 12, true),
    offset: view.getUint32(at + 16, true),
  };
}

async function readEnd64(
  file: FileHandle,
  path: string,
  place: { readonly offset: number; readonly size: number },
): Promise<DirectoryPlace> {
  if (place.offset + 56 > place.size) throw notZip(path, 'its directory lies outside the file');
  const view = viewOf(await readAt(file, path, { offset: place.offset, length: 56 }));
  if (view.getUint32(0, true) !== end64Signature) throw notZip(path, 'its end record is damaged');
  return {
    count: integer64(view, 32, path),
    size: integer64(view, 40, path),
    offset: integer64(view, 48, path),
  };
}

function parseEntry(
  directory: Uint8Array,
  at: number,
  path: string,
): { readonly entry: ZipEntry; readonly next: number } {
  const view = viewOf(directory);
  if (at + 46 > directory.length || view.getUint32(at, true) !== directorySignature)
    throw notZip(path, 'its directory is damaged');
  const nameLength = view.getUint16(at + 28, true);
  const extraLength = view.getUint16(at + 30, true);
  const extraStart = at + 46 + nameLength;
  const next = extraStart + extraLength + view.getUint16(at + 32, true);
  if (next > directory.length) throw notZip(path, 'its directory is damaged');
  const name = new TextDecoder().decode(directory.subarray(at + 46, extraStart));
  if ((view.getUint16(at + 8, true) & 1) !== 0)
    throw notZip(path, `the entry ${name} is encrypted`);
  const [size = 0, compressedSize = 0, headerOffset = 0] = wideSizes(
    [at + 24, at + 20, at + 42].map((place) => view.getUint32(place, true)),
    directory.subarray(extraStart, extraStart + extraLength),
    path,
  );
  const method = view.getUint16(at + 10, true);
  const crc = view.getUint32(at + 16, true);
  return { entry: { name, size, compressedSize, method, crc, headerOffset }, next };
}

/** Numbers that do not fit 32 bits stand in the zip64 extra field, in this order. */
function wideSizes(narrow: readonly number[], extra: Uint8Array, path: string): readonly number[] {
  if (!narrow.includes(0xffffffff)) return narrow;
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    let place = at + 4;
    return narrow.map((value) => {
      if (value !== 0xffffffff) return value;
      if (place + 8 > extra.length) throw notZip(path, 'its directory is damaged');
      place += 8;
      return integer64(view, place - 8, path);
    });
  }
  throw notZip(path, 'its directory is damaged');
}

function integer64(view: DataView, at: number, path: string): number {
  const value = Number(view.getBigUint64(at, true));
  if (!Number.isSafeInteger(value)) throw notZip(path, 'its directory is damaged');
  return value;
}

async function readAt(
  file: FileHandle,
  path: string,
  place: { readonly offset: number; readonly length: number },
): Promise<Uint8Array> {
  const bytes = new Uint8Array(place.length);
  const { bytesRead } = await file.read(bytes, 0, place.length, place.offset);
  if (bytesRead !== place.length) throw notZip(path, 'it is cut short');
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function notZip(path: string, what: string, cause?: unknown): MergeError {
  return new MergeError('MV418', `${path} is not a valid torch file: ${what}`, { cause });
}

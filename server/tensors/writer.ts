import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { MergeError } from '../protocol/merge-error';
import { elementBytes } from './dtypes';
import { unwritable } from './file-errors';
import type { Dtype } from './types';

export interface TensorSpec {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** Where a declared tensor's bytes go: plain data that worker threads can carry. */
export interface TensorSlot extends TensorSpec {
  /** Path of the file while it is being written (`….partial`). */
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

export interface PlannedFile {
  /** Final path; written as `path.partial` until `finishOutput`. */
  readonly path: string;
  /** Length field and JSON, as they stand at the start of the file. */
  readonly header: Uint8Array;
  readonly size: number;
}

export interface OutputPlan {
  readonly folder: string;
  readonly files: readonly PlannedFile[];
  readonly slots: ReadonlyMap<string, TensorSlot>;
  /** Present when there is more than one shard. */
  readonly index?: { readonly path: string; readonly text: string };
}

export interface OutputOptions {
  readonly folder: string;
  /** `model` gives `model.safetensors`, or `model-00001-of-00003.safetensors` and an index. */
  readonly stem: string;
  /** Largest size of the tensors of one file in bytes; one larger tensor gets a file of its own. */
  readonly shardBytes?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Lays out files and offsets, tensors in the order given. Pure. */
export function planOutput(specs: readonly TensorSpec[], options: OutputOptions): OutputPlan {
  const names = new Set(specs.map((spec) => spec.name));
  if (names.size !== specs.length) throw new RangeError('a tensor is declared twice');
  const shards = splitShards(specs, options.shardBytes ?? Infinity);
  const slots = new Map<string, TensorSlot>();
  const weightMap: Record<string, string> = {};
  const files = shards.map((shard, i) => {
    const file = shardName(options.stem, i, shards.length);
    const path = join(options.folder, file);
    const header = encodeHeader(shard, options.metadata);
    let offset = header.length;
    for (const spec of shard) {
      const bytes = sizeOf(spec);
      slots.set(spec.name, { ...spec, file: `${path}.partial`, offset, bytes });
      weightMap[spec.name] = file;
      offset += bytes;
    }
    return { path, header, size: offset };
  });
  const plan = { folder: options.folder, files, slots };
  if (shards.length === 1) return plan;
  const total = specs.reduce((sum, spec) => sum + sizeOf(spec), 0);
  const index = { metadata: { ...options.metadata, total_size: total }, weight_map: weightMap };
  const text = `${JSON.stringify(index, null, 2)}\n`;
  return {
    ...plan,
    index: { path: join(options.folder, `${options.stem}.safetensors.index.json`), text },
  };
}

/** Makes every file at its full length with its header. Disk full is a `MergeError` of the system. */
export function createOutput(plan: OutputPlan): void {
  guarded(plan.folder, () => mkdirSync(plan.folder, { recursive: true }));
  for (const { path, header, size } of plan.files)
    guarded(path, () => {
      const descriptor = openSync(`${path}.partial`, 'w');
      try {
        writeAll(descriptor, header, 0);
        ftruncateSync(descriptor, size);
      } finally {
        closeSync(descriptor);
      }
    });
}

/** Writes pieces of tensors into files made by `createOutput`, in any order, from any thread. */
export class TensorWriter {
  private readonly open = new Map<string, number>();

  /** Writes `bytes` (whole elements, stored dtype) from element `start` on. */
  write(slot: TensorSlot, start: number, bytes: Uint8Array): void {
    const at = start * elementBytes(slot.dtype);
    if (at < 0 || at + bytes.length > slot.bytes)
      throw new RangeError(`${slot.name}: ${bytes.length} bytes at ${at} do not fit`);
    guarded(slot.file, () => {
      const descriptor = this.open.get(slot.file) ?? openSync(slot.file, 'r+');
      this.open.set(slot.file, descriptor);
      writeAll(descriptor, bytes, slot.offset + at);
    });
  }

  close(): void {
    for (const descriptor of this.open.values()) closeSync(descriptor);
    this.open.clear();
  }
}

/** Flushes every file, gives them their names, writes the index and flushes the folder. */
export function finishOutput(plan: OutputPlan): void {
  for (const { path } of plan.files) guarded(path, () => flush(`${path}.partial`, 'r+'));
  for (const { path } of plan.files) guarded(path, () => renameSync(`${path}.partial`, path));
  if (plan.index) replaceFile(plan.index.path, plan.index.text);
  flushFolder(plan.folder);
}

/** Removes what `createOutput` made; files already finished stay. */
export function discardOutput(plan: OutputPlan): void {
  for (const { path } of plan.files) rmSync(`${path}.partial`, { force: true });
}

/** Writes a small file whole: under another name, flushed, then renamed over the old one. */
export function replaceFile(path: string, content: string | Uint8Array): void {
  guarded(path, () => {
    writeFileSync(`${path}.partial`, content, { flush: true });
    renameSync(`${path}.partial`, path);
    flushFolder(dirname(path));
  });
}

/** Makes renames and new names of a folder last. Windows has no such call and needs none. */
export function flushFolder(folder: string): void {
  if (process.platform !== 'win32') guarded(folder, () => flush(folder, 'r'));
}

/** The whole of `bytes`, however many calls it takes. */
export function writeAll(descriptor: number, bytes: Uint8Array, position: number): void {
  let done = 0;
  while (done < bytes.length) {
    const length = Math.min(bytes.length - done, 1 << 30);
    done += writeSync(descriptor, bytes, done, length, position + done);
  }
}

/** Runs a file operation; what the operating system refuses becomes a sentence about `path`. */
export function guarded<Result>(path: string, operation: () => Result): Result {
  try {
    return operation();
  } catch (cause) {
    throw cause instanceof MergeError ? cause : unwritable(path.replace(/\.partial$/, ''), cause);
  }
}

function flush(path: string, flags: string): void {
  const descriptor = openSync(path, flags);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function splitShards(specs: readonly TensorSpec[], limit: number): readonly TensorSpec[][] {
  const shards: TensorSpec[][] = [[]];
  let size = 0;
  for (const spec of specs) {
    const bytes = sizeOf(spec);
    if (size > 0 && size + bytes > limit) {
      shards.push([]);
      size = 0;
    }
    shards.at(-1)?.push(spec);
    size += bytes;
  }
  return shards;
}

function shardName(stem: string, index: number, count: number): string {
  if (count === 1) return `${stem}.safetensors`;
  const digits = (n: number): string => String(n).padStart(5, '0');
  return `${stem}-${digits(index + 1)}-of-${digits(count)}.safetensors`;
}

function encodeHeader(
  specs: readonly TensorSpec[],
  metadata: Readonly<Record<string, string>> | undefined,
): Uint8Array {
  // Pairs keep the order of the data even for names that look like numbers.
  const entries: string[] = [];
  if (metadata) entries.push(`"__metadata__":${JSON.stringify(metadata)}`);
  let begin = 0;
  for (const spec of specs) {
    const end = begin + sizeOf(spec);
    const entry = { dtype: spec.dtype, shape: spec.shape, data_offsets: [begin, end] };
    entries.push(`${JSON.stringify(spec.name)}:${JSON.stringify(entry)}`);
    begin = end;
  }
  const json = Buffer.from(`{${entries.join(',')}}`);
  // Spaces at its end keep the data aligned for readers that map the file.
  const padded = Math.ceil(json.length / 8) * 8;
  const header = Buffer.alloc(8 + padded, ' ');
  header.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(header, 8);
  return header;
}

function sizeOf(spec: TensorSpec): number {
  return spec.shape.reduce((product, n) => product * n, 1) * elementBytes(spec.dtype);
}

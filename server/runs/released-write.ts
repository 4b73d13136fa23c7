import { join } from 'node:path';
import { throwIfCancelled } from '../protocol/merge-error';
import { elementBytes, isFloat, narrow, widen } from '../tensors/dtypes';
import { TensorReader } from '../tensors/reader';
import { writeTorchFile, type TorchTensor, type TorchValue } from '../tensors/torch-writer';
import type { Checkpoint, Dtype, TensorInfo } from '../tensors/types';
import {
  createOutput,
  discardOutput,
  finishOutput,
  planOutput,
  TensorWriter,
  type TensorSlot,
} from '../tensors/writer';
import { toReleasedName, type HeadShape } from './expert-names';
import { headShape, refuseInexpressible } from './released-limits';
import type { MergedCheckpoint, StoredMask } from './merged';

/** Elements handled at once. */
const pieceElements = 1 << 20;

export interface ReleasedOptions {
  readonly merged: MergedCheckpoint;
  /** The pretrained model: names and dtypes of `model.safetensors` come from it. */
  readonly base: Checkpoint;
  readonly folder: string;
  readonly signal?: AbortSignal;
}

/**
 * Writes a merge in the released MergeVLA layout (reference §4.4, §7.3): τ with zeros for everything
 * that was not merged, masks of one byte an element, and the head with its experts side by side.
 * Configuration files are the caller's. Throws MV537 for what that layout cannot hold.
 */
export async function writeReleased(options: ReleasedOptions): Promise<void> {
  const { merged, base, folder, signal } = options;
  const shape = headShape(merged);
  refuseInexpressible(merged, shape);
  const reader = new TensorReader([...merged.files, ...base.files]);
  const write = { reader, ...(signal && { signal }) };
  try {
    await writeModel(options, reader);
    const torch = signal ? { signal } : {};
    const file = (name: string): string => join(folder, name);
    await writeTorchFile(file('tall_masks.pt'), maskTable(merged, write), torch);
    await writeTorchFile(file('task2idx.pt'), taskTable(merged), torch);
    await writeTorchFile(
      file('action_head--checkpoint.pt'),
      dictionary(headEntries(merged, shape, reader)),
      torch,
    );
    const proprio = partEntries(merged, 'proprio_projector.', reader);
    if (proprio.length > 0)
      await writeTorchFile(file('proprio_projector--checkpoint.pt'), dictionary(proprio), torch);
  } finally {
    reader.close();
  }
}

/** `model.safetensors`: τ rounded to the base's dtype, zeros, and the averaged action queries. */
async function writeModel(options: ReleasedOptions, reader: TensorReader): Promise<void> {
  const { merged, base, folder, signal } = options;
  const specs = [...base.tensors.values()]
    .filter((info) => info.part === 'model')
    .map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  const queries = merged.shared.get('action_queries.weight');
  if (queries && !base.tensors.has(queries.name))
    specs.push({ name: queries.name, dtype: queries.dtype, shape: queries.shape });
  const plan = planOutput(specs, { folder, stem: 'model', metadata: { format: 'pt' } });
  createOutput(plan);
  const writer = new TensorWriter();
  try {
    for (const slot of plan.slots.values()) {
      throwIfCancelled(signal);
      const source = merged.taskVector.get(slot.name) ?? merged.shared.get(slot.name);
      // A file is made at its full length, so what is not written is zero.
      if (source) copyTensor(source, slot, { reader, writer });
      await nextTurn();
    }
    writer.close();
    finishOutput(plan);
  } catch (error) {
    writer.close();
    discardOutput(plan);
    throw error;
  }
}

function copyTensor(
  source: TensorInfo,
  slot: TensorSlot,
  { reader, writer }: { readonly reader: TensorReader; readonly writer: TensorWriter },
): void {
  let start = 0;
  for (const bytes of pieces(source, slot.dtype, reader)) {
    writer.write(slot, start, bytes);
    start += bytes.length / elementBytes(slot.dtype);
  }
}

/** A tensor's bytes in order as `dtype`, rounded half to even where it is narrower. */
function* pieces(source: TensorInfo, dtype: Dtype, reader: TensorReader): Generator<Uint8Array> {
  for (let start = 0; start < source.elements; start += pieceElements) {
    const count = Math.min(pieceElements, source.elements - start);
    const stored = new Uint8Array(count * elementBytes(source.dtype));
    reader.readBytes(source, start, stored);
    yield convert(stored, source.dtype, dtype);
  }
}

function convert(stored: Uint8Array, from: Dtype, to: Dtype): Uint8Array {
  if (from === to || !isFloat(from) || !isFloat(to)) return stored;
  const values = new Float32Array(stored.length / elementBytes(from));
  widen(from, stored, values);
  const target = new Uint8Array(values.length * elementBytes(to));
  narrow(to, values, target);
  return target;
}

interface MaskWriting {
  readonly reader: TensorReader;
  readonly signal?: AbortSignal;
}

function maskTable(merged: MergedCheckpoint, { reader }: MaskWriting): TorchValue {
  const tables = merged.tasks.map((task, index) => {
    const masks = [...(merged.masks?.[index] ?? [])].map(
      ([name, mask]) => [name, maskTensor(merged, name, mask, reader)] as const,
    );
    const rescaler = merged.rescalers?.[index];
    const extra = rescaler ? [['rescaler', tensorValue(rescaler, reader)] as const] : [];
    return [{ kind: 'suite', value: task } as const, dictionary([...masks, ...extra])] as const;
  });
  return { kind: 'dictionary', entries: tables };
}

function maskTensor(
  merged: MergedCheckpoint,
  name: string,
  mask: StoredMask,
  reader: TensorReader,
): TorchTensor {
  const vector = merged.taskVector.get(name);
  const shape = vector?.shape ?? mask.info.shape;
  const elements = vector?.elements ?? mask.info.elements;
  return {
    kind: 'tensor',
    dtype: 'BOOL',
    shape,
    chunks: () =>
      mask.packed ? unpacked(mask.info, elements, reader) : pieces(mask.info, 'BOOL', reader),
  };
}

/** One byte an element from bits, least significant first. */
function* unpacked(
  info: TensorInfo,
  elements: number,
  reader: TensorReader,
): Generator<Uint8Array> {
  for (let start = 0; start < elements; start += pieceElements) {
    const count = Math.min(pieceElements, elements - start);
    const bits = new Uint8Array(Math.ceil(count / 8));
    reader.readBytes(info, start / 8, bits);
    const bytes = new Uint8Array(count);
    for (let i = 0; i < count; i++) bytes[i] = ((bits[i >> 3] ?? 0) >> (i & 7)) & 1;
    yield bytes;
  }
}

function taskTable({ tasks }: MergedCheckpoint): TorchValue {
  const entries = tasks.map(
    (task, index) => [{ kind: 'suite', value: task } as const, index] as const,
  );
  return { kind: 'dictionary', entries };
}

type Entry = readonly [string, TorchValue];

function dictionary(entries: readonly Entry[]): TorchValue {
  return { kind: 'dictionary', entries };
}

/** The shared tensors of a companion file under its own names. */
function partEntries(merged: MergedCheckpoint, prefix: string, reader: TensorReader): Entry[] {
  return [...merged.shared]
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, info]) => [name.slice(prefix.length), tensorValue(info, reader)]);
}

function headEntries(merged: MergedCheckpoint, shape: HeadShape, reader: TensorReader): Entry[] {
  const bases = merged.router?.bases ?? [];
  const gate = (path: number, task: number): string => `model.gate.gate.${path}.routers.${task}`;
  return [
    ['model.router_layer_idx', scalarI64(merged.router?.valueBlock ?? 0)],
    ...partEntries(merged, 'action_head.', reader),
    ...ownEntries(merged, shape, reader),
    ...bases.map(({ action }, task): Entry => [gate(0, task), tensorValue(action, reader)]),
    ...bases.map(({ task: basis }, task): Entry => [gate(1, task), tensorValue(basis, reader)]),
  ];
}

function ownEntries(merged: MergedCheckpoint, shape: HeadShape, reader: TensorReader): Entry[] {
  const entries = new Map<string, TorchValue>();
  merged.own.forEach((own, task) => {
    for (const [name, info] of own) {
      const place = toReleasedName(name, task, shape);
      if (!place) continue;
      const key = place.name.slice('action_head.'.length);
      if (!place.gates) entries.set(key, tensorValue(info, reader));
      else if (task === 0) entries.set(key, stack(merged, name, reader));
    }
  });
  return [...entries];
}

/** One number of each task as a vector [M]. */
function stack(merged: MergedCheckpoint, name: string, reader: TensorReader): TorchTensor {
  const infos = merged.own.flatMap((own) => own.get(name) ?? []);
  const dtype = infos[0]?.dtype ?? 'BF16';
  return {
    kind: 'tensor',
    dtype,
    shape: [infos.length],
    *chunks() {
      for (const info of infos) yield* pieces(info, dtype, reader);
    },
  };
}

function tensorValue(info: TensorInfo, reader: TensorReader): TorchTensor {
  return {
    kind: 'tensor',
    dtype: info.dtype,
    shape: info.shape,
    chunks: () => pieces(info, info.dtype, reader),
  };
}

function scalarI64(value: number): TorchTensor {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true);
  return { kind: 'tensor', dtype: 'I64', shape: [], chunks: () => [bytes] };
}

/** Lets signals and timers in between two tensors. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

import { join } from 'node:path';
import { elementBytes } from '../tensors/dtypes';
import { isKind, type PickleValue } from '../tensors/pickle-values';
import { TensorReader } from '../tensors/reader';
import { readTorchFile, type TorchFile } from '../tensors/torch-zip';
import type { Checkpoint, TensorInfo } from '../tensors/types';
import { missingTensor, mismatchedParts } from './errors';
import {
  folderParts,
  queriesName,
  queriesOf,
  splitParts,
  type PolicyParts,
  type RouterSettings,
  type TaskParts,
  type Tensors,
} from './parts';
import { countBlocks } from './shape';
import type { StatisticsFile } from './statistics';

/** Where the parts of a released merged directory are. */
export interface ReleasedSource {
  /** Its `model.safetensors` holds the merged task vector, its head one set of experts a task. */
  readonly merged: Checkpoint;
  readonly base: Checkpoint;
  readonly statistics: StatisticsFile;
  /** Settings of a recipe; `hiddenEntry` defaults to what the first expert block reads. */
  readonly router: Partial<RouterSettings>;
}

/**
 * The released on-disk form (reference: MergeVLA §3.3, §4.4): task vector, `tall_masks.pt` with one
 * boolean tensor a weight, experts inside the head, router rows inside the head.
 */
export async function releasedParts(source: ReleasedSource): Promise<PolicyParts> {
  const { merged, base } = source;
  const masks = await readMasks(join(merged.path, 'tall_masks.pt'));
  const order = await readTaskOrder(join(merged.path, 'task2idx.pt'), [...masks.tasks.keys()]);
  const { model, head } = splitParts(merged.tensors);
  const queries = queriesOf(model, merged.path);
  const baseModel = splitParts(base.tensors).model;
  const first = masks.tasks.values().next().value ?? new Map<string, TensorInfo>();
  const vector = new Map<string, TensorInfo>();
  for (const [name, mask] of first) {
    const info = model.get(name);
    const own = baseModel.get(name);
    if (!info) throw missingTensor(name, merged.path);
    if (!own || own.elements !== info.elements || mask.elements !== info.elements)
      throw mismatchedParts(
        `${name} differs in shape between ${merged.path}, its masks and the base ${base.path}; they do not belong together`,
      );
    vector.set(name, info);
  }
  const reader = new TensorReader([masks.file]);
  const tasks = new Map<string, TaskParts>();
  order.forEach((task, index) => {
    const own = masks.tasks.get(task) ?? new Map<string, TensorInfo>();
    const parts = expertHead(head, index);
    tasks.set(task, { ...parts, queries, readMask: maskReader(reader, own, task) });
  });
  return {
    ...folderParts(merged.path),
    where: merged.path,
    config: merged.config ?? base.config,
    files: [...base.files, ...merged.files],
    model: new Map([...baseModel, [queriesName, queries]]),
    vector,
    masked: new Set(vector.keys()),
    tasks,
    statistics: source.statistics,
    router: {
      pairing: 'same',
      temperature: 1,
      per: 'episode',
      hiddenEntry: countBlocks(head, 'model.mlp_resnet_blocks.') + 1,
      ...source.router,
    },
  };
}

/**
 * One expert's view of a head with several: shared tensors, its own blocks under their place in the
 * whole head, and its router rows.
 */
export function expertHead(head: Tensors, expert: number): Pick<TaskParts, 'head' | 'basis'> {
  const shared = countBlocks(head, 'model.mlp_resnet_blocks.');
  const own = new Map<string, TensorInfo>();
  for (const [name, info] of head) {
    const place = expertName(name, shared);
    if (place === 'router') continue;
    if (place.expert === undefined) own.set(place.name, info);
    else if (place.expert === expert) own.set(place.name, info);
    else if (place.expert === 'gates') own.set(place.name, oneOf(info, expert));
  }
  const action = head.get(`model.gate.gate.0.routers.${expert}`);
  const task = head.get(`model.gate.gate.1.routers.${expert}`);
  return { head: own, ...(task && action ? { basis: { task, action } } : {}) };
}

interface ExpertName {
  readonly name: string;
  /** An expert's index; `gates`: one number an expert; absent: shared. */
  readonly expert?: number | 'gates';
}

function expertName(name: string, shared: number): ExpertName | 'router' {
  if (/^model\.(gate\.|router_layer_idx$)/.test(name)) return 'router';
  const block = /^model\.mlp_resnet_moe_blocks\.(\d+)\.(.+)$/.exec(name);
  const flat = block
    ? `model.mlp_resnet_blocks.${shared + Number(block[1])}.${block[2] ?? ''}`
    : name;
  const expert = /^(.+)\.experts\.(\d+)\.(\w+)$/.exec(flat);
  if (expert)
    return { name: `${expert[1] ?? ''}.${expert[3] ?? ''}`, expert: Number(expert[2]) };
  if (block?.[2] === 'gating_factor') return { name: flat, expert: 'gates' };
  return { name: flat };
}

/** Element `index` of a vector as a tensor of its own. */
function oneOf(info: TensorInfo, index: number): TensorInfo {
  const step = info.strides?.[0] ?? 1;
  const { strides: _, ...rest } = info;
  void _;
  return {
    ...rest,
    shape: [1],
    elements: 1,
    offset: info.offset + index * step * elementBytes(info.dtype),
  };
}

interface Masks {
  readonly file: { path: string; size: number; mtimeMs: number; headerHash: string };
  readonly tasks: ReadonlyMap<string, ReadonlyMap<string, TensorInfo>>;
}

async function readMasks(path: string): Promise<Masks> {
  const torch = await readTorchFile(path);
  const { size, mtimeMs, headerHash } = torch;
  const tasks = new Map<string, Map<string, TensorInfo>>();
  for (const [task, value] of entries(torch.root, path)) {
    const own = new Map<string, TensorInfo>();
    for (const [name, tensor] of entries(value, path)) {
      const info = tensorAt(torch, tensor);
      if (info?.dtype === 'BOOL' || info?.dtype === 'U8') own.set(name, { ...info, name });
    }
    tasks.set(task, own);
  }
  return { file: { path, size, mtimeMs, headerHash }, tasks };
}

function tensorAt(torch: TorchFile, value: PickleValue): TensorInfo | undefined {
  return isKind(value, 'tensor') ? torch.placed.get(value) : undefined;
}

/** Tasks in the order of the head's experts. */
async function readTaskOrder(path: string, known: readonly string[]): Promise<string[]> {
  const torch = await readTorchFile(path);
  const places = entries(torch.root, path)
    .map(([task, index]) => ({ task, index: Number(index) }))
    .sort((a, b) => a.index - b.index)
    .map(({ task }) => task);
  const missing = places.filter((task) => !known.includes(task));
  if (missing.length > 0)
    throw mismatchedParts(
      `tall_masks.pt has no masks for ${missing.join(', ')}, which ${path} names; it has ${known.join(', ')}`,
    );
  return places;
}

function entries(value: PickleValue, path: string): [string, PickleValue][] {
  if (!isKind(value, 'map')) throw mismatchedParts(`${path} does not hold a dictionary of tasks`);
  return value.entries.flatMap(([key, item]) => (typeof key === 'string' ? [[key, item]] : []));
}

/** Packs booleans, one byte each on disk, into bits. */
function maskReader(
  reader: TensorReader,
  masks: ReadonlyMap<string, TensorInfo>,
  task: string,
): (name: string, target: Uint8Array) => void {
  return (name, target) => {
    const info = masks.get(name);
    if (!info) throw mismatchedParts(`tall_masks.pt has no mask of ${task} for ${name}`);
    const piece = new Uint8Array(Math.min(info.elements, 1 << 20));
    for (let start = 0; start < info.elements; start += piece.length) {
      const bytes = piece.subarray(0, Math.min(piece.length, info.elements - start));
      reader.readBytes(info, start, bytes);
      packBits(bytes, target, start);
    }
  };
}

/** `start` is a multiple of 8; `target` bytes from there on are overwritten. */
export function packBits(flags: Uint8Array, target: Uint8Array, start: number): void {
  for (let i = 0; i < flags.length; i += 8) {
    let byte = 0;
    for (let k = 0; k < 8 && i + k < flags.length; k++) if (flags[i + k]) byte |= 1 << k;
    target[(start + i) >> 3] = byte;
  }
}

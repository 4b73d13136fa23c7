import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MergeError } from '../protocol/merge-error';
import { openCheckpoint } from '../tensors/checkpoint';
import { elementBytes } from '../tensors/dtypes';
import { isKind, type PickleValue } from '../tensors/pickle-values';
import { TensorReader } from '../tensors/reader';
import { readTorchFile, type TorchFile } from '../tensors/torch-zip';
import type { Checkpoint, TensorInfo } from '../tensors/types';
import { countBlocks, fromReleasedName, type HeadShape } from './expert-names';
import type { Manifest } from './manifest';
import type { MergedCheckpoint, StoredMask, StoredRouter } from './merged';

interface Options {
  readonly signal?: AbortSignal;
}

/**
 * Reads a merged MergeVLA directory as the released scripts write it (reference §4.4, §7.3): there
 * `model.safetensors` holds τ, zero where nothing was merged, and the averaged action queries.
 * Throws MV535 where its parts do not fit together.
 */
export async function readReleased(folder: string, options: Options): Promise<MergedCheckpoint> {
  const checkpoint = await openCheckpoint(folder, options);
  const masksPath = join(folder, 'tall_masks.pt');
  const maskFile = await readTorchFile(masksPath, options);
  const tasks = await readTaskOrder(folder, options);
  const { masks, rescalers } = readMasks(maskFile, masksPath, tasks);
  const { shared: sharedBlocks, moe } = countBlocks(checkpoint.tensors.keys());
  const shape = { blocks: sharedBlocks + moe, unmerged: moe };
  const head = readHead(checkpoint, tasks, shape);
  const routerBlock = head.routerBlock ? readScalar(checkpoint, head.routerBlock) : undefined;
  return {
    form: 'mergevla',
    folder,
    layout: 'mergevla',
    tasks,
    base: null,
    taskVector: head.taskVector,
    masks,
    shared: head.shared,
    own: head.own,
    rescalers,
    unmergedBlocks: moe > 0 ? moe : null,
    router:
      routerBlock === undefined
        ? null
        : { ...storedRouter(folder, head.bases, routerBlock), ...(await ownSettings(folder)) },
    files: [
      ...checkpoint.files,
      {
        path: masksPath,
        size: maskFile.size,
        mtimeMs: maskFile.mtimeMs,
        headerHash: maskFile.headerHash,
      },
    ],
    companionFolder: folder,
  };
}

/** Tasks in the order of their numbers in `task2idx.pt`. */
async function readTaskOrder(folder: string, options: Options): Promise<string[]> {
  const path = join(folder, 'task2idx.pt');
  const { root } = await readTorchFile(path, options);
  const tasks: string[] = [];
  for (const [key, value] of isKind(root, 'map') ? root.entries : []) {
    if (typeof key !== 'string' || typeof value !== 'number')
      throw new MergeError('MV535', `${path} is not a table of tasks and their numbers`);
    tasks[value] = key;
  }
  if (tasks.length === 0 || Object.keys(tasks).length !== tasks.length)
    throw new MergeError('MV535', `${path} does not number its tasks 0, 1, 2 …`);
  return tasks;
}

function readMasks(file: TorchFile, path: string, tasks: readonly string[]) {
  const masks = tasks.map(() => new Map<string, StoredMask>());
  const rescalers: TensorInfo[] = [];
  const entries = isKind(file.root, 'map') ? file.root.entries : [];
  tasks.forEach((task, index) => {
    const found = entries.find(([key]) => key === task)?.[1];
    if (!isKind(found, 'map'))
      throw new MergeError('MV535', `${path} has no masks of task ${task}`);
    for (const [name, value] of found.entries) {
      const info = namedTensor(file, name, value);
      if (!info) throw new MergeError('MV535', `${path}: an entry of task ${task} is no tensor`);
      if (info.name === 'rescaler') rescalers[index] = info;
      else if (info.dtype === 'BOOL') masks[index]?.set(info.name, { info, packed: false });
      else
        throw new MergeError(
          'MV535',
          `${path}: the mask of ${info.name} for task ${task} is ${info.dtype}, not BOOL`,
        );
    }
  });
  return { masks, rescalers: rescalers.length > 0 ? rescalers : null };
}

function namedTensor(
  file: TorchFile,
  name: PickleValue,
  value: PickleValue,
): TensorInfo | undefined {
  const info = isKind(value, 'tensor') ? file.placed.get(value) : undefined;
  return info && typeof name === 'string' ? { ...info, name } : undefined;
}

interface Head {
  readonly taskVector: Map<string, TensorInfo>;
  readonly shared: Map<string, TensorInfo>;
  readonly own: readonly Map<string, TensorInfo>[];
  readonly bases: readonly { task?: TensorInfo; action?: TensorInfo }[];
  routerBlock?: TensorInfo;
}

/** Sorts every tensor of the directory into τ, shared, own and router. */
function readHead(checkpoint: Checkpoint, tasks: readonly string[], shape: HeadShape): Head {
  const head: Head = {
    taskVector: new Map(),
    shared: new Map(),
    own: tasks.map(() => new Map<string, TensorInfo>()),
    bases: tasks.map(() => ({})),
  };
  for (const [name, info] of checkpoint.tensors) {
    if (info.part === 'model' && name !== 'action_queries.weight') head.taskVector.set(name, info);
    else placeInHead(head, info, shape);
  }
  return head;
}

function placeInHead(head: Head, info: TensorInfo, shape: HeadShape): void {
  const place = fromReleasedName(info.name, shape) ?? { kind: 'shared', name: info.name };
  switch (place.kind) {
    case 'shared':
      head.shared.set(place.name, info);
      break;
    case 'own':
      head.own[place.task]?.set(place.name, { ...info, name: place.name });
      break;
    case 'gates':
      head.own.forEach((own, task) => own.set(place.name, elementOf(info, task, place.name)));
      break;
    case 'router': {
      const bases = head.bases[place.task];
      if (bases) bases[place.path] = info;
      break;
    }
    case 'routerBlock':
      head.routerBlock = info;
      break;
    default:
      place satisfies never;
  }
}

/** Element `index` of a vector as a tensor of shape [1]. */
function elementOf(info: TensorInfo, index: number, name: string): TensorInfo {
  const bytes = elementBytes(info.dtype);
  return { ...info, name, shape: [1], elements: 1, offset: info.offset + index * bytes };
}

function readScalar(checkpoint: Checkpoint, info: TensorInfo): number {
  const reader = new TensorReader(checkpoint.files);
  try {
    const bytes = new Uint8Array(8);
    reader.readBytes(info, 0, bytes);
    return Number(new DataView(bytes.buffer).getBigInt64(0, true));
  } finally {
    reader.close();
  }
}

/**
 * The released layout has no place for how scores are paired and scaled: its own code is fixed. A run of
 * ours says it in the manifest beside.
 */
async function ownSettings(folder: string): Promise<Manifest['router']> {
  try {
    const text = await readFile(join(folder, 'manifest.json'), 'utf8');
    const { version, router = null } = JSON.parse(text) as Partial<Manifest>;
    return version === 1 ? router : null;
  } catch {
    return null;
  }
}

function storedRouter(folder: string, bases: Head['bases'], valueBlock: number): StoredRouter {
  const whole = bases.map(({ task, action }) => {
    if (!task || !action)
      throw new MergeError('MV535', `the action head in ${folder} lacks a router of some task`);
    return { task, action };
  });
  return {
    rank: whole[0]?.task.shape[0] ?? 0,
    pairing: 'same',
    valueBlock,
    hiddenEntry: valueBlock + 2,
    temperature: 1,
    per: 'episode',
    bases: whole,
  };
}

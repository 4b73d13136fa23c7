import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MergeError } from '../protocol/merge-error';
import { openCheckpoint } from '../tensors/checkpoint';
import type { Checkpoint, TensorInfo } from '../tensors/types';
import type { Manifest } from './manifest';
import type { MergedCheckpoint, StoredMask, StoredRouter } from './merged';

interface Options {
  readonly signal?: AbortSignal;
}

/** Reads the headers of `merged/` in compact form. Throws MV535 where its parts do not fit together. */
export async function readCompact(folder: string, options: Options): Promise<MergedCheckpoint> {
  const manifest = await readManifestFile(folder);
  const { tasks } = manifest;
  const opened = await Promise.all(
    ['task_vector', 'rest', 'masks', 'router'].map((stem) => openStem(folder, stem, options)),
  );
  const [taskVector, rest, masks, router] = opened.map((checkpoint) => checkpoint?.tensors);
  const split = splitByTask(rest ?? new Map<string, TensorInfo>(), tasks);
  return {
    form: 'compact',
    folder,
    layout: manifest.layout,
    tasks,
    base: manifest.base?.path ?? null,
    taskVector: taskVector ?? new Map<string, TensorInfo>(),
    masks: masks ? masksByTask(masks, tasks) : null,
    shared: split.shared,
    own: split.own,
    rescalers: split.rescalers,
    unmergedBlocks: manifest.heads?.unmergedBlocks ?? null,
    router: router ? storedRouter(folder, manifest, router) : null,
    files: opened.flatMap((checkpoint) => checkpoint?.files ?? []),
    companionFolder: folder,
  };
}

async function readManifestFile(folder: string): Promise<Manifest> {
  const path = join(folder, 'manifest.json');
  let value: Partial<Manifest>;
  try {
    value = JSON.parse(await readFile(path, 'utf8')) as Partial<Manifest>;
  } catch (cause) {
    throw new MergeError('MV535', `${path} is missing or is not JSON`, { cause });
  }
  if (value.version !== 1 || !Array.isArray(value.tasks) || typeof value.layout !== 'string')
    throw new MergeError('MV535', `${path} is not a manifest of this version`);
  return value as Manifest;
}

function pathOf(folder: string, stem: string): string | undefined {
  return [`${stem}.safetensors`, `${stem}.safetensors.index.json`]
    .map((name) => join(folder, name))
    .find((path) => existsSync(path));
}

async function openStem(
  folder: string,
  stem: string,
  options: Options,
): Promise<Checkpoint | undefined> {
  const path = pathOf(folder, stem);
  return path === undefined ? undefined : openCheckpoint(path, options);
}

/** Names with a task in front of a slash are that task's. */
function splitByTask(tensors: ReadonlyMap<string, TensorInfo>, tasks: readonly string[]) {
  const shared = new Map<string, TensorInfo>();
  const own = tasks.map(() => new Map<string, TensorInfo>());
  const rescalers: TensorInfo[] = [];
  for (const [name, info] of tensors) {
    const slash = name.indexOf('/');
    const task = slash < 0 ? -1 : tasks.indexOf(name.slice(0, slash));
    const inner = name.slice(slash + 1);
    if (task < 0) shared.set(name, info);
    else if (inner === 'rescaler') rescalers[task] = info;
    else own[task]?.set(inner, { ...info, name: inner });
  }
  return { shared, own, rescalers: rescalers.length === 0 ? null : rescalers };
}

function masksByTask(
  tensors: ReadonlyMap<string, TensorInfo>,
  tasks: readonly string[],
): ReadonlyMap<string, StoredMask>[] {
  const masks = tasks.map(() => new Map<string, StoredMask>());
  for (const [name, info] of tensors) {
    const slash = name.indexOf('/');
    masks[tasks.indexOf(name.slice(0, slash))]?.set(name.slice(slash + 1), { info, packed: true });
  }
  return masks;
}

function storedRouter(
  folder: string,
  { tasks, router }: Manifest,
  tensors: ReadonlyMap<string, TensorInfo>,
): StoredRouter {
  const find = (name: string): TensorInfo => {
    const info = tensors.get(name);
    if (!info)
      throw new MergeError('MV535', `${join(folder, 'router.safetensors')} has no tensor ${name}`);
    return info;
  };
  if (!router)
    throw new MergeError('MV535', `${join(folder, 'manifest.json')} does not describe the router`);
  const bases = tasks.map((task) => ({
    task: find(`${task}/task`),
    action: find(`${task}/action`),
  }));
  return { ...router, bases };
}

import { stat } from 'node:fs/promises';
import { MergeError, throwIfCancelled } from '../protocol/merge-error';
import { unreadable } from './file-errors';
import { readSafetensorsHeader } from './safetensors';
import { readTorchFile, stateDict } from './torch-zip';
import type { CheckpointFile, TensorInfo } from './types';

/** The tensors of one weight file, whatever its container. */
export interface FileHeader {
  readonly file: CheckpointFile;
  readonly tensors: readonly TensorInfo[];
}

/**
 * Headers by absolute path, each good while size and time of change stay. An editor keeps one for
 * its life, so that checking after each key press costs one `stat` for each file.
 */
export type HeaderCache = Map<string, FileHeader>;

export interface OpenOptions {
  readonly signal?: AbortSignal | undefined;
  readonly cache?: HeaderCache | undefined;
}

/** Reads the header of a `.safetensors` file or of a torch zip, or takes it from the cache. */
export async function readHeader(path: string, options: OpenOptions): Promise<FileHeader> {
  throwIfCancelled(options.signal);
  const held = options.cache?.get(path);
  if (held) {
    const now = await stat(path).catch((cause: unknown) => {
      throw unreadable(path, cause);
    });
    if (now.size === held.file.size && now.mtimeMs === held.file.mtimeMs) return held;
  }
  const header = await readFresh(path, options);
  options.cache?.set(path, header);
  return header;
}

async function readFresh(path: string, options: OpenOptions): Promise<FileHeader> {
  if (path.endsWith('.safetensors')) {
    const { tensors, size, mtimeMs, headerHash } = await readSafetensorsHeader(path, options);
    return { file: { path, size, mtimeMs, headerHash }, tensors };
  }
  if (/\.(pt|pth|bin)$/.test(path)) {
    const torch = await readTorchFile(path, options);
    const { size, mtimeMs, headerHash } = torch;
    const tensors = withoutModule([...stateDict(torch, path).values()]);
    return { file: { path, size, mtimeMs, headerHash }, tensors };
  }
  throw new MergeError(
    'MV412',
    `${path} is not a weight file; name a .safetensors, .index.json, .pt or .bin file, or their folder`,
  );
}

/** Distributed training saves every name with a leading `module.`, which no single model has. */
function withoutModule(tensors: readonly TensorInfo[]): readonly TensorInfo[] {
  if (!tensors.every(({ name }) => name.startsWith('module.'))) return tensors;
  return tensors.map((tensor) => ({ ...tensor, name: tensor.name.slice('module.'.length) }));
}

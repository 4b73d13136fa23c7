import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { MergeError } from '../protocol/merge-error';
import type { CheckpointFile, Layout, TensorInfo } from '../tensors/types';
import { readCompact } from './compact';
import type { Manifest } from './manifest';
import { readReleased } from './released';

/** One task's mask of one tensor. */
export interface StoredMask {
  /** U8 [ceil(n/8)], least significant bit first, when packed; else BOOL of the tensor's shape. */
  readonly info: TensorInfo;
  readonly packed: boolean;
}

/** The router as stored: P [rank, width] per task and path, and where it is applied. */
export interface StoredRouter extends NonNullable<Manifest['router']> {
  /** In task order. `task` comes from `v_task`, `action` from `v_adapter`. */
  readonly bases: readonly { readonly task: TensorInfo; readonly action: TensorInfo }[];
}

/**
 * A masked merge known by its headers, from compact form or from the released layout.
 * Names of tensors are those of the experts; companion files carry their prefix
 * (`action_head.model.fc1.weight`), also where the released file has other names.
 */
export interface MergedCheckpoint {
  readonly form: 'compact' | 'mergevla';
  readonly folder: string;
  readonly layout: Layout;
  readonly tasks: readonly string[];
  /** The pretrained model as the run names it; null in the released layout, which does not say. */
  readonly base: string | null;
  /** τ of the merged tensors; everything else of the base is unchanged. */
  readonly taskVector: ReadonlyMap<string, TensorInfo>;
  /** In task order; null where the merge has no masks. A tensor without a mask is wholly active. */
  readonly masks: readonly ReadonlyMap<string, StoredMask>[] | null;
  /** Shared tensors that are neither base nor τ: averages, and what one task gave for all. */
  readonly shared: ReadonlyMap<string, TensorInfo>;
  /** In task order: tensors that every task has for itself, such as the expert heads. */
  readonly own: readonly ReadonlyMap<string, TensorInfo>[];
  /** EMR's factors in task order, F32 scalars; null for other methods. */
  readonly rescalers: readonly TensorInfo[] | null;
  /** n, the blocks of the action expert kept per task; null without an action expert. */
  readonly unmergedBlocks: number | null;
  readonly router: StoredRouter | null;
  /** Every file that tensors are read from, for a `TensorReader`. */
  readonly files: readonly CheckpointFile[];
  /** Folder with config, tokenizer, processor files and dataset statistics. */
  readonly companionFolder: string;
}

/**
 * Reads a merged checkpoint: a run directory, its `merged/` folder, or a released MergeVLA directory.
 * Throws MV534 for folders that are none, MV535 where parts are missing or do not fit together.
 */
export async function readMergedDirectory(
  path: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<MergedCheckpoint> {
  const given = resolve(path);
  for (const folder of [join(given, 'merged'), given]) {
    if (existsSync(join(folder, 'tall_masks.pt'))) return readReleased(folder, options);
    if (existsSync(join(folder, 'task_vector.safetensors'))) return readCompact(folder, options);
    if (existsSync(join(folder, 'task_vector.safetensors.index.json')))
      return readCompact(folder, options);
  }
  throw new MergeError(
    'MV534',
    `${path} holds no merged task vector: neither task_vector.safetensors nor tall_masks.pt is there`,
  );
}

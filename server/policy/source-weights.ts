import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isRecord } from '../protocol/shape';
import { openCheckpoint } from '../tensors/checkpoint';
import type { Checkpoint, CheckpointFile } from '../tensors/types';
import { noPolicy } from './errors';
import {
  folderParts,
  queriesName,
  queriesOf,
  readJsonFile,
  splitParts,
  type PolicyParts,
  type TaskParts,
} from './parts';
import type { StatisticsFile } from './statistics';

export interface WeightsOptions {
  readonly task?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The directory of plain weights that `folder` stands for: itself, or, where a masked merge was
 * written as one model a task, the task's. Throws MV575 when no task was named.
 */
export function weightsFolder(folder: string, { task }: WeightsOptions): string | undefined {
  if (existsSync(join(folder, 'config.json'))) return folder;
  const tasks = tasksOf(folder);
  if (tasks.length === 0) return undefined;
  if (task === undefined)
    throw noPolicy(
      folder,
      `holds one policy a task and no router; name one with --task (${tasks.join(', ')})`,
    );
  if (tasks.includes(task)) return join(folder, task);
  throw noPolicy(folder, `has no task ${task}; it has ${tasks.join(', ')}`);
}

function tasksOf(folder: string): readonly string[] {
  const manifest = readJsonFile(join(folder, 'manifest.json'));
  const tasks = isRecord(manifest) ? manifest['tasks'] : undefined;
  return Array.isArray(tasks) ? tasks.filter((task) => typeof task === 'string') : [];
}

/**
 * A policy of plain weights: one expert's, or a merge written as one model, whose heads lie beside it
 * in `per_task/<task>.safetensors`.
 */
export async function weightsParts(
  checkpoint: Checkpoint,
  statistics: StatisticsFile,
  options: WeightsOptions,
): Promise<PolicyParts> {
  const { path } = checkpoint;
  const { model, head } = splitParts(checkpoint.tensors);
  const queries = queriesOf(model, path);
  const tasks = new Map<string, TaskParts>();
  const files: CheckpointFile[] = [...checkpoint.files];
  for (const task of existsSync(join(path, 'per_task')) ? tasksOf(path) : []) {
    const file = join(path, 'per_task', `${task}.safetensors`);
    const own = await openCheckpoint(file, options.signal ? { signal: options.signal } : {});
    const parts = splitParts(own.tensors);
    files.push(...own.files);
    tasks.set(task, {
      head: new Map([...head, ...parts.head]),
      queries: parts.model.get(queriesName) ?? queries,
    });
  }
  if (tasks.size === 0) tasks.set(options.task ?? basename(path), { head, queries });
  return {
    ...folderParts(path),
    where: path,
    config: checkpoint.config,
    files,
    model,
    masked: new Set(),
    tasks,
    statistics,
  };
}

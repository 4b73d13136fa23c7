import type { CheckpointSummary } from '../protocol/methods';
import type { Checkpoint } from '../tensors/types';
import type { ServerContext } from './context';
import { analyse } from './documents';
import type { NamedCheckpoint } from './load-files';
import { readText } from './read-text';

/** What a recipe's checkpoints are, once their headers are read. */
export async function listCheckpoints(
  context: ServerContext,
  uri: string,
): Promise<readonly CheckpointSummary[]> {
  const open = context.documents.get(uri);
  const analysis = open ?? analyse(uri, await readText(uri));
  context.files.follow(analysis);
  await context.files.settled(analysis);
  const checkpoints = context.files.loaded(analysis)?.checkpoints ?? [];
  if (!open) context.files.forget(uri);
  return checkpoints.map((named) => summary(named, analysis.recipe.tasks));
}

function summary(named: NamedCheckpoint, tasks: readonly string[]): CheckpointSummary {
  const { role, path, written, checkpoint, error } = named;
  const task = tasks.indexOf(role);
  return {
    ...{ role, path, written },
    ...(task < 0 ? {} : { task }),
    state: checkpoint ? 'found' : error?.code === 'MV410' ? 'missing' : 'unreadable',
    ...(error ? { reason: error.message } : {}),
    ...(checkpoint ? numbers(checkpoint) : {}),
  };
}

/** Size, tensors, elements and the dtype that most elements have. */
export function numbers(checkpoint: Checkpoint): {
  readonly bytes: number;
  readonly tensors: number;
  readonly elements: number;
  readonly dtype: string;
} {
  const byDtype = new Map<string, number>();
  let elements = 0;
  for (const tensor of checkpoint.tensors.values()) {
    elements += tensor.elements;
    byDtype.set(tensor.dtype, (byDtype.get(tensor.dtype) ?? 0) + tensor.elements);
  }
  const [dtype = 'none'] = [...byDtype].sort((a, b) => b[1] - a[1])[0] ?? [];
  return {
    bytes: checkpoint.files.reduce((sum, file) => sum + file.size, 0),
    tensors: checkpoint.tensors.size,
    elements,
    dtype: dtype.toLowerCase(),
  };
}

import { dirname, resolve } from 'node:path';
import { Cancelled, MergeError } from '../protocol/merge-error';
import type { Problem } from '../protocol/problem';
import { resolveRecipe } from '../recipe/resolve';
import type { TensorFact } from '../recipe/validate-tensors';
import { openCheckpoint } from '../tensors/checkpoint';
import { describeTensor, detectLayout } from '../tensors/modules';
import type { Checkpoint, Layout } from '../tensors/types';
import type { Analysis } from './documents';

/** One checkpoint that a recipe names: what its headers tell, or why they cannot be read. */
export interface NamedCheckpoint {
  /** `base`, or a task. */
  readonly role: string;
  /** Absolute. */
  readonly path: string;
  readonly written: string;
  readonly checkpoint?: Checkpoint;
  readonly error?: { readonly code: string; readonly message: string };
}

export interface LoadedFiles {
  readonly checkpoints: readonly NamedCheckpoint[];
  readonly layout: Layout | undefined;
  /** Of the base, or of the first expert where there is no base. */
  readonly tensors: readonly TensorFact[];
  readonly problems: readonly Problem[];
}

/** Reads the headers of everything a recipe names. Throws `Cancelled` only. */
export async function loadRecipeFiles(
  analysis: Analysis,
  signal: AbortSignal,
): Promise<LoadedFiles> {
  const recipe = resolveRecipe(analysis.recipe);
  const folder = dirname(analysis.path ?? '.');
  const named = [
    ...(recipe.base === null ? [] : [{ role: 'base', written: recipe.base }]),
    ...recipe.experts.flatMap(({ task, path }) =>
      path === null ? [] : [{ role: task, written: path }],
    ),
  ];
  const checkpoints = await Promise.all(
    named.map(async ({ role, written }) => {
      const path = resolve(folder, written);
      return { role, written, path, ...(await open(path, signal)) };
    }),
  );
  const first = checkpoints.find(({ checkpoint }) => checkpoint)?.checkpoint;
  const layout = recipe.layout === 'auto' ? first && detectLayout(first) : recipe.layout;
  const tensors =
    first && layout
      ? [...first.tensors.keys()].map((name) => ({ name, ...describeTensor(name, layout) }))
      : [];
  return { checkpoints, layout, tensors, problems: [] };
}

async function open(
  path: string,
  signal: AbortSignal,
): Promise<Pick<NamedCheckpoint, 'checkpoint' | 'error'>> {
  try {
    return { checkpoint: await openCheckpoint(path, { signal }) };
  } catch (error) {
    if (error instanceof Cancelled) throw error;
    if (error instanceof MergeError) return { error: { code: error.code, message: error.message } };
    throw error;
  }
}

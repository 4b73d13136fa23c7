import { resolve, dirname } from 'node:path';
import type { MergeInputs } from '../engine/inputs';
import type { InputFinding } from '../jobs/input-finding';
import { loadInputs, type InputCache } from '../jobs/inputs';
import { resolveRecipe } from '../recipe/resolve';
import type { Recipe } from '../recipe/schema';
import type { TensorFact } from '../recipe/validate-tensors';
import type { Adapter, Checkpoint, Layout } from '../tensors/types';
import type { Analysis } from './documents';

/** One checkpoint that a recipe names: what its headers tell, or why they cannot be read. */
export interface NamedCheckpoint {
  /** `base`, or a task. */
  readonly role: string;
  /** Absolute. */
  readonly path: string;
  readonly written: string;
  readonly checkpoint?: Checkpoint;
  readonly adapter?: Adapter;
  readonly error?: { readonly code: string; readonly message: string };
}

export interface LoadedFiles {
  readonly checkpoints: readonly NamedCheckpoint[];
  readonly layout: Layout | undefined;
  /** Of the base and of the first expert. */
  readonly tensors: readonly TensorFact[];
  readonly findings: readonly InputFinding[];
  readonly inputs: MergeInputs;
}

/** Reads the headers of everything a recipe names. Throws `Cancelled` and failures of the system. */
export async function loadRecipeFiles(
  analysis: Analysis,
  signal: AbortSignal,
  cache: InputCache,
): Promise<LoadedFiles> {
  const recipe = resolveRecipe(analysis.recipe);
  const path = analysis.path ?? '.';
  const { inputs, findings } = await loadInputs(recipe, path, {
    signal,
    cache,
    samplesOnly: true,
  });
  const opened = openedBy(inputs);
  const checkpoints = named(recipe).map(({ role, key, written }) => {
    const error = findings.find(
      ({ recipePath, severity }) => severity === 'error' && keyOf(recipePath) === key,
    );
    return {
      ...{ role, written, path: resolve(dirname(path), written) },
      ...opened.get(key),
      ...(error ? { error: { code: error.code, message: error.message } } : {}),
    };
  });
  return {
    ...{ checkpoints, findings, inputs },
    layout: opened.size > 0 ? inputs.layout : undefined,
    tensors: tensorFacts(inputs),
  };
}

type Opened = Pick<NamedCheckpoint, 'checkpoint' | 'adapter'>;

function openedBy({ base, experts }: MergeInputs): Map<string, Opened> {
  const opened = new Map<string, Opened>();
  if (base) opened.set('base', { checkpoint: base });
  for (const { task, checkpoint, adapter } of experts)
    opened.set(`task ${task}`, {
      ...(checkpoint ? { checkpoint } : {}),
      ...(adapter ? { adapter } : {}),
    });
  return opened;
}

function named(recipe: Recipe): { role: string; key: string; written: string }[] {
  return [
    ...(recipe.base === null ? [] : [{ role: 'base', key: 'base', written: recipe.base }]),
    ...recipe.experts.map(({ task, path, adapter }) => ({
      role: task,
      key: `task ${task}`,
      written: path ?? adapter ?? '',
    })),
  ];
}

const keyOf = ([first, second]: InputFinding['recipePath']): string =>
  first === 'experts' ? `task ${String(second)}` : String(first);

/** Tensors of the base, and those that only experts have: action heads, projectors, queries. */
function tensorFacts({ base, experts, places }: MergeInputs): TensorFact[] {
  const models = [base, experts[0]?.checkpoint];
  const names = new Set(models.flatMap((model) => [...(model?.tensors.keys() ?? [])]));
  return [...names].map((name) => {
    const place = places.get(name);
    return { name, component: place?.component ?? 'other', block: place?.block ?? null };
  });
}

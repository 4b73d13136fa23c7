import { join } from 'node:path';
import type { Algebra } from '../compute/linalg/matrix';
import { rightSingularVectors } from '../compute/linalg/svd';
import type { MergeInputs } from '../engine/inputs';
import { routerBasis, routerPlace, type RouterBasis } from '../engine/subspace';
import { MergeError, throwIfCancelled } from '../protocol/merge-error';
import type { Recipe, Router } from '../recipe/schema';
import type { Manifest } from '../runs/manifest';
import { isFloat, narrow, type FloatDtype } from '../tensors/dtypes';
import { TensorReader } from '../tensors/reader';
import type { CheckpointFile, TensorInfo } from '../tensors/types';
import { createOutput, finishOutput, planOutput, TensorWriter } from '../tensors/writer';

export type RouterFacts = Omit<NonNullable<Manifest['router']>, 'offsets'>;

/** Paths of the router and the value projection each is made from. */
const paths = { task: 'xattn.v.task', action: 'xattn.v.action' } as const;
type Path = keyof typeof paths;

export interface RouterJob {
  readonly recipe: Recipe;
  readonly inputs: MergeInputs;
  readonly folder: string;
  readonly createAlgebra: () => Promise<Algebra>;
  readonly signal?: AbortSignal;
}

/** N of the action expert; 0 where the layout has none with separate value projections. */
export function expertBlocks(inputs: MergeInputs): number {
  let blocks = 0;
  for (const { kind, block } of inputs.places.values())
    if (kind === paths.task && block !== null) blocks = Math.max(blocks, block + 1);
  return blocks;
}

/** The router a recipe leads to; null where it asks for none or nothing can be routed. */
export function routerFacts(recipe: Recipe, inputs: MergeInputs): RouterFacts | null {
  const { router, heads } = recipe;
  const blocks = expertBlocks(inputs);
  if (router === 'none' || blocks === 0) return null;
  const place = routerPlace(blocks, heads.unmerged_blocks, {
    valueBlock: router.value_block ?? undefined,
    hiddenEntry: router.hidden_entry ?? undefined,
  });
  if (place.valueBlock >= blocks)
    throw new MergeError(
      'MV538',
      `router.value_block is ${place.valueBlock}, and the action expert has blocks 0 to ${blocks - 1}`,
    );
  return { ...settings(router), ...place };
}

function settings({ rank, pairing, temperature, per }: Router) {
  return { rank, pairing, temperature, per };
}

/**
 * Decomposes every expert's own value projections and writes `router.safetensors`: `<task>/task` and
 * `<task>/action` [rank, width], in the dtype of the projections (reference §5.2).
 */
export async function writeRouterBases(job: RouterJob, facts: RouterFacts): Promise<void> {
  const { inputs, folder } = job;
  const algebra = await job.createAlgebra();
  const reader = new TensorReader(filesOf(inputs));
  const found: { name: string; dtype: FloatDtype; basis: RouterBasis }[] = [];
  try {
    for (const [task, expert] of inputs.experts.entries())
      for (const path of ['task', 'action'] as const) {
        throwIfCancelled(job.signal);
        const info = findProjection(inputs, task, { path, block: facts.valueBlock });
        const basis = decompose(reader, info, { algebra, rank: facts.rank });
        found.push({ name: `${expert.task}/${path}`, dtype: info.dtype, basis });
        await new Promise((resolve) => setImmediate(resolve));
      }
  } finally {
    reader.close();
  }
  writeBases(folder, found, facts);
}

type Projection = TensorInfo & { readonly dtype: FloatDtype };

function findProjection(
  inputs: MergeInputs,
  task: number,
  want: { readonly path: Path; readonly block: number },
): Projection {
  const isWanted = (info: TensorInfo): info is Projection => {
    const place = inputs.places.get(info.name);
    const isPlace = place?.kind === paths[want.path] && place.block === want.block;
    return isPlace && info.shape.length === 2 && isFloat(info.dtype);
  };
  const found = tensorsOf(inputs, task).find(isWanted);
  if (found) return found;
  throw new MergeError(
    'MV538',
    `expert ${inputs.experts[task]?.task ?? ''} has no ${want.path === 'task' ? 'v_task' : 'v_adapter'} weight in block ${want.block} of its action head, which the router is made from; set router: none to merge without it`,
  );
}

function tensorsOf({ base, experts }: MergeInputs, task: number): TensorInfo[] {
  const expert = experts[task];
  const stored = expert?.checkpoint ?? base;
  return [...(expert?.adapter?.replacements.values() ?? []), ...(stored?.tensors.values() ?? [])];
}

function decompose(
  reader: TensorReader,
  info: Projection,
  { algebra, rank }: { readonly algebra: Algebra; readonly rank: number },
): RouterBasis {
  const data = new Float32Array(info.elements);
  reader.readFloat32(info, 0, data);
  if (!data.every(Number.isFinite))
    throw new MergeError('MV538', `tensor ${info.name} in ${info.file} holds NaN or infinity`);
  const [rows = 0, columns = 0] = info.shape;
  return routerBasis({ rows, columns, data }, rank, (matrix, k) =>
    rightSingularVectors(algebra, matrix, k),
  );
}

function writeBases(
  folder: string,
  found: readonly { name: string; dtype: FloatDtype; basis: RouterBasis }[],
  facts: RouterFacts,
): void {
  const specs = found.map(({ name, dtype, basis }) => ({
    name,
    dtype,
    shape: [basis.rank, basis.width],
  }));
  const metadata = Object.fromEntries(
    Object.entries(facts).map(([key, value]) => [
      key,
      typeof value === 'object' ? JSON.stringify(value) : String(value),
    ]),
  );
  const plan = planOutput(specs, {
    folder,
    stem: 'router',
    metadata: { format: 'pt', ...metadata },
  });
  createOutput(plan);
  const writer = new TensorWriter();
  for (const { name, dtype, basis } of found) {
    const slot = plan.slots.get(name);
    if (!slot) throw new RangeError(`${join(folder, 'router')}: ${name} was not planned`);
    const bytes = new Uint8Array(slot.bytes);
    narrow(dtype, Float32Array.from(basis.rows), bytes);
    writer.write(slot, 0, bytes);
  }
  writer.close();
  finishOutput(plan);
}

function filesOf({ base, experts }: MergeInputs): CheckpointFile[] {
  return [
    ...(base?.files ?? []),
    ...experts.flatMap(({ checkpoint, adapter }) => [
      ...(checkpoint?.files ?? []),
      ...(adapter?.files ?? []),
    ]),
  ];
}

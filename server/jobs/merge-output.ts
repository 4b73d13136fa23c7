import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createAlgebra } from '../compute/linalg/algebra';
import type { MergeInputs } from '../engine/inputs';
import type { MergePlan } from '../engine/plan-types';
import type { Recipe } from '../recipe/schema';
import { readCompact } from '../runs/compact';
import { copyCompanions, mergeStatistics } from '../runs/companions';
import { writeJsonAtomic } from '../runs/files';
import type { Manifest } from '../runs/manifest';
import { sampleHash } from '../runs/header-hash';
import { writeReleased } from '../runs/released-write';
import { makeManifest } from './merge-manifest';
import { convertParts } from './part-files';
import { writeRouterBases } from './router-bases';
import { folderOf, statisticsSources } from './statistics-sources';

/** Where the engine writes, and in which form: the released layout is made from the compact one. */
export interface MergeOutputPlace {
  readonly plan: MergePlan;
  /** What the engine is given; it writes to `merged/` in it. */
  readonly directory: string;
  readonly folder: string;
  /** `merged/` of the run. */
  readonly merged: string;
}

export function planFor(plan: MergePlan, run: string): MergeOutputPlace {
  const merged = join(run, 'merged');
  if (plan.form !== 'mergevla') return { plan, directory: run, folder: merged, merged };
  const directory = join(run, 'compact');
  const compact: MergePlan = { ...plan, form: 'compact' };
  return { plan: compact, directory, folder: join(directory, 'merged'), merged };
}

export interface MergedParts {
  readonly recipe: Recipe;
  readonly inputs: MergeInputs;
  readonly plan: MergePlan;
  readonly output: MergeOutputPlace;
  readonly signal?: AbortSignal | undefined;
}

/** Adds to the engine's tensors what makes `merged/` whole: router, configuration, manifest. */
export async function finishMerged(parts: MergedParts): Promise<Manifest> {
  const { recipe, inputs, plan, output } = parts;
  const baseSample = await sampleHash(inputs.base?.files ?? []);
  const manifest = makeManifest({ recipe, inputs, plan, baseSample });
  if (plan.form === 'weights') {
    await finishWeights(parts);
    writeJsonAtomic(join(output.merged, 'manifest.json'), manifest);
    return manifest;
  }
  writeJsonAtomic(join(output.folder, 'manifest.json'), manifest);
  const { folder } = output;
  const signal = parts.signal ? { signal: parts.signal } : {};
  const { router } = manifest;
  if (router) await writeRouterBases({ recipe, inputs, folder, createAlgebra, ...signal }, router);
  if (plan.form === 'mergevla') await releaseMerged(parts, manifest);
  addCompanions(inputs, output.merged);
  return manifest;
}

async function releaseMerged(parts: MergedParts, manifest: Manifest): Promise<void> {
  const { inputs, output } = parts;
  if (!inputs.base) throw new RangeError('a merge without base has no task vector');
  const signal = parts.signal ? { signal: parts.signal } : {};
  mkdirSync(output.merged, { recursive: true });
  const merged = await readCompact(output.folder, signal);
  await writeReleased({ merged, base: inputs.base, folder: output.merged, ...signal });
  rmSync(output.directory, { recursive: true });
  writeJsonAtomic(join(output.merged, 'manifest.json'), manifest);
}

/** Plain checkpoints: one, or one a task when the models are masked. */
async function finishWeights({ inputs, plan, output, signal }: MergedParts): Promise<void> {
  if (!plan.masks) {
    await convertParts(output.merged, signal);
    addCompanions(inputs, output.merged);
    return;
  }
  for (const { task, checkpoint } of inputs.experts) {
    const folder = join(output.merged, task);
    await convertParts(folder, signal);
    const own = checkpoint ? [folderOf(checkpoint)] : [];
    copyCompanions([...baseFolder(inputs), ...own], folder);
    mergeStatistics(
      own.map((from) => ({ task, folder: from })),
      folder,
    );
  }
}

function addCompanions(inputs: MergeInputs, target: string): void {
  const experts = statisticsSources(inputs);
  copyCompanions([...baseFolder(inputs), ...experts.map(({ folder }) => folder)], target);
  mergeStatistics(experts, target);
}

function baseFolder({ base }: MergeInputs): string[] {
  return base ? [folderOf(base)] : [];
}

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { MergeError } from '../protocol/merge-error';
import type { Recipe } from '../recipe/schema';
import { copyCompanions, mergeStatistics } from '../runs/companions';
import { renameFolder, syncTree, writeJsonAtomic } from '../runs/files';
import type { Manifest } from '../runs/manifest';
import { readMergedDirectory } from '../runs/merged';
import { readManifest, readResolvedRecipe, readRun, type RunSummary } from '../runs/read';
import { writeReleased } from '../runs/released-write';
import { openCheckpoint } from '../tensors/checkpoint';
import { checkRecipeText, type CheckedRecipe } from './check-recipe';
import { executeMerge } from './execute';
import { hashOf, sampleHash } from '../runs/header-hash';
import type { ProgressEvent } from './merge-job';
import { finishMerged, planFor } from './merge-output';

export interface ExportRequest {
  readonly run: string;
  /** Folder to make; `<run>/exports/<form>` without it. */
  readonly out?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ProgressEvent) => void) | undefined;
}

/**
 * Writes a run's merge as plain checkpoints, or as τ and masks. They are computed anew from the run's
 * inputs, so the bits are those of a merge with that `output.form`: τ in a compact run is rounded, and
 * base + τ from it would round twice. Throws MV541 when an input has changed since.
 */
export async function exportAnew(
  request: ExportRequest,
  form: 'compact' | 'weights',
): Promise<string> {
  const run = await readFinished(request.run);
  return intoFolder(placeOf(run, form, request.out), async (folder) => {
    const { recipe, inputs, plan } = await recheck(run, request, form);
    if (!plan || !inputs) throw new RangeError('a recipe with problems has no plan');
    const output = planFor(plan, folder);
    const { signal, onProgress } = request;
    await executeMerge(output.plan, {
      directory: output.directory,
      threads: recipe.run.threads,
      memory: recipe.run.memory,
      onEvent: (event) => {
        if (event.type === 'progress') onProgress?.(event);
      },
      ...(signal && { signal }),
    });
    await finishMerged({ recipe, inputs, plan, output, signal });
    return join(folder, 'merged');
  });
}

/** Writes a compact run in the released MergeVLA layout. Throws MV537 for what it cannot hold. */
export async function exportReleased(request: ExportRequest): Promise<string> {
  const run = await readFinished(request.run);
  const { signal } = request;
  const options = signal ? { signal } : {};
  const merged = await readMergedDirectory(run.folder, options);
  const manifest = await readManifest(run);
  if (!manifest?.base)
    throw new MergeError('MV535', `${run.folder} does not say which base it was merged from`);
  const base = await openCheckpoint(manifest.base.path, options);
  const { path, hash, sample } = manifest.base;
  refuseChanged(path, hashOf(base.files), hash);
  refuseChanged(path, await sampleHash(base.files), sample);
  return intoFolder(placeOf(run, 'mergevla', request.out), async (folder) => {
    const target = join(folder, 'merged');
    mkdirSync(target);
    await writeReleased({ merged, base, folder: target, ...options });
    copyCompanions([merged.companionFolder], target);
    mergeStatistics([{ folder: merged.companionFolder }], target);
    const written: Manifest = { ...manifest, form: 'mergevla' };
    writeJsonAtomic(join(target, 'manifest.json'), written);
    return target;
  });
}

async function readFinished(path: string): Promise<RunSummary> {
  const run = await readRun(path);
  if (run.partial || !existsSync(join(run.folder, 'merged')))
    throw new MergeError('MV533', `${path} is not finished: it is ${run.state}`);
  return run;
}

function placeOf(run: RunSummary, form: string, out: string | undefined): string {
  return out === undefined ? join(run.folder, 'exports', form) : resolve(out);
}

/** Makes a folder beside `target`, fills it, and gives the part that was made its final name. */
async function intoFolder(
  target: string,
  fill: (folder: string) => Promise<string>,
): Promise<string> {
  if (existsSync(target) && !statSync(target).isDirectory())
    throw new MergeError('MV530', `${target} exists and is not a folder`);
  if (existsSync(target) && readdirSync(target).length > 0)
    throw new MergeError('MV530', `${target} exists and is not empty, so nothing is written there`);
  mkdirSync(dirname(target), { recursive: true });
  const folder = mkdtempSync(join(dirname(target), `.${basename(target)}-`));
  try {
    const made = await fill(folder);
    syncTree(made);
    rmSync(target, { recursive: true, force: true });
    renameFolder(made, target);
    return target;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Resolved {
  readonly recipe_path?: string;
  readonly only?: string | null;
  readonly inputs?: readonly { readonly path: string; readonly hash: string }[];
}

/** The run's own recipe, checked again against the files as they are now. */
async function recheck(
  run: RunSummary,
  { signal }: ExportRequest,
  form: Recipe['output']['form'],
): Promise<CheckedRecipe> {
  const resolved = (await readResolvedRecipe(run)) as Resolved | undefined;
  if (resolved?.recipe_path === undefined)
    throw new MergeError('MV533', `${run.folder} has no readable recipe.resolved.json`);
  const bytes = readFileSync(join(run.folder, 'recipe.mergevla.yaml'));
  const checked = await checkRecipeText(bytes, resolved.recipe_path, {
    signal,
    adapt: (recipe) => ({ ...recipe, output: { ...recipe.output, form } }),
    only: resolved.only ?? undefined,
  });
  const wrong = checked.problems.find(({ severity }) => severity === 'error');
  if (wrong) throw new MergeError(wrong.code, wrong.message);
  const { base, experts } = checked.inputs ?? { base: null, experts: [] };
  const now = [base, ...experts.flatMap(({ checkpoint, adapter }) => [checkpoint, adapter])];
  const hashes = new Map(
    now.flatMap((input) => (input ? [[input.path, hashOf(input.files)]] : [])),
  );
  for (const { path, hash } of resolved.inputs ?? [])
    refuseChanged(path, hashes.get(path) ?? '', hash);
  return checked;
}

function refuseChanged(path: string, now: string, then: string): void {
  if (now === then) return;
  throw new MergeError(
    'MV541',
    `${path} has changed since the run was made, so its result cannot be repeated; merge again`,
  );
}

import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { runMerge } from '../jobs/merge-job';
import { MergeError } from '../protocol/merge-error';
import { isRecord } from '../protocol/shape';
import type { Recipe } from '../recipe/schema';
import { listRuns, readResolvedRecipe, type RunSummary } from '../runs/read';
import { shortPath } from './paths';
import type { Call } from './verb';

/**
 * A run of this recipe: the newest finished one whose recipe and inputs are unchanged, else a new
 * merge into the recipe's output directory, as `mergevla merge` makes it.
 */
export async function mergedRun(path: string, recipe: Recipe, call: Call): Promise<string> {
  const folder = resolve(dirname(path), recipe.output.directory);
  const text = await readFile(path);
  for (const run of await listRuns(folder)) {
    if (run.partial || !(await isCurrent(run, text))) continue;
    call.terminal.note(`using ${shortPath(run.folder)}`);
    return run.folder;
  }
  return merge(path, call);
}

async function merge(path: string, call: Call): Promise<string> {
  const { terminal, signal, command, version } = call;
  const outcome = await runMerge({
    recipePath: path,
    command,
    version,
    signal,
    onProgress: (progress) => terminal.progress.update(progress),
    onStart: (run) => terminal.note(`merging into ${shortPath(run)}`),
  });
  if (outcome.kind === 'done') return outcome.path;
  const { problems } = outcome.checked;
  const fault = problems.find(({ severity }) => severity === 'error');
  const place = fault ? `:${fault.range.start.line + 1}:${fault.range.start.column + 1}` : '';
  throw new MergeError(
    fault?.code ?? 'MV575',
    `${path}${place}: ${fault?.message ?? 'the recipe describes no merge'}`,
  );
}

/** Same recipe, and no input changed its size or time since. */
async function isCurrent(run: RunSummary, recipe: Uint8Array): Promise<boolean> {
  const copy = await readFile(join(run.folder, 'recipe.mergevla.yaml')).catch(() => undefined);
  if (!copy || Buffer.compare(copy, recipe) !== 0) return false;
  const resolved = await readResolvedRecipe(run);
  const inputs = isRecord(resolved) ? resolved['inputs'] : undefined;
  if (!Array.isArray(inputs)) return false;
  const checks = inputs.flatMap(inputFiles).map(isUnchanged);
  return (await Promise.all(checks)).every(Boolean);
}

interface InputFile {
  readonly path: string;
  readonly size: unknown;
  readonly mtime: unknown;
}

function inputFiles(input: unknown): InputFile[] {
  if (!isRecord(input) || !Array.isArray(input['files'])) return [];
  const folder = String(input['path']);
  return input['files'].filter(isRecord).map((file) => ({
    path: resolve(folder, String(file['name'])),
    size: file['size'],
    mtime: file['mtime'],
  }));
}

async function isUnchanged({ path, size, mtime }: InputFile): Promise<boolean> {
  const now = await stat(path).catch(() => undefined);
  return now?.size === size && now?.mtime.toISOString() === mtime;
}

import { join } from 'node:path';
import { isRecord } from '../protocol/shape';
import type { Recipe } from '../recipe/schema';
import { listRuns, readManifest, readResolvedRecipe, readRun, type RunSummary } from '../runs/read';
import { outputFolder, type CheckedRecipe } from './check-recipe';
import { describeInputs } from './run-files';

/** The newest finished merge of the same recipe and the same inputs, where there is one. */
export async function findMergedRun(checked: CheckedRecipe): Promise<string | undefined> {
  const folder = outputFolder(checked.recipe, checked.path);
  for (const run of await listRuns(folder))
    if (await isSameMerge(run, checked)) return join(folder, run.id);
  return undefined;
}

/** Whether `path` is a finished merge of the recipe; false where nothing is there. */
export async function isMergedRun(path: string, checked: CheckedRecipe): Promise<boolean> {
  const run = await readRun(path).catch(() => undefined);
  return run !== undefined && isSameMerge(run, checked);
}

async function isSameMerge(run: RunSummary, checked: CheckedRecipe): Promise<boolean> {
  if (run.partial || !checked.inputs || !(await readManifest(run))) return false;
  const stored = await readResolvedRecipe(run);
  if (!isRecord(stored) || !isRecord(stored['recipe'])) return false;
  const now = [mergeKeys(checked.recipe), describeInputs(checked.inputs)];
  return same([mergeKeys(stored['recipe']), stored['inputs']], now);
}

/** What decides the merged model. Name, evaluation and device do not. */
const keys = ['base', 'experts', 'layout', 'merge', 'masks', 'heads', 'router'] as const;

function mergeKeys(recipe: Readonly<Record<string, unknown>> | Recipe): unknown {
  const all: Readonly<Record<string, unknown>> = { ...recipe };
  const output = isRecord(all['output']) ? all['output'] : {};
  return [...keys.map((key) => all[key]), output['form'], output['dtype']];
}

/** Equal as JSON, whatever the order of keys. */
function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

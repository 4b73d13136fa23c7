import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { MergeError } from '../protocol/merge-error';
import { isRecord } from '../protocol/shape';
import { loadRemotePolicy } from '../policy/remote-policy';
import type { Policy } from '../policy/types';
import { parseRecipe } from '../recipe/parse';
import { resolveRecipe } from '../recipe/resolve';
import type { Recipe } from '../recipe/schema';
import { usage } from './arguments';
import { mergedRun } from './merged-run';
import type { Call } from './verb';

/** Loads the policy that the operand names, in a process of its own. */
export async function loadOperand(call: Call): Promise<Policy> {
  const [operand = ''] = call.operands;
  const source = await findSource(operand, call);
  const { options, signal } = call;
  const base = options.text('base');
  const task = source.task ?? options.text('task');
  return loadRemotePolicy(source.path, {
    device: options.text('device') ?? source.device ?? 'auto',
    ...(base === undefined ? {} : { base: resolve(base) }),
    ...(task === undefined ? {} : { task }),
    ...threadsOf(call),
    signal,
  });
}

interface Source {
  readonly path: string;
  readonly device?: string;
  /** Name of the only task, where the folder's name is not it. */
  readonly task?: string;
}

/** A run as it is; a recipe by its run, or as the policy of its only expert. */
async function findSource(operand: string, call: Call): Promise<Source> {
  const path = resolve(operand);
  if (!isFile(path)) {
    const device = await recordedDevice(path);
    return { path, ...(device === undefined ? {} : { device }) };
  }
  const recipe = await readRecipe(path);
  const [expert, ...others] = recipe.experts;
  const isPlain = recipe.masks === 'none' && recipe.router === 'none' && others.length === 0;
  const { device } = recipe.run;
  // A recipe with one expert, no masks and no router is that expert's own policy.
  if (expert && isPlain && expert.path !== null && expert.adapter === null)
    return { path: resolve(dirname(path), expert.path), device, task: expert.task };
  return { path: await mergedRun(path, call), device };
}

/** `run.device` of the recipe that a run was made from. */
async function recordedDevice(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, 'recipe.resolved.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const resolved: unknown = JSON.parse(text);
  const recipe = isRecord(resolved) ? resolved['recipe'] : undefined;
  const run = isRecord(recipe) ? recipe['run'] : undefined;
  const device = isRecord(run) ? run['device'] : undefined;
  return typeof device === 'string' ? device : undefined;
}

async function readRecipe(path: string): Promise<Recipe> {
  const document = parseRecipe(await readFile(path, 'utf8'), { path });
  const fault = document.problems.find(({ severity }) => severity === 'error');
  if (fault)
    throw new MergeError(
      fault.code,
      `${path}:${fault.range.start.line + 1}:${fault.range.start.column + 1}: ${fault.message}`,
    );
  return resolveRecipe(document.value);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function threadsOf({ options }: Call): { readonly threads?: number } {
  const text = options.text('threads');
  if (text === undefined) return {};
  const threads = Number(text);
  if (!Number.isInteger(threads) || threads < 1)
    throw usage(`--threads takes a whole number from 1 on, not ${text}`);
  return { threads };
}

/** The task of `--task`, or undefined. */
export function readTask(wanted: string | undefined, policy: Policy): string | undefined {
  if (wanted === undefined || policy.tasks.includes(wanted)) return wanted;
  throw usage(`--task ${wanted} is not a task of this policy; it has ${policy.tasks.join(', ')}`);
}

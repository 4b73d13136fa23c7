import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { MergeError } from '../protocol/merge-error';
import { decodePicture, turnPicture } from '../policy/pictures';
import { loadRemotePolicy } from '../policy/remote-policy';
import type { Observation, Picture, Policy } from '../policy/types';
import { parseRecipe } from '../recipe/parse';
import { resolveRecipe } from '../recipe/resolve';
import type { Recipe } from '../recipe/schema';
import { usage } from './arguments';
import type { Call } from './verb';

/** Loads the policy that the operand names, in a process of its own. */
export async function loadOperand(call: Call): Promise<Policy> {
  const [operand = ''] = call.operands;
  const source = await findSource(operand);
  const { options, signal } = call;
  const base = options.text('base');
  return loadRemotePolicy(source.path, {
    device: options.text('device') ?? source.device ?? 'auto',
    ...(base === undefined ? {} : { base: resolve(base) }),
    ...(source.task === undefined ? {} : { task: source.task }),
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

/** A recipe with one expert, no masks and no router is that expert's own policy. */
async function findSource(operand: string): Promise<Source> {
  const path = resolve(operand);
  if (!isFile(path)) return { path };
  const recipe = await readRecipe(path);
  const [expert, ...others] = recipe.experts;
  const isPlain = recipe.masks === 'none' && recipe.router === 'none';
  if (expert && others.length === 0 && isPlain && expert.path !== null && expert.adapter === null)
    return {
      path: resolve(dirname(path), expert.path),
      device: recipe.run.device,
      task: expert.task,
    };
  throw new MergeError(
    'MV575',
    `${operand} describes a merge that has not been made; run mergevla merge on it and name the run`,
  );
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

/** Reads what `--images`, `--instruction`, `--proprio` and `--rotate` describe. */
export async function readObservation({ options }: Call): Promise<Observation> {
  const paths = options.text('images')?.split(',').filter(Boolean);
  const instruction = options.text('instruction');
  if (!paths || instruction === undefined)
    throw usage(`--${paths ? 'instruction' : 'images'} is needed`);
  const isTurned = readRotation(options.text('rotate'));
  const images = await Promise.all(
    paths.map(async (path) => {
      const picture = await readPicture(path);
      return isTurned ? turnPicture(picture) : picture;
    }),
  );
  const text = options.text('proprio');
  return { images, instruction, ...(text === undefined ? {} : { proprio: parseProprio(text) }) };
}

async function readPicture(path: string): Promise<Picture> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new MergeError('MV571', `${path}: cannot be read`, { cause });
  }
  return decodePicture(bytes, path);
}

function parseProprio(text: string): number[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'number'))
    throw usage(`--proprio takes a JSON list of numbers such as [0.1, 0.2], not ${text}`);
  return value;
}

/** Whether pictures are to be turned by 180°. */
export function readRotation(text: string | undefined): boolean {
  if (text === undefined || text === '0') return false;
  if (text === '180') return true;
  throw usage(`--rotate takes 0 or 180, not ${text}`);
}

/** The task of `--task`, or undefined. */
export function readTask(wanted: string | undefined, policy: Policy): string | undefined {
  if (wanted === undefined || policy.tasks.includes(wanted)) return wanted;
  throw usage(`--task ${wanted} is not a task of this policy; it has ${policy.tasks.join(', ')}`);
}

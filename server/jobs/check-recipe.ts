import { createReadStream } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { listDevices } from '../compute/devices';
import type { MergeInputs } from '../engine/inputs';
import { planMerge } from '../engine/plan';
import type { MergePlan } from '../engine/plan-types';
import { MergeError } from '../protocol/merge-error';
import type { Problem } from '../protocol/problem';
import { findingRange } from '../recipe/locate';
import type { RecipeDocument } from '../recipe/parse';
import { hasErrors } from '../recipe/problems';
import { resolveRecipe } from '../recipe/resolve';
import type { Recipe } from '../recipe/schema';
import { validateAgainstTensors } from '../recipe/validate-tensors';
import { checkRecipe, inOrder } from '../recipe/validate';
import { evaluationFindings } from './evaluation-check';
import type { InputFinding } from './input-finding';
import { loadInputs, type InputCache } from './inputs';
import { matrixFindings } from './matrix-checks';
import { automaticThreads } from './pool';
import { outputFindings } from './output-checks';
import { bytesIn, checkMemory, checkSpace } from './space';

/** A recipe with everything that could be found out about it without reading weights. */
export interface CheckedRecipe {
  /** Absolute path of the recipe. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly document: RecipeDocument;
  readonly recipe: Recipe;
  /** As far as files could be opened; null when the recipe names none. */
  readonly inputs: MergeInputs | null;
  /** Null as long as an error is among the problems. */
  readonly plan: MergePlan | null;
  /** In the order of the text. */
  readonly problems: readonly Problem[];
}

export interface CheckOptions {
  readonly signal?: AbortSignal | undefined;
  readonly cache?: InputCache | undefined;
  /** Changes made to the resolved recipe before it is planned, such as another form of output. */
  readonly adapt?: ((recipe: Recipe) => Recipe) | undefined;
  /** Glob: only matching tensors are planned. */
  readonly only?: string | undefined;
  /** The folder that the result goes to; absent: below `output.directory`. */
  readonly out?: string | undefined;
}

/** Throws MV539 for a recipe that cannot be read; everything else about it is a problem. */
export async function checkRecipeFile(
  path: string,
  options: CheckOptions = {},
): Promise<CheckedRecipe> {
  return checkRecipeText(await readRecipe(path), resolve(path), options);
}

/** A recipe of 64 experts with every key is a hundred times smaller. */
const largestRecipe = 16 << 20;

/** Bytes of a recipe, ours or mergekit's; throws MV539. */
export async function readRecipe(path: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of createReadStream(path) as AsyncIterable<Buffer>) {
      parts.push(part);
      size += part.length;
      if (size > largestRecipe) throw new Error('it is larger than any recipe');
    }
    return Buffer.concat(parts);
  } catch (cause) {
    const reason = reasonOf(cause);
    throw new MergeError('MV539', `the recipe ${path} cannot be read: ${reason}`, { cause });
  }
}

/** Text, meaning, files and plan of a recipe: the one pipeline of `check`, `plan` and `merge`. */
export async function checkRecipeText(
  bytes: Uint8Array,
  path: string,
  options: CheckOptions = {},
): Promise<CheckedRecipe> {
  const text = new TextDecoder().decode(bytes);
  const { value: document, problems } = checkRecipe(text, { path });
  const recipe = (options.adapt ?? ((same) => same))(resolveRecipe(document));
  const files = await checkFiles(document, recipe, options);
  const known = [...problems, ...files.problems, ...checkDevice(document, recipe)];
  const planned =
    files.inputs && !hasErrors(known)
      ? await makePlan(document, { recipe, inputs: files.inputs, options })
      : { plan: null, problems: [] };
  const all = inOrder([...known, ...planned.problems]);
  return {
    path,
    bytes,
    document,
    recipe,
    inputs: files.inputs,
    plan: hasErrors(all) ? null : planned.plan,
    problems: all,
  };
}

async function checkFiles(
  document: RecipeDocument,
  recipe: Recipe,
  { signal, cache }: CheckOptions,
): Promise<{ inputs: MergeInputs | null; problems: readonly Problem[] }> {
  if (recipe.experts.length === 0) return { inputs: null, problems: [] };
  const { inputs, findings } = await loadInputs(recipe, document.path, { signal, cache });
  const reference = inputs.base ?? inputs.experts[0]?.checkpoint;
  const tensors = [...(reference?.tensors.keys() ?? []), ...ownTensors(inputs)].map((name) => {
    const place = inputs.places.get(name);
    return { name, component: place?.component ?? 'other', block: place?.block ?? null };
  });
  return {
    inputs,
    problems: [
      ...findings.map((finding) => problemOf(document, finding)),
      ...validateAgainstTensors(document, { tensors }),
    ],
  };
}

/** Tensors that experts have and the base has not: action heads, projectors, queries. */
function ownTensors({ base, experts }: MergeInputs): string[] {
  if (!base) return [];
  const names = experts[0]?.checkpoint?.tensors.keys() ?? [];
  return [...names].filter((name) => !base.tensors.has(name));
}

/** Where runs of a recipe go that are given no place of their own. */
export function outputFolder(recipe: Recipe, recipePath: string): string {
  return resolve(dirname(recipePath), recipe.output.directory);
}

interface Planning {
  readonly recipe: Recipe;
  readonly inputs: MergeInputs;
  readonly options: CheckOptions;
}

async function makePlan(
  document: RecipeDocument,
  { recipe, inputs, options }: Planning,
): Promise<{ plan: MergePlan; problems: readonly Problem[] }> {
  const { only, out } = options;
  const { value: plan, problems } = planMerge(recipe, inputs, {
    locate: (path) => findingRange(document, path),
    ...(only !== undefined && { only }),
  });
  const folder = out === undefined ? outputFolder(recipe, document.path) : resolve(out);
  // What an interrupted merge has written is written over, or goes.
  const spared = out === undefined ? 0 : await bytesIn(`${folder}.partial`);
  const space = await checkSpace(folder, plan.diskBytes - spared);
  const threads = recipe.run.threads === 'auto' ? automaticThreads() : recipe.run.threads;
  const findings = [
    ...space,
    ...checkMemory(plan, recipe.run.memory, threads),
    ...matrixFindings(plan, recipe, threads),
    ...outputFindings(plan, recipe, inputs),
    ...(hasErrors(problems) ? [] : await evaluationFindings({ recipe, inputs, plan })),
  ];
  return { plan, problems: [...problems, ...findings.map((item) => problemOf(document, item))] };
}

/** A device by its whole name (`cuda:1`) or by its kind (`cuda`). */
function checkDevice(document: RecipeDocument, { run }: Recipe): Problem[] {
  if (run.device === 'auto' || run.device === 'cpu') return [];
  const ids = listDevices().map(({ id }) => id);
  if (ids.some((id) => id === run.device || id.split(':')[0] === run.device)) return [];
  const recipePath = ['run', 'device'];
  const message = `there is no device ${run.device} here; this machine has ${ids.join(', ')}`;
  return [problemOf(document, { code: 'MV542', severity: 'error', message, recipePath })];
}

function problemOf(document: RecipeDocument, finding: InputFinding): Problem {
  const { recipePath, ...rest } = finding;
  return { ...rest, range: findingRange(document, recipePath) };
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file',
    EISDIR: 'it is a folder',
    ELOOP: 'its links go round',
    EACCES: 'permission denied',
  };
  return reasons[String(code)] ?? (cause instanceof Error ? cause.message : String(cause));
}

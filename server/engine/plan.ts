import type { Checked, Problem, TextRange } from '../protocol/problem';
import { compileGlob } from '../recipe/globs';
import type { Recipe } from '../recipe/schema';
import { isFloat } from '../tensors/dtypes';
import type { Checkpoint, CheckpointFile, Dtype, ModulePlace, TensorInfo } from '../tensors/types';
import type { ExpertInput, MergeInputs } from './inputs';
import { estimate } from './plan-cost';
import { methods, methodFor } from './merge/methods';
import { cutsOverModel } from './merge/ties';
import { ruleOf } from './plan-rules';
import type {
  MaskPlan,
  MergePlan,
  MethodSettings,
  Pass,
  TensorJob,
  TensorSource,
} from './plan-types';

/** Reports a problem at a recipe key; callers that know the text give exact ranges. */
export interface PlanOptions {
  /** Only tensors whose names match are planned. */
  readonly only?: string;
  readonly locate?: (path: readonly (string | number)[]) => TextRange;
}

const noRange: TextRange = { start: { line: 0, column: 0 }, end: { line: 0, column: 0 } };
const outputDtypes = { bfloat16: 'BF16', float16: 'F16', float32: 'F32' } as const;

/**
 * Everything a merge will do, from headers alone (product §4 `plan`). Tensors are in name order, which
 * is also the order of the flat index that ties of a whole-model cut go by. Problems: MV463 a method that
 * this version cannot run, MV464 `precision: native` where no rule exists, MV405 nothing to merge.
 * Files that do not fit are findings of `loadInputs`.
 */
export function planMerge(
  recipe: Recipe,
  inputs: MergeInputs,
  options: PlanOptions = {},
): Checked<MergePlan> {
  const problems: Problem[] = [];
  const at = options.locate ?? (() => noRange);
  const add = (code: string, path: readonly (string | number)[], message: string) => {
    problems.push({ code, severity: 'error', range: at(path), message });
  };
  const settings: MethodSettings = recipe.merge;
  checkMethod(recipe, add);
  const jobs = jobsOf(recipe, inputs, options.only);
  if (!jobs.some((job) => job.rule.kind === 'merge')) {
    const among = options.only === undefined ? '' : ` and matches \`${options.only}\``;
    add('MV405', ['merge', 'scope'], `nothing is merged: no tensor is in the scope${among}`);
  }
  return { value: withCost(recipe, { jobs, settings, files: filesOf(inputs) }), problems };
}

function jobsOf(recipe: Recipe, inputs: MergeInputs, only: string | undefined): TensorJob[] {
  const selected = only === undefined ? () => true : compileGlob(only);
  const names = tensorNames(inputs);
  const places = names.map((name) => ({ place: placeOf(inputs, name) }));
  const rule = ruleOf(recipe, blockCounts(places));
  return names.filter(selected).flatMap((name): TensorJob[] => {
    const base = inputs.base?.tensors.get(name);
    const experts = inputs.experts.map((expert) => sourceOf(expert, inputs.base, name));
    const first = base ?? experts[0]?.stored;
    if (!first || !fits(first, experts)) return [];
    const place = placeOf(inputs, name);
    const { shape, elements, dtype } = first;
    return [
      {
        name,
        place,
        shape,
        elements,
        dtype,
        outputDtype: outputDtype(recipe, dtype),
        rule: rule({ name, place, inBase: base !== undefined, isFloat: isFloat(dtype) }),
        base: base ? { stored: base, delta: null } : null,
        experts,
      },
    ];
  });
}

type Add = (code: string, path: readonly (string | number)[], message: string) => void;

function checkMethod(recipe: Recipe, add: Add): void {
  const { method, precision } = recipe.merge;
  if (!methods[method])
    add('MV463', ['merge', 'method'], `method ${method} is not available in this version`);
  else if (precision === 'native' && !['average', 'task_arithmetic', 'ties'].includes(method))
    add(
      'MV464',
      ['merge', 'precision'],
      `precision: native is defined for average, task_arithmetic and ties, not for ${method}`,
    );
}

/** Names of the base, and those that every expert has besides, in code-unit order. */
function tensorNames({ base, experts }: MergeInputs): string[] {
  const names = new Set(base?.tensors.keys());
  const counts = new Map<string, number>();
  for (const expert of experts)
    for (const name of namesOf(expert, base)) counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const [name, count] of counts) if (count === experts.length) names.add(name);
  return [...names].sort((a, b) => (a < b ? -1 : Number(a > b)));
}

function namesOf({ checkpoint, adapter }: ExpertInput, base: Checkpoint | null): Set<string> {
  const names = new Set((checkpoint ?? base)?.tensors.keys());
  for (const name of adapter?.replacements.keys() ?? []) names.add(name);
  return names;
}

function sourceOf(
  expert: ExpertInput | undefined,
  base: Checkpoint | null,
  name: string,
): TensorSource {
  const own = (expert?.checkpoint ?? base)?.tensors.get(name);
  const adapter = expert?.adapter;
  if (!adapter) return { stored: own ?? null, delta: null };
  const replaced = adapter.replacements.get(name);
  if (replaced) return { stored: replaced, delta: null };
  return { stored: own ?? null, delta: adapter.deltas.get(name) ?? null };
}

function placeOf(inputs: MergeInputs, name: string): ModulePlace {
  return inputs.places.get(name) ?? { component: 'other', block: null, kind: 'other' };
}

/** How many blocks each component has: one more than the highest. */
export function blockCounts(
  tensors: readonly { readonly place: ModulePlace }[],
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { place } of tensors)
    if (place.block !== null)
      counts.set(place.component, Math.max(counts.get(place.component) ?? 0, place.block + 1));
  return counts;
}

/** Inputs that do not fit are findings of their reading (MV43x); what is left of them is not planned. */
function fits(first: TensorInfo, experts: readonly TensorSource[]): boolean {
  return experts.every(({ stored }) => {
    if (!stored) return false;
    const sameShape =
      stored.shape.length === first.shape.length &&
      stored.shape.every((length, i) => length === first.shape[i]);
    return sameShape && isFloat(stored.dtype) === isFloat(first.dtype);
  });
}

function outputDtype(recipe: Recipe, stored: Dtype): Dtype {
  const { dtype } = recipe.output;
  return dtype === 'same' || !isFloat(stored) ? stored : outputDtypes[dtype];
}

function filesOf({ base, experts }: MergeInputs): CheckpointFile[] {
  const files = new Map<string, CheckpointFile>();
  const all = [base, ...experts.flatMap((expert) => [expert.checkpoint, expert.adapter])];
  for (const input of all) for (const file of input?.files ?? []) files.set(file.path, file);
  return [...files.values()];
}

function withCost(
  recipe: Recipe,
  parts: Pick<MergePlan, 'jobs' | 'settings' | 'files'>,
): MergePlan {
  const { merge, output } = recipe;
  const maskPlan = maskPlanOf(recipe);
  const passes = passesOf(parts.settings, parts.jobs);
  const plan = {
    version: 1,
    tasks: recipe.experts.map((expert) => expert.task),
    ...parts,
    precision: merge.precision,
    form: output.form,
    masks: maskPlan,
    passes,
    shardBytes: output.shard,
  } as const;
  return { ...plan, ...estimate(plan) };
}

/** The rule that makes task masks; null where nothing is masked. */
export function maskPlanOf({ masks, merge, base }: Recipe): MaskPlan | null {
  if (masks === 'none' || base === null) return null;
  if (merge.method === 'emr') return { rule: 'emr', consensus: 0 };
  return masks.rule === 'tall' ? { rule: 'tall', consensus: masks.consensus } : null;
}

/** Which passes over the data the method needs before it can write. */
function passesOf(settings: MethodSettings, jobs: readonly TensorJob[]): Pass[] {
  const passes: Pass[] = ['scan'];
  const merged = jobs.filter((job) => job.rule.kind === 'merge');
  if (!methods[settings.method]) return [...passes, 'merge'];
  const found = merged.map((job) => ({
    job,
    ...methodFor(settings, job.shape, job.experts.length),
  }));
  const cuts = found.some(
    ({ job, method }) =>
      method.kind === 'columns' &&
      job.rule.kind === 'merge' &&
      method.ranks !== undefined &&
      job.rule.parameters.density.some((density) => density < 1),
  );
  if (cuts) passes.push('threshold');
  // The sign balance is counted along with the thresholds, and made sure of by the merge itself.
  if (cuts && cutsOverModel(settings)) return [...passes, 'merge'];
  const sums = found.some(
    ({ job, method }) =>
      method.kind !== 'matrix' &&
      (method.statisticsLength?.(settings, job.experts.length) ?? 0) > 0,
  );
  if (sums) passes.push('statistics');
  return [...passes, 'merge'];
}

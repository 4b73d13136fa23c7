import { compileGlobs, matchesComponent } from '../recipe/globs';
import { resolveNumber, type NumberSpec, type TensorPlace } from '../recipe/numbers';
import type { Recipe } from '../recipe/schema';
import type { ModulePlace } from '../tensors/types';
import type { MergeParameters, TensorRule } from './plan-types';

/** What the rule of a tensor depends on besides the recipe. */
export interface TensorFacts {
  readonly name: string;
  readonly place: ModulePlace;
  readonly inBase: boolean;
  readonly isFloat: boolean;
}

/** Decides for each tensor what happens to it. `blocks`: how many blocks each component has. */
export function ruleOf(
  recipe: Recipe,
  blocks: ReadonlyMap<string, number>,
): (tensor: TensorFacts) => TensorRule {
  const { merge } = recipe;
  const tasks = recipe.experts.map((expert) => expert.task);
  const perTask = compileGlobs(recipe.heads.per_task);
  const inScope = scopeOf(recipe);
  const taken = (task: string, reason: 'keep' | 'rest'): TensorRule => ({
    kind: 'take',
    task: tasks.indexOf(task),
    reason,
  });
  const restRule = (): TensorRule => {
    if (merge.rest === 'average') return { kind: 'average' };
    return merge.rest === 'per_task' ? { kind: 'per_task' } : taken(merge.rest, 'rest');
  };
  return (tensor) => {
    if (!tensor.isFloat) return { kind: 'copy' };
    if (isHead(recipe, blocks, tensor.place) || isKeptPerTask(tensor, perTask))
      return { kind: 'per_task' };
    const started = hasStart(recipe, tensor);
    if (started && inScope(tensor) && !isLeftOut(recipe, tensor))
      return { kind: 'merge', parameters: parametersAt(recipe, blocks, tensor) };
    if (!started || recipe.base === null) return restRule();
    return merge.keep_from === 'base' ? { kind: 'base' } : taken(merge.keep_from, 'keep');
  };
}

/**
 * WUDI leaves vocabularies as the parts outside its scope are left, as the release does: their Gram
 * matrices would be larger than the model.
 */
function isLeftOut({ merge }: Recipe, { place }: TensorFacts): boolean {
  return merge.method === 'wudi' && (place.kind === 'embed' || place.kind === 'head');
}

/**
 * True for what the method may merge: parts with a pretrained start, and everything where whole weights
 * are merged without a base or averaged.
 */
function hasStart({ merge, base }: Recipe, { inBase, place }: TensorFacts): boolean {
  if (merge.method === 'average' || base === null) return true;
  return inBase && place.component !== 'action_queries';
}

function isKeptPerTask({ name, place }: TensorFacts, perTask: (name: string) => boolean): boolean {
  // Statistics of a task's data mean nothing when merged.
  if (place.component === 'norm_buffers') return true;
  return place.component.startsWith('expert') && perTask(name);
}

/** The last n action-expert blocks, the norm behind them and the output layer (reference §4.4). */
function isHead(
  recipe: Recipe,
  blocks: ReadonlyMap<string, number>,
  { component, block }: ModulePlace,
): boolean {
  if (recipe.merge.method === 'average' && recipe.masks === 'none' && recipe.router === 'none')
    return false;
  if (component === 'expert.norm' || component === 'expert.out') return true;
  if (component !== 'expert.block' || block === null) return false;
  return block >= (blocks.get('expert.block') ?? 0) - recipe.heads.unmerged_blocks;
}

function scopeOf(recipe: Recipe): (tensor: TensorFacts) => boolean {
  const { components, blocks, include, exclude } = recipe.merge.scope;
  const included = include ? compileGlobs(include) : () => true;
  const excluded = compileGlobs(exclude);
  return ({ name, place }) => {
    if (components && !components.some((c) => matchesComponent(c, place.component))) return false;
    if (blocks) {
      if (place.block === null || place.block < blocks.from) return false;
      if (blocks.to !== null && place.block >= blocks.to) return false;
    }
    return included(name) && !excluded(name);
  };
}

function parametersAt(
  recipe: Recipe,
  blocks: ReadonlyMap<string, number>,
  { name, place }: TensorFacts,
): MergeParameters {
  const { merge, masks, experts } = recipe;
  const at: TensorPlace = {
    tensorName: name,
    block: place.block,
    blocks: blocks.get(place.component) ?? 0,
  };
  const each = (spec: NumberSpec) => experts.map(() => resolveNumber(spec, at));
  const lambda = (task: string) =>
    masks !== 'none' && masks.rule === 'tall' ? (masks.lambda[task] ?? 0) : 0;
  return {
    weights: experts.map((expert) => resolveNumber(expert.weight, at)),
    alpha: resolveNumber(merge.alpha, at),
    density: each(merge.density),
    gamma: each(merge.gamma),
    epsilon: each(merge.epsilon),
    t: resolveNumber(merge.t, at),
    lambda: experts.map((expert) => lambda(expert.task)),
  };
}

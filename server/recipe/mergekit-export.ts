import { isGradient, type NumberSpec } from './numbers';
import { mergekitNames, toFilter } from './mergekit-settings';
import { methods, type MethodName } from './methods';
import type { Expert, Merge, Recipe } from './schema';
import { blockText } from './write';

export interface ExportedRecipe {
  /** Null: mergekit has no such method. */
  readonly text: string | null;
  /** What mergekit cannot express, each in a sentence. */
  readonly lost: readonly string[];
}

/** Methods of mergekit that know `lambda`. */
const withLambda = (method: MethodName) => !['average', 'slerp', 'model_stock'].includes(method);

/**
 * Writes a recipe for mergekit 0.1.5 where it has the method, and lists what is left out (reference, merge
 * methods §17). `baseDtype` names the type to write for `output.dtype: same`.
 */
export function exportMergekit(
  recipe: Recipe,
  options: { readonly baseDtype?: 'bfloat16' | 'float16' | 'float32' } = {},
): ExportedRecipe {
  const { merge } = recipe;
  const name = mergekitNames[merge.method];
  const lost: string[] = [];
  if (name === undefined) return { text: null, lost: [`the method \`${merge.method}\``] };
  const setting = (spec: NumberSpec, key: string) =>
    toSetting(spec, (glob) => lost.push(`${key} for \`${glob}\`: filters are substrings only`));
  const { base, experts } = baseAndModels(recipe);
  const models = experts.map((expert) => ({
    model: reference(expert, recipe),
    parameters: modelParameters(expert, recipe, setting),
  }));
  const outDtype = recipe.output.dtype === 'same' ? options.baseDtype : recipe.output.dtype;
  if (outDtype === undefined) lost.push('`output.dtype: same`: mergekit writes float32 here');
  lost.push(...lostParts(recipe));
  const document = {
    merge_method: name,
    base_model: base,
    models,
    parameters: globalParameters(recipe, setting, lost),
    dtype: 'float32',
    out_dtype: outDtype === 'float32' ? undefined : outDtype,
  };
  return { text: `${blockText(withoutEmpty(document))}\n`, lost: [...new Set(lost)] };
}

/** What is named as base and as models; of two experts, slerp takes the first as base. */
function baseAndModels(recipe: Recipe): { base: string | undefined; experts: readonly Expert[] } {
  const { experts } = recipe;
  if (recipe.merge.method === 'average') return { base: undefined, experts };
  if (recipe.merge.method === 'slerp' && experts.length === 2)
    return { base: reference(experts[0], recipe), experts: experts.slice(1) };
  return { base: recipe.base ?? undefined, experts };
}

type Setting = (spec: NumberSpec, key: string) => unknown;

function modelParameters(expert: Expert, { merge }: Recipe, setting: Setting): object | undefined {
  const own = methods[merge.method].parameters;
  if (merge.method === 'slerp' || merge.method === 'model_stock') return undefined;
  return {
    weight: setting(expert.weight, 'weight'),
    density: 'density' in own ? setting(merge.density, 'density') : undefined,
    gamma: 'gamma' in own ? setting(merge.gamma, 'gamma') : undefined,
    epsilon: 'epsilon' in own ? setting(merge.epsilon, 'epsilon') : undefined,
  };
}

function globalParameters({ merge }: Recipe, setting: Setting, lost: string[]): object {
  const own = methods[merge.method].parameters;
  if ('trim_scope' in own && merge.trim_scope === 'model' && merge.density !== 1)
    lost.push('`trim_scope: model`: each tensor is trimmed by itself');
  return {
    ...factor(merge, setting, lost),
    normalize: 'normalize' in own ? merge.normalize : undefined,
    ...('agree' in own ? elected(merge, lost) : {}),
    ...('rescale' in own ? rescaled(merge, lost) : {}),
    t: 't' in own ? setting(merge.t, 't') : undefined,
    filter_wise: 'filter_wise' in own ? merge.filter_wise : undefined,
  };
}

function factor({ alpha, method }: Merge, setting: Setting, lost: string[]): object {
  if (alpha === 1) return {};
  if (withLambda(method)) return { lambda: setting(alpha, 'alpha') };
  lost.push('`alpha`, which mergekit does not know for this method');
  return {};
}

function elected({ agree, elect_tie }: Merge, lost: string[]): object {
  if (agree === 'max') lost.push('`agree: max`: entries are summed instead');
  if (elect_tie === 'global')
    lost.push('`elect_tie: global`: plus is elected where the sum is zero');
  return { normalize: agree === 'mean' };
}

function rescaled({ rescale }: Merge, lost: string[]): object {
  if (rescale === 'keep_probability')
    lost.push('`rescale: keep_probability`: to the L1 norm instead');
  lost.push('the random draws, which come from another generator');
  return { rescale: rescale !== 'none' };
}

function lostParts({ masks, router, merge, evaluate }: Recipe): string[] {
  const { components, blocks, include, exclude } = merge.scope;
  const scoped = components ?? blocks ?? include ?? (exclude.length > 0 ? exclude : null);
  return [
    ...(masks === 'none' ? [] : ['task masks']),
    ...(router === 'none' ? [] : ['task heads and the router of an action expert']),
    ...(scoped === null ? [] : ['`merge.scope`']),
    ...(merge.precision === 'native' ? ['`precision: native`: computed in float32'] : []),
    ...(evaluate ? ['`evaluate`'] : []),
  ];
}

/** A number as mergekit writes it: scalar, list of numbers, or lines with filters. */
function toSetting(spec: NumberSpec, lose: (glob: string) => void): unknown {
  if (typeof spec === 'number') return spec;
  if (isGradient(spec)) return spec.gradient;
  return spec.flatMap(({ match, value }) => {
    const filter = match === undefined ? undefined : toFilter(match);
    if (match !== undefined && filter === undefined) {
      lose(match);
      return [];
    }
    return [{ filter, value: typeof value === 'number' ? value : value.gradient }];
  });
}

function reference(expert: Expert | undefined, recipe: Recipe): string {
  const path = expert?.path ?? recipe.base ?? '';
  return expert?.adapter ? `${path}+${expert.adapter}` : path;
}

function withoutEmpty(document: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(document).filter(
      ([, value]) =>
        typeof value !== 'object' ||
        value === null ||
        Object.values(value).some((item) => item !== undefined),
    ),
  );
}

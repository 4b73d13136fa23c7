import type { MergeParameters, ParameterName, RecipeFacts } from '../protocol/panels/mask-ratios';
import { methodsUsing, parametersOf } from '../recipe/methods';
import type { RecipeChange } from './conflict-metrics';
import type { Analysis } from './documents';

export const parameterNames: readonly ParameterName[] = ['lambda', 'alpha', 'density'];
/** Where a recipe has them. */
export const parameterPaths: Readonly<Record<ParameterName, readonly string[]>> = {
  lambda: ['masks', 'lambda'],
  alpha: ['merge', 'alpha'],
  density: ['merge', 'density'],
};

/** λ, α and density as asked about, one number each, and the recipe with them. */
export function movedTo(
  analysis: Analysis,
  asked: Partial<MergeParameters> = {},
): { readonly parameters: MergeParameters; readonly change: RecipeChange } {
  const saved = savedParameters(analysis);
  const parameters = { ...saved, ...asked };
  const own = typeof lambdaOf(analysis) === 'object';
  const change: RecipeChange = ({ merge, masks, ...recipe }) => ({
    ...recipe,
    merge: {
      ...merge,
      ...(parameters.alpha === saved.alpha ? {} : { alpha: parameters.alpha }),
      ...(parameters.density === saved.density ? {} : { density: parameters.density }),
    },
    masks:
      masks === 'none' || masks.rule !== 'tall' || parameters.lambda === saved.lambda
        ? masks
        : { ...masks, lambda: mapLambda(masks.lambda, [parameters.lambda, saved.lambda], own) },
  });
  return { parameters, change };
}

/** A λ for each task moves by the same factor; one for all is set. */
export function mapLambda(
  lambda: Readonly<Record<string, number>>,
  [value, saved]: readonly [number, number],
  each: boolean,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(lambda).map(([task, own]) => [
      task,
      each ? (own * value) / (saved || 1) : value,
    ]),
  );
}

export function lambdaOf(recipe: Analysis): number | Readonly<Record<string, number>> | undefined {
  const masks = recipe.recipe.recipe.masks;
  return typeof masks === 'object' ? masks.lambda : undefined;
}

export function savedParameters(recipe: Analysis): MergeParameters {
  const lambda = lambdaOf(recipe) ?? 0.6;
  const all = typeof lambda === 'number' ? [lambda] : Object.values(lambda);
  const { method = 'task_arithmetic', ...merge } = recipe.recipe.recipe.merge ?? {};
  return parametersFrom(all, { ...parametersOf(method), ...merge });
}

/** One number each, where a recipe has more: the mean λ, and 1 for numbers that differ by tensor. */
export function parametersFrom(
  lambdas: readonly number[],
  { alpha, density }: { readonly alpha?: unknown; readonly density?: unknown },
): MergeParameters {
  const plain = (value: unknown) => (typeof value === 'number' ? value : 1);
  const sum = lambdas.reduce((total, value) => total + value, 0);
  return {
    lambda: sum / Math.max(1, lambdas.length),
    alpha: plain(alpha),
    density: plain(density),
  };
}

/** Which of them the method of a recipe has. */
export function usedParameters({ recipe: { recipe } }: Analysis): RecipeFacts['uses'] {
  const method = recipe.merge?.method ?? 'task_arithmetic';
  return {
    lambda: recipe.masks !== 'none' && method !== 'emr',
    alpha: method !== 'emr',
    density: methodsUsing('density').includes(method),
  };
}

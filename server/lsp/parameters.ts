import type {
  Lambdas,
  MergeParameters,
  ParameterName,
  ParameterValue,
  RecipeFacts,
} from '../protocol/panels/mask-ratios';
import { lambdaOfTask, meanLambda, scaledLambdas } from '../protocol/panels/mask-ratios';
import type { Fix } from '../protocol/problem';
import { setValue } from '../recipe/edit';
import { find } from '../recipe/located';
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

/** λ, α and density as asked about, and the recipe with them. */
export function movedTo(
  analysis: Analysis,
  asked: Partial<MergeParameters> = {},
): { readonly parameters: MergeParameters; readonly change: RecipeChange } {
  const saved = savedParameters(analysis);
  const parameters = { ...saved, ...asked, ...movedLambda(saved, asked) };
  const change: RecipeChange = ({ merge, masks, ...recipe }) => ({
    ...recipe,
    merge: {
      ...merge,
      ...(parameters.alpha === saved.alpha ? {} : { alpha: parameters.alpha }),
      ...(parameters.density === saved.density ? {} : { density: parameters.density }),
    },
    masks:
      masks === 'none' || masks.rule !== 'tall'
        ? masks
        : { ...masks, lambda: byTask(masks.lambda, (task) => lambdaOfTask(parameters, task)) },
  });
  return { parameters, change };
}

/** λs that are asked about; a common one moves the tasks' own by the same factor. */
function movedLambda(
  saved: MergeParameters,
  { lambda = saved.lambda, lambdas }: Partial<MergeParameters>,
): Pick<MergeParameters, 'lambda' | 'lambdas'> {
  if (lambdas) return { lambda: meanLambda(lambdas), lambdas };
  if (!saved.lambdas || lambda === saved.lambda) return { lambda };
  return { lambda, lambdas: scaledLambdas(saved.lambdas, lambda) };
}

const byTask = (lambdas: Lambdas, valueOf: (task: string) => number): Lambdas =>
  Object.fromEntries(Object.keys(lambdas).map((task) => [task, valueOf(task)]));

/** One parameter at another value, as the axis of a curve has it: there λ is the same for every task. */
export function alongAxis(
  parameters: MergeParameters,
  parameter: ParameterName,
  value: number,
): MergeParameters {
  const moved = { ...parameters, [parameter]: value };
  if (parameter !== 'lambda' || !parameters.lambdas) return moved;
  return { ...moved, lambdas: byTask(parameters.lambdas, () => value) };
}

export function savedParameters({ recipe: { recipe, tasks } }: Analysis): MergeParameters {
  const lambda = (typeof recipe.masks === 'object' ? recipe.masks.lambda : undefined) ?? 0.6;
  const { method = 'task_arithmetic', ...merge } = recipe.merge ?? {};
  const lambdas =
    typeof lambda === 'object'
      ? Object.fromEntries(tasks.map((task) => [task, lambda[task] ?? 0.6]))
      : lambda;
  return parametersFrom(lambdas, { ...parametersOf(method), ...merge });
}

/** One number each: the mean of the λs, and 1 for numbers that differ by tensor. */
export function parametersFrom(
  lambda: number | Lambdas,
  { alpha, density }: { readonly alpha?: unknown; readonly density?: unknown },
): MergeParameters {
  const plain = (value: unknown) => (typeof value === 'number' ? value : 1);
  const rest = { alpha: plain(alpha), density: plain(density) };
  return typeof lambda === 'number'
    ? { lambda, ...rest }
    : { lambda: meanLambda(lambda), ...rest, lambdas: lambda };
}

/** Edits that give a parameter another value; of a map of λs only the entries that are others. */
export function parameterEdits(
  { recipe }: Analysis,
  { parameter, value }: ParameterValue,
  saved: MergeParameters,
): Fix['edits'] {
  const path = parameterPaths[parameter];
  const written = find(recipe.root, path)?.value;
  if (parameter !== 'lambda' || written?.kind !== 'map' || written.entries.length === 0)
    return setValue(recipe, path, value);
  const wanted = typeof value === 'object' ? value : scaledLambdas(saved.lambdas ?? {}, value);
  return Object.entries(wanted).flatMap(([task, own]) =>
    own === lambdaOfTask(saved, task) ? [] : setValue(recipe, [...path, task], own),
  );
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

import { defaults } from './defaults';
import { type MethodName, parameterDefaults, parametersOf } from './methods';
import { withFallback } from './numbers';
import type { RecipeDocument } from './parse';
import type {
  Evaluate,
  Expert,
  Masks,
  Merge,
  Output,
  ParsedRecipe,
  Recipe,
  Router,
  Run,
  Scope,
} from './schema';
import { parseSize } from './sizes';

/**
 * Fills every default in. Works on any document; only one without errors describes a merge that can run.
 * `name` defaults to the file's name without its extensions.
 */
export function resolveRecipe(document: RecipeDocument): Recipe {
  const { recipe, tasks, path } = document;
  return {
    name: fileName(path),
    description: '',
    base: null,
    layout: defaults.layout,
    ...stripUndefined({ name: recipe.name, description: recipe.description, base: recipe.base }),
    ...stripUndefined({ layout: recipe.layout }),
    version: 1,
    experts: tasks.map((task) => resolveExpert(task, recipe.experts?.[task])),
    merge: resolveMerge(recipe.merge ?? {}),
    masks: resolveMasks(recipe, tasks),
    heads: { ...defaults.heads, per_task: [], ...stripUndefined(recipe.heads ?? {}) },
    router: resolveRouter(recipe.router),
    evaluate: recipe.evaluate ? resolveEvaluate(recipe.evaluate) : null,
    run: resolveRun(recipe.run ?? {}),
    output: resolveOutput(recipe.output ?? {}),
  };
}

type Written<Key extends keyof ParsedRecipe> = NonNullable<ParsedRecipe[Key]>;

function resolveExpert(task: string, expert: Written<'experts'>[string] | undefined): Expert {
  if (expert === undefined || typeof expert === 'string')
    return { task, path: expert ?? null, adapter: null, weight: defaults.weight };
  return {
    task,
    path: expert.path ?? null,
    adapter: expert.adapter ?? null,
    weight: withFallback(expert.weight ?? defaults.weight, defaults.weight),
  };
}

function resolveMerge(written: Written<'merge'>): Merge {
  const method: MethodName = written.method ?? defaults.merge.method;
  const { scope, ...given } = stripUndefined(written);
  const own = { ...parameterDefaults, ...parametersOf(method, written.inner) };
  const merge = { ...own, ...defaults.merge, ...given, method, scope: resolveScope(scope) };
  return {
    ...merge,
    alpha: withFallback(merge.alpha, defaults.merge.alpha),
    density: withFallback(merge.density, own.density),
    epsilon: withFallback(merge.epsilon, own.epsilon),
    gamma: withFallback(merge.gamma, own.gamma),
    t: withFallback(merge.t, own.t),
  };
}

const wholeModel: Scope = { components: null, blocks: null, include: null, exclude: [] };

function resolveScope(scope: Written<'merge'>['scope'] = {}): Scope {
  const { blocks, ...selectors } = stripUndefined(scope);
  if (!blocks) return { ...wholeModel, ...selectors };
  return { ...wholeModel, ...selectors, blocks: { from: 0, to: null, ...stripUndefined(blocks) } };
}

function resolveMasks({ masks, merge }: ParsedRecipe, tasks: readonly string[]): Masks {
  if (masks === 'none') return 'none';
  const implied: 'tall' | 'emr' = merge?.method === 'emr' ? 'emr' : defaults.masks.rule;
  const { rule, lambda, consensus } = {
    ...defaults.masks,
    rule: implied,
    ...stripUndefined(masks ?? {}),
  };
  if (rule === 'emr') return { rule };
  const lambdaOf = (task: string) => {
    if (typeof lambda === 'number') return lambda;
    const own = Object.hasOwn(lambda, task) ? lambda[task] : undefined;
    return own ?? defaults.masks.lambda;
  };
  return {
    rule,
    lambda: Object.fromEntries(tasks.map((task) => [task, lambdaOf(task)])),
    consensus,
  };
}

function resolveRouter(written: ParsedRecipe['router']): Router | 'none' {
  if (written === 'none') return 'none';
  return {
    value_block: null,
    hidden_entry: null,
    calibration: [],
    ...defaults.router,
    ...stripUndefined(written ?? {}),
  };
}

/** Also what an evaluation takes where the recipe names none: `resolveEvaluate({})`. */
export function resolveEvaluate(written: Written<'evaluate'>): Evaluate {
  return {
    execute: null,
    max_steps: null,
    command: null,
    ...defaults.evaluate,
    ...stripUndefined(written),
  };
}

function resolveRun(written: Written<'run'>): Run {
  const { slurm = {}, ...given } = stripUndefined(written);
  const run = { ...defaults.run, ...given };
  const { mem, time, ...others } = stripUndefined(slurm);
  return {
    ...run,
    memory: parseSize(run.memory) ?? 2 ** 31,
    slurm: {
      partition: null,
      gres: null,
      cpus: null,
      prelude: '',
      ...defaults.slurm,
      ...others,
      mem: mem === undefined ? null : String(mem),
      time: time === undefined ? null : String(time),
    },
  };
}

function resolveOutput(written: Written<'output'>): Output {
  const output = { ...defaults.output, ...stripUndefined(written) };
  return { ...output, shard: parseSize(output.shard) ?? 5e9 };
}

type Defined<Value> = { [Key in keyof Value]?: Exclude<Value[Key], undefined> };

function stripUndefined<Value extends object>(value: Value): Defined<Value> {
  return Object.fromEntries(
    Object.entries(value).filter(([, item]) => item !== undefined),
  ) as Defined<Value>;
}

function fileName(path: string): string {
  const name = path.split(/[\\/]/).pop() ?? '';
  return name.replace(/\.ya?ml$/i, '').replace(/\.mergevla$/i, '') || 'recipe';
}

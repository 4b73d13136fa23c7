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
    version: 1,
    name: recipe.name ?? fileName(path),
    description: recipe.description ?? '',
    base: recipe.base ?? null,
    experts: tasks.map((task) => resolveExpert(task, recipe.experts?.[task])),
    layout: recipe.layout ?? defaults.layout,
    merge: resolveMerge(recipe.merge ?? {}),
    masks: resolveMasks(recipe, tasks),
    heads: {
      unmerged_blocks: recipe.heads?.unmerged_blocks ?? defaults.heads.unmerged_blocks,
      per_task: recipe.heads?.per_task ?? [],
    },
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

function resolveScope(scope: Written<'merge'>['scope']): Scope {
  const blocks = scope?.blocks;
  return {
    components: scope?.components ?? null,
    blocks: blocks ? { from: blocks.from ?? 0, to: blocks.to ?? null } : null,
    include: scope?.include ?? null,
    exclude: scope?.exclude ?? [],
  };
}

function resolveMasks({ masks, merge }: ParsedRecipe, tasks: readonly string[]): Masks {
  if (masks === 'none') return 'none';
  const rule = masks?.rule ?? (merge?.method === 'emr' ? 'emr' : defaults.masks.rule);
  if (rule === 'emr') return { rule };
  const written = masks?.lambda ?? defaults.masks.lambda;
  const lambdaOf = (task: string) =>
    typeof written === 'number'
      ? written
      : Object.hasOwn(written, task)
        ? (written[task] ?? defaults.masks.lambda)
        : defaults.masks.lambda;
  return {
    rule,
    lambda: Object.fromEntries(tasks.map((task) => [task, lambdaOf(task)])),
    consensus: masks?.consensus ?? defaults.masks.consensus,
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

function resolveEvaluate(written: Written<'evaluate'>): Evaluate {
  return {
    execute: null,
    max_steps: null,
    shift: 'none',
    command: null,
    ...defaults.evaluate,
    ...stripUndefined(written),
  };
}

function resolveRun(written: Written<'run'>): Run {
  const { slurm, ...given } = stripUndefined(written);
  const run = { ...defaults.run, ...given };
  return {
    ...run,
    memory: parseSize(run.memory) ?? 2 ** 31,
    slurm: {
      partition: slurm?.partition ?? null,
      gres: slurm?.gres ?? null,
      cpus: slurm?.cpus ?? null,
      mem: slurm?.mem === undefined ? null : String(slurm.mem),
      time: slurm?.time === undefined ? null : String(slurm.time),
      prelude: slurm?.prelude ?? '',
      parallel: slurm?.parallel ?? defaults.slurm.parallel,
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

import { z } from 'zod';
import { defaults, type policyNames } from './defaults';
import type { MethodName, MethodParameters } from './methods';
import type { NumberSpec } from './numbers';
import { key, numberSpec, text } from './schema-key';
import { masksSchema, mergeSchema } from './schema-merge';
import {
  evaluateSchema,
  headsSchema,
  outputSchema,
  routerSchema,
  runSchema,
  sweepSchema,
} from './schema-run';

export const maxTasks = 64;

const expertSchema = z.union([
  text,
  z.strictObject({
    path: key(text, {
      doc: 'The fine-tuned checkpoint: a directory, a `.safetensors` or an `.index.json`. Absent with `adapter`: the base.',
      names: 'path',
    }),
    adapter: key(text, {
      doc: 'A PEFT LoRA directory applied to `path`, or to the base when `path` is absent.',
      names: 'path',
    }),
    weight: key(numberSpec(), {
      doc: 'Factor on the task vector, applied before trimming and election.',
      default: defaults.weight,
      examples: [1, { gradient: [0, 1] }],
    }),
  }),
]);

/**
 * The recipe, version 1. Every key is optional here so that half a recipe has a value; rules tell what
 * is required. Types, defaults, hovers, completion, JSON Schema and the reference page come from it.
 */
export const recipeSchema = z.strictObject({
  version: key(z.literal(1), {
    doc: 'Version of the recipe language.',
    required: true,
    examples: [1],
  }),
  name: key(text, { doc: "Name of the experiment; absent: the file's." }),
  description: key(z.string(), { doc: 'Free text, copied into reports.' }),
  base: key(text, {
    doc: 'The pretrained checkpoint Θ₀: a directory, a `.safetensors` or an `.index.json`. Required, except for `average` and for `slerp` of two experts.',
    examples: ['zoo/base'],
    names: 'path',
  }),
  experts: key(z.record(z.string(), expertSchema), {
    doc: 'The fine-tuned checkpoints in order; each key is the name of its task.',
    required: true,
    range: `1 to ${String(maxTasks)} tasks`,
    examples: [{ pick_place: 'zoo/pick_place' }],
    names: 'path',
  }),
  layout: key(z.enum(['auto', 'mergevla', 'openvla', 'openvla-oft', 'pi0', 'smolvla', 'generic']), {
    doc: 'How tensor names map to component, block and kind.',
    default: defaults.layout,
    values: { auto: 'decided from tensor names and `config.json`' },
  }),
  merge: key(mergeSchema, { doc: 'How the experts are merged, and what of them.' }),
  masks: key(masksSchema, {
    doc: 'Task masks on the merged vector, or `none`.',
    default: defaults.masks,
    values: { none: 'no masks: one model for all tasks' },
  }),
  heads: key(headsSchema, { doc: 'Which parts of the action expert stay one for each task.' }),
  router: key(routerSchema, {
    doc: 'How the task is chosen at test time where the layout has an action expert, or `none`.',
    values: { none: 'no router' },
  }),
  evaluate: key(evaluateSchema, { doc: 'Rollouts that follow the merge.' }),
  sweep: key(sweepSchema, {
    doc: 'Dotted recipe keys and the lists of values they take. Lists are combined freely; lists under `zip` go together. Each point is one run.',
    examples: [{ 'masks.lambda': [0.4, 0.6] }],
  }),
  run: key(runSchema, { doc: 'Device, threads, memory, and where sweeps run.' }),
  output: key(outputSchema, { doc: 'Where results go and in which form.' }),
});

/** A recipe as written: every key may be missing; values of the wrong type have been left out. */
export type ParsedRecipe = z.infer<typeof recipeSchema>;

export type Policy = (typeof policyNames)[number];
export type LayoutChoice = NonNullable<ParsedRecipe['layout']>;

export interface Expert {
  readonly task: string;
  /** As written, relative to the recipe; null: the adapter is applied to the base. */
  readonly path: string | null;
  readonly adapter: string | null;
  readonly weight: NumberSpec;
}

/** Blocks `from` (included) to `to` (excluded, null: to the end), counted from 0. */
export interface Blocks {
  readonly from: number;
  readonly to: number | null;
}

export interface Scope {
  /** Null: all components. Compare with `matchesComponent`. */
  readonly components: readonly string[] | null;
  readonly blocks: Blocks | null;
  /** Null: all tensors. Compare with `compileGlobs`. */
  readonly include: readonly string[] | null;
  readonly exclude: readonly string[];
}

type NumericParameter = 'density' | 'epsilon' | 'gamma' | 't';

/** Parameters that the method does not use hold the general default and mean nothing. */
export type Merge = Readonly<Omit<MethodParameters, NumericParameter>> &
  Readonly<Record<NumericParameter, NumberSpec>> & {
    readonly method: MethodName;
    readonly alpha: NumberSpec;
    readonly scope: Scope;
    /** `base` or a task. */
    readonly keep_from: string;
    /** `average`, `per_task` or a task. */
    readonly rest: string;
    readonly precision: 'float32' | 'native';
  };

export interface TallMasks {
  readonly rule: 'tall';
  /** λ of every task. */
  readonly lambda: Readonly<Record<string, number>>;
  /** 0: off; k: positions active in at least k task masks, for every task. */
  readonly consensus: number;
}

export type Masks = TallMasks | { readonly rule: 'emr' } | 'none';

export interface Heads {
  readonly unmerged_blocks: number;
  readonly per_task: readonly string[];
}

export interface Router {
  readonly rank: number;
  readonly pairing: 'same' | 'crossed';
  /** Null: the released code's index. */
  readonly value_block: number | null;
  readonly hidden_entry: number | null;
  readonly temperature: number;
  readonly per: 'episode' | 'suite';
  readonly offset: 'none' | 'stored';
  readonly calibration: readonly string[];
}

export interface Evaluate {
  readonly suite: string;
  readonly episodes: number;
  readonly seed: number;
  readonly range: 'test' | 'validation';
  readonly policies: readonly Policy[];
  /** Null: all actions of a chunk. */
  readonly execute: number | null;
  readonly max_steps: number | null;
  readonly shift: 'none' | 'colours';
  /** A shell-like line, or the argument list itself. */
  readonly command: string | readonly string[] | null;
  /** Seconds that the harness may be silent. */
  readonly timeout: number;
}

export interface Slurm {
  readonly partition: string | null;
  readonly gres: string | null;
  readonly cpus: number | null;
  readonly mem: string | null;
  readonly time: string | null;
  readonly prelude: string;
  readonly parallel: number;
}

export interface Run {
  readonly device: string;
  readonly threads: number | 'auto';
  /** Bytes. */
  readonly memory: number;
  readonly engine: 'local' | 'slurm';
  readonly slurm: Slurm;
}

export interface Output {
  readonly directory: string;
  readonly form: 'compact' | 'weights' | 'mergevla';
  readonly dtype: 'same' | 'bfloat16' | 'float16' | 'float32';
  /** Bytes. */
  readonly shard: number;
}

/** A recipe with every default filled in. Sweeps are expanded before, so it has none. */
export interface Recipe {
  readonly version: 1;
  readonly name: string;
  readonly description: string;
  /** As written, relative to the recipe; null only for methods that need no base. */
  readonly base: string | null;
  /** In the order of the recipe. */
  readonly experts: readonly Expert[];
  readonly layout: LayoutChoice;
  readonly merge: Merge;
  readonly masks: Masks;
  readonly heads: Heads;
  /** The default where the key is absent; it only matters where the layout has an action expert. */
  readonly router: Router | 'none';
  /** Null: the recipe names no evaluation. */
  readonly evaluate: Evaluate | null;
  readonly run: Run;
  readonly output: Output;
}

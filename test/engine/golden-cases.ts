import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { golden } from './driver';

export interface GoldenCase {
  readonly id: string;
  readonly method: string;
  readonly peer: string;
  readonly base: string | null;
  readonly experts: readonly string[];
  /** Of the cases of one adapter. */
  readonly adapter?: string;
  readonly params: {
    readonly global?: Record<string, unknown> | null;
    readonly per_model?: readonly Record<string, unknown>[] | null;
    readonly lambda?: number;
    readonly k?: number;
    readonly agg?: string;
    readonly exclude?: readonly string[];
    readonly only?: readonly string[];
    readonly reconstructed_for?: string;
    readonly min_tasks?: number;
    readonly scaling?: number;
    readonly common_space_fraction?: number;
    readonly drop_rate?: number;
  };
  readonly tolerance: {
    readonly rule: string;
    readonly max_ulp?: number;
    readonly min_equal_fraction?: number;
    readonly max_abs?: number;
    readonly rel?: number;
    readonly per_tensor?: number;
    readonly mask_agreement?: number;
  };
  readonly expected?: string;
  readonly masks?: string;
  readonly ambiguous?: string;
  readonly report?: string;
}

export const goldenCases = (
  JSON.parse(readFileSync(join(golden, 'manifest.json'), 'utf8')) as { cases: GoldenCase[] }
).cases;

export function goldenReport(item: GoldenCase): Record<string, never> {
  return JSON.parse(readFileSync(join(golden, item.report ?? ''), 'utf8')) as Record<string, never>;
}

/** Elements of the qwen-f32 models; the authors' rule keeps ⌊N·k⌋ + 1 of them, ours exactly ⌊N·k⌋. */
const qwenElements = 19744;
const authorsDensity = (k: number): number =>
  (Math.floor(qwenElements * (k > 1 ? k / 100 : k)) + 1.5) / qwenElements;

type Keys = Record<string, unknown>;

/** The recipe that asks for what a peer was run with. */
export function recipeOf(item: GoldenCase): string {
  // The peer's slices name the base and the first expert only.
  const paths = item.method === 'slerp' ? item.experts.slice(0, 1) : item.experts;
  const adapted = item.adapter === undefined ? {} : { tuned: { adapter: item.adapter } };
  const experts = Object.fromEntries(
    paths.map((path, i) => {
      const weight = weightOf(item.params.per_model?.[i]?.['weight']);
      return [path.split('/').at(-1) ?? '', weight === undefined ? path : { path, weight }];
    }),
  );
  const recipe: Keys = {
    version: 1,
    ...(item.base ? { base: item.base } : {}),
    experts: { ...experts, ...adapted },
    ...settingsOf(item),
  };
  return JSON.stringify(recipe);
}

function settingsOf(item: GoldenCase): Keys {
  const { params } = item;
  const weights = { masks: 'none', router: 'none', output: { form: 'weights' } };
  if (item.adapter !== undefined) return { ...weights, merge: { method: 'average' } };
  if (item.method === 'metrics') return { router: 'none', output: { form: 'compact' } };
  if (item.method === 'dare')
    return {
      merge: { method: 'dare_linear', density: 1 - Number(params.drop_rate) },
      masks: 'none',
      output: { form: 'compact' },
    };
  const scope = params.exclude ? { scope: { exclude: params.exclude } } : {};
  if (item.peer === 'mergekit') return { merge: mergekitMerge(item), ...weights };
  if (item.peer === 'ties-merging')
    return {
      merge: {
        method: 'ties',
        density: authorsDensity(params.k ?? 1),
        agree: (params.agg ?? '').replace('dis-', ''),
        alpha: Number(params.lambda ?? 1),
      },
      ...weights,
    };
  const masks = { masks: { lambda: params.lambda ?? 0.6 } };
  const compact = { output: { form: 'compact', dtype: 'float32' }, router: 'none' };
  if (item.peer === 'iso-merging')
    return {
      merge: {
        method: methodNames[item.method],
        alpha: params.scaling,
        ...(params.common_space_fraction && { common_fraction: params.common_space_fraction }),
      },
      masks: 'none',
      ...compact,
    };
  if (item.method === 'ties20+tall_mask')
    return { merge: { method: 'ties', density: authorsDensity(20) }, ...masks, ...compact };
  if (item.method === 'consensus')
    return {
      merge: { method: 'task_arithmetic' },
      masks: { lambda: params.lambda, consensus: params.min_tasks },
      ...compact,
    };
  const native = item.id.endsWith('-native');
  const precision = native ? { precision: 'native' } : {};
  const form = native ? { output: { form: 'compact' }, router: 'none' } : compact;
  if (item.method === 'emr') return { merge: { method: 'emr', ...scope }, ...compact };
  if (item.method === 'weighted_average')
    return { merge: { method: 'task_arithmetic', precision: 'native' }, router: 'none' };
  const method = methodNames[item.method.replace('+tall_mask', '')];
  return { merge: { method, ...precision, ...scope }, ...masks, ...form };
}

const methodNames: Record<string, string> = {
  ta: 'task_arithmetic',
  ties: 'ties',
  tsv: 'tsv',
  knots: 'knots',
  wudi: 'wudi',
  'iso-c': 'iso_c',
  'iso-cts': 'iso_cts',
  'tsv-m': 'tsv',
};

function mergekitMerge({ id, method, params }: GoldenCase): Keys {
  const global = params.global ?? {};
  const first = params.per_model?.[0] ?? {};
  const merge: Keys = { method: method === 'linear' ? 'average' : method };
  if (id.endsWith('-native') && method !== 'linear') merge['precision'] = 'native';
  if (global['lambda'] !== undefined) merge['alpha'] = global['lambda'];
  for (const key of ['density', 'gamma', 'epsilon'])
    if (first[key] !== undefined) merge[key] = first[key];
  if (global['t'] !== undefined) merge['t'] = specOf(global['t']);
  if (global['filter_wise'] !== undefined) merge['filter_wise'] = global['filter_wise'];
  if (method === 'ties')
    return {
      ...merge,
      trim_scope: 'tensor',
      agree: global['normalize'] === false ? 'sum' : 'mean',
      elect_tie: 'positive',
    };
  if (method.endsWith('_ties')) return { ...merge, agree: 'sum', elect_tie: 'positive' };
  if (global['normalize'] !== undefined) merge['normalize'] = global['normalize'];
  return merge;
}

function weightOf(weight: unknown): unknown {
  return weight === undefined ? undefined : specOf(weight);
}

/** mergekit's filters are substrings; its lists are gradients. */
function specOf(spec: unknown): unknown {
  if (!Array.isArray(spec)) return spec;
  const items: unknown[] = spec;
  if (items.every((item) => typeof item === 'number')) return { gradient: items };
  return (items as { filter?: string; value: unknown }[]).map(({ filter, value }) => ({
    ...(filter === undefined ? {} : { match: `*${filter}*` }),
    value: specOf(value),
  }));
}

/** Where the expected tensors of a case lie. */
export function expectedFile(item: GoldenCase): string {
  return join(golden, item.expected ?? '');
}

export function fileOf(path: string | undefined): string | undefined {
  const file = path === undefined ? undefined : join(golden, path);
  return file !== undefined && existsSync(file) ? file : undefined;
}

import type { Problem } from '../protocol/problem';
import { LineIndex } from './lines';
import { type Located, plainValue, type RecipePath } from './located';
import {
  inherited,
  isSetting,
  layerRange,
  mapping,
  mergekitNames,
  modelText,
  overSlices,
  sequence,
  type SliceLines,
  switchOf,
} from './mergekit-settings';
import { type MethodName, methodNames, methods } from './methods';
import { mapNumbers, type NumberSpec } from './numbers';
import { problem } from './problems';
import { taskNameFault } from './rules-experts';
import { spanAt } from './shape';
import { didYouMean, nearest } from './suggest';
import { blockText } from './write';
import { locate } from './yaml';

export interface ImportedRecipe {
  /** A recipe of ours; empty when nothing could be made of the text. */
  readonly recipeText: string;
  /** What has no counterpart, each in a sentence. */
  readonly lost: readonly string[];
  /** Ranges lie in the mergekit text. Without an error the recipe means the same but for `lost`. */
  readonly problems: readonly Problem[];
}

/** Reads a mergekit recipe (0.1.5; reference, merge methods §17) as far as it maps. Never throws. */
export function importMergekit(text: string): ImportedRecipe {
  const lines = new LineIndex(text);
  const problems: Problem[] = [];
  const root = locate(text, lines, problems);
  if (root?.kind !== 'map') {
    if (problems.length === 0)
      problems.push(problem('MV202', lines.range(0, 0), 'a mergekit recipe is a mapping'));
    return { recipeText: '', lost: [], problems };
  }
  return new Import(root, lines, problems).run();
}

const topLevel = [
  'merge_method',
  'base_model',
  'models',
  'slices',
  'modules',
  'parameters',
  'dtype',
  'out_dtype',
  'tokenizer_source',
  'tokenizer',
  'chat_template',
];
const parameterNames = [
  'weight',
  'density',
  'gamma',
  'epsilon',
  'normalize',
  'rescale',
  'lambda',
  'int8_mask',
  't',
  'filter_wise',
];

interface Reference {
  readonly path: string;
  readonly adapter?: string;
}

interface Source {
  readonly model: Reference;
  /** One for each slice; a recipe of whole models is one slice. */
  readonly slices: readonly { from: number; to: number; levels: readonly unknown[] }[];
  /** Where the source stands first. */
  readonly at: RecipePath;
}

class Import {
  readonly #lost: string[] = [];
  readonly #recipe: Record<string, unknown>;

  constructor(
    private readonly root: Located,
    private readonly lines: LineIndex,
    private readonly problems: Problem[],
  ) {
    this.#recipe = mapping(plainValue(root));
  }

  run(): ImportedRecipe {
    this.#checkKeys([], topLevel);
    this.#checkKeys(['parameters'], parameterNames);
    const method = this.#method();
    const sources = this.#sources();
    const recipeText = method && sources ? this.#write(method, sources) : '';
    return { recipeText, lost: [...new Set(this.#lost)], problems: this.problems };
  }

  #write(method: MethodName, sources: readonly Source[]): string {
    const base = method === 'average' ? undefined : this.#reference(['base_model']);
    if (base === undefined && methods[method].needsBase)
      this.#fail(
        ['merge_method'],
        `\`${String(this.#recipe['merge_method'])}\` needs a \`base_model\``,
      );
    if (base?.adapter !== undefined) this.#lose('the adapter of the base model');
    const experts = sources.filter((source) => !isSame(source.model, base));
    const merge = this.#merge(method, experts);
    const tasks = taskNames(experts);
    const weights = this.#weights(method, experts);
    const written = experts.map((source, index) => {
      const { path, adapter } = source.model;
      const weight = weights[index] ?? 1;
      const plain = weight === 1 && adapter === undefined;
      const own = adapter !== undefined && path === base?.path ? undefined : path;
      const expert = { path: own, adapter, weight: weight === 1 ? undefined : weight };
      return blockText({ [tasks[index] ?? '']: plain ? path : expert }, '  ');
    });
    const dtype = this.#outputDtype();
    const head = [
      '# Imported from a mergekit recipe.',
      ...this.#lost.map((item) => `# Not carried over: ${item}.`),
    ];
    return [
      ...[...new Set(head)],
      blockText({ version: 1, base: base?.path }),
      'experts:',
      ...written,
      blockText({ merge }),
      blockText({ masks: 'none', router: 'none', output: { form: 'weights', dtype } }),
      '',
    ].join('\n');
  }

  #merge(method: MethodName, experts: readonly Source[]): Record<string, unknown> {
    const own = methods[method].parameters;
    const withLambda = !['average', 'slerp', 'model_stock'].includes(method);
    const numbers = (['density', 'gamma', 'epsilon'] as const)
      .filter((name) => name in own)
      .map((name) => [name, this.#shared(name, experts) ?? (name === 'density' ? 1 : undefined)]);
    return {
      method,
      alpha: withLambda ? this.#number('lambda', undefined) : undefined,
      ...(Object.fromEntries(numbers) as object),
      t: 't' in own ? (this.#number('t', undefined) ?? this.#needed('t')) : undefined,
      filter_wise: 'filter_wise' in own ? this.#switch('filter_wise') : undefined,
      trim_scope: 'trim_scope' in own ? 'tensor' : undefined,
      normalize: 'normalize' in own ? this.#switch('normalize') : undefined,
      ...('agree' in own ? this.#election(method) : {}),
      ...('rescale' in own ? this.#rescale() : {}),
    };
  }

  #election(method: MethodName): object {
    const mean = this.#switch('normalize') ?? ['ties', 'della'].includes(method);
    return { agree: mean ? 'mean' : 'sum', elect_tie: 'positive' };
  }

  #rescale(): object {
    this.#lose('the random draws, which come from another generator');
    return { rescale: (this.#switch('rescale') ?? true) ? 'l1' : 'none' };
  }

  /** A global switch. */
  #switch(name: string): boolean | undefined {
    return switchOf(this.#setting(name, undefined)[0]?.lines ?? []);
  }

  /** Weights of the experts; where ours has no `normalize` and theirs asks for it, they are divided by their sum. */
  #weights(method: MethodName, experts: readonly Source[]): NumberSpec[] {
    if (method === 'slerp' || method === 'model_stock') return [];
    const weights = experts.map((source) => {
      const weight = this.#number('weight', source);
      if (weight === undefined) this.#fail(source.at, 'this model has no `weight`; 1 is taken');
      return weight ?? 1;
    });
    const own = methods[method].parameters;
    if (this.#switch('normalize') !== true || 'normalize' in own || 'agree' in own) return weights;
    const constants = weights.filter((weight) => typeof weight === 'number');
    const sum = constants.reduce((total, weight) => total + weight, 0);
    if (constants.length === weights.length && Math.abs(sum) >= 1e-8)
      return weights.map((weight) => mapNumbers(weight, (value) => value / sum));
    this.#lose('`normalize` with weights that vary by tensor');
    return weights;
  }

  /** A parameter that theirs sets for each model and ours for all. */
  #shared(name: string, experts: readonly Source[]): NumberSpec | undefined {
    const values = experts.map((source) => this.#number(name, source));
    if (new Set(values.map((value) => JSON.stringify(value))).size > 1)
      this.#lose(`a \`${name}\` for each model: the first model's is taken for all`);
    return values[0];
  }

  #number(name: string, source: Source | undefined): NumberSpec | undefined {
    const slices = this.#setting(name, source);
    const number = overSlices(slices);
    if (number === undefined && slices.some(({ lines }) => lines.length > 0))
      this.#lose(`\`${name}\` with filters that differ between slices`);
    return number;
  }

  #setting(name: string, source: Source | undefined): SliceLines[] {
    const global = mapping(this.#recipe['parameters'])[name];
    const slices = source?.slices ?? this.#sliceLevels();
    return slices.map(({ from, to, levels }) => ({
      from,
      to,
      lines: inherited([...levels.map((level) => mapping(level)[name]), global]),
    }));
  }

  /** Slices as global settings see them: their own parameters only. */
  #sliceLevels(): Source['slices'] {
    const slices = sequence(this.#recipe['slices']).map(mapping);
    if (slices.length === 0) return [{ from: 0, to: 1, levels: [] }];
    return slices.map((slice) => ({
      ...layerRange(mapping(sequence(slice['sources'])[0])),
      levels: [slice['parameters']],
    }));
  }

  #sources(): Source[] | undefined {
    if (this.#recipe['modules'] !== undefined)
      return this.#fail(['modules'], '`modules` have no counterpart; import each module by itself');
    if (this.#recipe['slices'] !== undefined) return this.#slicedSources();
    const models = sequence(this.#recipe['models']);
    if (models.length === 0) return this.#fail(['models'], 'the recipe names no models');
    return models.flatMap((model, index) => {
      const at = ['models', index];
      this.#checkKeys([...at, 'parameters'], parameterNames);
      const reference = this.#reference([...at, 'model'], mapping(model)['model']);
      const slices = [{ from: 0, to: 1, levels: [mapping(model)['parameters']] }];
      return reference ? [{ model: reference, slices, at }] : [];
    });
  }

  /** Slices map when all sources of each have one range and the ranges follow each other from 0. */
  #slicedSources(): Source[] | undefined {
    const slices = sequence(this.#recipe['slices']).map(mapping);
    const found = new Map<string, Source>();
    let next = 0;
    for (const [s, slice] of slices.entries()) {
      const sources = sequence(slice['sources']).map(mapping);
      const range = layerRange(sources[0] ?? {});
      const same = sources.every((source) => {
        const { from, to } = layerRange(source);
        return from === range.from && to === range.to;
      });
      if (!same || range.from !== next || range.to <= range.from)
        return this.#fail(
          ['slices', s],
          'slices that skip, repeat or shift layers have no counterpart',
        );
      next = range.to;
      for (const [i, source] of sources.entries()) {
        const at = ['slices', s, 'sources', i];
        this.#checkKeys([...at, 'parameters'], parameterNames);
        const model = this.#reference([...at, 'model'], source['model']);
        if (!model) continue;
        const key = JSON.stringify(model);
        const levels = [source['parameters'], slice['parameters']];
        const before = found.get(key) ?? { model, slices: [], at };
        found.set(key, { ...before, slices: [...before.slices, { ...range, levels }] });
      }
    }
    if ([...found.values()].some((source) => source.slices.length !== slices.length))
      return this.#fail(['slices'], 'slices made from different models have no counterpart');
    return [...found.values()];
  }

  #method(): MethodName | undefined {
    const written = this.#recipe['merge_method'];
    const found = methodNames.find((name) => mergekitNames[name] === written);
    if (written !== undefined && found) return found;
    const name = typeof written === 'string' ? written : '';
    const suggestion = didYouMean(nearest(name, Object.values(mergekitNames)));
    return this.#fail(
      ['merge_method'],
      name === ''
        ? 'the recipe has no `merge_method`'
        : `the method \`${name}\` has no counterpart${suggestion}`,
    );
  }

  #reference(path: RecipePath, written = this.#recipe[String(path[0])]): Reference | undefined {
    const parts = mapping(written);
    const text = typeof written === 'string' ? written : modelText(parts);
    if (text === undefined)
      return written === undefined ? undefined : this.#fail(path, 'this names no model');
    const [model = '', adapter] = text.split('+', 2);
    const plain = model.replace(/@[^@/\\]*$/, '');
    if (plain !== model || adapter?.includes('@'))
      this.#lose('revisions of models: recipes name local folders');
    return adapter === undefined
      ? { path: plain }
      : { path: plain, adapter: adapter.replace(/@[^@/\\]*$/, '') };
  }

  #outputDtype(): string | undefined {
    const plain = (key: string) => {
      const written = this.#recipe[key];
      return typeof written === 'string' ? written.replace(/^torch\./, '') : undefined;
    };
    const [computed, out] = [plain('dtype'), plain('out_dtype')];
    if (computed !== undefined && computed !== 'float32')
      this.#lose(`arithmetic in ${computed}: it is done in float32 and rounded once`);
    for (const key of ['tokenizer_source', 'tokenizer', 'chat_template'])
      if (this.#recipe[key] !== undefined)
        this.#lose(`\`${key}\`: rows of the vocabulary are not realigned`);
    const dtype = out ?? computed;
    if (dtype === undefined || ['bfloat16', 'float16', 'float32'].includes(dtype)) return dtype;
    this.#fail(
      [out === undefined ? 'dtype' : 'out_dtype'],
      `the type \`${dtype}\` cannot be written`,
    );
    return undefined;
  }

  #needed(name: string): undefined {
    return this.#fail(
      ['merge_method'],
      `\`${String(this.#recipe['merge_method'])}\` needs the parameter \`${name}\``,
    );
  }

  #checkKeys(path: RecipePath, known: readonly string[]): void {
    let value: unknown = this.#recipe;
    for (const step of path)
      value = Array.isArray(value) ? value[Number(step)] : mapping(value)[step];
    for (const [key, setting] of Object.entries(mapping(value))) {
      if (known === parameterNames && known.includes(key) && !isSetting(setting))
        this.#fail([...path, key], `\`${key}\` takes a number, a list of numbers or a switch here`);
      if (known.includes(key)) continue;
      const message = `mergekit has no key \`${key}\` here${didYouMean(nearest(key, known))}`;
      this.#tell([...path, key], message);
      this.#lose(`\`${[...path, key].join('.')}\``);
    }
  }

  #lose(what: string): void {
    this.#lost.push(what);
  }

  #tell(path: RecipePath, message: string, severity: 'error' | 'warning' = 'warning'): void {
    const range = this.lines.range(...spanAt(this.root, path));
    this.problems.push(problem('MV330', range, message, { severity }));
  }

  #fail(path: RecipePath, message: string): undefined {
    this.#tell(path, message, 'error');
    return undefined;
  }
}

function isSame(model: Reference, base: Reference | undefined): boolean {
  return base !== undefined && model.path === base.path && model.adapter === base.adapter;
}

/** Task names from the last part of each path, made different and fit for folders. */
function taskNames(sources: readonly Source[]): string[] {
  const names: string[] = [];
  for (const [index, { model }] of sources.entries()) {
    const last = (model.adapter ?? model.path).split(/[/\\]/).findLast((part) => part !== '') ?? '';
    const name = taskNameFault(last) === undefined ? last : `task_${String(index + 1)}`;
    const taken = (text: string) =>
      names.some((other) => other.toLowerCase() === text.toLowerCase());
    let free = name;
    for (let n = 2; taken(free); n++) free = `${name}_${String(n)}`;
    names.push(free);
  }
  return names;
}

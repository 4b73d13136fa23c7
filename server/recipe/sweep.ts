import { find, type Located, plainValue, type RecipePath } from './located';
import { isMethodName, isParameterName, parametersOf } from './methods';
import type { RecipeDocument } from './parse';
import { blockText } from './write';

/** One run of a sweep: the recipe with the swept keys set and `sweep` taken out. */
export interface SweepPoint {
  readonly index: number;
  /** `alpha=0.5 lambda=0.4`: the swept keys by their last name where that is unique. */
  readonly label: string;
  /** Dotted key → value, in the order of the recipe. */
  readonly values: Readonly<Record<string, unknown>>;
  /** A recipe of its own, without comments. */
  readonly text: string;
}

export const maxSweepPoints = 100_000;

/**
 * The points of a sweep, last key fastest; lists under `zip` go together and count as one key. A recipe
 * without `sweep` is one point. Parameters that a point's method does not use are left out where the
 * method itself is swept. Call it on recipes without errors only.
 */
export function expandSweep(document: RecipeDocument): SweepPoint[] {
  const axes = sweepAxes(document);
  const total = countPoints(axes);
  if (total > maxSweepPoints) return [];
  const names = shortNames(axes.flatMap((axis) => axis.keys));
  return Array.from({ length: total }, (_, index) => {
    const values = valuesAt(axes, index);
    const label = Object.entries(values)
      .map(([key, value]) => `${names.get(key) ?? key}=${shown(value)}`)
      .join(' ');
    return { index, label, values, text: pointText(document, values) };
  });
}

/** How many runs a sweep is, without making them. */
export function countSweep(document: RecipeDocument): number {
  return countPoints(sweepAxes(document));
}

/** A dotted key as a path; task names may hold dots themselves. Undefined where a task is unknown. */
export function splitDotted(dotted: string, tasks: readonly string[]): RecipePath | undefined {
  const prefix = ['experts.', 'masks.lambda.'].find((head) => dotted.startsWith(head));
  if (prefix === undefined) return dotted.split('.');
  const rest = dotted.slice(prefix.length);
  const task = [...tasks]
    .sort((a, b) => b.length - a.length)
    .find((name) => rest === name || rest.startsWith(`${name}.`));
  if (task === undefined) return undefined;
  const tail = rest.slice(task.length + 1);
  return [...prefix.slice(0, -1).split('.'), task, ...(tail === '' ? [] : tail.split('.'))];
}

interface Axis {
  readonly keys: readonly string[];
  /** One list of values for each key, all of one length. */
  readonly values: readonly (readonly unknown[])[];
}

function sweepAxes(document: RecipeDocument): Axis[] {
  const sweep = find(document.root, ['sweep'])?.value;
  if (sweep?.kind !== 'map') return [];
  return sweep.entries.map(({ key, value }) =>
    key === 'zip' && value.kind === 'map'
      ? { keys: value.entries.map((e) => e.key), values: value.entries.map((e) => list(e.value)) }
      : { keys: [key], values: [list(value)] },
  );
}

function list(node: Located): unknown[] {
  const value = plainValue(node);
  return Array.isArray(value) ? (value as unknown[]) : [value];
}

function lengthOf(axis: Axis): number {
  return Math.min(...axis.values.map((values) => values.length));
}

function countPoints(axes: readonly Axis[]): number {
  return axes.reduce((product, axis) => product * lengthOf(axis), 1);
}

function valuesAt(axes: readonly Axis[], index: number): Record<string, unknown> {
  let rest = index;
  const picks: number[] = [];
  for (const axis of axes.toReversed()) {
    picks.unshift(rest % lengthOf(axis));
    rest = Math.floor(rest / lengthOf(axis));
  }
  const entries = axes.flatMap((axis, a) =>
    axis.keys.map((key, k): [string, unknown] => [key, axis.values[k]?.[picks[a] ?? 0]]),
  );
  return Object.fromEntries(entries);
}

function shortNames(keys: readonly string[]): Map<string, string> {
  const last = (key: string) => key.split('.').at(-1) ?? key;
  const uses = new Map<string, number>();
  for (const key of keys) uses.set(last(key), (uses.get(last(key)) ?? 0) + 1);
  return new Map(keys.map((key) => [key, uses.get(last(key)) === 1 ? last(key) : key]));
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

type Mapping = Record<string, unknown>;

function pointText(document: RecipeDocument, values: Mapping): string {
  const recipe = (document.root ? plainValue(document.root) : {}) as Mapping;
  delete recipe['sweep'];
  for (const [dotted, value] of Object.entries(values)) {
    const path = splitDotted(dotted, document.tasks);
    if (path) assign(recipe, path, value, document.tasks);
  }
  const merge = recipe['merge'];
  if ('merge.method' in values && isMapping(merge) && isMethodName(merge['method'])) {
    const used = parametersOf(merge['method'], String(merge['inner']));
    for (const key of Object.keys(merge))
      if (isParameterName(key) && !(key in used)) Reflect.deleteProperty(merge, key);
  }
  return `${topLevel(recipe, document.tasks)}\n`;
}

/** Experts are written in the order of the text, which an object loses where names are numbers. */
function topLevel(recipe: Mapping, tasks: readonly string[]): string {
  return Object.entries(recipe)
    .map(([key, value]) => {
      if (key !== 'experts' || !isMapping(value)) return blockText({ [key]: value });
      return ['experts:', ...tasks.map((task) => blockText({ [task]: value[task] }, '  '))].join(
        '\n',
      );
    })
    .join('\n');
}

function assign(recipe: Mapping, path: RecipePath, value: unknown, tasks: readonly string[]): void {
  let holder = recipe;
  path.slice(0, -1).forEach((step, depth) => {
    const inner = holder[step];
    if (isMapping(inner)) holder = inner;
    else holder = holder[step] = opened(path.slice(0, depth + 1), inner, tasks);
  });
  holder[String(path.at(-1))] = value;
}

/** The long form of what was written short: an expert's path, or one λ for all tasks. */
function opened(path: RecipePath, value: unknown, tasks: readonly string[]): Mapping {
  if (path[0] === 'experts' && typeof value === 'string') return { path: value };
  if (path.join('.') === 'masks.lambda' && typeof value === 'number')
    return Object.fromEntries(tasks.map((task) => [task, value]));
  return {};
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

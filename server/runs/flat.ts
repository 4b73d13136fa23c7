import type { MergeReport, Metrics } from '../protocol/report';

type Scalar = string | number | boolean | null;

/**
 * `params.yaml`: every scalar of the resolved recipe under its dotted key, one a line, as other tools
 * read it (`dvc params diff`, spreadsheets). Lists are one value, written as JSON.
 */
export function flatParameters(recipe: object): Record<string, Scalar | readonly unknown[]> {
  const flat: Record<string, Scalar | readonly unknown[]> = {};
  flatten(recipe, '', flat);
  return flat;
}

export function toYamlLines(flat: Readonly<Record<string, unknown>>): string {
  return Object.entries(flat)
    .map(([key, value]) => `${quoteKey(key)}: ${JSON.stringify(value)}\n`)
    .join('');
}

function flatten(
  value: object,
  prefix: string,
  into: Record<string, Scalar | readonly unknown[]>,
): void {
  for (const [key, item] of Object.entries(value) as [string, unknown][]) {
    const name = prefix === '' ? key : `${prefix}.${key}`;
    if (isScalar(item)) into[name] = item;
    else if (Array.isArray(item) && item.every((entry) => !isNamed(entry))) into[name] = item;
    else if (Array.isArray(item)) flatten(byTask(item as unknown[]), name, into);
    else if (typeof item === 'object') flatten(item, name, into);
  }
}

/** Experts are a list in the resolved recipe; their task is the better key. */
function byTask(items: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(
    items.map((item, index) => {
      if (!isNamed(item)) return [String(index), item];
      const { task, ...rest } = item;
      return [task, rest];
    }),
  );
}

function isNamed(item: unknown): item is { readonly task: string } {
  return typeof item === 'object' && item !== null && 'task' in item;
}

function isScalar(value: unknown): value is Scalar {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

function quoteKey(key: string): string {
  return /^[A-Za-z_][\w.-]*$/.test(key) ? key : JSON.stringify(key);
}

/** `metrics.json`: the totals of a report and of its components as flat numbers. */
export function flatMetrics(
  report: MergeReport,
  seconds: Readonly<Record<string, number>>,
): Record<string, number> {
  const groups: (readonly [string, Metrics<number>])[] = [
    ['total', report.total],
    ...Object.entries(report.components),
  ];
  const flat: Record<string, number> = {};
  for (const [name, metrics] of groups)
    for (const [key, value] of Object.entries(metricsOf(metrics))) flat[`${name}.${key}`] = value;
  for (const [name, value] of Object.entries(seconds)) flat[`seconds.${name}`] = value;
  return flat;
}

function metricsOf(metrics: Metrics<number>): Record<string, number> {
  const { elements, active = {}, coverage = [], distance = {} } = metrics;
  const flat: Record<string, number> = { elements };
  if (elements > 0) {
    for (const [task, count] of Object.entries(active)) flat[`active.${task}`] = count / elements;
    const names = coverage.map((_, tasks) => coverageName(tasks, coverage.length - 1));
    names.forEach((name, tasks) => (flat[`coverage.${name}`] = (coverage[tasks] ?? 0) / elements));
  }
  for (const [task, value] of Object.entries(distance)) flat[`distance.${task}`] = value;
  for (const [pair, value] of Object.entries(metrics.sign_conflict))
    flat[`sign_conflict.${pair}`] = value;
  for (const [pair, value] of Object.entries(metrics.cosine)) flat[`cosine.${pair}`] = value;
  return Object.fromEntries(Object.entries(flat).filter(([, value]) => Number.isFinite(value)));
}

/** The reference's words for positions active in none, one, several and all task masks. */
function coverageName(tasks: number, all: number): string {
  if (tasks === 0) return 'unused';
  if (tasks === 1) return 'selfish';
  return tasks === all ? 'universal' : `shared_${tasks}`;
}

import type { Hover } from 'vscode-languageserver';
import type { Position } from '../recipe/lines';
import type { ParameterName } from '../protocol/panels/mask-ratios';
import { describeKey } from '../recipe/describe';
import { placeAt, type Place } from '../recipe/locate';
import { find, type RecipePath } from '../recipe/located';
import { isMethodName, methods, parametersOf } from '../recipe/methods';
import { flowText } from '../recipe/write';
import type { ServerContext } from './context';
import { toRange } from './convert';
import type { Analysis } from './documents';
import { globPaths } from './glob-paths';
import { baseHover, taskHover } from './hover-checkpoint';
import { keyMarkdown } from './key-markdown';
import { metricsLinks, methodTable, parameterTable } from './hover-metrics';
import { tensorsHover } from './hover-tensors';
import { parameterNames, parameterPaths } from './parameters';

/** What a key means, and what its value does to the tasks; from memory, at once. */
export async function hover(
  context: ServerContext,
  analysis: Analysis,
  position: Position,
): Promise<Hover | null> {
  const place = placeAt(analysis.recipe, position);
  if (place.part === 'gap') return null;
  const { hoverMetrics } = await context.settings.of(analysis.uri);
  let value = markdown(hoverMetrics ? context : undefined, analysis, place);
  if (hoverMetrics) {
    // The first answer asked for numbers; what comes within a person's patience is shown at once.
    await context.metrics.settled(analysis, numbersWaitMs);
    value = markdown(context, analysis, place);
  }
  if (value === undefined) return null;
  const range = toRange(analysis.recipe.lines.range(...place.span));
  return { contents: { kind: 'markdown', value }, range };
}

/** How long a hover waits for numbers that are being computed. */
const numbersWaitMs = 1200;

/** Without a context only documentation is told. */
function markdown(
  context: ServerContext | undefined,
  analysis: Analysis,
  place: Place,
): string | undefined {
  const { path } = place;
  const at = path.join('.');
  const special = context && specialHover(context, analysis, place);
  if (special !== undefined) return special;
  if (at === 'merge.method' && place.part === 'value') return methodHover(context, analysis, path);
  const key = describeKey(path) ?? describeKey(path.slice(0, -1));
  if (!key || key.doc === '') return undefined;
  return withAlias(analysis, path, keyMarkdown(key));
}

/** Hovers that hold more than documentation. */
function specialHover(
  context: ServerContext,
  analysis: Analysis,
  { path, part }: Place,
): string | undefined {
  const at = path.join('.');
  if (at === 'base' && part === 'value') return baseHover(context, analysis);
  const parameter = parameterNames.find((name) => parameterPaths[name].join('.') === at);
  if (parameter) return parameterHover(context, analysis, { path, parameter });
  const task = taskOf(path);
  if (task !== undefined) return taskHover(context, analysis, task, part);
  const selects = at.startsWith('merge.scope.') && part === 'value';
  if (selects || globPaths(analysis.recipe).has(at)) return tensorsHover(context, analysis, path);
  return undefined;
}

/** The task whose key or checkpoint a path is. */
function taskOf([section, task, key]: RecipePath): string | undefined {
  if (section !== 'experts' || typeof task !== 'string') return undefined;
  return key === undefined || key === 'path' ? task : undefined;
}

function parameterHover(
  context: ServerContext,
  analysis: Analysis,
  { path, parameter }: { readonly path: RecipePath; readonly parameter: ParameterName },
): string | undefined {
  const key = describeKey(path);
  if (!key) return undefined;
  const table = parameterTable(context, analysis, parameter);
  // Numbers of one's own tell more than an example, and a hover has little room.
  const shown = table === undefined ? key : { ...key, examples: [] };
  const text = withAlias(analysis, path, keyMarkdown(shown, metricsLinks(context, analysis)));
  return table === undefined ? text : `${text}\n\n${table}`;
}

function methodHover(
  context: ServerContext | undefined,
  analysis: Analysis,
  path: RecipePath,
): string | undefined {
  const value = find(analysis.recipe.root, path)?.value;
  const name = value?.kind === 'scalar' ? value.value : undefined;
  if (!isMethodName(name)) return undefined;
  const info = methods[name];
  const parameters = Object.entries(parametersOf(name)).map(
    ([key, standard]) => `\`${key}: ${flowText(standard)}\``,
  );
  const table = context && methodTable(context, analysis, name);
  const links = context ? `\u2002${metricsLinks(context, analysis)}` : '';
  return [
    `**${name}** ${info.source}${links}`.trimEnd(),
    info.doc,
    parameters.length === 0 ? 'It has no parameters.' : `Parameters: ${parameters.join(', ')}.`,
    ...(table === undefined ? [] : [table]),
  ].join('\n\n');
}

/** What an alias stands for is not on its line. */
function withAlias({ recipe }: Analysis, path: RecipePath, text: string): string {
  const found = find(recipe.root, path);
  if (found?.alias === undefined || found.value.kind !== 'scalar') return text;
  return `${text}\n\n\`*${found.alias}\` is ${flowText(found.value.value)}`;
}

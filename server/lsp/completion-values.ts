import { CompletionItemKind, InsertTextFormat, type CompletionItem } from 'vscode-languageserver';
import { listDevices } from '../compute/devices';
import { describeKey, type KeyDescription } from '../recipe/describe';
import type { RecipePath } from '../recipe/located';
import { methodNames, methods, parametersOf } from '../recipe/methods';
import { flowText } from '../recipe/write';
import { pathItems } from './completion-paths';
import type { ServerContext } from './context';
import type { Cursor } from './cursor';
import type { Analysis } from './documents';
import { byGlob, commonGlobs, matched } from './tensor-facts';
import { count, plural } from './text';

const maxGlobs = 200;

/** Values that fit the key at the cursor: choices, names, globs, paths, and the default. */
export async function valueItems(
  context: ServerContext,
  analysis: Analysis,
  cursor: Cursor,
): Promise<CompletionItem[]> {
  const { path } = cursor;
  if (path.join('.') === 'merge.method') return methodItems(cursor);
  const key = describeKey(path) ?? listItem(path);
  if (!key) return [];
  const items = [
    ...choiceItems(key, cursor),
    ...nameItems(analysis, path),
    ...(await namedItems(context, analysis, { key, cursor })),
  ];
  return items.filter(
    ({ label }, index) => items.findIndex((each) => each.label === label) === index,
  );
}

/** An item of a list is described by the list's key. */
function listItem(path: RecipePath): KeyDescription | undefined {
  return typeof path.at(-1) === 'number' ? describeKey(path.slice(0, -1)) : undefined;
}

function namedItems(
  context: ServerContext,
  analysis: Analysis,
  { key, cursor }: { key: KeyDescription; cursor: Cursor },
): Promise<CompletionItem[]> | CompletionItem[] {
  switch (key.names) {
    case 'path':
      return pathItems(analysis, cursor);
    case 'glob':
      return globItems(context, analysis, cursor);
    case 'component':
      return componentItems(context, analysis);
    case 'device':
      return listDevices().map(({ id, name }) => value(id, name));
    case 'task':
      return analysis.recipe.tasks.map((task) => value(task, 'task', CompletionItemKind.Class));
    default:
      return [];
  }
}

/** Tasks may stand wherever a recipe says where a part comes from. */
function nameItems({ recipe }: Analysis, path: RecipePath): CompletionItem[] {
  const at = path.join('.');
  if (at !== 'merge.keep_from' && at !== 'merge.rest') return [];
  return recipe.tasks.map((task) => value(task, 'task', CompletionItemKind.Class));
}

function value(
  label: string,
  detail: string,
  kind: CompletionItemKind = CompletionItemKind.Value,
): CompletionItem {
  return { label, detail, kind };
}

function choiceItems(key: KeyDescription, cursor: Cursor): CompletionItem[] {
  const choices = key.choices.map((choice, index) => ({
    label: String(choice),
    kind: CompletionItemKind.EnumMember,
    detail: choice === key.default ? 'default' : '',
    sortText: String(index).padStart(3, '0'),
    documentation: { kind: 'markdown' as const, value: key.values?.[String(choice)] ?? '' },
  }));
  const known = choices.some(({ label }) => label === String(key.default));
  const simple = ['string', 'number', 'boolean'].includes(typeof key.default);
  const others = [
    ...(simple && !known ? [value(String(key.default), 'default')] : []),
    ...(key.kinds.includes('boolean') ? [value('true', ''), value('false', '')] : []),
    ...(cursor.flow || key.names === 'path'
      ? []
      : (key.examples ?? []).map((each) => value(flowText(each), 'example'))),
  ];
  const seen = new Set(choices.map(({ label }) => label));
  return [...choices, ...others.filter(({ label }) => !seen.has(label) && seen.add(label))];
}

/** Every method by itself, and with its parameters where it has some. */
function methodItems(cursor: Cursor): CompletionItem[] {
  return methodNames.flatMap((name, index) => {
    const info = methods[name];
    const plain: CompletionItem = {
      label: name,
      kind: CompletionItemKind.Function,
      detail: info.source,
      sortText: `${String(index).padStart(3, '0')}a`,
      documentation: { kind: 'markdown', value: info.doc },
    };
    const parameters = Object.entries(parametersOf(name));
    if (cursor.flow || parameters.length === 0) return [plain];
    const lines = parameters.map(
      ([key, standard], at) => `${key}: \${${String(at + 1)}:${String(standard)}}`,
    );
    const full: CompletionItem = {
      ...plain,
      label: `${name} …`,
      filterText: name,
      kind: CompletionItemKind.Snippet,
      detail: `with ${parameters.map(([key]) => key).join(', ')}`,
      sortText: `${String(index).padStart(3, '0')}b`,
      insertTextFormat: InsertTextFormat.Snippet,
      insertText: [name, ...lines].join(`\n${' '.repeat(cursor.indent)}`),
    };
    return [plain, full];
  });
}

function globItems({ files }: ServerContext, analysis: Analysis, cursor: Cursor): CompletionItem[] {
  const tensors = files.tensors(analysis) ?? [];
  const checkpoints = files.loaded(analysis)?.checkpoints ?? [];
  return commonGlobs(tensors, maxGlobs).map((glob, index) => {
    const { names, elements } = matched(tensors, checkpoints, byGlob(glob));
    return {
      label: glob,
      kind: CompletionItemKind.Text,
      insertText: cursor.quote ? glob : JSON.stringify(glob),
      detail: `${plural(names.length, 'tensor')} · ${count(elements)}`,
      sortText: String(index).padStart(4, '0'),
    };
  });
}

function componentItems({ files }: ServerContext, analysis: Analysis): CompletionItem[] {
  const tensors = files.tensors(analysis) ?? [];
  const components = [...new Set(tensors.map(({ component }) => component))];
  const prefixes = components.flatMap((name) => {
    const [prefix] = name.split('.');
    return prefix === undefined || prefix === name ? [] : [prefix];
  });
  return [...new Set([...prefixes, ...components])].map((name) => {
    const inside = tensors.filter(
      ({ component }) => component === name || component.startsWith(`${name}.`),
    );
    return value(name, plural(inside.length, 'tensor'), CompletionItemKind.Module);
  });
}

import type { Fix } from '../protocol/problem';
import {
  find,
  type Entry,
  type Item,
  type Located,
  type LocatedMap,
  type RecipePath,
} from './located';
import type { RecipeDocument } from './parse';
import { flowText } from './write';

export type TextEdit = Fix['edits'][number];

/**
 * Edits that give the value at a path, leaving every comment and all other text alone. Mappings that are
 * missing on the way are made; the short form of an expert becomes the long one when a key is set in it.
 */
export function setValue(document: RecipeDocument, path: RecipePath, value: unknown): TextEdit[] {
  const found = find(document.root, path);
  if (!found || ('merged' in found && found.merged)) return addKey(document, path, value);
  if (found.value.kind === 'scalar' && found.value.empty && 'keySpan' in found)
    return [afterKey(document, found, flowText(value))];
  return [edit(document, contentEnd(document, found), flowText(value))];
}

/** Edits that add a key; the same as `setValue` where it exists. */
export function addKey(document: RecipeDocument, path: RecipePath, value: unknown): TextEdit[] {
  const [name, ...rest] = lastExisting(document, path);
  if (name === undefined) return setValue(document, path, value);
  const parent = path.slice(0, path.length - 1 - rest.length);
  const nested = rest.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
  const holder = parent.length === 0 ? undefined : find(document.root, parent);
  const node = holder ? holder.value : document.root;
  if (!node) return [endOfText(document, `${flowText(String(name))}: ${flowText(nested)}\n`)];
  if (node.kind === 'map' && holder?.alias === undefined)
    return [intoMap(document, node, String(name), nested)];
  return setValue(document, parent, { ...asMapping(node, parent), [name]: nested });
}

/** Edits that take a key away with its value and the comment on its line; a block left empty goes as well. */
export function removeKey(document: RecipeDocument, path: RecipePath): TextEdit[] {
  const name = path.at(-1);
  const parent = path.slice(0, -1);
  const holder = parent.length === 0 ? document.root : find(document.root, parent)?.value;
  const found = find(document.root, path);
  if (!holder || holder.kind !== 'map' || !found || !('keySpan' in found)) return [];
  const own = holder.entries.filter((entry) => !entry.merged);
  const index = own.findIndex((entry) => entry.key === name);
  if (holder.flow) return [removeFromFlow(document, own, index)];
  if (own.length === 1 && parent.length > 0) return removeKey(document, parent);
  return [removeLines(document, found, own[index + 1])];
}

/** The end of an entry's text, white space and line breaks behind it left out. */
export function endOfEntry(document: RecipeDocument, item: Item): number {
  return contentEnd(document, item)[1];
}

function edit(
  { lines }: RecipeDocument,
  [start, end]: readonly [number, number],
  newText: string,
): TextEdit {
  return { range: lines.range(start, end), newText };
}

function endOfText(document: RecipeDocument, newText: string): TextEdit {
  const { length } = document.text;
  const open = length > 0 && !document.text.endsWith('\n');
  return edit(document, [length, length], (open ? '\n' : '') + newText);
}

function afterKey(document: RecipeDocument, entry: Entry, value: string): TextEdit {
  const colon = document.text.indexOf(':', entry.keySpan[1]);
  const onLine = colon >= 0 && /^\s*:$/.test(document.text.slice(entry.keySpan[1], colon + 1));
  const at = onLine ? colon + 1 : entry.keySpan[1];
  return edit(document, [at, at], onLine ? ` ${value}` : `: ${value}`);
}

/** The keys of a path from the first that does not exist. */
function lastExisting(document: RecipeDocument, path: RecipePath): RecipePath {
  for (let length = 1; length <= path.length; length++) {
    const found = find(document.root, path.slice(0, length));
    if (!found || ('merged' in found && found.merged)) return path.slice(length - 1);
  }
  return [];
}

function asMapping(node: Located, path: RecipePath): Record<string, unknown> {
  const isExpert = path.length === 2 && path[0] === 'experts';
  return isExpert && node.kind === 'scalar' && typeof node.value === 'string'
    ? { path: node.value }
    : {};
}

function intoMap(
  document: RecipeDocument,
  map: LocatedMap,
  name: string,
  value: unknown,
): TextEdit {
  const text = `${flowText(name)}: ${flowText(value)}`;
  const own = map.entries.filter((entry) => !entry.merged);
  const last = own.at(-1);
  if (map.flow) {
    if (!last) return edit(document, map.span, `{ ${text} }`);
    const end = endOfEntry(document, last);
    return edit(document, [end, end], `, ${text}`);
  }
  const first = own[0];
  if (!first || !last) return endOfText(document, `${text}\n`);
  const { lines } = document;
  const indent = ' '.repeat(lines.position(first.keySpan[0]).column);
  // The version is read first, so it is written first.
  if (name === 'version' && indent === '' && map === document.root)
    return edit(document, [first.keySpan[0], first.keySpan[0]], `${text}\n`);
  const end = lines.endOf(lines.position(endOfEntry(document, last)).line);
  return edit(document, [end, end], `\n${indent}${text}`);
}

/** Block values end before the white space that follows them. */
function contentEnd(document: RecipeDocument, item: Item): readonly [number, number] {
  const [start, end] = item.span;
  let stop = Math.max(start, end);
  while (stop > start && /\s/.test(document.text.charAt(stop - 1))) stop--;
  return [start, stop];
}

function removeFromFlow(document: RecipeDocument, own: readonly Entry[], index: number): TextEdit {
  const entry = own[index];
  const next = own[index + 1];
  const previous = own[index - 1];
  if (!entry) return edit(document, [0, 0], '');
  if (next) return edit(document, [entry.keySpan[0], next.keySpan[0]], '');
  const start = previous ? endOfEntry(document, previous) : entry.keySpan[0];
  return edit(document, [start, Math.max(endOfEntry(document, entry), entry.keySpan[1])], '');
}

function removeLines(document: RecipeDocument, entry: Entry, next: Entry | undefined): TextEdit {
  const { lines, text } = document;
  const { line, column } = lines.position(entry.keySpan[0]);
  const start = lines.startOf(line);
  const inList = text.slice(start, start + column).trim() !== '';
  if (inList && next) return edit(document, [entry.keySpan[0], next.keySpan[0]], '');
  const lastLine = lines.position(Math.max(endOfEntry(document, entry), entry.keySpan[1])).line;
  const end = lines.startOf(lastLine + 1);
  // Without a line behind it the line break before it goes.
  const from =
    end === text.length && !text.endsWith('\n') && line > 0 ? lines.endOf(line - 1) : start;
  return edit(document, [from, end], '');
}

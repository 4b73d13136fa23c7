import type { TextRange } from '../protocol/problem';
import type { Position } from './lines';
import { find, type Located, type RecipePath, type Span } from './located';
import type { RecipeDocument } from './parse';
import { spanAt } from './shape';

/** What stands at a position: on a key, in a value, or in a gap of the mapping at `path`. */
export interface Place {
  readonly path: RecipePath;
  readonly part: 'key' | 'value' | 'gap';
  readonly span: Span;
}

/** The key or value at a position. `gap` names the mapping or list that holds the position. */
export function placeAt(document: RecipeDocument, position: Position): Place {
  const offset = document.lines.offset(position);
  const { root } = document;
  if (!root) return { path: [], part: 'gap', span: [offset, offset] };
  return placeIn(root, [], offset);
}

/** The range of a key; of its value where the path names an item of a list. Undefined where nothing is written. */
export function keyRange(document: RecipeDocument, path: RecipePath): TextRange | undefined {
  const found = find(document.root, path);
  if (!found) return undefined;
  return document.lines.range(...('keySpan' in found ? found.keySpan : found.span));
}

/** The range of a value as written; of an alias the alias. */
export function valueRange(document: RecipeDocument, path: RecipePath): TextRange | undefined {
  if (path.length === 0) return document.root && document.lines.range(...document.root.span);
  const found = find(document.root, path);
  return found && document.lines.range(...found.span);
}

/** Where a finding about a path is shown: its value, the key of a block, or the nearest parent that exists. */
export function findingRange(document: RecipeDocument, path: RecipePath): TextRange {
  const { root, lines } = document;
  return root ? lines.range(...spanAt(root, path)) : lines.range(0, lines.endOf(0));
}

/**
 * The mapping that a new line at this position would belong to, told by indentation alone, so that it
 * works where the text is no YAML yet. A position on a line with text counts by where that text begins.
 */
export function enclosingPath(document: RecipeDocument, position: Position): string[] {
  const { text, lines } = document;
  const lineText = (line: number) => text.slice(lines.startOf(line), lines.endOf(line));
  const own = lineText(position.line);
  const indent = /\S/.test(own) ? own.search(/\S/) : position.column;
  const path: string[] = [];
  let limit = indent;
  for (let line = position.line - 1; line >= 0 && limit > 0; line--) {
    const match = /^(\s*(?:- +)*)(?:"([^"]+)"|'([^']+)'|([^\s#'"&*{}[\],][^:#]*?)) *:(?:\s|$)/.exec(
      lineText(line),
    );
    if (match?.[1] === undefined || match[1].length >= limit) continue;
    limit = match[1].length;
    path.unshift(match[2] ?? match[3] ?? match[4] ?? '');
  }
  return path;
}

function placeIn(node: Located, path: RecipePath, offset: number): Place {
  if (node.kind === 'scalar') return { path, part: 'value', span: node.span };
  if (node.kind === 'list') {
    const index = node.items.findIndex((item) => within(item.span, offset));
    const item = node.items[index];
    return item
      ? inItem(item.value, item.span, [...path, index], offset)
      : { path, part: 'gap', span: [offset, offset] };
  }
  for (const entry of node.entries) {
    if (entry.merged) continue;
    const inside = [...path, entry.key];
    if (within(entry.keySpan, offset)) return { path: inside, part: 'key', span: entry.keySpan };
    if (within(entry.span, offset)) return inItem(entry.value, entry.span, inside, offset);
  }
  return { path, part: 'gap', span: [offset, offset] };
}

/** An alias is a value of its own; its anchor's inside lies elsewhere. */
function inItem(value: Located, span: Span, path: RecipePath, offset: number): Place {
  return value.span[0] === span[0] ? placeIn(value, path, offset) : { path, part: 'value', span };
}

function within([start, end]: Span, offset: number): boolean {
  return start <= offset && offset <= end;
}

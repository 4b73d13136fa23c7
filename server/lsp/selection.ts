import type { SelectionRange } from 'vscode-languageserver';
import type { Position } from '../recipe/lines';
import type { Entry, Item, Located, Span } from '../recipe/located';
import type { RecipeDocument } from '../recipe/parse';
import { toRange } from './convert';

/** From the word outwards: value, entry, mapping, section, whole recipe. */
export function selection(document: RecipeDocument, position: Position): SelectionRange {
  const offset = document.lines.offset(position);
  const spans: Span[] = [[0, document.text.length]];
  if (document.root) collect(document.root, offset, spans);
  let range: SelectionRange | undefined;
  let last: Span | undefined;
  for (const span of spans) {
    if (last && last[0] === span[0] && last[1] === span[1]) continue;
    range = { range: toRange(document.lines.range(...span)), ...(range ? { parent: range } : {}) };
    last = span;
  }
  return range ?? { range: toRange(document.lines.range(offset, offset)) };
}

function collect(node: Located, offset: number, spans: Span[]): void {
  if (!holds(node.span, offset)) return;
  spans.push(node.span);
  if (node.kind === 'scalar') return;
  const items: readonly (Entry | Item)[] = node.kind === 'map' ? node.entries : node.items;
  const item = items.find((candidate) => holds(wholeOf(candidate), offset));
  if (!item) return;
  spans.push(wholeOf(item));
  if ('keySpan' in item && holds(item.keySpan, offset)) spans.push(item.keySpan);
  else if (item.alias === undefined) collect(item.value, offset, spans);
}

/** Key and value together. What comes by a merge key stands elsewhere. */
function wholeOf(item: Entry | Item): Span {
  if (!('keySpan' in item)) return item.span;
  if (item.merged) return [-1, -1];
  return [item.keySpan[0], Math.max(item.keySpan[1], item.span[1])];
}

const holds = ([start, end]: Span, offset: number): boolean => start <= offset && offset <= end;

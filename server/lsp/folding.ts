import { FoldingRangeKind, type FoldingRange } from 'vscode-languageserver';
import type { Entry, Item, Located } from '../recipe/located';
import type { RecipeDocument } from '../recipe/parse';

/** Sections, tasks and lists that span lines, and runs of comment lines. */
export function folding(document: RecipeDocument): FoldingRange[] {
  const ranges: FoldingRange[] = [];
  if (document.root) fold(document, document.root, ranges);
  return [...ranges, ...comments(document)];
}

function fold(document: RecipeDocument, node: Located, ranges: FoldingRange[]): void {
  if (node.kind === 'scalar') return;
  const items: readonly (Entry | Item)[] = node.kind === 'map' ? node.entries : node.items;
  for (const item of items) {
    const elsewhere = item.alias !== undefined || ('merged' in item && item.merged);
    if (elsewhere || item.value.kind === 'scalar') continue;
    const start = 'keySpan' in item ? item.keySpan[0] : item.span[0];
    const startLine = document.lines.position(start).line;
    const endLine = document.lines.position(lastCharacter(document, item.value.span[1])).line;
    if (endLine > startLine) ranges.push({ startLine, endLine });
    fold(document, item.value, ranges);
  }
}

/** Block values may end behind line breaks that do not belong to them. */
function lastCharacter({ text }: RecipeDocument, end: number): number {
  let last = end;
  while (last > 0 && /\s/.test(text.charAt(last - 1))) last -= 1;
  return last;
}

function comments({ text, lines }: RecipeDocument): FoldingRange[] {
  const ranges: FoldingRange[] = [];
  let start = -1;
  for (let line = 0; line <= lines.count; line += 1) {
    const isComment =
      line < lines.count && /^\s*#/.test(text.slice(lines.startOf(line), lines.endOf(line)));
    if (isComment && start < 0) start = line;
    if (!isComment && start >= 0) {
      if (line - start > 1)
        ranges.push({ startLine: start, endLine: line - 1, kind: FoldingRangeKind.Comment });
      start = -1;
    }
  }
  return ranges;
}

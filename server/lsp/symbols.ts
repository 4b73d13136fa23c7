import { SymbolKind, type DocumentSymbol } from 'vscode-languageserver';
import type { Entry, Located } from '../recipe/located';
import type { RecipeDocument } from '../recipe/parse';
import { toRange } from './convert';

/** Deeper levels are no longer an outline. */
const maxDepth = 4;

/** Outline by section and task, with what each is set to. */
export function symbols(document: RecipeDocument): DocumentSymbol[] {
  return document.root ? children(document, document.root, 0) : [];
}

function children(document: RecipeDocument, node: Located, depth: number): DocumentSymbol[] {
  if (node.kind !== 'map' || depth >= maxDepth) return [];
  return node.entries
    .filter((entry) => !entry.merged)
    .map((entry) => symbol(document, entry, depth, node));
}

function symbol(
  document: RecipeDocument,
  entry: Entry,
  depth: number,
  parent: Located,
): DocumentSymbol {
  const { lines } = document;
  const end = Math.max(entry.keySpan[1], entry.span[1]);
  const isTask = depth === 1 && document.tasks.includes(entry.key) && inExperts(document, parent);
  return {
    // A symbol without a name is refused by the editor.
    name: entry.key === '' ? '""' : entry.key,
    detail: detail(entry.value),
    kind: isTask ? SymbolKind.Class : kinds[entry.value.kind],
    range: toRange(lines.range(entry.keySpan[0], end)),
    selectionRange: toRange(lines.range(...entry.keySpan)),
    children: entry.alias === undefined ? children(document, entry.value, depth + 1) : [],
  };
}

const kinds = {
  map: SymbolKind.Namespace,
  list: SymbolKind.Array,
  scalar: SymbolKind.Property,
} as const;

function inExperts({ root }: RecipeDocument, parent: Located): boolean {
  return (
    root?.kind === 'map' &&
    root.entries.some(({ key, value }) => key === 'experts' && value === parent)
  );
}

function detail(value: Located): string {
  if (value.kind === 'scalar') return value.empty ? '' : String(value.value);
  if (value.kind === 'list') return String(value.items.length);
  const telling = ['method', 'lambda', 'path', 'suite', 'rank', 'form'];
  const found = value.entries.find(({ key }) => telling.includes(key))?.value;
  return found?.kind === 'scalar' ? String(found.value) : '';
}

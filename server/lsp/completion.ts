import {
  CompletionItemKind,
  InsertTextFormat,
  type CompletionItem,
  type CompletionList,
} from 'vscode-languageserver';
import type { Position } from '../recipe/lines';
import { describeKey } from '../recipe/describe';
import { keyItems } from './completion-keys';
import { valueItems } from './completion-values';
import type { ServerContext } from './context';
import { cursorAt } from './cursor';
import type { Analysis } from './documents';
import { keyMarkdown } from './key-markdown';
import { wholeRecipe } from './completion-snippets';

/** What an item needs for its documentation, which is made only when the item is looked at. */
export interface ItemData {
  readonly doc: readonly string[];
}

/** Keys, values, names, globs and paths that may stand at a position; works on half a document. */
export async function completion(
  context: ServerContext,
  analysis: Analysis,
  position: Position,
): Promise<CompletionList> {
  const cursor = cursorAt(analysis.recipe, position);
  if (!cursor) return { isIncomplete: false, items: [] };
  if (analysis.recipe.text.trim() === '' || /^\w*$/.test(analysis.recipe.text.trim()))
    return { isIncomplete: false, items: [wholeRecipe(), ...keyItems(analysis, cursor)] };
  const items =
    cursor.kind === 'key'
      ? keyItems(analysis, cursor)
      : await valueItems(context, analysis, cursor);
  const range = {
    start: { line: position.line, character: cursor.column },
    end: { line: position.line, character: position.column },
  };
  return { isIncomplete: false, items: items.map((item) => placed(item, range)) };
}

/** The same word is replaced by every item, whatever the editor takes for a word. */
function placed(item: CompletionItem, range: { start: object; end: object }): CompletionItem {
  const { insertText, ...rest } = item;
  const newText = insertText ?? item.label;
  return { ...rest, textEdit: { range, newText } as CompletionItem['textEdit'] & object };
}

/** Documentation is the dearest part of an item, and only one is looked at. */
export function resolveCompletion(item: CompletionItem): CompletionItem {
  const data = item.data as ItemData | undefined;
  if (!data) return item;
  const described = describeKey(data.doc);
  if (!described) return item;
  return {
    ...item,
    documentation: { kind: 'markdown', value: keyMarkdown(described) },
  };
}

export const snippet = (label: string, insertText: string, detail: string): CompletionItem => ({
  label,
  kind: CompletionItemKind.Snippet,
  insertTextFormat: InsertTextFormat.Snippet,
  insertText,
  detail,
});

import { CompletionItemKind, InsertTextFormat, type CompletionItem } from 'vscode-languageserver';
import { childKeys, describeKey, type KeyDescription } from '../recipe/describe';
import { find, type RecipePath } from '../recipe/located';
import { isMethodName, isParameterName, parametersOf, type MethodName } from '../recipe/methods';
import { parameterSnippet } from './completion-snippets';
import type { Cursor } from './cursor';
import type { Analysis } from './documents';

/** Keys that may join the mapping at the cursor, required first; those already there are left out. */
export function keyItems(analysis: Analysis, cursor: Cursor): CompletionItem[] {
  const { path, word } = cursor;
  const written = writtenKeys(analysis, path, word);
  const free = freeKeys(analysis, path);
  if (free) return free.filter(({ label }) => !written.has(label));
  const method = methodOf(analysis);
  const isMerge = path.length === 1 && path[0] === 'merge';
  const items = childKeys(path)
    .filter(({ key }) => !written.has(key) && !(isMerge && isIdle(key, method, analysis)))
    .map((description, index) => keyItem(description, path, cursor, index));
  const parameters =
    isMerge && !cursor.flow ? parameterSnippet(method, written, cursor.indent) : undefined;
  return parameters ? [parameters, ...items] : items;
}

function writtenKeys({ recipe }: Analysis, path: RecipePath, word: string): Set<string> {
  const node = path.length === 0 ? recipe.root : find(recipe.root, path)?.value;
  const keys = node?.kind === 'map' ? node.entries.map(({ key }) => key) : [];
  // The word being typed may already be an entry of its own.
  return new Set(keys.filter((key) => key !== word));
}

function methodOf({ recipe }: Analysis): MethodName {
  const method = recipe.recipe.merge?.method;
  return isMethodName(method) ? method : 'task_arithmetic';
}

/** A parameter that the method does not use. */
function isIdle(key: string, method: MethodName, { recipe }: Analysis): boolean {
  return isParameterName(key) && !(key in parametersOf(method, recipe.recipe.merge?.inner));
}

function keyItem(
  description: KeyDescription,
  parent: RecipePath,
  cursor: Cursor,
  index: number,
): CompletionItem {
  const { key, required, kinds, type, choices } = description;
  const isBlock = kinds.includes('mapping') && !kinds.includes('number') && !cursor.flow;
  const inner = ' '.repeat(cursor.indent + 2);
  return {
    label: key,
    kind: isBlock ? CompletionItemKind.Module : CompletionItemKind.Property,
    detail: required ? `required, ${type}` : type,
    sortText: `${required ? '1' : '2'}${String(index).padStart(3, '0')}`,
    insertTextFormat: InsertTextFormat.Snippet,
    insertText: isBlock ? `${key}:\n${inner}$0` : `${key}: $0`,
    data: { doc: [...parent.map(String), key] },
    // A list of values is wanted at once where there is one.
    ...(choices.length > 0 && !isBlock
      ? { command: { title: 'Suggest', command: 'editor.action.triggerSuggest' } }
      : {}),
  };
}

/** Keys that are names of the user's: tasks, and dotted keys of a sweep. */
function freeKeys({ recipe }: Analysis, path: RecipePath): CompletionItem[] | undefined {
  const at = path.join('.');
  if (at === 'experts')
    return [
      {
        label: 'new task',
        kind: CompletionItemKind.Snippet,
        insertTextFormat: InsertTextFormat.Snippet,
        insertText: '${1:task}: ${2:path}',
        detail: 'name of the task and its checkpoint',
      },
    ];
  if (at === 'masks.lambda')
    return recipe.tasks.map((task) => ({
      label: task,
      kind: CompletionItemKind.Class,
      insertTextFormat: InsertTextFormat.Snippet,
      insertText: `${task}: \${1:0.6}`,
      detail: 'λ of this task',
    }));
  if (at === 'sweep' || at === 'sweep.zip') return sweepKeys(at === 'sweep');
  return undefined;
}

const swept = ['merge', 'masks', 'heads', 'router', 'output'];

/** Dotted keys with a value of their own, two levels deep. */
function sweepKeys(withZip: boolean): CompletionItem[] {
  const dotted = swept.flatMap((section) =>
    childKeys([section])
      .filter(({ kinds }) => kinds.some((kind) => kind !== 'mapping' && kind !== 'list'))
      .map(({ key }) => [section, key]),
  );
  const items = dotted.map((path) => ({
    label: path.join('.'),
    kind: CompletionItemKind.Property,
    insertTextFormat: InsertTextFormat.Snippet,
    insertText: `${path.join('.')}: [$0]`,
    detail: describeKey(path)?.type ?? '',
    data: { doc: path },
  }));
  const zip = {
    label: 'zip',
    kind: CompletionItemKind.Module,
    insertTextFormat: InsertTextFormat.Snippet,
    insertText: 'zip:\n  $0',
    detail: 'lists that go together',
  };
  return withZip ? [...items, zip] : items;
}

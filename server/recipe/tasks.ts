import type { TextRange } from '../protocol/problem';
import { type Entry, find, type Located, type RecipePath, type Span } from './located';
import type { RecipeDocument } from './parse';
import type { TextEdit } from './edit';
import { splitDotted } from './sweep';
import { flowText } from './write';

/** One place where a recipe names a task. */
export interface TaskReference {
  readonly task: string;
  readonly range: TextRange;
  /** True at the key of `experts`, which declares the task. */
  readonly declaration: boolean;
  /** Whether the name stands as a whole scalar or within a dotted sweep key. */
  readonly whole: boolean;
}

/** All places that name a task, the declaration first, each place once. */
export function taskReferences(document: RecipeDocument): TaskReference[] {
  const { root } = document;
  if (!root) return [];
  const places = new Map<number, TaskReference>();
  const add = (task: string, span: Span, options: { declaration?: boolean; whole?: boolean }) => {
    if (document.tasks.includes(task) && !places.has(span[0]))
      places.set(span[0], {
        task,
        range: document.lines.range(...span),
        declaration: options.declaration ?? false,
        whole: options.whole ?? true,
      });
  };
  for (const entry of entriesAt(root, ['experts']))
    add(entry.key, entry.keySpan, { declaration: true });
  for (const entry of entriesAt(root, ['masks', 'lambda'])) add(entry.key, entry.keySpan, {});
  for (const key of ['keep_from', 'rest']) addValues(find(root, ['merge', key])?.value, add);
  const zipped = entriesAt(root, ['sweep', 'zip']);
  for (const entry of [...entriesAt(root, ['sweep']), ...zipped]) {
    const named = taskInDotted(document, entry);
    if (named) add(named.task, named.span, { whole: false });
    if (entry.key === 'merge.keep_from' || entry.key === 'merge.rest') addValues(entry.value, add);
  }
  return [...places.values()];
}

/** The task in a dotted key: `experts.TASK…` or `masks.lambda.TASK`. */
function taskInDotted(document: RecipeDocument, { key, keySpan }: Entry) {
  const head = ['experts.', 'masks.lambda.'].find((prefix) => key.startsWith(prefix));
  const path = head === undefined ? undefined : splitDotted(key, document.tasks);
  if (head === undefined || !path) return undefined;
  const task = String(path[head === 'experts.' ? 1 : 2]);
  const quote = /["']/.test(document.text.charAt(keySpan[0])) ? 1 : 0;
  const start = keySpan[0] + quote + head.length;
  const span: Span = [start, start + task.length];
  return { task, span };
}

/** Edits that give a task another name wherever the recipe names it. */
export function renameTask(document: RecipeDocument, from: string, to: string): TextEdit[] {
  return taskReferences(document)
    .filter((reference) => reference.task === from)
    .map(({ range, whole }) => ({ range, newText: whole ? flowText(to) : to }));
}

function addValues(
  node: Located | undefined,
  add: (task: string, span: Span, options: object) => void,
): void {
  if (node?.kind === 'scalar') add(String(node.value), node.span, {});
  if (node?.kind === 'list') for (const item of node.items) addValues(item.value, add);
}

function entriesAt(root: Located, path: RecipePath) {
  const node = find(root, path)?.value;
  return node?.kind === 'map' ? node.entries : [];
}

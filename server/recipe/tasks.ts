import type { TextRange } from '../protocol/problem';
import { find, type Located, type RecipePath, type Span } from './located';
import type { RecipeDocument } from './parse';
import type { TextEdit } from './edit';
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
    const [first, second, third] = entry.key.split('.');
    const [task, at] = first === 'experts' ? [second, 8] : [third, 13];
    if (task !== undefined && (first === 'experts' || `${first}.${second}` === 'masks.lambda')) {
      const quote = /["']/.test(document.text.charAt(entry.keySpan[0])) ? 1 : 0;
      const start = entry.keySpan[0] + quote + at;
      add(task, [start, start + task.length], { whole: false });
    }
    if (entry.key === 'merge.keep_from' || entry.key === 'merge.rest') addValues(entry.value, add);
  }
  return [...places.values()];
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

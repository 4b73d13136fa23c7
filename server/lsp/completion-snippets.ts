import { CompletionItemKind, InsertTextFormat, type CompletionItem } from 'vscode-languageserver';
import { parametersOf, type MethodName } from '../recipe/methods';
import { recipeTemplate } from '../recipe/template';

/** A whole recipe for an empty file; what has to be filled in is a tab stop. */
export function wholeRecipe(): CompletionItem {
  let stop = 0;
  const text = recipeTemplate()
    .replace(/[$}]/g, '\\$&')
    .replace(
      /checkpoints\/\w+|first_task|second_task|task_arithmetic|0\.6/g,
      (word) => `\${${String((stop += 1))}:${word}}`,
    );
  return {
    label: 'recipe',
    kind: CompletionItemKind.Snippet,
    insertTextFormat: InsertTextFormat.Snippet,
    insertText: text,
    filterText: 'recipe version',
    sortText: '0',
    detail: 'a whole recipe',
    documentation: { kind: 'markdown', value: `\`\`\`yaml\n${recipeTemplate()}\`\`\`` },
  };
}

/** The parameters of a method that are not written yet, with their defaults, one a line. */
export function parameterSnippet(
  method: MethodName,
  written: ReadonlySet<string>,
  indent: number,
): CompletionItem | undefined {
  const missing = Object.entries(parametersOf(method)).filter(([name]) => !written.has(name));
  if (missing.length === 0) return undefined;
  const lines = missing.map(
    ([name, value], index) => `${name}: \${${String(index + 1)}:${String(value)}}`,
  );
  return {
    label: `parameters of ${method}`,
    kind: CompletionItemKind.Snippet,
    insertTextFormat: InsertTextFormat.Snippet,
    insertText: lines.join(`\n${' '.repeat(indent)}`),
    sortText: '0',
    detail: missing.map(([name]) => name).join(', '),
  };
}

import type { Problem, TextRange } from '../protocol/problem';
import { removeKey } from './edit';
import { findingRange, keyRange } from './locate';
import { find, type RecipePath } from './located';
import { type MethodName, isMethodName } from './methods';
import { defaults } from './defaults';
import type { RecipeDocument } from './parse';
import { problem, type ProblemCode, type ProblemDetails } from './problems';

/** Looks at a recipe and tells what is wrong in one respect. */
export type Rule = (document: RecipeDocument) => Problem[];

/** The sentence, and what comes with it. */
type Said = readonly [message: string, details?: ProblemDetails];

/** A problem at the value of a path. */
export function at(
  document: RecipeDocument,
  path: RecipePath,
  code: ProblemCode,
  ...[message, details = {}]: Said
): Problem {
  return problem(code, findingRange(document, path), message, details);
}

/** A problem at the key of a path. */
export function atKey(
  document: RecipeDocument,
  path: RecipePath,
  code: ProblemCode,
  ...[message, details = {}]: Said
): Problem {
  const range: TextRange = keyRange(document, path) ?? findingRange(document, path);
  return problem(code, range, message, details);
}

/** A fix that takes the key away. */
export function removal(document: RecipeDocument, path: RecipePath): ProblemDetails {
  const edits = removeKey(document, path);
  if (edits.length === 0) return {};
  return { fixes: [{ title: `Remove \`${String(path.at(-1))}\``, edits }] };
}

/** A fix that puts text in place of a value. */
export function replacement(range: TextRange, text: string): ProblemDetails {
  return { fixes: [{ title: `Replace by \`${text}\``, edits: [{ range, newText: text }] }] };
}

/** The method of the recipe and those a sweep puts in its place. */
export function methodsInUse(document: RecipeDocument): MethodName[] {
  const swept = sweptValues(document, 'merge.method').filter(isMethodName);
  return swept.length > 0 ? swept : [document.recipe.merge?.method ?? defaults.merge.method];
}

/** The values a sweep gives to a dotted key, those under `zip` included. */
export function sweptValues(document: RecipeDocument, dotted: string): unknown[] {
  const lists = [
    find(document.root, ['sweep', dotted]),
    find(document.root, ['sweep', 'zip', dotted]),
  ];
  return lists.flatMap((found) =>
    found?.value.kind === 'list'
      ? found.value.items.map((item) =>
          item.value.kind === 'scalar' ? item.value.value : undefined,
        )
      : [],
  );
}

export function isSwept(document: RecipeDocument, dotted: string): boolean {
  return sweptValues(document, dotted).length > 0;
}

/** `1 expert`, `3 experts`. */
export function count(number: number, word: string): string {
  return `${String(number)} ${word}${number === 1 ? '' : 's'}`;
}

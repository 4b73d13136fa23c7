import type { Checked, Problem } from '../protocol/problem';
import { LineIndex } from './lines';
import { type Located, plainValue } from './located';
import type { ParsedRecipe } from './schema';
import { shapeRecipe } from './shape';
import { locate } from './yaml';

/** A recipe as written, with its text and the place of every key and value. */
export interface RecipeDocument {
  readonly text: string;
  /** As messages name the file; also gives the recipe its default name. */
  readonly path: string;
  readonly lines: LineIndex;
  /** Undefined when the text holds no value at all. */
  readonly root: Located | undefined;
  /** As far as it goes: values that do not fit the schema are left out. */
  readonly recipe: ParsedRecipe;
  /** Task names in the order of the text. */
  readonly tasks: readonly string[];
}

/**
 * Reads a recipe. Never throws: whatever the text, there is a document and a list of problems
 * (MV1xx and MV2xx). `checkRecipe` in `validate.ts` adds the rules about meaning.
 */
export function parseRecipe(
  text: string,
  { path = 'recipe.mergevla.yaml' }: { readonly path?: string } = {},
): Checked<RecipeDocument> {
  const lines = new LineIndex(text);
  const problems: Problem[] = [];
  const root = locate(text, lines, problems);
  const recipe = root ? shapeRecipe(root, lines, problems) : {};
  const tasks = root ? taskNames(root) : [];
  return { value: { text, path, lines, root, recipe, tasks }, problems };
}

function taskNames(root: Located): string[] {
  if (root.kind !== 'map') return [];
  const experts = root.entries.find((entry) => entry.key === 'experts')?.value;
  if (experts?.kind !== 'map') return [];
  return [...new Set(experts.entries.map((entry) => entry.key))].filter(
    (task) => task !== '__proto__',
  );
}

/** The recipe as plain data, unchecked: what JSON would hold. */
export function plainRecipe(document: RecipeDocument): unknown {
  return document.root ? plainValue(document.root) : {};
}

import type { Range, TextEdit } from 'vscode-languageserver';
import { formatRecipe } from '../recipe/format';
import { overlaps, toEdits } from './convert';
import type { Analysis } from './documents';

/** Small edits to the regular form; comments stay where they are, and a second time changes nothing. */
export function formatting({ recipe }: Analysis, range?: Range): TextEdit[] {
  const edits = toEdits(formatRecipe(recipe.text));
  return range ? edits.filter((edit) => overlaps(edit.range, range)) : edits;
}

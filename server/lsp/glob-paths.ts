import type { RecipeDocument } from '../recipe/parse';
import { globsOf } from '../recipe/validate-tensors';

/** Dotted paths of every glob of a recipe. */
export function globPaths(document: RecipeDocument): ReadonlySet<string> {
  return new Set(globsOf(document).map(({ path }) => path.join('.')));
}

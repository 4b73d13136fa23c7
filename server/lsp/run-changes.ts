import type { RunChangesParams } from '../protocol/methods';
import { isRecord } from '../protocol/shape';
import { resolveRecipe } from '../recipe/resolve';
import { readResolvedRecipe, readRun } from '../runs/read';
import type { ServerContext } from './context';
import { analyse } from './documents';
import { readText } from './read-text';

/** What decides the merged model and how it is used. */
const keys = ['base', 'experts', 'layout', 'merge', 'masks', 'heads', 'router'] as const;

/** Keys of the recipe, as it stands in the editor, that differ from what the run was made with. */
export async function changedKeys(
  { documents }: ServerContext,
  { uri, run }: RunChangesParams,
): Promise<readonly string[]> {
  const stored = await readResolvedRecipe(await readRun(run));
  const before = isRecord(stored) ? stored['recipe'] : undefined;
  if (!isRecord(before)) return [];
  const document = documents.get(uri) ?? analyse(uri, await readText(uri));
  // Half a recipe, while it is typed, has not changed: it says nothing yet.
  if (document.problems.some(({ severity }) => severity === 'error')) return [];
  const now = resolveRecipe(document.recipe);
  return keys.filter((key) => JSON.stringify(before[key]) !== JSON.stringify(now[key]));
}

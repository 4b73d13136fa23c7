import { readdir } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import type { RecipeSummary } from '../protocol/methods';
import { resolveRecipe } from '../recipe/resolve';
import { uriOf } from './convert';
import { analyse } from './documents';
import { readText } from './read-text';

/** Folders that hold no recipes of the user, and depth and number that a search stops at. */
const skipped = new Set(['node_modules', 'merged', '__pycache__']);
const maxDepth = 6;
const maxRecipes = 500;

/** Recipes below the workspace folders, by path. Copies inside run directories are not recipes to work on. */
export async function findRecipes(folders: readonly string[]): Promise<RecipeSummary[]> {
  const found: RecipeSummary[] = [];
  for (const folder of folders) {
    for (const path of await recipesBelow(folder, maxDepth)) {
      if (found.length >= maxRecipes) return found;
      const inside = relative(folder, path).split(sep).join('/');
      const label = folders.length > 1 ? `${basename(folder)}/${inside}` : inside;
      found.push({ uri: uriOf(path), path, label });
    }
  }
  return found;
}

async function recipesBelow(folder: string, depth: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  if (entries.some(({ name }) => name === 'run.json')) return [];
  const files = entries
    .filter((entry) => entry.isFile() && /\.mergevla\.ya?ml$/.test(entry.name))
    .map(({ name }) => join(folder, name))
    .sort();
  if (depth === 0) return files;
  const inner = entries
    .filter(
      (entry) => entry.isDirectory() && !skipped.has(entry.name) && !entry.name.startsWith('.'),
    )
    .map(({ name }) => recipesBelow(join(folder, name), depth - 1));
  return [...files, ...(await Promise.all(inner)).flat()];
}

/** Output directories of all recipes below the workspace folders, and where imported results go. */
export async function outputFolders(folders: readonly string[]): Promise<string[]> {
  const recipes = await findRecipes(folders);
  const outputs = await Promise.all(recipes.map(({ path }) => outputOf(path)));
  return [...new Set([...outputs, ...folders.map((folder) => join(folder, 'runs'))])];
}

async function outputOf(path: string): Promise<string> {
  const text = await readText(path).catch(() => '');
  const { recipe } = analyse(uriOf(path), text);
  return resolve(dirname(path), resolveRecipe(recipe).output.directory);
}

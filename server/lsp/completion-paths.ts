import { readdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CompletionItemKind, type CompletionItem } from 'vscode-languageserver';
import type { Cursor } from './cursor';
import type { Analysis } from './documents';

const maxEntries = 300;

/** Folders and checkpoint files beside what is written so far, relative to the recipe. */
export async function pathItems(
  { path: recipe }: Analysis,
  { word }: Cursor,
): Promise<CompletionItem[]> {
  if (recipe === undefined) return [];
  const slash = word.lastIndexOf('/');
  const written = word.slice(0, slash + 1);
  const folder = resolve(dirname(recipe), written === '' ? '.' : written);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => isCandidate(entry.name, entry.isDirectory()))
    .slice(0, maxEntries)
    .map((entry) => ({
      label: `${written}${entry.name}`,
      kind: entry.isDirectory() ? CompletionItemKind.Folder : CompletionItemKind.File,
      sortText: `${entry.isDirectory() ? '0' : '1'}${entry.name}`,
    }));
}

const isCandidate = (name: string, isFolder: boolean): boolean =>
  isFolder
    ? !name.startsWith('.') && name !== 'node_modules'
    : /\.(?:safetensors|index\.json|pt|bin)$/.test(name);

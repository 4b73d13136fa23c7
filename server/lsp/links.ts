import { statSync } from 'node:fs';
import type { DocumentLink } from 'vscode-languageserver';
import { valueRange } from '../recipe/locate';
import type { RecipePath } from '../recipe/located';
import { toRange, uriOf } from './convert';
import type { Analysis } from './documents';
import { fromRecipe } from './files';

/** Paths of checkpoints and of the output directory. Where they lead is looked up when one is opened. */
export function links({ recipe, path }: Analysis): DocumentLink[] {
  if (path === undefined) return [];
  return pathsOf(recipe.recipe).flatMap(({ at, written }) => {
    const range = valueRange(recipe, at);
    return range ? [{ range: toRange(range), data: { target: fromRecipe(path, written) } }] : [];
  });
}

/** A file opens; a folder is shown in the explorer. A path that is not there is a finding, not a link. */
export function resolveLink(link: DocumentLink): DocumentLink {
  const { target } = link.data as { target: string };
  const stat = statSync(target, { throwIfNoEntry: false });
  if (!stat) return link;
  const uri = uriOf(target);
  if (!stat.isDirectory()) return { ...link, target: uri };
  // The editor parses the argument as an address only in this form.
  const argument = encodeURIComponent(
    JSON.stringify([{ $mid: 1, scheme: 'file', path: new URL(uri).pathname }]),
  );
  return { ...link, target: `command:revealInExplorer?${argument}`, tooltip: 'Show in explorer' };
}

interface WrittenPath {
  readonly at: RecipePath;
  readonly written: string;
}

/** Every path a recipe names, with where it is written. */
export function pathsOf(recipe: Analysis['recipe']['recipe']): WrittenPath[] {
  const experts = Object.entries(recipe.experts ?? {}).flatMap(([task, expert]) => {
    if (typeof expert === 'string') return [{ at: ['experts', task], written: expert }];
    return (['path', 'adapter'] as const).flatMap((key) => {
      const written = expert[key];
      return written === undefined ? [] : [{ at: ['experts', task, key], written }];
    });
  });
  const output = recipe.output?.directory;
  return [
    ...(recipe.base === undefined ? [] : [{ at: ['base'], written: recipe.base }]),
    ...experts,
    ...(output === undefined ? [] : [{ at: ['output', 'directory'], written: output }]),
  ];
}

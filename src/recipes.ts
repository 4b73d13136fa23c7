import { commands, Uri, window, workspace, type TextDocument } from 'vscode';
import type { Server } from './client';

const pattern = /\.mergevla\.ya?ml$/;

/** A recipe document, whatever language mode the user chose for it. */
export const isRecipe = (document: TextDocument): boolean =>
  document.languageId === 'mergevla' || pattern.test(document.uri.path);

/**
 * Which recipe a command works on: its argument (an address, as text or object, or a tree item that
 * carries one), else the active editor's, else what the user picks. Undefined when there is none.
 */
export async function chooseRecipe(server: Server, argument: unknown): Promise<Uri | undefined> {
  const given = asUri(argument);
  if (given) return given;
  const active = window.activeTextEditor?.document;
  if (active && isRecipe(active)) return active.uri;
  const recipes = await server.request('mergevla/recipe/list', {});
  if (recipes.length === 0) {
    const action = await window.showInformationMessage(
      'There is no recipe in this workspace yet.',
      'New Recipe',
    );
    if (action) await commands.executeCommand('mergevla.newRecipe');
    return undefined;
  }
  const [only] = recipes;
  if (recipes.length === 1 && only) return Uri.parse(only.uri);
  const picked = await window.showQuickPick(
    recipes.map((recipe) => ({ label: recipe.label, uri: recipe.uri })),
    { title: 'Which recipe?' },
  );
  return picked && Uri.parse(picked.uri);
}

function asUri(argument: unknown): Uri | undefined {
  if (argument instanceof Uri) return argument;
  if (typeof argument === 'string') return Uri.parse(argument);
  if (typeof argument === 'object' && argument !== null && 'uri' in argument)
    return asUri(argument.uri);
  return undefined;
}

/** What is on disk is what jobs read, so unsaved changes are written first. */
export async function saved(uri: Uri): Promise<boolean> {
  const document = workspace.textDocuments.find((open) => open.uri.toString() === uri.toString());
  return document?.isDirty ? document.save() : true;
}

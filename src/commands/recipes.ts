import { commands, languages, Selection, Uri, ViewColumn, window, workspace } from 'vscode';
import type { Problem } from '../../server/protocol/problem';
import { runCommand } from '../command-line';
import { chooseRecipe, isRecipe, saved } from '../recipes';
import type { Commands, Parts } from './context';

/** Commands that read or make recipes and start no job. */
export function recipeCommands(parts: Parts): Commands {
  return {
    'mergevla.newRecipe': (folder) => newRecipe(parts, folder),
    'mergevla.check': (recipe) => check(parts, recipe),
    'mergevla.plan': (recipe) => plan(parts, recipe),
    'mergevla.changeLanguage': () => changeLanguage(),
    'mergevla.openSample': (folder) => openSample(parts, folder),
    'mergevla.openCheckpoint': (item) => openCheckpoint(item),
  };
}

/** Makes a recipe file with a first text; without a folder, an unsaved one. */
async function newRecipe(parts: Parts, argument: unknown): Promise<Uri> {
  const folder = argument instanceof Uri ? argument : workspace.workspaceFolders?.[0]?.uri;
  const content = await parts.server.request('mergevla/recipe/template', {
    ...(folder ? { folder: folder.fsPath } : {}),
  });
  if (!folder) {
    const document = await workspace.openTextDocument({ language: 'mergevla', content });
    await window.showTextDocument(document);
    return document.uri;
  }
  const uri = await unusedName(folder);
  await workspace.fs.writeFile(uri, new TextEncoder().encode(content));
  await window.showTextDocument(uri);
  return uri;
}

async function unusedName(folder: Uri): Promise<Uri> {
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? 'merge' : `merge-${String(count)}`;
    const uri = Uri.joinPath(folder, `${name}.mergevla.yaml`);
    try {
      await workspace.fs.stat(uri);
    } catch {
      return uri;
    }
  }
}

/** All findings, those of files included, in the Problems view; answers them. */
async function check(parts: Parts, argument: unknown): Promise<readonly Problem[] | undefined> {
  const uri = await chooseRecipe(parts.server, argument);
  if (!uri) return undefined;
  await window.showTextDocument(uri, { preview: false });
  const { problems } = await parts.server.request('mergevla/recipe/check', { uri: uri.toString() });
  if (problems.length > 0) await commands.executeCommand('workbench.panel.markers.view.focus');
  else
    window.setStatusBarMessage(`$(check) ${workspace.asRelativePath(uri)} has no problems`, 5000);
  return problems;
}

/** What a merge would read, compute and write, in a document beside the recipe. */
async function plan(parts: Parts, argument: unknown): Promise<string | undefined> {
  const uri = await chooseRecipe(parts.server, argument);
  if (!uri || !(await saved(uri))) return undefined;
  const result = await window.withProgress(
    { location: { viewId: 'mergevla.runs' }, title: 'Planning' },
    (_progress, token) => runCommand(parts.cli, ['plan', uri.fsPath, '--no-color'], { token }),
  );
  if (result.code !== 0) {
    parts.logs.server.error(result.stderr);
    await commands.executeCommand('mergevla.check', uri);
    return undefined;
  }
  const document = await workspace.openTextDocument({ content: result.stdout });
  await window.showTextDocument(document, { viewColumn: ViewColumn.Beside, preview: true });
  return result.stdout;
}

async function changeLanguage(): Promise<void> {
  const document = window.activeTextEditor?.document;
  if (document && isRecipe(document)) await languages.setTextDocumentLanguage(document, 'mergevla');
}

/** Writes the sample experiment into an empty folder and opens its recipe. */
async function openSample(parts: Parts, argument: unknown): Promise<Uri | undefined> {
  const folder = argument instanceof Uri ? argument : await askForFolder();
  if (!folder) return undefined;
  const result = await window.withProgress(
    { location: { viewId: 'mergevla.runs' }, title: 'Writing the sample' },
    () => runCommand(parts.cli, ['init', folder.fsPath]),
  );
  if (result.code !== 0) {
    parts.logs.extension.error(result.stderr);
    void window.showErrorMessage(`The sample could not be written: ${lastLine(result.stderr)}`);
    return undefined;
  }
  const entries = await workspace.fs.readDirectory(folder);
  const recipe = entries.map(([name]) => name).find((name) => name.endsWith('.mergevla.yaml'));
  if (workspace.getWorkspaceFolder(folder) && recipe)
    await window.showTextDocument(Uri.joinPath(folder, recipe));
  else await commands.executeCommand('vscode.openFolder', folder);
  return folder;
}

async function askForFolder(): Promise<Uri | undefined> {
  const picked = await window.showOpenDialog({
    title: 'An empty folder for the sample',
    openLabel: 'Write Sample Here',
    canSelectFiles: false,
    canSelectFolders: true,
  });
  return picked?.[0];
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

/** Shows the line of the recipe that names a checkpoint of the tree. */
async function openCheckpoint(item: unknown): Promise<void> {
  if (typeof item !== 'object' || item === null || !('recipe' in item) || !('role' in item)) return;
  if (!(item.recipe instanceof Uri) || typeof item.role !== 'string') return;
  const editor = await window.showTextDocument(item.recipe);
  const role = item.role;
  const line = editor.document
    .getText()
    .split('\n')
    .findIndex((text) => text.trimStart().replace(/^["']/, '').startsWith(role));
  if (line < 0) return;
  const { range } = editor.document.lineAt(line);
  editor.selection = new Selection(range.end, range.end);
  editor.revealRange(range);
}

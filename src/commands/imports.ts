import { Uri, window, workspace } from 'vscode';
import { runCommand } from '../command-line';
import { isTrusted } from '../trust';
import type { Parts } from './context';

/** Turns logs of other harnesses into a run directory beside the workspace's own runs; answers its path. */
export async function importResults(parts: Parts, files: unknown): Promise<string | undefined> {
  const folder = workspace.workspaceFolders?.[0]?.uri;
  if (!isTrusted()) return undefined;
  if (!folder) {
    void window.showInformationMessage('Imported results are kept in a folder: open one first.');
    return undefined;
  }
  const paths = isPaths(files) ? files : await askFiles();
  if (paths.length === 0) return undefined;
  const stamp = new Date().toISOString().replace(/[-:T]/g, '').slice(0, 14);
  return runImport(parts, paths, Uri.joinPath(folder, 'runs', `import-${stamp}`).fsPath);
}

/** `mergevla import`; a refusal is shown and answers nothing. */
export async function runImport(
  parts: Parts,
  paths: readonly string[],
  out: string,
): Promise<string | undefined> {
  const result = await runCommand(parts.cli, ['import', ...paths, '--out', out, '--json']);
  if (result.code !== 0) {
    void window.showErrorMessage(`Not imported: ${lastLine(result.stderr)}`);
    return undefined;
  }
  await parts.runs.refresh();
  return out;
}

const isPaths = (files: unknown): files is readonly string[] =>
  Array.isArray(files) && files.every((file) => typeof file === 'string');

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? 'the command failed';
}

async function askFiles(): Promise<readonly string[]> {
  const picked = await window.showOpenDialog({
    title: 'Logs or result files',
    canSelectMany: true,
    filters: { Results: ['txt', 'log', 'json', 'csv'], All: ['*'] },
  });
  return (picked ?? []).map(({ fsPath }) => fsPath);
}

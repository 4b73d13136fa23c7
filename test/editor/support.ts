import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Api } from '../../src/extension';

/** Polls until something is there; fails with what was waited for. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  limitMs = 40_000,
): Promise<T> {
  const end = Date.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`waited ${String(limitMs)} ms for ${what}`);
    await new Promise((again) => setTimeout(again, 30));
  }
}

export async function activated(): Promise<Api> {
  const extension = vscode.extensions.getExtension<Api>('mergevla.mergevla');
  if (!extension) throw new Error('the extension is not there');
  return extension.activate();
}

export function folder(index = 0): vscode.Uri {
  const found = vscode.workspace.workspaceFolders?.[index];
  if (!found) throw new Error('no workspace folder');
  return found.uri;
}

export async function openRecipe(name: string, index = 0): Promise<vscode.TextDocument> {
  const document = await vscode.workspace.openTextDocument(
    vscode.Uri.joinPath(folder(index), name),
  );
  await vscode.window.showTextDocument(document, { preview: false });
  return document;
}

/** Writes a recipe into the workspace and opens it. */
export async function writeRecipe(name: string, text: string): Promise<vscode.TextDocument> {
  await vscode.workspace.fs.writeFile(
    vscode.Uri.joinPath(folder(), name),
    new TextEncoder().encode(text),
  );
  return openRecipe(name);
}

/** Position of the first occurrence of a text, at its first character. */
export function positionOf(document: vscode.TextDocument, text: string): vscode.Position {
  const offset = document.getText().indexOf(text);
  if (offset < 0) throw new Error(`no ${text} in ${document.uri.path}`);
  return document.positionAt(offset);
}

export function codes(uri: vscode.Uri): string[] {
  return vscode.languages
    .getDiagnostics(uri)
    .map(({ code }) => String(typeof code === 'object' ? code.value : code));
}

/** Process ids of language servers below this extension host. */
export function serverProcesses(): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const command = readFileSync(join('/proc', String(pid), 'cmdline'), 'utf8');
        const status = readFileSync(join('/proc', String(pid), 'stat'), 'utf8');
        const parent = status.slice(status.lastIndexOf(')') + 2).split(' ')[1];
        return command.includes('dist/server.js') && parent === String(process.pid);
      } catch {
        return false;
      }
    });
}

/** The text of an inlay hint, which may come in parts. */
export function textOf(label: string | readonly vscode.InlayHintLabelPart[]): string {
  return typeof label === 'string' ? label : label.map(({ value }) => value).join('');
}

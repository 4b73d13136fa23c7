import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activated, codes, until } from './support';

suite('no workspace', () => {
  test('an unsaved recipe is checked', async () => {
    assert.equal(vscode.workspace.workspaceFolders, undefined);
    const document = await vscode.workspace.openTextDocument({
      language: 'mergevla',
      content: 'version: 1\nmerg: {}\n',
    });
    await vscode.window.showTextDocument(document);
    await activated();
    await until('a diagnostic', () => codes(document.uri).includes('MV201'));
  });

  test('New Recipe opens an unsaved one', async () => {
    const uri = await vscode.commands.executeCommand<vscode.Uri>('mergevla.newRecipe');
    assert.equal(uri.scheme, 'untitled');
    assert.match(vscode.window.activeTextEditor?.document.getText() ?? '', /^version: 1/);
  });

  test('there are no runs, and asking for them is no error', async () => {
    const api = await activated();
    await api.runs.refresh();
    assert.deepEqual(api.runs.list(), []);
  });
});

import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activated, codes, openRecipe, until, writeRecipe } from './support';

suite('an untrusted workspace', () => {
  test('is not trusted', () => {
    assert.equal(vscode.workspace.isTrusted, false);
  });

  test('still checks the schema', async () => {
    const recipe = await writeRecipe('typo.mergevla.yaml', 'version: 1\nmerg: {}\n');
    await until('a diagnostic', () => codes(recipe.uri).includes('MV201'));
  });

  test('reads no checkpoint', async () => {
    const recipe = await openRecipe('missing.mergevla.yaml');
    const api = await activated();
    const { problems } = await api.server.request('mergevla/recipe/check', {
      uri: recipe.uri.toString(),
    });
    assert.ok(!problems.some(({ code }) => code.startsWith('MV4')));
  });

  test('starts no job', async () => {
    const { uri } = await openRecipe('cubes.mergevla.yaml');
    const api = await activated();
    await assert.rejects(
      api.server.request('mergevla/job/start', { action: 'merge', uri: uri.toString() }),
      /trusted/,
    );
  });

  test('asks, serves and tabulates nothing', async () => {
    const { uri } = await openRecipe('cubes.mergevla.yaml');
    const before = (await vscode.workspace.openTextDocument(uri)).getText();
    const observation = { images: ['/x.png'], instruction: 'x' };
    for (const [name, ...args] of [
      ['routeObservation', uri, observation],
      ['actOnce', uri, observation],
      ['servePolicy', uri, 0, ''],
      ['selectDevice', uri, 'cpu'],
      ['exportTable', [], 'CSV', 'clipboard'],
    ] as const)
      assert.equal(await vscode.commands.executeCommand(`mergevla.${name}`, ...args), undefined);
    assert.equal(vscode.window.activeTextEditor?.document.getText(), before);
    assert.equal(vscode.window.terminals.length, 0);
  });
});

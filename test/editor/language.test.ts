import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activated, codes, openRecipe, until, writeRecipe } from './support';

suite('a recipe in the editor', () => {
  test('activates the extension and has its own language', async () => {
    const document = await openRecipe('cubes.mergevla.yaml');
    assert.equal(document.languageId, 'mergevla');
    const api = await activated();
    await until('the server', () => api.server.state === 'running');
    assert.ok(api.activatedMs > 0);
  });

  test('shows a problem at its exact place', async () => {
    const document = await writeRecipe('typo.mergevla.yaml', 'version: 1\nmerg: {}\n');
    const found = await until('a diagnostic', () => {
      const [first] = vscode.languages
        .getDiagnostics(document.uri)
        .filter((d) => d.range.start.line === 1);
      return first;
    });
    assert.equal(found.range.end.character, 4);
    assert.match(codes(document.uri).join(), /MV2/);
  });
});

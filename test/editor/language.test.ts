import * as assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as vscode from 'vscode';
import {
  activated,
  codes,
  openRecipe,
  positionOf,
  serverProcesses,
  textOf,
  until,
  writeRecipe,
} from './support';

const text = (hovers: readonly vscode.Hover[]): string =>
  hovers
    .flatMap(({ contents }) => contents)
    .map((content) => (content as vscode.MarkdownString).value)
    .join('\n');

suite('a recipe in the editor', () => {
  let document: vscode.TextDocument;

  suiteSetup(async () => {
    document = await openRecipe('cubes.mergevla.yaml');
    const api = await activated();
    await until('the server', () => api.server.state === 'running');
  });

  test('has its own language and two spaces', async () => {
    assert.equal(document.languageId, 'mergevla');
    const editor = vscode.workspace.getConfiguration('editor', document);
    assert.equal(editor.get('tabSize'), 2);
    assert.equal(editor.get('insertSpaces'), true);
  });

  test('shows a problem at its exact place, with the code and its page', async () => {
    const typo = await writeRecipe('typo.mergevla.yaml', 'version: 1\nmerg: {}\n');
    const found = await until('a diagnostic', () =>
      vscode.languages.getDiagnostics(typo.uri).find(({ range }) => range.start.line === 1),
    );
    assert.equal(typo.getText(found.range), 'merg');
    assert.ok(typeof found.code === 'object');
    const { value, target } = found.code;
    const heading = readFileSync(target.fsPath, 'utf8').split('\n')[
      Number(target.fragment.replace('L', '')) - 1
    ];
    assert.match(heading ?? '', new RegExp(`^#+ ${String(value)}\\b`));
  });

  test('is mended by a quick fix', async () => {
    const typo = await openRecipe('typo.mergevla.yaml');
    const { range } = await until('a diagnostic', () =>
      vscode.languages.getDiagnostics(typo.uri).find((each) => each.range.start.line === 1),
    );
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      'vscode.executeCodeActionProvider',
      typo.uri,
      range,
      vscode.CodeActionKind.QuickFix.value,
    );
    const fix = actions.find(({ isPreferred }) => isPreferred === true);
    assert.ok(fix?.edit);
    assert.ok(await vscode.workspace.applyEdit(fix.edit));
    assert.match(typo.getText(), /^merge: \{\}$/m);
    await until('the diagnostic to go', () => !codes(typo.uri).includes('MV201'));
  });

  test('fixes everything on request', async () => {
    const many = await writeRecipe('many.mergevla.yaml', 'version: 1\nmerg: {}\nmask: none\n');
    await until('diagnostics', () => codes(many.uri).length >= 2);
    await vscode.commands.executeCommand('editor.action.fixAll');
    await until('the fixes', () => /merge: \{\}\nmasks: none/.test(many.getText()));
  });

  test('completes keys and values', async () => {
    const half = await writeRecipe('half.mergevla.yaml', 'version: 1\nmerge:\n  met');
    const keys = await vscode.commands.executeCommand<vscode.CompletionList>(
      'vscode.executeCompletionItemProvider',
      half.uri,
      new vscode.Position(2, 5),
    );
    const labels = keys.items.map(({ label }) => (typeof label === 'string' ? label : label.label));
    assert.ok(labels.includes('method'));
    // One server answers: nothing is offered twice.
    assert.equal(new Set(labels).size, labels.length);
  });

  test('tells headers of checkpoints on hover', async () => {
    const hover = await until('the headers', async () => {
      const found = await vscode.commands.executeCommand<vscode.Hover[]>(
        'vscode.executeHoverProvider',
        document.uri,
        positionOf(document, 'zoo/base').translate(0, 2),
      );
      return /tensors/.test(text(found)) ? text(found) : undefined;
    });
    assert.match(hover, /8.tensors.*f32/);
  });

  test('has lenses, hints, links and an outline', async () => {
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
      'vscode.executeCodeLensProvider',
      document.uri,
    );
    assert.ok(lenses.some(({ command }) => command?.command === 'mergevla.merge'));
    const whole = new vscode.Range(0, 0, document.lineCount, 0);
    const hints = await until('hints', async () => {
      const found = await vscode.commands.executeCommand<vscode.InlayHint[]>(
        'vscode.executeInlayHintProvider',
        document.uri,
        whole,
      );
      return found.length > 0 ? found : undefined;
    });
    assert.ok(hints.some(({ label }) => textOf(label).includes('f32')));
    const outline = await vscode.commands.executeCommand<vscode.DocumentSymbol[]>(
      'vscode.executeDocumentSymbolProvider',
      document.uri,
    );
    assert.ok(outline.some(({ name }) => name === 'experts'));
    const links = await vscode.commands.executeCommand<vscode.DocumentLink[]>(
      'vscode.executeLinkProvider',
      document.uri,
    );
    assert.equal(links.length, 3);
  });

  test('turns decorations off by settings', async () => {
    const section = vscode.workspace.getConfiguration('mergevla');
    await section.update('codeLens.enabled', false, vscode.ConfigurationTarget.Workspace);
    const lenses = async (): Promise<number> => {
      const found = await vscode.commands.executeCommand<vscode.CodeLens[]>(
        'vscode.executeCodeLensProvider',
        document.uri,
      );
      return found.length;
    };
    await until('no lenses', async () => (await lenses()) === 0);
    await section.update('codeLens.enabled', undefined, vscode.ConfigurationTarget.Workspace);
    await until('lenses', async () => (await lenses()) > 0);
  });

  test('renames a task everywhere', async () => {
    const recipe = await writeRecipe(
      'rename.mergevla.yaml',
      'version: 1\nexperts:\n  pick: zoo/base\nmasks:\n  lambda: { pick: 0.5 }\n',
    );
    const edit = await vscode.commands.executeCommand<vscode.WorkspaceEdit>(
      'vscode.executeDocumentRenameProvider',
      recipe.uri,
      positionOf(recipe, 'pick'),
      'grasp',
    );
    assert.ok(await vscode.workspace.applyEdit(edit));
    assert.match(recipe.getText(), /grasp: zoo\/base[^]*grasp: 0\.5/);
  });

  test('formats with comments kept', async () => {
    const recipe = await writeRecipe(
      'format.mergevla.yaml',
      'version:   1   # one\n\n\n\nname: a\n',
    );
    await vscode.commands.executeCommand('editor.action.formatDocument');
    await until('the format', () => recipe.getText() === 'version: 1 # one\n\nname: a\n');
  });

  test('comes back when its server is killed, and open recipes keep working', async () => {
    const api = await activated();
    const recipe = await writeRecipe('killed.mergevla.yaml', 'version: 1\nmerg: {}\n');
    await until('a diagnostic', () => codes(recipe.uri).includes('MV201'));
    for (const pid of serverProcesses()) process.kill(pid, 'SIGKILL');
    await until('the end of the server', () => api.server.state !== 'running');
    await until('a new server', () => api.server.state === 'running');
    const edit = new vscode.WorkspaceEdit();
    edit.insert(recipe.uri, new vscode.Position(2, 0), 'masc: none\n');
    await vscode.workspace.applyEdit(edit);
    await until(
      'diagnostics',
      () => codes(recipe.uri).filter((code) => code === 'MV201').length === 2,
    );
  });

  test('gives up after five returns of its server, and starts again when asked', async () => {
    const api = await activated();
    let returns = 0;
    const subscription = api.server.onDidChangeState((state) => {
      if (state === 'running') returns += 1;
    });
    // One return was used up by the test before.
    for (let kill = 0; kill < 6 && api.server.state === 'running'; kill += 1) {
      await api.server.request('mergevla/recipe/list', {}).catch(() => undefined);
      const pids = serverProcesses();
      const before = returns;
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      await until('the end', () => serverProcesses().every((pid) => !pids.includes(pid)));
      // One that goes again while it comes back has failed to start, which ends the returns too.
      await until(
        'a return, or none',
        () => returns > before || kill >= 4 || api.server.state === 'stopped',
      );
    }
    await until('the end of returns', () => api.server.state === 'stopped');
    subscription.dispose();
    assert.ok(returns <= 5, `came back ${String(returns)} times`);
    await api.server.stop();
    await assert.rejects(api.server.request('mergevla/recipe/list', {}), /Restart Server/);
    await vscode.commands.executeCommand('mergevla.restartServer');
    await until('the server', () => api.server.state === 'running');
  });
});

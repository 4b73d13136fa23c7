import * as assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import * as vscode from 'vscode';
import type { Problem } from '../../server/protocol/problem';
import { activated, folder, openRecipe, until } from './support';

interface Manifest {
  readonly contributes: { readonly commands: readonly { readonly command: string }[] };
}

suite('commands', () => {
  suiteSetup(async () => {
    const api = await activated();
    await until('the server', () => api.server.state === 'running');
  });

  test('are registered as the manifest says', async () => {
    const { context } = await activated();
    const declared = (context.extension.packageJSON as Manifest).contributes.commands.map(
      ({ command }) => command,
    );
    const registered = new Set(await vscode.commands.getCommands(true));
    assert.deepEqual(
      declared.filter((command) => !registered.has(command)),
      [],
    );
  });

  test('New Recipe makes a file that opens as a recipe, and never the same twice', async () => {
    const first = await vscode.commands.executeCommand<vscode.Uri>('mergevla.newRecipe', folder());
    const second = await vscode.commands.executeCommand<vscode.Uri>('mergevla.newRecipe', folder());
    assert.notEqual(first.toString(), second.toString());
    assert.equal(vscode.window.activeTextEditor?.document.languageId, 'mergevla');
    for (const uri of [first, second]) await vscode.workspace.fs.delete(uri);
  });

  test('Check answers all findings, those of files included', async () => {
    await openRecipe('missing.mergevla.yaml');
    const problems = await vscode.commands.executeCommand<Problem[]>('mergevla.check');
    assert.ok(problems.some(({ code }) => code === 'MV410'));
    const { uri } = await openRecipe('cubes.mergevla.yaml');
    const none = await vscode.commands.executeCommand<Problem[]>('mergevla.check', uri);
    assert.deepEqual(
      none.filter(({ severity }) => severity === 'error'),
      [],
    );
  });

  test('Plan tells what a merge would do and writes nothing', async () => {
    const { uri } = await openRecipe('cubes.mergevla.yaml');
    const text = await vscode.commands.executeCommand<string>('mergevla.plan', uri);
    assert.match(text, /ties/);
    assert.ok(!existsSync(vscode.Uri.joinPath(folder(), 'runs').fsPath));
  });

  test('the environment report holds no home folder', async () => {
    const report = await vscode.commands.executeCommand<string>('mergevla.reportEnvironment');
    assert.match(report, /Language server: running/);
    assert.ok(!report.includes(homedir()));
  });

  test('tasks are offered for each recipe, and report problems of a bad one', async () => {
    const tasks = await vscode.tasks.fetchTasks({ type: 'mergevla' });
    assert.ok(tasks.some(({ name }) => name === 'check missing.mergevla.yaml'));
    const task = tasks.find(({ name }) => name === 'check missing.mergevla.yaml');
    assert.ok(task);
    const ended = new Promise<number | undefined>((resolve) => {
      const subscription = vscode.tasks.onDidEndTaskProcess(({ execution, exitCode }) => {
        if (execution.task.name !== task.name) return;
        subscription.dispose();
        resolve(exitCode);
      });
    });
    await vscode.tasks.executeTask(task);
    assert.equal(await ended, 65);
  });

  test('trees show checkpoints and devices', async () => {
    const api = await activated();
    const { uri } = await openRecipe('missing.mergevla.yaml');
    const checkpoints = await api.server.request('mergevla/checkpoint/list', {
      uri: uri.toString(),
    });
    assert.deepEqual(
      checkpoints.map(({ role, state }) => [role, state]),
      [
        ['base', 'found'],
        ['pick_place', 'found'],
        ['gone', 'missing'],
      ],
    );
    const devices = await api.server.request('mergevla/device/list', {});
    assert.ok(devices.some(({ id, usable }) => id === 'cpu' && usable));
  });

  const recipe = (name: string) => vscode.Uri.joinPath(folder(), `${name}.mergevla.yaml`);
  for (const [title, open, turn, turned] of [
    [
      'Success Rates',
      () => vscode.commands.executeCommand('mergevla.showSuccessRates'),
      () => vscode.commands.executeCommand('mergevla.compareRuns', folder().fsPath),
      'Success Rates',
    ],
    [
      'Mask Ratios',
      () => vscode.commands.executeCommand('mergevla.showMaskRatios', recipe('cubes')),
      () => vscode.commands.executeCommand('mergevla.showMaskRatios', recipe('missing')),
      'Mask Ratios: missing',
    ],
    [
      'Routing',
      () => vscode.commands.executeCommand('mergevla.showRouting', '/runs/one'),
      () => vscode.commands.executeCommand('mergevla.showRouting', '/runs/other'),
      'Routing: other',
    ],
  ] as const)
    test(`an open panel of ${title} turns to what is asked, and stays the same panel`, async () => {
      await open();
      const own = (all: readonly vscode.Tab[]) =>
        all.filter(({ label }) => label.startsWith(title));
      const tabs = () => own(vscode.window.tabGroups.all.flatMap((group) => group.tabs));
      await until('the panel', () => tabs().length === 1);
      let closed = 0;
      const subscription = vscode.window.tabGroups.onDidChangeTabs((change) => {
        closed += own(change.closed).length;
      });
      await turn();
      await until(turned, () => tabs()[0]?.label === turned);
      // A change of tabs is told in its turn: once another tab is told, that one was.
      await openRecipe(title === 'Routing' ? 'cubes.mergevla.yaml' : 'missing.mergevla.yaml');
      subscription.dispose();
      assert.equal(tabs().length, 1);
      assert.equal(closed, 0);
    });

  test('Open Sample Experiment writes a recipe that has no errors', async () => {
    const target = vscode.Uri.joinPath(folder(), 'sample');
    await vscode.commands.executeCommand('mergevla.openSample', target);
    const document = vscode.window.activeTextEditor?.document;
    assert.equal(document?.languageId, 'mergevla');
    const problems = await vscode.commands.executeCommand<Problem[]>('mergevla.check');
    assert.deepEqual(
      problems.filter(({ severity }) => severity === 'error'),
      [],
    );
  });
});

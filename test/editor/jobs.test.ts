import * as assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import type { JobStarted, RunSummary } from '../../server/protocol/methods';
import { activated, folder, openRecipe, textOf, until } from './support';

suite('jobs', () => {
  suiteSetup(async () => {
    const api = await activated();
    await until('the server', () => api.server.state === 'running');
  });

  test('Merge writes a run directory and is listed from its first second', async () => {
    const api = await activated();
    const seen: RunSummary[] = [];
    const subscription = api.runs.onDidChange((run) => {
      if (run) seen.push(run);
    });
    const { uri } = await openRecipe('cubes.mergevla.yaml');
    const settings = vscode.workspace.getConfiguration('mergevla');
    await settings.update('device', 'cpu', true);
    const job = await vscode.commands.executeCommand<JobStarted>('mergevla.merge', uri);
    await settings.update('device', undefined, true);
    const run = await api.jobs.ended(job.run);
    subscription.dispose();
    assert.equal(run.state, 'done');
    const { command } = JSON.parse(readFileSync(`${run.path}/run.json`, 'utf8'));
    assert.deepEqual(command.slice(command.indexOf('--device')).slice(0, 2), ['--device', 'cpu']);
    assert.ok(existsSync(`${run.path}/merged/masks.safetensors`));
    assert.ok(!run.path.endsWith('.partial'));
    assert.match(run.headline ?? '', /% active/);
    assert.ok(seen.some(({ path }) => basename(path).startsWith('cubes-')));
    assert.deepEqual(
      run.phases.map(({ state }) => state).filter((state) => state !== 'done'),
      [],
    );
  });

  test('numbers of the finished run come to hovers and hints', async () => {
    const document = await openRecipe('cubes.mergevla.yaml');
    const hints = await until('the numbers', async () => {
      const found = await vscode.commands.executeCommand<vscode.InlayHint[]>(
        'vscode.executeInlayHintProvider',
        document.uri,
        new vscode.Range(0, 0, document.lineCount, 0),
      );
      const labels = found.map(({ label }) => textOf(label));
      return labels.some((label) => label.includes('active')) ? labels : undefined;
    });
    assert.ok(hints.some((label) => label.includes('kept')));
  });

  test('a job shows progress and is cancelled within two seconds', async () => {
    const api = await activated();
    const { uri } = await openRecipe('slow.mergevla.yaml');
    const job = await vscode.commands.executeCommand<JobStarted>('mergevla.merge', uri);
    await until('progress', () => api.runs.find(job.run)?.progress);
    assert.equal(api.runs.running().length, 1);
    assert.equal(await vscode.commands.executeCommand('mergevla.stopJob', job.run), true);
    const run = await api.jobs.ended(job.run);
    assert.equal(run.state, 'cancelled');
    assert.equal(api.runs.running().length, 0);
  });

  test('a recipe with errors starts nothing', async () => {
    const api = await activated();
    const before = api.runs.list().length;
    const { uri } = await openRecipe('missing.mergevla.yaml');
    assert.equal(await vscode.commands.executeCommand('mergevla.merge', uri), undefined);
    assert.equal(api.runs.list().length, before);
  });

  const deletedPlace = () => join(folder().fsPath, 'runs/.deleted');
  const runOf = async (state: RunSummary['state']) => {
    const api = await activated();
    return until(`a ${state} run`, () => api.runs.list().find((run) => run.state === state)?.path);
  };
  const deleteRun = (run: string) => vscode.commands.executeCommand('mergevla.deleteRun', run);

  test('a deleted run leaves the list, and the undo of the message brings it back whole', async () => {
    const { runs } = await activated();
    const run = await runOf('done');
    const others = runs.list().filter(({ path }) => path !== run);
    const files = readdirSync(run, { recursive: true }).sort();
    assert.equal(await deleteRun(run), run);
    assert.ok(!existsSync(run));
    assert.equal(readdirSync(deletedPlace()).length, 1);
    await runs.refresh();
    assert.deepEqual(runs.list(), others);
    // The newest message is the one that offers the undo.
    await vscode.commands.executeCommand('notification.acceptPrimaryAction');
    await until('the run', () => runs.find(run));
    assert.deepEqual(readdirSync(run, { recursive: true }).sort(), files);
    assert.ok(!existsSync(deletedPlace()));
  });

  test('a deleted run goes for good once its message and the success panel are closed', async () => {
    const { deleted } = await activated();
    const run = await runOf('cancelled');
    await vscode.commands.executeCommand('mergevla.showSuccessRates');
    await deleteRun(run);
    await vscode.commands.executeCommand('notifications.clearAll');
    assert.deepEqual(
      deleted.list().map(({ path }) => path),
      [run],
    );
    const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
    await vscode.window.tabGroups.close(
      tabs.filter(({ label }) => label.startsWith('Success Rates')),
    );
    await until('the end of it', () => !existsSync(deletedPlace()));
    assert.ok(!existsSync(run));
    assert.deepEqual(deleted.list(), []);
  });

  test('a job outlives its server', async () => {
    const api = await activated();
    const { uri } = await openRecipe('slow.mergevla.yaml');
    const job = await vscode.commands.executeCommand<JobStarted>('mergevla.merge', uri);
    await vscode.commands.executeCommand('mergevla.restartServer');
    const run = await until('the run after the restart', () => api.runs.find(job.run));
    assert.equal(run.state, 'running');
    // The next start of the editor finds this job still at work.
  });

  test('a run is deleted, and the window closes while the undo is offered', async () => {
    await deleteRun(await runOf('done'));
    // The next start of the editor finds it where it lies.
    assert.equal(readdirSync(deletedPlace()).length, 1);
  });
});

import * as assert from 'node:assert/strict';
import { existsSync, readdirSync, renameSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { activated, folder, openRecipe, until } from './support';

suite('after a reload', () => {
  test('the job of the last window is shown again and can be stopped', async () => {
    await openRecipe('slow.mergevla.yaml');
    const api = await activated();
    const run = await until('the running job', () => api.runs.running()[0]);
    await until('its progress', () => api.runs.find(run.path)?.progress);
    assert.equal(await vscode.commands.executeCommand('mergevla.stopJob', run.path), true);
    const ended = await api.jobs.ended(run.path);
    assert.equal(ended.state, 'cancelled');
  });

  test('a run that the last window had deleted is not listed, and is a run again where it is moved back', async () => {
    const { runs } = await activated();
    const home = join(folder().fsPath, 'runs');
    const [name = '', ...more] = readdirSync(join(home, '.deleted'));
    assert.deepEqual(more, []);
    await runs.refresh();
    assert.deepEqual(
      runs.list().filter(({ state }) => state === 'done'),
      [],
    );
    renameSync(join(home, '.deleted', name), join(home, name));
    rmdirSync(join(home, '.deleted'));
    await runs.refresh();
    assert.equal(runs.find(join(home, name))?.state, 'done');
    assert.ok(existsSync(join(home, name, 'merged/masks.safetensors')));
  });

  test('finished runs are listed, newest first', async () => {
    const api = await activated();
    const states = api.runs.list().map(({ state }) => state);
    assert.deepEqual([...states].sort(), ['cancelled', 'done']);
    const times = api.runs.list().map(({ started }) => started ?? '');
    assert.deepEqual(times, [...times].sort().reverse());
  });
});

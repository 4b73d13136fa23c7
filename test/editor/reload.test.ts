import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { activated, openRecipe, until } from './support';

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

  test('finished runs are listed, newest first', async () => {
    const api = await activated();
    const states = api.runs.list().map(({ state }) => state);
    assert.deepEqual([...states].sort(), ['cancelled', 'cancelled', 'done']);
    const times = api.runs.list().map(({ started }) => started ?? '');
    assert.deepEqual(times, [...times].sort().reverse());
  });
});

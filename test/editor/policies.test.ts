import * as assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { ActAnswer } from '../../server/protocol/act';
import type { RouteAnswer } from '../../server/protocol/routing';
import type { Served } from '../../src/commands/serving';
import type { Observation } from '../../src/commands/observation';
import { activated, folder, openRecipe, until } from './support';

/** What the reference implementation says about an observation of the fixture. */
interface Golden {
  readonly observations: readonly { readonly instruction: string; readonly state: number[] }[];
  readonly router: readonly { readonly released: { readonly chosen: string } }[];
}

async function seen(index: number): Promise<{ observation: Observation; chosen: string }> {
  const { context } = await activated();
  const fixtures = join(context.extensionPath, 'test/fixtures/policy');
  const golden = JSON.parse(readFileSync(join(fixtures, 'golden.json'), 'utf8')) as Golden;
  const { instruction = '', state } = golden.observations[index] ?? {};
  const images = ['full', 'wrist'].map((camera) =>
    join(fixtures, `obs/obs${String(index)}/${camera}_policy.png`),
  );
  return {
    observation: { images, instruction, proprio: JSON.stringify(state) },
    chosen: golden.router[index]?.released.chosen ?? '',
  };
}

/** The run that the first command on the recipe made. */
async function mergedRun(): Promise<string> {
  const api = await activated();
  await api.runs.refresh();
  return until('the run', () => api.runs.list().find(({ state }) => state === 'done')?.path);
}

const reached = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => {
      resolve(false);
    });
  });

suite('policies from the palette', () => {
  suiteSetup(async () => {
    const api = await activated();
    await until('the server', () => api.server.state === 'running');
  });

  test('Route Observation asks the router of a recipe and opens the panel', async () => {
    const { uri } = await openRecipe('policy.mergevla.yaml');
    const { observation, chosen } = await seen(1);
    const answer = await vscode.commands.executeCommand<RouteAnswer>(
      'mergevla.routeObservation',
      ...[uri, observation],
    );
    assert.equal(answer.chosen, chosen);
    assert.deepEqual(Object.keys(answer.detail?.pairings ?? {}).sort(), ['crossed', 'same']);
    await until('the panel', () =>
      vscode.window.tabGroups.all.some(({ tabs }) =>
        tabs.some(({ label }) => label.startsWith('Routing: ')),
      ),
    );
  });

  test('Act Once shows the action chunk as a document', async () => {
    const { observation, chosen } = await seen(2);
    const answer = await vscode.commands.executeCommand<ActAnswer>(
      'mergevla.actOnce',
      ...[await mergedRun(), observation],
    );
    assert.equal(answer.chosen, chosen);
    const text = vscode.window.activeTextEditor?.document.getText() ?? '';
    assert.ok(text.startsWith(`# ${chosen} acts`));
    const [first = []] = answer.actions;
    assert.ok(text.includes(`| 0 | ${first.map((value) => value.toFixed(4)).join(' | ')} |`));
  });

  test('a bad observation gives no answer', async () => {
    const observation = { images: [join(folder().fsPath, 'no.png')], instruction: 'x' };
    const run = await mergedRun();
    const asked = vscode.commands.executeCommand('mergevla.actOnce', run, observation);
    assert.equal(await asked, undefined);
  });

  test('Serve Policy listens until it is stopped', async () => {
    const served = await vscode.commands.executeCommand<Served>(
      'mergevla.servePolicy',
      ...[await mergedRun(), 0, 'a token'],
    );
    assert.equal(served.url, `ws://127.0.0.1:${String(served.port)}`);
    assert.equal(served.token, 'a token');
    assert.ok(vscode.window.terminals.some(({ name }) => name.startsWith('MergeVLA')));
    assert.equal(await reached(served.port), true);
    assert.equal(await vscode.commands.executeCommand('mergevla.stopServing'), 1);
    assert.equal(await reached(served.port), false);
    assert.equal(await vscode.commands.executeCommand('mergevla.stopServing'), 0);
  });

  test('Select Device is one edit of the recipe', async () => {
    const document = await openRecipe('policy.mergevla.yaml');
    const before = document.getText();
    await vscode.commands.executeCommand('mergevla.selectDevice', document.uri, 'cpu');
    assert.match(document.getText(), /^run: .*device: cpu/m);
    assert.ok(document.isDirty);
    await vscode.commands.executeCommand('undo');
    assert.equal(document.getText(), before);
  });

  test('Export Table writes the rates of a run in every form', async () => {
    const run = await mergedRun();
    const line = { policy: 'routed', task: 'libero_goal', seed: 1, success: true, steps: 5 };
    const lines = [line, { ...line, seed: 2, success: false }];
    const text = lines.map((each) => `${JSON.stringify(each)}\n`).join('');
    writeFileSync(join(run, 'episodes.jsonl'), text);
    const target = vscode.Uri.joinPath(folder(), 'table.md');
    await vscode.commands.executeCommand('mergevla.exportTable', [run], 'Markdown', target);
    assert.match(readFileSync(target.fsPath, 'utf8'), /routed .*\| 1\/2 {2}50 %/);
    await vscode.commands.executeCommand('mergevla.exportTable', [run], 'CSV', 'clipboard');
    assert.match(await vscode.env.clipboard.readText(), /,libero_goal,1,2,0\.5,/);
  });
});

import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeZoo } from '../editor/zoo';
import { Client, until } from './client';

const fixtures = resolve(__dirname, '../fixtures/policy');
const tasks = ['libero_spatial', 'libero_object', 'libero_goal'];
const policy = `version: 1
base: ${join(fixtures, 'base')}
experts:
${tasks.map((task) => `  ${task}: ${join(fixtures, 'experts', task)}`).join('\n')}
heads:
  per_task: ['*v_task*']
router:
  rank: 8
`;

const cubes = `version: 1
base: zoo/base
experts:
  pick: zoo/pick
  push: zoo/push
layout: generic
router: none
evaluate:
  suite: so101-cubes
  episodes: 2
`;

let client: Client;

beforeAll(async () => {
  client = await Client.start();
});
afterAll(() => client.stop());

interface Lens {
  readonly range: { readonly start: { readonly line: number } };
  readonly command: { readonly title: string; readonly arguments?: readonly unknown[] };
}

describe('inlay hints', () => {
  const range = { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } };

  it('tell a router in block form behind its key, and the size of tensors that only experts have', async () => {
    const uri = await client.open(policy);
    const hints = await until('hints from headers', async () => {
      const found = await client.ask<
        { label: string; position: { line: number; character: number } }[]
      >('textDocument/inlayHint', { textDocument: { uri }, range });
      return found.some(({ label }) => label.startsWith('pairing same ·')) ? found : undefined;
    });
    const router = hints.find(({ label }) => label.startsWith('pairing'));
    expect(router?.label).toMatch(/^pairing same · block \d+$/);
    const line = policy.split('\n').indexOf('router:');
    expect(router?.position).toEqual({ line, character: 'router:'.length });
    const glob = hints.find(({ label }) => label.includes('tensors'));
    expect(glob?.label).toMatch(/^\d+\u00a0tensors · [1-9]/);
    await client.close(uri);
  });
});

describe('an evaluated run', () => {
  const id = 'cubes-20260101-120000-3f9a';
  const outcomes = { blind: [0, 0], routed: [2, 1] };

  beforeAll(() => {
    writeZoo(join(client.folder, 'zoo'), { experts: ['pick', 'push'], blocks: 2, width: 8 });
    const time = '2026-01-01T12:00:00.000Z';
    const record = {
      ...{ version: 1, id, name: 'cubes', created: time, updated: time, finished: time },
      ...{ phases: [{ name: 'evaluate', state: 'done', started: time, seconds: 1 }], timings: {} },
      ...{ device: 'cpu', state: 'done', pid: 1, host: 'elsewhere', versions: {} },
      command: ['mergevla', 'evaluate', 'cubes.mergevla.yaml'],
    };
    client.write(`runs/${id}/run.json`, JSON.stringify(record));
    const lines = Object.entries(outcomes).flatMap(([name, wins]) =>
      ['pick', 'push'].flatMap((task, t) =>
        [0, 1].map((seed) =>
          JSON.stringify({ policy: name, task, seed, success: seed < (wins[t] ?? 0), steps: 9 }),
        ),
      ),
    );
    client.write(`runs/${id}/episodes.jsonl`, `${lines.join('\n')}\n`);
  });

  it('is told by the success of its routed policy, and leads to the episodes of each task', async () => {
    const uri = await client.open(cubes, 'cubes.mergevla.yaml');
    const [run] = await client.own('mergevla/run/list', {});
    expect(run).toMatchObject({ name: 'cubes-3f9a', headline: 'routed 75.0\u00a0%' });
    const lenses = await client.ask<Lens[]>('textDocument/codeLens', { textDocument: { uri } });
    const above = (key: string): Lens['command'][] => {
      const line = cubes.split('\n').findIndex((each) => each.startsWith(key));
      return lenses.filter(({ range }) => range.start.line === line).map(({ command }) => command);
    };
    expect(above('  push:').map(({ title }) => title)).toEqual([
      'routed 1/2 in cubes-3f9a',
      'episodes',
    ]);
    const cell = { run: run?.path, policy: 'routed', task: 'push' };
    expect(above('  push:')[1]?.arguments).toEqual([cell]);
    expect(above('experts:').map(({ title }) => title)).toEqual(['Compare tasks']);
    expect(above('evaluate:').map(({ title }) => title)).toEqual([
      '$(play)\u00a0Evaluate',
      '5 policies × 2 tasks × 2',
      'Show success rates',
    ]);
  });
});

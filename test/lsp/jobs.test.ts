import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunSummary } from '../../server/protocol/methods';
import { writeZoo } from '../editor/zoo';
import { alive, Client, until } from './client';

let client: Client;

const text = (method: string): string => `version: 1
base: zoo/base
experts: { a: zoo/a, b: zoo/b }
layout: generic
merge: { ${method} }
router: none
`;
const quick = text('method: ties');
const slow = text('method: wudi, iterations: 30000');

beforeAll(async () => {
  client = await Client.start();
  writeZoo(join(client.folder, 'zoo'), { experts: ['a', 'b'], blocks: 100, width: 8 });
  client.write('quick.mergevla.yaml', quick);
  client.write('slow.mergevla.yaml', slow);
});
afterAll(() => client.stop());

function lastSeen(of: Client, path: string): RunSummary | undefined {
  const runs = of.notifications.flatMap(({ method, params }) =>
    method === 'mergevla/run/changed' ? [(params as { run: RunSummary }).run] : [],
  );
  return runs.findLast((run) => run.path.replace(/\.partial$/, '') === path);
}

const state = (of: Client, path: string, wanted: string): Promise<RunSummary> =>
  until(`a run that is ${wanted}`, () => {
    const run = lastSeen(of, path);
    return run?.state === wanted ? run : undefined;
  });

describe('jobs', () => {
  it('are told from start to end', async () => {
    const uri = client.uri('quick.mergevla.yaml');
    const { run, pid } = await client.own('mergevla/job/start', {
      action: 'merge',
      uri,
      device: 'cpu',
    });
    expect(pid).not.toBe(client.child.pid);
    const done = await state(client, run, 'done');
    expect(done.headline).toMatch(/active/);
    const { command } = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'));
    expect(command.slice(command.indexOf('--device')).slice(0, 2)).toEqual(['--device', 'cpu']);
    expect(done.name).toMatch(/^quick-[0-9a-f]{4}$/);
    expect(existsSync(join(run, 'merged/task_vector.safetensors'))).toBe(true);
    const listed = await client.own('mergevla/run/list', {});
    expect(listed.map(({ path }) => path)).toContain(run);
  });

  it('are stopped, and stopping twice is no error', async () => {
    const uri = client.uri('slow.mergevla.yaml');
    const { run, pid } = await client.own('mergevla/job/start', { action: 'merge', uri });
    await until('progress', () => lastSeen(client, run)?.progress);
    expect(await client.own('mergevla/job/stop', { run })).toBe(true);
    await state(client, run, 'cancelled');
    await until('the end of the process', () => (alive(pid) ? undefined : true));
    expect(await client.own('mergevla/job/stop', { run })).toBe(false);
    expect(await client.own('mergevla/job/stop', { run: '/no/such/run' })).toBe(false);
  });

  it('go on when the server is killed, and a new server tells of them', async () => {
    const first = await Client.start();
    writeZoo(join(first.folder, 'zoo'), { experts: ['a', 'b'], blocks: 100, width: 8 });
    first.write('slow.mergevla.yaml', slow);
    const uri = first.uri('slow.mergevla.yaml');
    const { run, pid } = await first.own('mergevla/job/start', { action: 'merge', uri });
    first.child.kill('SIGKILL');
    await until('the end of the server', () => first.child.signalCode ?? undefined);
    expect(alive(pid)).toBe(true);
    const second = await Client.start({ folder: first.folder });
    const [found] = await second.own('mergevla/run/list', {});
    expect(found?.state).toBe('running');
    await until('progress', () => lastSeen(second, run)?.progress);
    await second.own('mergevla/job/stop', { run });
    await state(second, run, 'cancelled');
    await second.stop();
  });

  it('that cannot write their output are refused in one sentence', async () => {
    writeFileSync(join(client.folder, 'file'), '');
    client.write('blocked.mergevla.yaml', `${quick}output: { directory: file/runs }\n`);
    const uri = client.uri('blocked.mergevla.yaml');
    await expect(client.own('mergevla/job/start', { action: 'merge', uri })).rejects.toThrow(
      /file\/runs/,
    );
  });

  it('that refuse their recipe leave no run', async () => {
    client.write('bad.mergevla.yaml', quick.replace('zoo/b', 'zoo/c'));
    const before = await client.own('mergevla/run/list', {});
    const uri = client.uri('bad.mergevla.yaml');
    await expect(client.own('mergevla/job/start', { action: 'merge', uri })).rejects.toThrow(
      /zoo\/c/,
    );
    expect(await client.own('mergevla/run/list', {})).toHaveLength(before.length);
  });
});

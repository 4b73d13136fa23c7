import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MergeReport } from '../../server/protocol/report';
import { writeZoo } from '../editor/zoo';
import { Client, until } from './client';

const text = (lambda: number): string => `version: 1
base: zoo/base
experts: { a: zoo/a, b: zoo/b }
layout: generic
masks: { lambda: ${String(lambda)} }
router: none
`;

let first: Client;
let client: Client;
let partial: string;
let report: MergeReport;

/** Tells what the merge has measured: block 0, with a number that no sample gives. */
function tell(blocks: number): void {
  const inside = ({ block }: { readonly block: number | null }) => (block ?? 0) < blocks;
  const marked = <M extends object>(metrics: M) => ({ ...metrics, active: { a: 17, b: 19 } });
  const parts = {
    tasks: report.tasks,
    tensors: report.tensors.filter(inside).map(marked),
    blocks: report.blocks.filter(inside).map(marked),
    components: {},
  };
  writeFileSync(join(partial, 'measured.json'), JSON.stringify(parts));
}

/** A finished run made into one that this process is still at. */
beforeAll(async () => {
  first = await Client.start();
  writeZoo(join(first.folder, 'zoo'), { experts: ['a', 'b'], blocks: 3, width: 8 });
  first.write('recipe.mergevla.yaml', text(0.6));
  const uri = first.uri('recipe.mergevla.yaml');
  const { run } = await first.own('mergevla/job/start', { action: 'merge', uri, device: 'cpu' });
  await until('the run', () => existsSync(join(run, 'report.json')) || undefined);
  // The last thing that a finished merge does; its lock would name another process than this one.
  await until('its end', () => !existsSync(join(run, '.lock')) || undefined);
  report = JSON.parse(readFileSync(join(run, 'report.json'), 'utf8')) as MergeReport;
  partial = `${run}.partial`;
  renameSync(run, partial);
  rmSync(join(partial, 'report.json'));
  const file = join(partial, 'run.json');
  const record = JSON.parse(readFileSync(file, 'utf8')) as object;
  const alive = { state: 'running', pid: process.pid, host: hostname() };
  writeFileSync(file, JSON.stringify({ ...record, ...alive }));
  tell(1);
  client = await Client.start({ folder: first.folder });
  await client.open(text(0.6));
  expect(await client.own('mergevla/run/list', {})).toHaveLength(1);
});
afterAll(async () => {
  await client?.stop();
  await first?.stop();
});

function activeOf(blocks: readonly { readonly active?: object }[]) {
  return blocks.map(({ active }) => JSON.stringify(active) === '{"a":17,"b":19}');
}

async function answer(parameters = {}) {
  const uri = client.uri('recipe.mergevla.yaml');
  return until('an answer', async () => {
    const reply = await client.own('mergevla/masks/answer', { uri, n: 1, parameters });
    return reply.state === 'ready' ? reply.answer : undefined;
  });
}

describe('a merge that is still running', () => {
  it('gives the blocks and tensors that it has measured, and is an estimate for the rest', async () => {
    const { source, report: found } = await until('the first block', async () => {
      const ready = await answer();
      return activeOf(ready.report.blocks).includes(true) ? ready : undefined;
    });
    expect(source.kind).toBe('estimate');
    expect(activeOf(found.blocks)).toEqual([true, false, false]);
    const { component } = found.blocks[0] ?? { component: '' };
    const range = { uri: client.uri('recipe.mergevla.yaml'), n: 2, component };
    const layer = await client.own('mergevla/masks/layer', { ...range, from: 0, to: 1 });
    expect(activeOf(layer.tensors)).toEqual([true, true, false, false]);
  });

  it('says nothing about other parameters than its own', async () => {
    const { report: moved } = await answer({ lambda: 0.4 });
    expect(activeOf(moved.blocks)).toEqual([false, false, false]);
  });

  it('is followed: more blocks turn exact, and the editor is told how many tensors are', async () => {
    tell(2);
    const event = { time: new Date().toISOString(), type: 'progress', phase: 'merge' };
    const line = JSON.stringify({ ...event, done: 2, total: 3, unit: 'bytes' });
    await until('the second block', async () => {
      // As a merge does: events that come close together are looked at once.
      writeFileSync(join(partial, 'events.jsonl'), `${line}\n`, { flag: 'a' });
      const { report: now } = await answer();
      return activeOf(now.blocks)[1] || undefined;
    });
    const told = client.notifications.filter(({ method }) => method === 'mergevla/run/changed');
    expect(told.at(-1)?.params).toMatchObject({ run: { measured: 4 } });
  });
});

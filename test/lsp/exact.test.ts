import { existsSync, readFileSync, renameSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MaskRatioReply } from '../../server/protocol/panels/mask-ratios';
import type { MergeReport } from '../../server/protocol/report';
import { withExactInputs } from '../../server/lsp/known-inputs';
import { writeZoo } from '../editor/zoo';
import { Client, until } from './client';

const text = (lambda: number, method = 'ties, density: 0.5'): string => `version: 1
base: zoo/base
experts: { a: zoo/a, b: zoo/b }
layout: generic
merge: { method: ${method} }
masks: { lambda: ${String(lambda)} }
router: none
`;

let client: Client;
let uri: string;
let run: string;

beforeAll(async () => {
  client = await Client.start();
  writeZoo(join(client.folder, 'zoo'), { experts: ['a', 'b'], blocks: 3, width: 8 });
  client.write('recipe.mergevla.yaml', text(0.6));
  uri = client.uri('recipe.mergevla.yaml');
  ({ run } = await client.own('mergevla/job/start', { action: 'merge', uri, device: 'cpu' }));
  await until('the run', () => existsSync(join(run, 'report.json')) || undefined);
  await client.open(text(0.6));
});
afterAll(() => client.stop());

type Ready = Extract<MaskRatioReply, { state: 'ready' }>['answer'];

async function answer(kind: 'exact' | 'estimate', parameters = {}): Promise<Ready> {
  return until(`an answer that is ${kind}`, async () => {
    const reply = await client.own('mergevla/masks/answer', { uri, n: 1, parameters });
    return reply.state === 'ready' && reply.answer.source.kind === kind ? reply.answer : undefined;
  });
}

describe('numbers of a finished run', () => {
  it('replace the estimate while recipe, checkpoints and parameters are its own', async () => {
    const report = JSON.parse(readFileSync(join(run, 'report.json'), 'utf8')) as MergeReport;
    const exact = await answer('exact');
    expect(exact.report.total).toEqual(report.total);
    const moved = await answer('estimate', { lambda: 0.3 });
    expect(moved.report.total.norm).toMatchObject(report.total.norm);
    expect(moved.report.total.cosine).toEqual(report.total.cosine);
    expect(moved.report.total.active).not.toEqual(report.total.active);
    await answer('exact', { lambda: 0.6 });
  });

  it('stay as a yardstick at their own λ when the text has another', async () => {
    await client.change(uri, text(0.8));
    await answer('estimate');
    const yardstick = await client.own('mergevla/masks/yardstick', { uri });
    expect(yardstick).toMatchObject({
      parameters: { lambda: 0.6, density: 0.5 },
      source: { kind: 'exact' },
    });
    await client.change(uri, text(0.8, 'task_arithmetic'));
    expect(await client.own('mergevla/masks/yardstick', { uri })).toBeNull();
    await client.change(uri, text(0.6));
    await answer('exact');
  });

  it('go with the run and come back with it, which editors are told both times', async () => {
    const aside = join(client.folder, 'aside');
    const moves = [
      [run, aside, 'estimate'],
      [aside, run, 'exact'],
    ] as const;
    for (const [from, to, kind] of moves) {
      const told = client.refreshes;
      renameSync(from, to);
      await client.own('mergevla/run/list', {});
      await until('the refresh', () => client.refreshes > told || undefined);
      await answer(kind);
    }
  });

  it('are the run’s no more once a checkpoint is another', async () => {
    const file = join(client.folder, 'zoo/b/model.safetensors');
    const then = new Date(2020, 1, 1);
    utimesSync(file, then, then);
    await client.connection.sendNotification('mergevla/files/refresh', {});
    await answer('estimate');
    expect(await client.own('mergevla/masks/yardstick', { uri })).toBeNull();
  });
});

describe('a sample', () => {
  it('keeps what was read when it is stopped, and is read again when asked', async () => {
    await answer('estimate');
    await client.own('mergevla/masks/stop', { uri });
    await answer('estimate', { lambda: 0.45 });
    await client.own('mergevla/masks/again', { uri });
    await answer('estimate', { lambda: 0.35 });
  });
});

describe('what depends on the checkpoints alone', () => {
  it('is taken from an exact pass, and nothing else is', () => {
    const metrics = (value: number, sampled: boolean) => {
      const figure = sampled ? { value, low: value - 1, high: value + 1 } : value;
      return {
        elements: 10,
        active: { a: figure },
        norm: { base: figure, merged: figure, a: figure },
        cosine: { 'a|b': figure },
        sign_conflict: { 'a|b': figure },
      };
    };
    const report = (value: number, sampled: boolean) => ({
      tasks: ['a', 'b'],
      exact: !sampled,
      tensors: [],
      blocks: [{ component: 'lm', block: 0, ...metrics(value, sampled) }],
      components: { lm: metrics(value, sampled), other: metrics(value, sampled) },
      total: metrics(value, sampled),
    });
    const exact = { ...report(2, false), components: { lm: metrics(2, false) } } as MergeReport;
    const { total, blocks, components } = withExactInputs(report(5, true), exact);
    for (const part of [total, blocks[0], components['lm']])
      expect(part).toMatchObject({
        active: { a: { value: 5 } },
        norm: { base: 2, a: 2, merged: { value: 5 } },
        cosine: { 'a|b': 2 },
        sign_conflict: { 'a|b': 2 },
      });
    expect(components['other']?.cosine['a|b']).toMatchObject({ value: 5 });
  });
});

import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { prepareSweep } from '../../server/jobs/sweep/prepare';
import { SweepStore } from '../../server/jobs/sweep/store';
import { isMergeReport } from '../../server/protocol/report';
import { writeZoo } from '../cli/zoo';
import { temporaryFolder } from '../tensors/files';

let folder: string;
let recipe: string;

beforeEach(() => {
  folder = temporaryFolder();
  ({ recipe } = writeZoo(folder, { lines: ['sweep: { merge.alpha: [0.5, 1] }'] }));
});

describe('a sweep', () => {
  it('is written into no folder that holds something else, nor over a file', async () => {
    const out = join(folder, 'mine');
    mkdirSync(out);
    writeFileSync(join(out, 'README.md'), 'my notes');
    const wish = { recipePath: recipe, out };
    await expect(prepareSweep(wish)).rejects.toMatchObject({ code: 'MV530', fault: 'data' });
    expect(readdirSync(out)).toEqual(['README.md']);
    await expect(prepareSweep({ ...wish, out: join(out, 'README.md') })).rejects.toMatchObject({
      code: 'MV530',
    });
    expect(readFileSync(join(out, 'README.md'), 'utf8')).toBe('my notes');
  });

  it('goes on where its start was cut off, before the record of it', async () => {
    const out = join(folder, 'cut');
    mkdirSync(out);
    writeFileSync(join(out, 'points.jsonl'), '{"id":');
    const prepared = await prepareSweep({ recipePath: recipe, out });
    expect(prepared.kind).toBe('ready');
  });

  it('reads no point whose id leads elsewhere, and no result that is none', async () => {
    const out = join(folder, 'sweep');
    await prepareSweep({ recipePath: recipe, out });
    const store = SweepStore.open(out);
    const [point] = store.points;
    if (!point) throw new Error('the sweep has no point');
    const { id } = point;
    mkdirSync(store.file(point), { recursive: true });
    const result = { schema: 'mergevla.point/1', id, values: {}, metrics: 3, run: 'run' };
    writeFileSync(
      store.file(point, 'result.json'),
      JSON.stringify({ ...result, seconds: 1, host: 'h', version: '1' }),
    );
    expect([store.result(point), store.status(point).state]).toEqual([undefined, 'queued']);
    const file = join(out, 'points.jsonl');
    const text = readFileSync(file, 'utf8');
    for (const spoilt of [
      text.replace(id, '../../elsewhere'),
      text.replace('"index":0', '"index":7'),
      text.replace('{"id"', '[{"id"'),
    ]) {
      writeFileSync(file, spoilt);
      expect(() => SweepStore.open(out)).toThrow(/is not the folder of a sweep/);
    }
  });
});

describe('a report', () => {
  const metrics = { elements: 1, norm: {}, cosine: {}, sign_conflict: {} };
  const whole = { tasks: ['a'], exact: true, tensors: [], blocks: [], components: { lm: metrics } };

  it('is one only when it is whole', () => {
    expect(isMergeReport({ ...whole, total: metrics })).toBe(true);
    for (const foreign of [
      whole,
      { ...whole, total: {} },
      { ...whole, total: metrics, components: 3 },
      { ...whole, total: metrics, tensors: ['x'] },
      null,
    ])
      expect(isMergeReport(foreign)).toBe(false);
  });
});

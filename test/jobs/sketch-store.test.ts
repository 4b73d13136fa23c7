import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MergePlan } from '../../server/engine/plan-types';
import { checkRecipeFile } from '../../server/jobs/check-recipe';
import { buildSketch, fromFiles, lastRound } from '../../server/jobs/sketch/build';
import { storedSamples } from '../../server/jobs/sketch/store';
import { float32, writeSafetensors } from '../cli/zoo';

const folder = mkdtempSync(join(tmpdir(), 'mergevla-sketch-'));
const recipe = join(folder, 'zoo.mergevla.yaml');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function writeModel(name: string, step: number): void {
  const wave = (i: number): number => Math.sin(i * 0.37) + step * Math.sin(i * (1.3 + step));
  writeSafetensors(join(folder, name, 'model.safetensors'), {
    'model.layers.0.mlp.up_proj.weight': float32([1536, 2048], wave),
    'model.layers.1.mlp.up_proj.weight': float32([1024, 1024], wave),
    'model.norm.weight': float32([1024], wave),
  });
}

async function planNow(): Promise<MergePlan> {
  const { plan, problems } = await checkRecipeFile(recipe, {});
  if (!plan) throw new Error(problems.map(({ message }) => message).join('\n'));
  return plan;
}

beforeAll(() => {
  writeModel('base', 0);
  writeModel('one', 0.5);
  writeModel('two', 0.7);
  writeFileSync(recipe, 'version: 1\nbase: base\nexperts: { one: one, two: two }\n');
});

describe('samples on disk', () => {
  const store = join(folder, 'samples');
  const counted = (count = { reads: 0, bytes: 0 }) => ({
    count,
    reader: storedSamples(store, fromFiles({}, count)),
  });

  it('give every round again without reading a checkpoint', async () => {
    const plan = await planNow();
    const fresh = [];
    for (let round = 0; round <= lastRound; round++)
      fresh.push(await buildSketch(plan, round, fromFiles({})));
    await buildSketch(plan, lastRound, counted().reader);
    expect(readdirSync(store)).toHaveLength(3);
    const again = counted();
    for (let round = 0; round <= lastRound; round++)
      expect(await buildSketch(plan, round, again.reader)).toEqual(fresh[round]);
    expect(again.count.reads).toBe(0);
  });

  it('are read again for the one expert that changed', async () => {
    writeModel('two', 0.9);
    const { count, reader } = counted();
    const plan = await planNow();
    const sketch = await buildSketch(plan, lastRound, reader);
    const all = { reads: 0, bytes: 0 };
    const fresh = await buildSketch(plan, lastRound, fromFiles({}, all));
    expect(sketch).toEqual(fresh);
    expect(count.reads).toBe(all.reads / 3);
  });

  it('that were cut short are taken anew', async () => {
    const plan = await planNow();
    for (const name of readdirSync(store)) truncateSync(join(store, name), 100);
    const { count, reader } = counted();
    expect(await buildSketch(plan, lastRound, reader)).toEqual(
      await buildSketch(plan, lastRound, fromFiles({})),
    );
    expect(count.reads).toBeGreaterThan(0);
    // The samples of the expert that was replaced stay as they are until they are the oldest.
    const whole = readdirSync(store).filter((name) => statSync(join(store, name)).size > 100);
    expect(whole).toHaveLength(3);
  });
});

describe('sampling', () => {
  it('names the file that changed since its header was read', async () => {
    const plan = await planNow();
    writeModel('one', 0.25);
    await expect(buildSketch(plan, 0, fromFiles({}))).rejects.toMatchObject({ code: 'MV422' });
  });

  it('ends at once when it is cancelled', async () => {
    const plan = await planNow();
    const signal = AbortSignal.abort();
    await expect(buildSketch({ ...plan, signal }, 0, fromFiles({ signal }))).rejects.toMatchObject({
      name: 'Cancelled',
    });
  });
});

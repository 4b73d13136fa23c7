import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { MergePlan } from '../../server/engine/plan-types';
import { matrixNeeds } from '../../server/engine/spectral/needs';
import { checkRecipeText } from '../../server/jobs/check-recipe';
import { executeMerge } from '../../server/jobs/execute';
import { MemoryGate } from '../../server/jobs/memory-gate';
import { weakDirectionsWarning } from '../../server/jobs/matrix-checks';
import { measureSpectra } from '../../server/jobs/spectrum-job';
import { openSpectrumStore } from '../../server/jobs/spectrum-store';
import type { RunEvent } from '../../server/protocol/events';
import {
  float32Tensor,
  golden,
  merge,
  planText,
  temporaryFolder,
  writeTensors,
} from '../engine/driver';

type Shapes = Readonly<Record<string, readonly number[]>>;

/** A zoo of float32 models; `value` gives an expert's change of element i. */
function zoo(
  shapes: Shapes,
  tasks: readonly string[],
  value: (task: number, i: number, name: string) => number,
): string {
  const folder = temporaryFolder();
  const model = (name: string, change: (i: number, tensor: string) => number): void => {
    mkdirSync(join(folder, name));
    const tensors = Object.entries(shapes).map(([tensor, shape]) => {
      const n = shape.reduce((product, length) => product * length, 1);
      const values = Array.from({ length: n }, (_, i) => Math.sin(i) + change(i, tensor));
      return [tensor, float32Tensor(shape, values)] as const;
    });
    writeTensors(join(folder, name, 'model.safetensors'), Object.fromEntries(tensors));
  };
  model('base', () => 0);
  tasks.forEach((task, m) => model(task, (i, tensor) => value(m, i, tensor)));
  return folder;
}

function recipe(tasks: readonly string[], merge: object, rest: object = {}): string {
  const experts = Object.fromEntries(tasks.map((task) => [task, task]));
  return JSON.stringify({ version: 1, base: 'base', experts, merge, router: 'none', ...rest });
}

const noise = (m: number, i: number): number => Math.sin(37 * (m + 1) * (i + 1) ** 1.3) / 8;
const two = ['a', 'b'];

describe('rules of tensors', () => {
  it('a matrix with more tasks than directions takes the mean under tsv', async () => {
    const tasks = ['a', 'b', 'c'];
    const beside = zoo({ 'x.weight': [2, 8], 'y.weight': [6, 8], 'z.bias': [4] }, tasks, noise);
    const output = { dtype: 'float32' };
    const { report, tensors } = await merge(recipe(tasks, { method: 'tsv' }, { output }), {
      beside,
    });
    expect(report.tensors.map(({ rule }) => rule)).toEqual(['mean', 'tsv', 'mean']);
    expect(report.tensors[0]?.spectral).toBeUndefined();
    expect(report.tensors[1]?.spectral).toMatchObject({ directions: 6, rank: 6 });
    const found = tensors('task_vector.safetensors').get('x.weight')!.values;
    const mean = (noise(0, 3) + noise(1, 3) + noise(2, 3)) / 3;
    expect(found[3]).toBeCloseTo(mean, 5);
  });

  it('wudi leaves vocabularies to the base', async () => {
    const shapes = {
      'lm_head.weight': [6, 4],
      'model.embed_tokens.weight': [6, 4],
      'model.layers.0.mlp.up_proj.weight': [6, 4],
    };
    const beside = zoo(shapes, two, noise);
    const { report } = await merge(recipe(two, { method: 'wudi', iterations: 3 }), { beside });
    expect(report.tensors.map(({ rule }) => rule)).toEqual(['base', 'base', 'wudi']);
    expect(report.tensors[2]?.spectral?.weak_share).toBeNull();
  });

  it('expert weights multiply the task vectors first', async () => {
    const beside = zoo({ 'x.weight': [5, 8] }, two, noise);
    const output = { dtype: 'float32' };
    const plain = { version: 1, base: 'base', router: 'none', masks: 'none', output };
    const text = (weight: number): string =>
      JSON.stringify({
        ...plain,
        merge: { method: 'iso_c' },
        experts: { a: { path: 'a', weight }, b: { path: 'b', weight } },
      });
    const once = (await merge(text(1), { beside })).tensors('task_vector.safetensors');
    const twice = (await merge(text(2), { beside })).tensors('task_vector.safetensors');
    const [a, b] = [once.get('x.weight')!.values, twice.get('x.weight')!.values];
    a.forEach((value, i) => expect(b[i]).toBeCloseTo(2 * value, 5));
  });

  it('matrices that no expert changed stay the base, and 1 × n works', async () => {
    const shapes = { 'one.weight': [1, 12], 'same.weight': [4, 4] };
    const change = (m: number, i: number, name: string): number =>
      name === 'same.weight' ? 0 : noise(m, i);
    const beside = zoo(shapes, two, change);
    for (const method of ['iso_c', 'iso_cts', 'knots', 'wudi']) {
      const { report } = await merge(recipe(two, { method }), { beside });
      expect(report.tensors.map(({ rule }) => rule)).toEqual([method, 'base']);
      expect(Number.isFinite(report.tensors[0]?.norm['merged'])).toBe(true);
    }
  });

  it('knots with ties keeps the density asked for', async () => {
    const beside = zoo({ 'x.weight': [6, 10] }, two, noise);
    const settings = { method: 'knots', inner: 'ties', density: 0.3, trim_scope: 'tensor' };
    const trimmed = await merge(recipe(two, settings), { beside });
    const whole = await merge(recipe(two, { method: 'knots' }), { beside });
    const norm = ({ report }: typeof whole): number => report.tensors[0]?.norm['merged'] ?? 0;
    expect(norm(trimmed)).toBeGreaterThan(0);
    expect(norm(trimmed)).not.toBeCloseTo(norm(whole), 3);
  });
});

describe('cost', () => {
  /** A plan of one matrix of a size that no test could hold. */
  async function large(method: string, shape: readonly [number, number]): Promise<MergePlan> {
    const beside = zoo({ 'model.layers.0.mlp.up_proj.weight': [4, 4] }, two, noise);
    const plan = await planText(recipe(two, { method }), { beside });
    const jobs = plan.jobs.map((job) => ({ ...job, shape, elements: shape[0] * shape[1] }));
    return { ...plan, jobs };
  }

  it('grows with the matrix and the method', async () => {
    const [need] = matrixNeeds(await large('iso_cts', [151_936, 896]));
    // Larger than all that is held of it: the result alone takes 545 MB.
    expect(need?.bytes).toBeGreaterThan(1e9);
    expect(need?.bytes).toBeLessThan(1.2e9);
    const [wide] = matrixNeeds(await large('iso_cts', [896, 151_936]));
    expect(wide?.bytes).toBeGreaterThan(2e9);
    expect(need?.hours).toBe(0);
    const [wudi] = matrixNeeds(await large('wudi', [896, 4864]));
    expect(wudi?.hours).toBeGreaterThan(0.2);
    expect(matrixNeeds(await large('ties', [896, 4864]))).toEqual([]);
  });

  it('refuses a matrix that run.memory cannot hold and says how much it needs', async () => {
    const beside = zoo({ 'x.weight': [600, 600] }, two, noise);
    const plan = await planText(recipe(two, { method: 'iso_cts' }), { beside });
    const directory = temporaryFolder();
    const run = executeMerge(plan, { directory, threads: 1, memory: 200 << 20 });
    await expect(run).rejects.toMatchObject({
      code: 'MV467',
      fault: 'data',
      message: expect.stringMatching(/needs \d+\.\d\d GiB for x\.weight \[600, 600\]/) as string,
    });
  });

  it('check warns of it, because reading alone tells whether the matrix changed', async () => {
    const beside = zoo({ 'x.weight': [600, 600] }, two, noise);
    const text = recipe(two, { method: 'iso_cts' }, { run: { memory: '200MiB', threads: 1 } });
    const path = join(beside, 'r.mergevla.yaml');
    const { problems } = await checkRecipeText(new TextEncoder().encode(text), path);
    expect(problems.map(({ code, severity }) => [code, severity])).toContainEqual([
      'MV467',
      'warning',
    ]);
  });

  it('begins hours of wudi only with consent', async () => {
    const shapes = { 'model.layers.0.mlp.up_proj.weight': [400, 400] };
    const beside = zoo(shapes, two, noise);
    const settings = { method: 'wudi', iterations: 1_000_000 };
    const plan = await planText(recipe(two, settings), { beside });
    const directory = temporaryFolder();
    await expect(executeMerge(plan, { directory, threads: 1 })).rejects.toMatchObject({
      code: 'MV468',
      fault: 'usage',
      message: expect.stringContaining('--accept-hours') as string,
    });
    const short = await planText(recipe(two, { method: 'wudi', iterations: 2 }), { beside });
    await executeMerge(short, { directory: temporaryFolder(), threads: 1, acceptHours: 0.001 });
  });

  it('matrices wait for memory that others hold', async () => {
    const gate = new MemoryGate(10);
    const order: string[] = [];
    await gate.enter(6);
    const second = gate.enter(6).then(() => order.push('second'));
    await gate.enter(4);
    order.push('third');
    gate.leave(6);
    await second;
    expect(order).toEqual(['third', 'second']);
    gate.leave(6);
    gate.leave(4);
    await gate.enter(99);
  });
});

describe('noise', () => {
  it('warns where adapters determine few directions, until rank_tolerance is set', async () => {
    const base = join(golden, 'models/lora-base-f32/base');
    const adapter = join(golden, 'adapters/lora-base-f32/plain');
    const text = (settings: object): string =>
      JSON.stringify({
        version: 1,
        base,
        experts: { one: { adapter } },
        merge: settings,
        router: 'none',
      });
    const codes = async (settings: object): Promise<string[]> => {
      const bytes = new TextEncoder().encode(text(settings));
      const { problems } = await checkRecipeText(bytes, join(temporaryFolder(), 'r.mergevla.yaml'));
      const found = problems.find(({ code }) => code === 'MV465');
      if (found) expect(found.message).toMatch(/at most 4 of the \d+ directions/);
      return problems.map(({ code }) => code);
    };
    expect(await codes({ method: 'iso_c' })).toContain('MV465');
    expect(await codes({ method: 'iso_cts' })).toContain('MV465');
    expect(await codes({ method: 'iso_c', rank_tolerance: 1e-3 })).not.toContain('MV465');
    expect(await codes({ method: 'tsv' })).not.toContain('MV465');
  });

  it('warns after the merge, with the worst matrix', async () => {
    const shape = [8, 8];
    const diagonal = (m: number, i: number): number => (i % 9 === 0 ? (i < 18 ? 1 + m : 1e-4) : 0);
    const beside = zoo({ 'x.weight': shape }, two, diagonal);
    const events: RunEvent[] = [];
    const onEvent = (event: RunEvent): number => events.push(event);
    const { report } = await merge(recipe(two, { method: 'iso_c' }), { beside, onEvent });
    const spectral = report.tensors[0]?.spectral;
    expect(spectral?.rank).toBe(8);
    expect(spectral?.weak_share).toBeCloseTo(0.75, 6);
    const warning = events.find((event) => event.type === 'warning' && event.code === 'MV466');
    expect(warning).toMatchObject({ message: expect.stringContaining('x.weight: 75 %') as string });
    const strict = { method: 'iso_c', rank_tolerance: 1e-3 };
    const clean = await merge(recipe(two, strict), { beside });
    expect(clean.report.tensors[0]?.spectral).toMatchObject({ rank: 2, weak_share: 0 });
    expect(weakDirectionsWarning([])).toBeNull();
  });
});

describe('spectra of a zoo', () => {
  it('measures the matrices that match and leaves out what no expert changed', async () => {
    const shapes = {
      'one.weight': [5, 7],
      'two.weight': [7, 5],
      'same.weight': [4, 4],
      'b.bias': [3],
    };
    const change = (m: number, i: number, name: string): number =>
      name === 'same.weight' ? 0 : noise(m, i);
    const beside = zoo(shapes, two, change);
    const plan = await planText(recipe(two, { method: 'ties' }), { beside });
    const options = { k: 3, threads: 1, memory: 2 ** 31 } as const;
    const all = await measureSpectra(plan, options);
    expect(all.tensors.map(({ name }) => name)).toEqual(['one.weight', 'two.weight']);
    expect(all.tensors[0]).toMatchObject({ directions: 5, shape: [5, 7] });
    expect(all.tensors[0]?.overlaps[0]?.cosines.length).toBe(3);
    const some = await measureSpectra(plan, { ...options, only: ['two*'] });
    expect(some.tensors.map(({ name }) => name)).toEqual(['two.weight']);
    const none = await measureSpectra(plan, { ...options, memory: 1 });
    expect([none.tensors.length, none.skipped.length]).toEqual([0, 3]);
  });

  it('keeps what was measured until a checkpoint changes', async () => {
    const beside = zoo({ 'one.weight': [5, 7], 'two.weight': [7, 5] }, two, noise);
    const folder = join(temporaryFolder(), 'spectra');
    const measure = async (only: readonly string[] = []) => {
      const plan = await planText(recipe(two, { method: 'ties' }), { beside });
      const store = await openSpectrumStore(folder, plan, 3);
      const reads = vi.spyOn(store, 'write');
      const options = { k: 3, threads: 1, memory: 2 ** 31, only, store } as const;
      const report = await measureSpectra(plan, options);
      return { report, measured: reads.mock.calls.map(([job]) => job.name) };
    };
    expect((await measure(['one*'])).measured).toEqual(['one.weight']);
    const both = await measure();
    expect(both.measured).toEqual(['two.weight']);
    const [file = ''] = readdirSync(folder);
    // A kill may tear the last line.
    writeFileSync(join(folder, file), readFileSync(join(folder, file), 'utf8').slice(0, -40));
    const torn = await measure();
    expect(torn.measured).toEqual(['two.weight']);
    expect(torn.report).toEqual(both.report);
    expect((await measure()).measured).toEqual([]);
    const later = new Date(Date.now() + 5000);
    utimesSync(join(beside, 'b', 'model.safetensors'), later, later);
    expect((await measure()).measured).toEqual(['one.weight', 'two.weight']);
  });
});

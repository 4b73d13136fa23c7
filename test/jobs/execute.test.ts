import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { executeMerge } from '../../server/jobs/execute';
import type { RunEvent } from '../../server/protocol/events';
import {
  bfloat16Tensor,
  bitAt,
  digest,
  float32Tensor,
  merge,
  planText,
  readMetadata,
  readTensors,
  temporaryFolder,
} from '../engine/driver';
import { noise, noisyZoo, recipeText, shapes, writeZoo, type Model } from '../engine/zoo';

const tasks = ['pick', 'push', 'stack'];
const beside = writeZoo(noisyZoo(tasks));

const everyMethod = [
  { method: 'average' },
  { method: 'task_arithmetic' },
  { method: 'ties', density: 0.2 },
  { method: 'ties', density: 0.5, trim_scope: 'tensor', agree: 'mean', elect_tie: 'positive' },
  { method: 'dare_linear' },
  { method: 'dare_ties', rescale: 'l1' },
  { method: 'della' },
  { method: 'della_linear' },
  { method: 'breadcrumbs' },
  { method: 'breadcrumbs_ties' },
  { method: 'model_stock' },
  { method: 'model_stock', filter_wise: true },
];

describe('a merge', () => {
  it.each(everyMethod.map((settings) => [JSON.stringify(settings), settings] as const))(
    'gives the same bytes and metrics for every piece size: %s',
    async (_, settings) => {
      const text = recipeText(tasks, { merge: settings });
      const one = await merge(text, { beside });
      const other = await merge(text, { beside, pieceBytes: 1 << 15 });
      expect(digest(join(other.folder, 'merged'))).toBe(digest(join(one.folder, 'merged')));
      expect(other.report).toEqual(one.report);
    },
  );

  it('gives the same bytes and metrics on several threads', async () => {
    // The bundle that `npm test` builds first: threads run bundles, not sources.
    const workerFile = resolve(__dirname, '../../dist/worker.js');
    const text = recipeText(tasks, { merge: { method: 'ties', density: 0.2 } });
    const one = await merge(text, { beside });
    const three = await merge(text, { beside, threads: 3, workerFile });
    expect(digest(join(three.folder, 'merged'))).toBe(digest(join(one.folder, 'merged')));
    expect(three.report).toEqual(one.report);
    const bad = executeMerge(
      { ...three.plan, files: three.plan.files.map((file) => ({ ...file, mtimeMs: 1 })) },
      { directory: temporaryFolder(), threads: 2, workerFile },
    );
    await expect(bad).rejects.toMatchObject({ code: 'MV422', fault: 'data' });
  });

  it('gives the same numbers from sharded inputs and to sharded outputs', async () => {
    const whole = await merge(recipeText(tasks, {}), { beside });
    const sharded = await merge(recipeText(tasks, { output: { shard: '20KB' } }), { beside });
    const files = readdirSync(join(sharded.folder, 'merged')).filter((f) => f.includes('-of-'));
    expect(files.length).toBeGreaterThan(2);
    const parts = files
      .filter((file) => file.startsWith('task_vector-') && file.endsWith('.safetensors'))
      .flatMap((file) => [...sharded.tensors(file)]);
    const expected = whole.tensors('task_vector.safetensors');
    expect(parts.length).toBe(expected.size);
    for (const [name, { bytes }] of parts) expect(bytes).toEqual(expected.get(name)!.bytes);
  });

  it.each(['task_arithmetic', 'ties', 'breadcrumbs'])(
    'of one task gives the task back: %s',
    async (method) => {
      const density = method === 'breadcrumbs' ? { density: 1 } : {};
      const text = recipeText(['pick'], {
        merge: { method, ...density },
        masks: 'none',
        output: { form: 'weights' },
      });
      const { tensors } = await merge(text, { beside });
      const expert = readTensors(join(beside, 'pick', 'model.safetensors'));
      for (const [name, { bytes }] of tensors('model.safetensors'))
        expect(bytes, name).toEqual(expert.get(name)!.bytes);
    },
  );

  it('shrinks the masks as λ grows', async () => {
    let before: Map<string, { bytes: Uint8Array }> | undefined;
    for (const lambda of [0.2, 0.6, 1, 2]) {
      const merged = await merge(recipeText(tasks, { masks: { lambda } }), { beside });
      const masks = merged.tensors('masks.safetensors');
      for (const [name, { bytes }] of masks)
        bytes.forEach((byte, i) => {
          if (before) expect(byte & ~before.get(name)!.bytes[i], name).toBe(0);
        });
      before = masks;
    }
  });

  it('keeps the mask file to its own metadata and report', async () => {
    const { folder, report, tensors } = await merge(recipeText(tasks, {}), { beside });
    const metadata = readMetadata(join(folder, 'merged', 'masks.safetensors'));
    const counts = JSON.parse(metadata.popcounts) as Record<string, number>;
    expect(JSON.parse(metadata.shapes)).toEqual(shapes);
    for (const [name, { bytes }] of tensors('masks.safetensors')) {
      let set = 0;
      for (let i = 0; i < bytes.length * 8; i++) set += bitAt(bytes, i);
      expect(counts[name]).toBe(set);
      const [task, tensor] = [name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1)];
      expect(report.tensors.find((t) => t.name === tensor)!.active![task]).toBe(set);
    }
  });

  it('writes one model a task: base plus what its mask keeps', async () => {
    const compact = await merge(recipeText(tasks, { output: { dtype: 'float32' } }), { beside });
    const models = await merge(
      recipeText(tasks, { output: { form: 'weights', dtype: 'float32' } }),
      { beside },
    );
    const base = readTensors(join(beside, 'base', 'model.safetensors'));
    const masks = compact.tensors('masks.safetensors');
    const vectors = compact.tensors('task_vector.safetensors');
    for (const task of tasks) {
      for (const [name, { values }] of models.tensors(`${task}/model.safetensors`)) {
        const bits = masks.get(`${task}/${name}`)!.bytes;
        const kept = vectors.get(name)!.values.map((v, i) => (bitAt(bits, i) ? v : 0));
        expect(values).toEqual(base.get(name)!.values.map((b, i) => b + kept[i]));
      }
    }
  });

  it('leaves out what no expert changed and reports it as the base', async () => {
    const models = noisyZoo(['pick', 'push']);
    for (const name of ['pick', 'push'])
      models[name] = { ...models[name], 'model.norm.weight': models.base['model.norm.weight'] };
    const folder = writeZoo(models);
    const merged = await merge(recipeText(['pick', 'push'], {}), { beside: folder });
    expect(merged.tensors('task_vector.safetensors').has('model.norm.weight')).toBe(false);
    const tensor = merged.report.tensors.find(({ name }) => name === 'model.norm.weight')!;
    expect(tensor.rule).toBe('base');
    expect(tensor.norm.base).toBeGreaterThan(0);
    expect(tensor.active).toEqual({ pick: 0, push: 0 });
    expect(tensor.coverage).toEqual([33, 0, 0]);
  });

  it('writes an average as it was computed, not as the base and a difference', async () => {
    const { tensors } = await merge(
      recipeText(tasks, {
        merge: { method: 'average' },
        masks: 'none',
        output: { form: 'weights', dtype: 'float32' },
      }),
      { beside },
    );
    const experts = tasks.map((task) => readTensors(join(beside, task, 'model.safetensors')));
    for (const [name, { values }] of tensors('model.safetensors')) {
      const sum = values.map((_, i) =>
        experts.reduce((s, e) => Math.fround(s + e.get(name)!.values[i]), 0),
      );
      expect(values, name).toEqual(sum.map((s) => s / tasks.length));
    }
  });

  it('keeps what is outside the scope from a task', async () => {
    const text = recipeText(tasks, {
      merge: { scope: { blocks: { from: 1 } }, keep_from: 'push' },
      masks: 'none',
      output: { form: 'weights' },
    });
    const { tensors, report } = await merge(text, { beside });
    const name = 'model.embed_tokens.weight';
    const expert = readTensors(join(beside, 'push', 'model.safetensors')).get(name)!;
    expect(tensors('model.safetensors').get(name)!.bytes).toEqual(expert.bytes);
    expect(report.tensors.find((t) => t.name === name)!.rule).toBe('keep:push');
  });

  it('tells its progress', async () => {
    const events: RunEvent[] = [];
    const text = recipeText(tasks, { merge: { method: 'ties', density: 0.3 } });
    await merge(text, { beside, onEvent: (event) => events.push(event) });
    const phases = events.flatMap((e) =>
      e.type === 'phase' && e.state === 'done' ? [e.phase] : [],
    );
    expect(phases).toEqual(['scan', 'threshold', 'merge']);
    const last = events.filter((e) => e.type === 'progress').at(-1)!;
    expect(last).toMatchObject({ phase: 'merge', unit: 'bytes' });
    expect(last.type === 'progress' && last.done === last.total).toBe(true);
  });
});

describe('an interrupted merge', () => {
  it('goes on where it stopped and gives the same bytes', async () => {
    const text = recipeText(tasks, { merge: { method: 'ties', density: 0.4 } });
    const whole = await merge(text, { beside });
    const plan = await planText(text, { beside });
    const directory = temporaryFolder();
    const stop = new AbortController();
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'progress' && event.phase === 'merge') stop.abort();
    };
    const options = { directory, threads: 1 } as const;
    await expect(executeMerge(plan, { ...options, signal: stop.signal, onEvent })).rejects.toThrow(
      'cancelled',
    );
    const journal = join(directory, 'merge.journal.jsonl');
    expect(readFileSync(journal, 'utf8').split('\n').length).toBeGreaterThan(2);
    appendFileSync(journal, '{"unit":"4 0');
    const report = await executeMerge(plan, { ...options, resume: true });
    expect(report).toEqual(whole.report);
    expect(digest(join(directory, 'merged'))).toBe(digest(join(whole.folder, 'merged')));
    expect(existsSync(journal)).toBe(false);
  });

  it('starts over when the journal is of another plan', async () => {
    const plan = await planText(recipeText(tasks, {}), { beside });
    const directory = temporaryFolder();
    writeFileSync(join(directory, 'merge.journal.jsonl'), '{"plan":"another"}\n');
    const whole = await merge(recipeText(tasks, {}), { beside });
    await executeMerge(plan, { directory, threads: 1, resume: true });
    expect(digest(join(directory, 'merged'))).toBe(digest(join(whole.folder, 'merged')));
  });
});

describe('bad numbers', () => {
  const models = (change: (values: Float32Array) => void, dtype = bfloat16Tensor): string => {
    const values = noise(3, 640, 0.02);
    const model = (v: Float32Array): Model => ({ 'model.norm.weight': dtype([640], v) });
    const bad = values.map((v) => v + 0.5);
    change(bad);
    return writeZoo({ base: model(values), pick: model(bad), push: model(values.map((v) => -v)) });
  };
  const text = recipeText(['pick', 'push'], {});

  it('are refused with tensor, model and counts, and nothing is left', async () => {
    const folder = models((values) => {
      values[5] = NaN;
      values[6] = Infinity;
      values[639] = NaN;
    });
    const directory = temporaryFolder();
    await expect(merge(text, { beside: folder, directory })).rejects.toMatchObject({
      code: 'MV460',
      fault: 'data',
      message: expect.stringContaining(
        'model.norm.weight of expert pick (2 NaN, 1 infinite)',
      ) as string,
    });
    expect(readdirSync(join(directory, 'merged'))).toEqual([]);
  });

  it('go through with allowNonfinite, with a warning', async () => {
    const folder = models((values) => (values[5] = NaN));
    const warnings: RunEvent[] = [];
    const { tensors } = await merge(text, {
      beside: folder,
      allowNonfinite: true,
      onEvent: (event) => {
        if (event.type === 'warning') warnings.push(event);
      },
    });
    expect(warnings).toMatchObject([{ code: 'MV460' }]);
    const vector = tensors('task_vector.safetensors').get('model.norm.weight')!;
    expect(Array.from(vector.values.keys()).filter((i) => Number.isNaN(vector.values[i]))).toEqual([
      5,
    ]);
  });

  it('are refused when they arise on writing', async () => {
    const folder = models((values) => values.fill(1e5), float32Tensor);
    const half = recipeText(['pick', 'push'], { output: { dtype: 'float16' } });
    await expect(merge(half, { beside: folder })).rejects.toMatchObject({ code: 'MV461' });
    const wide = await merge(text, { beside: folder });
    expect(wide.report.total.elements).toBe(640);
  });
});

describe('odd tensors', () => {
  const integers = (value: number) => ({
    dtype: 'I64' as const,
    shape: [2],
    bytes: new Uint8Array(BigInt64Array.of(1n, BigInt(value)).buffer),
  });

  it('are copied when they are equal integers and refused when they differ', async () => {
    const model = (v: number, value: number): Model => ({
      'model.norm.weight': float32Tensor([2], [v, v]),
      'model.position_ids': integers(value),
    });
    const good = writeZoo({ base: model(0, 7), pick: model(1, 7) });
    const settings = { masks: 'none', output: { form: 'weights' } };
    const { tensors } = await merge(recipeText(['pick'], settings), { beside: good });
    expect(tensors('model.safetensors').get('model.position_ids')!.bytes).toEqual(
      integers(7).bytes,
    );
    const bad = writeZoo({ base: model(0, 7), pick: model(1, 8) });
    await expect(merge(recipeText(['pick'], settings), { beside: bad })).rejects.toMatchObject({
      code: 'MV462',
    });
  });

  it('may have no elements, or no axes', async () => {
    const model = (v: number): Model => ({
      'model.norm.weight': float32Tensor([0, 4], []),
      'model.scale': float32Tensor([], [v]),
    });
    const folder = writeZoo({ base: model(0), pick: model(1), push: model(3) });
    for (const method of ['task_arithmetic', 'ties', 'della', 'slerp', 'model_stock', 'average']) {
      const density = method === 'della' ? { density: 0.5 } : {};
      const experts = method === 'slerp' ? ['pick'] : ['pick', 'push'];
      const text = recipeText(experts, {
        merge: { method, ...density },
        output: { form: 'weights' },
        masks: 'none',
      });
      const { tensors } = await merge(text, { beside: folder });
      expect(tensors('model.safetensors').get('model.scale')!.shape).toEqual([]);
    }
  });

  it('are refused when their file is written to while it is read', async () => {
    const folder = writeZoo(noisyZoo(['pick', 'push']));
    const file = join(folder, 'pick', 'model.safetensors');
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'progress' && event.phase === 'merge') utimesSync(file, 1, 1);
    };
    const text = recipeText(['pick', 'push'], {});
    await expect(merge(text, { beside: folder, onEvent })).rejects.toMatchObject({ code: 'MV422' });
    rmSync(folder, { recursive: true });
  });
});

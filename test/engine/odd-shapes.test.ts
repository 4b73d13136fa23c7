import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Dtype } from '../../server/tensors/types';
import { bitAt, merge, temporaryFolder, writeTensors, type NewTensor } from './driver';

/** Sizes around the strides of kernels and blocks: 8, 32, 256 and 65 536. */
const shapes: Readonly<Record<string, readonly number[]>> = {
  one: [1],
  scalar: [],
  empty: [0, 3],
  seven: [7],
  nine: [3, 3],
  thirtythree: [3, 11],
  vector: [257],
  block: [257, 257],
};
const tasks = ['a', 'b', 'c', 'd'] as const;

/** Mulberry32: the same numbers in every run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Numbers with eight significant bits, which every dtype here holds exactly, as do their differences. */
function draw(random: () => number): number {
  return Math.round((random() - 0.5) * 128) / 64;
}

function stored(dtype: Dtype, shape: readonly number[], values: readonly number[]): NewTensor {
  const float = Float32Array.from(values);
  const bits = new Uint32Array(float.buffer);
  const half = (value: number): number => {
    if (value === 0) return 0;
    const exponent = Math.floor(Math.log2(Math.abs(value)));
    const mantissa = (Math.abs(value) / 2 ** exponent - 1) * 1024;
    return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | mantissa;
  };
  const data = {
    F32: () => float,
    BF16: () => Uint16Array.from(bits, (word) => word >>> 16),
    F16: () => Uint16Array.from(values, half),
  }[dtype as 'F32' | 'BF16' | 'F16']();
  return { dtype, shape, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

type Model = Readonly<Record<string, readonly number[]>>;

interface Zoo {
  readonly folder: string;
  readonly base: Model;
  readonly experts: readonly Model[];
}

function makeZoo(dtype: Dtype, count: number, seed: number): Zoo {
  const folder = temporaryFolder();
  const random = generator(seed);
  const model = (): Model =>
    Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [
        name,
        Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => draw(random)),
      ]),
    );
  const write = (name: string, values: Model): Model => {
    const file = join(folder, name, 'model.safetensors');
    mkdirSync(dirname(file), { recursive: true });
    const tensors = Object.entries(shapes).map(
      ([key, shape]) => [key, stored(dtype, shape, values[key] ?? [])] as const,
    );
    writeTensors(file, Object.fromEntries(tensors));
    return values;
  };
  const base = write('base', model());
  return { folder, base, experts: tasks.slice(0, count).map((task) => write(task, model())) };
}

/** ⌊N·density⌋ largest magnitudes of the whole model in name order, earlier ones first among equals. */
function trimmed(vectors: Model, density: number): Model {
  const all = Object.keys(vectors)
    .sort()
    .flatMap((name) =>
      (vectors[name] ?? []).map((value, i) => ({ name, i, size: Math.abs(value) })),
    );
  const kept = [...all].sort((x, y) => y.size - x.size).slice(0, Math.floor(all.length * density));
  const result = Object.fromEntries(
    Object.entries(vectors).map(([name, values]) => [name, values.map(() => 0)]),
  );
  for (const { name, i } of kept) {
    const own = result[name];
    if (own) own[i] = vectors[name]?.[i] ?? 0;
  }
  return result;
}

function elected(column: readonly number[], globalSign: number): number {
  const sum = column.reduce((a, b) => a + b, 0);
  const sign = Math.sign(sum) || globalSign;
  return column.filter((value) => value * sign > 0).reduce((a, b) => a + b, 0);
}

function mergedOf(zoo: Zoo, { density, alpha }: { density: number; alpha: number }): Model {
  const vectors = zoo.experts.map((expert) =>
    Object.fromEntries(
      Object.entries(expert).map(([name, values]) => [
        name,
        values.map((value, i) => value - (zoo.base[name]?.[i] ?? 0)),
      ]),
    ),
  );
  const isTies = density < 1;
  const kept = isTies ? vectors.map((vector) => trimmed(vector, density)) : vectors;
  const columnOf = (name: string, i: number): number[] => kept.map((v) => v[name]?.[i] ?? 0);
  let balance = 0;
  for (const [name, values] of Object.entries(zoo.base))
    values.forEach((_, i) => (balance += Math.sign(columnOf(name, i).reduce((a, b) => a + b, 0))));
  const globalSign = balance < 0 ? -1 : 1;
  return Object.fromEntries(
    Object.entries(zoo.base).map(([name, values]) => [
      name,
      values.map((_, i) => {
        const column = columnOf(name, i);
        const joined = isTies ? elected(column, globalSign) : column.reduce((a, b) => a + b, 0);
        return alpha * joined;
      }),
    ]),
  );
}

describe.each([
  ['F32', 1, 5],
  ['BF16', 3, 11],
  ['F16', 4, 17],
  ['F32', 3, 23],
  ['BF16', 2, 29],
] as const)('a zoo of odd shapes in %s with %i tasks', (dtype, count, seed) => {
  it.each([
    ['task_arithmetic', 1],
    ['ties', 0.3],
  ])('merges by %s as float64 arithmetic does', async (method, density) => {
    const zoo = makeZoo(dtype, count, seed);
    const experts = Object.fromEntries(tasks.slice(0, count).map((task) => [task, task]));
    const settings = method === 'ties' ? { method, density } : { method };
    const found = await merge(
      JSON.stringify({
        version: 1,
        base: 'base',
        experts,
        merge: { ...settings, alpha: 0.5 },
        masks: { lambda: 0.5 },
        router: 'none',
        output: { dtype: 'float32' },
      }),
      { beside: zoo.folder },
    );
    const expected = mergedOf(zoo, { density: method === 'ties' ? density : 1, alpha: 0.5 });
    const vectors = found.tensors('task_vector.safetensors');
    const masks = found.tensors('masks.safetensors');
    for (const [name, values] of Object.entries(expected)) {
      if (values.length === 0) continue;
      // Every sum of a few numbers with eight bits is exact in float32, so equality is demanded.
      expect([name, Array.from(vectors.get(name)?.values ?? [])]).toEqual([
        name,
        values.map((value) => value + 0),
      ]);
      zoo.experts.forEach((expert, m) => {
        const bits = masks.get(`${tasks[m] ?? ''}/${name}`)?.bytes;
        const wrong = values.filter((merged, i) => {
          const own = (expert[name]?.[i] ?? 0) - (zoo.base[name]?.[i] ?? 0);
          return (
            (bitAt(bits ?? new Uint8Array(), i) === 1) !==
            Math.abs(own) > 0.5 * Math.abs(merged - own)
          );
        });
        expect([name, m, bits?.length, wrong.length]).toEqual([
          name,
          m,
          Math.ceil(values.length / 8),
          0,
        ]);
      });
    }
  });
});

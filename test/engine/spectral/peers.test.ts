import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { inMemory } from '../../../server/engine/spectral/operand';
import { createAlgebra } from '../../../server/compute/linalg/algebra';
import type { Algebra } from '../../../server/compute/linalg/matrix';
import { isoC, isoCts } from '../../../server/engine/spectral/iso';
import { knots } from '../../../server/engine/spectral/knots';
import type { Operand } from '../../../server/engine/spectral/operand';
import type { SpectralResult } from '../../../server/engine/spectral/result';
import { tsv } from '../../../server/engine/spectral/tsv';
import { wudi } from '../../../server/engine/spectral/wudi';

const golden = join(__dirname, '../../fixtures/golden');

interface Stored {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A small reader of its own, so that the engine is not checked with the engine's reader. */
function readAll(folder: string): Map<string, Stored> {
  const single = join(folder, 'model.safetensors');
  const index = join(folder, 'model.safetensors.index.json');
  const files = existsSync(single)
    ? [single]
    : [...new Set(Object.values<string>(JSON.parse(readFileSync(index, 'utf8')).weight_map))].map(
        (f) => join(folder, f),
      );
  return new Map(files.flatMap((file) => [...readFile(file)]));
}

function readFile(file: string): Map<string, Stored> {
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> =
    JSON.parse(bytes.toString('utf8', 8, 8 + length));
  const entries = Object.entries(header).filter(([name]) => name !== '__metadata__');
  return new Map(
    entries.map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        const data = bytes.subarray(8 + length + from, 8 + length + to);
        const values = new Float32Array(data.length / (dtype === 'BF16' ? 2 : 4));
        const bits = new Uint32Array(values.buffer);
        for (let i = 0; i < values.length; i++)
          bits[i] = dtype === 'BF16' ? data.readUInt16LE(2 * i) << 16 : data.readUInt32LE(4 * i);
        return [name, { shape, values }];
      },
    ),
  );
}

function relativeError(actual: Float32Array, expected: Float32Array): number {
  let difference = 0;
  let size = 0;
  actual.forEach((value, i) => {
    difference += (value - expected[i]) ** 2;
    size += expected[i] ** 2;
  });
  return Math.sqrt(difference / size);
}

const cases: readonly {
  readonly id: string;
  readonly family: string;
  readonly tasks: readonly string[];
  readonly perTensor: number;
  readonly prefix: string;
  readonly run: (operand: Operand) => SpectralResult;
}[] = [
  {
    id: 'iso-c',
    family: 'qwen-f32',
    tasks: ['alpha', 'beta', 'gamma'],
    perTensor: 1e-5,
    prefix: '',
    run: (o) => isoC(o, { rankTolerance: 0 }),
  },
  {
    id: 'iso-cts',
    family: 'qwen-f32',
    tasks: ['alpha', 'beta', 'gamma'],
    perTensor: 1e-5,
    prefix: '',
    run: (o) => isoCts(o, { rankTolerance: 0, commonFraction: 0.8 }),
  },
  {
    id: 'tsv-m',
    family: 'qwen-f32',
    tasks: ['alpha', 'beta', 'gamma'],
    perTensor: 1e-5,
    prefix: '',
    run: tsv,
  },
  {
    id: 'mergevla-tsv-l0.6-f32',
    family: 'vla-bf16',
    tasks: ['spatial', 'object', 'goal', 'long'],
    perTensor: 1e-3,
    prefix: 'merged_task_vector/',
    run: tsv,
  },
  {
    id: 'mergevla-knots-l0.6-f32',
    family: 'vla-bf16',
    tasks: ['spatial', 'object', 'goal', 'long'],
    perTensor: 1e-3,
    prefix: 'merged_task_vector/',
    run: (o) => knots(o, { tolerance: 1e-4, inner: 'sum' }),
  },
  {
    id: 'mergevla-wudi-l0.6-f32',
    family: 'vla-bf16',
    tasks: ['spatial', 'object', 'goal', 'long'],
    perTensor: 1e-3,
    prefix: 'merged_task_vector/',
    run: (o) => wudi(o, { iterations: 300, learningRate: 1e-5 }),
  },
];

describe('spectral methods against the published implementations', () => {
  let algebra: Algebra;
  beforeAll(async () => {
    algebra = await createAlgebra();
  });

  it.each(cases)('$id', ({ id, family, tasks, perTensor, prefix, run }) => {
    const base = readAll(join(golden, 'models', family, 'base'));
    const experts = tasks.map((task) => readAll(join(golden, 'models', family, task)));
    const expected = readFile(join(golden, 'cases', id, 'expected.safetensors'));
    let compared = 0;
    for (const [name, start] of base) {
      const wanted = expected.get(prefix + name)?.values;
      const [rows, columns] = start.shape;
      if (!wanted || start.shape.length !== 2) continue;
      const taskVectors = experts.map((expert) =>
        expert.get(name)!.values.map((v, i) => v - start.values[i]),
      );
      const { merged } = run({ rows, columns, taskVectors: inMemory(taskVectors), algebra });
      expect(relativeError(merged, wanted), name).toBeLessThan(perTensor);
      compared++;
    }
    expect(compared).toBeGreaterThan(1);
  });
});

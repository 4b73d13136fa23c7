import { describe, expect, it } from 'vitest';
import { createKernels } from '../../server/compute/kernels/wasm';
import { plainStages } from '../../server/engine/plain-stages';
import {
  column,
  makeColumns,
  type Agree,
  type Columns,
  type Stages,
} from '../../server/engine/stages';
import { bfloat16Bits } from '../../server/tensors/dtypes';

const n = 4096;
const tasks = 5;

/** xorshift, so that every run sees the same patterns. */
function randomWords(length: number, seed: number): Uint32Array {
  let s = seed;
  return Uint32Array.from({ length }, () => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return s >>> 0;
  });
}

/** Any bit pattern: NaN, infinities and subnormals among them. */
function wildColumns(seed: number): Float32Array {
  const words = randomWords(n * tasks, seed);
  words.set([0, 0x80000000, 1, 0x80000001, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f7fffff], 8);
  return new Float32Array(words.buffer);
}

/** Differences of bfloat16 values: many zeros, many equal magnitudes. */
function realColumns(seed: number): Float32Array {
  const words = randomWords(n * tasks, seed);
  return Float32Array.from(words, (w) => ((w & 0xff) - 128) * 2 ** -12 * (w & 0x300 ? 1 : 0));
}

interface Bench {
  readonly stages: Stages;
  readonly columns: Columns;
  readonly target: Float32Array;
  readonly bits: Uint8Array;
  readonly words: Uint32Array;
  readonly doubles: Float64Array;
  readonly signs: Int32Array;
  readonly weights: Float32Array;
}

function benches(values: Float32Array): { plain: Bench; wasm: Bench } {
  const kernels = createKernels(1 << 20);
  const make = (stages: Stages, data: Float32Array, rest: Omit<Bench, 'stages' | 'columns'>) => {
    data.set(values);
    rest.weights.set([1, 0.5, 0.25, -0.75, 1e-9]);
    return { stages, columns: makeColumns(data, n, tasks), ...rest };
  };
  return {
    plain: make(plainStages, new Float32Array(n * tasks), {
      target: new Float32Array(n),
      bits: new Uint8Array((n / 8) * tasks),
      words: new Uint32Array(65_536),
      doubles: new Float64Array(12),
      signs: new Int32Array(tasks),
      weights: new Float32Array(tasks),
    }),
    wasm: make(kernels.stages, kernels.floats(n * tasks), {
      target: kernels.floats(n),
      bits: kernels.bytes((n / 8) * tasks),
      words: kernels.words(65_536),
      doubles: kernels.doubles(12),
      signs: kernels.integers(tasks),
      weights: kernels.floats(tasks),
    }),
  };
}

/** Bits, with every NaN as one pattern: payloads are not part of the promise. */
function bitsOf(a: Float32Array): number[] {
  const words = new Uint32Array(a.slice().buffer);
  return Array.from(words, (w) => ((w & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : w));
}

function asBytes(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

const steps: Record<string, (b: Bench) => unknown> = {
  subtract: ({ stages, columns, target }) => {
    stages.subtract(column(columns, 0), column(columns, 1), target, n);
  },
  add: ({ stages, columns, target }) => {
    stages.add(column(columns, 0), column(columns, 1), target, n);
  },
  scale: ({ stages, columns, target }) => {
    stages.scale(column(columns, 0), 0.3, target, n);
  },
  sum: ({ stages, columns, target }) => {
    stages.sum(columns, target, n);
  },
  signBalance: ({ stages, columns }) => stages.signBalance(columns, n),
  'signBalance over cuts': ({ stages, columns, signs }) => {
    signs.set([-1, 0x3a000000, 0x3b800000, 0x7fffffff, 0x3b800001]);
    return stages.signBalance(columns, n, signs);
  },
  'trim with ties': ({ stages, columns, target }) => {
    const threshold = new Uint32Array(Float32Array.of(2 ** -7).buffer)[0];
    return stages.trim(column(columns, 0), { threshold, remaining: 7 }, target, n);
  },
  tally: ({ stages, columns, words }) =>
    stages.tally(column(columns, 2), { low: 0x3a000000, high: 0x3e000000, shift: 11 }, words, n),
  'masks, coverage and distance': ({ stages, columns, target, bits, words, doubles }) => {
    stages.sum(columns, target, n);
    const active = [];
    for (let m = 0; m < tasks; m++)
      active.push(
        stages.taskMask(
          { taskVector: column(columns, m), merged: target, lambda: 0.6 },
          bits.subarray((m * n) / 8),
          n,
          doubles,
        ),
      );
    stages.coverage({ bits, stride: n / 8, count: tasks, atLeast: 0 }, words, n);
    const pair = { taskVector: column(columns, 1), merged: target, lambda: 0.6 };
    return [active, stages.distance(pair, bits.subarray(n / 8), n)];
  },
  consensus: ({ stages, columns, target, bits, words, doubles }) => {
    stages.sum(columns, target, n);
    for (let m = 0; m < tasks; m++)
      stages.taskMask(
        { taskVector: column(columns, m), merged: target, lambda: 0.6 },
        bits.subarray((m * n) / 8),
        n,
        doubles,
      );
    stages.coverage({ bits, stride: n / 8, count: tasks, atLeast: 2 }, words, n);
    stages.applyMask({ base: column(columns, 0), merged: column(columns, 1) }, bits, target, n);
  },
  'metrics of three columns': ({ stages, columns, doubles }) => {
    stages.gram3(makeColumns(columns.data, n, 3), doubles, n);
  },
  'coverage of three masks': ({ stages, columns, target, bits, words, doubles }) => {
    for (let m = 0; m < 3; m++)
      stages.taskMask(
        { taskVector: column(columns, m), merged: column(columns, 3), lambda: 0.3 },
        bits.subarray((m * n) / 8),
        n,
        doubles,
      );
    stages.coverage({ bits, stride: n / 8, count: 3, atLeast: 0 }, words, n);
    stages.add(column(columns, 0), column(columns, 1), target, n);
  },
  metrics: ({ stages, columns, doubles }) => [
    stages.sumSquares(column(columns, 0), n),
    stages.dot(column(columns, 0), column(columns, 1), doubles, n),
  ],
};
for (const tieNegative of [false, true])
  steps[`elect the sum of three, ties ${tieNegative ? 'negative' : 'positive'}`] = (b) => {
    const options = { agree: 'sum', tieNegative, weights: b.weights, signs: b.signs } as const;
    b.stages.elect(makeColumns(b.columns.data, n, 3), options, b.target, n);
  };
for (const agree of ['sum', 'mean', 'max'] satisfies Agree[])
  for (const tieNegative of [false, true])
    steps[`elect ${agree}, ties ${tieNegative ? 'negative' : 'positive'}`] = (b) => {
      const options = { agree, tieNegative, weights: b.weights, signs: b.signs };
      b.stages.elect(b.columns, options, b.target, n);
    };

describe.each([
  ['real', realColumns],
  ['wild', wildColumns],
])('kernels on %s bit patterns', (_, make) => {
  it.each(Object.keys(steps))('%s equals the plain twin', (name) => {
    for (const seed of [1, 77, 4242]) {
      const { plain, wasm } = benches(make(seed));
      const step = steps[name];
      expect(step(wasm)).toEqual(step(plain));
      expect(bitsOf(wasm.target)).toEqual(bitsOf(plain.target));
      expect(Buffer.compare(wasm.bits, plain.bits)).toBe(0);
      expect(Buffer.compare(asBytes(wasm.words), asBytes(plain.words))).toBe(0);
      expect(Array.from(wasm.signs)).toEqual(Array.from(plain.signs));
      expect(Array.from(wasm.doubles)).toEqual(Array.from(plain.doubles));
    }
  });
});

describe('bfloat16 conversion', () => {
  it('rounds half to even as the plain conversion, NaN made one pattern', () => {
    const kernels = createKernels(1 << 20);
    const source = kernels.floats(n);
    const target = kernels.bytes(n * 2);
    source.set(wildColumns(5).subarray(0, n));
    kernels.bf16.narrow(source, { bytes: target, from: 0 }, n);
    const words = new Uint32Array(source.slice().buffer);
    const expected = Array.from(words, (w) =>
      (w & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : bfloat16Bits(w),
    );
    expect(Array.from(new Uint16Array(target.slice().buffer))).toEqual(expected);
  });

  it('tells when a finite number overflows', () => {
    const kernels = createKernels(1 << 16);
    const source = kernels.floats(32);
    const target = kernels.bytes(64);
    source.fill(3.3e38);
    expect(kernels.bf16.narrow(source, { bytes: target, from: 0 }, 32)).toBe(false);
    source[31] = 3.4e38;
    expect(kernels.bf16.narrow(source, { bytes: target, from: 0 }, 32)).toBe(true);
  });

  it('widens and subtracts', () => {
    const kernels = createKernels(1 << 16);
    const raw = kernels.bytes(64);
    new Uint16Array(raw.buffer, raw.byteOffset, 32).fill(0x3fc0);
    const base = kernels.floats(32).fill(0.25);
    const target = kernels.floats(32);
    kernels.bf16.taskVector({ bytes: raw, from: 0 }, base, target, 32);
    expect(target[31]).toBe(1.25);
    kernels.bf16.widen({ bytes: raw, from: 0 }, target, 32);
    expect(target[0]).toBe(1.5);
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import { createAlgebra } from '../../../server/compute/linalg/algebra';
import type { Algebra } from '../../../server/compute/linalg/matrix';
import { tiesOfParts } from '../../../server/engine/merge/knots-ties';
import { isoC, isoCts } from '../../../server/engine/spectral/iso';
import { knots } from '../../../server/engine/spectral/knots';
import { effectiveRank, weakShare } from '../../../server/engine/spectral/result';
import { tsv } from '../../../server/engine/spectral/tsv';
import { wudi } from '../../../server/engine/spectral/wudi';
import { parameterDefaults } from '../../../server/recipe/methods';
import {
  isoCOracle,
  isoCtsOracle,
  knotsOracle,
  tsvOracle,
  wudiOracle,
  operandOf,
  type Problem,
} from './oracles';

let algebra: Algebra;
beforeAll(async () => {
  algebra = await createAlgebra();
});

/** Numbers of a fixed generator, about normal. */
function normals(n: number, seed: number): Float32Array {
  let state = seed >>> 0 || 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Float32Array.from({ length: n }, () => 0.02 * (next() + next() + next() + next() - 2));
}

function randomProblem(rows: number, columns: number, tasks: number): Problem {
  const taskVectors = Array.from({ length: tasks }, (_, m) =>
    normals(rows * columns, 7 * m + rows + 3 * columns),
  );
  return { rows, columns, taskVectors, algebra };
}

/** Task vectors of the rank given: products of two thin factors. */
function lowRankProblem(rows: number, columns: number, tasks: number, rank: number): Problem {
  const taskVectors = Array.from({ length: tasks }, (_, m) => {
    const a = { rows, columns: rank, data: Float64Array.from(normals(rows * rank, 100 + m)) };
    const b = { rows: rank, columns, data: Float64Array.from(normals(rank * columns, 200 + m)) };
    return Float32Array.from(algebra.multiply(a, b).data);
  });
  return { rows, columns, taskVectors, algebra };
}

/** Diagonal task vectors: singular values as given, repeated or zero. */
function diagonalProblem(values: readonly (readonly number[])[], columns: number): Problem {
  const rows = values[0].length;
  const taskVectors = values.map((own) => {
    const data = new Float32Array(rows * columns);
    own.forEach((value, i) => (data[i * columns + i] = value));
    return data;
  });
  return { rows, columns, taskVectors, algebra };
}

function distance(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (found[i] - expected[i]) ** 2;
    size += expected[i] ** 2;
  }
  return Math.sqrt(difference / size);
}

const shapes = [
  ['wide', 24, 70, 3],
  ['tall', 70, 24, 3],
  ['square', 32, 32, 4],
  ['one row', 1, 40, 1],
  ['one column', 40, 1, 1],
  ['one task', 20, 30, 1],
] as const;

describe.each(shapes)('%s', (_, rows, columns, tasks) => {
  it.each([
    ['iso_c', (p: Problem) => isoC(operandOf(p), { rankTolerance: 0 }).merged, isoCOracle],
    [
      'iso_cts',
      (p: Problem) => isoCts(operandOf(p), { rankTolerance: 0, commonFraction: 0.8 }).merged,
      isoCtsOracle,
    ],
    ['tsv', (p: Problem) => tsv(operandOf(p)).merged, tsvOracle],
    [
      'knots',
      (p: Problem) => knots(operandOf(p), { tolerance: 1e-4, inner: 'sum' }).merged,
      (p: Problem) => knotsOracle(p, 1e-4),
    ],
    [
      'wudi',
      (p: Problem) => wudi(operandOf(p), { iterations: 30, learningRate: 1e-4 }).merged,
      (p: Problem) => wudiOracle(p, 30, 1e-4),
    ],
  ] as const)('%s is what its paper says', (_name, run, oracle) => {
    const problem = randomProblem(rows, columns, tasks);
    expect(distance(run(problem), oracle(problem))).toBeLessThan(1e-5);
  });
});

describe('unusual spectra', () => {
  it('repeated singular values', () => {
    const problem = diagonalProblem(
      [
        [3, 3, 3, 1, 1, 1],
        [1, 1, 1, 2, 2, 2],
      ],
      9,
    );
    expect(
      distance(isoC(operandOf(problem), { rankTolerance: 0 }).merged, isoCOracle(problem)),
    ).toBeLessThan(1e-5);
    expect(distance(tsv(operandOf(problem)).merged, tsvOracle(problem))).toBeLessThan(1e-5);
  });

  it.each([
    ['wide', 20, 50],
    ['tall', 50, 20],
  ] as const)('low rank, %s: nothing outside the span of the experts', (_, rows, columns) => {
    const problem = lowRankProblem(rows, columns, 2, 3);
    const found = isoC(operandOf(problem), { rankTolerance: 0 });
    expect(found.facts.rank).toBe(6);
    expect(distance(found.merged, isoCOracle(problem))).toBeLessThan(1e-5);
    const cts = isoCts(operandOf(problem), { rankTolerance: 0, commonFraction: 0.8 });
    expect(distance(cts.merged, isoCtsOracle(problem))).toBeLessThan(1e-5);
    expect(distance(tsv(operandOf(problem)).merged, tsvOracle(problem))).toBeLessThan(1e-5);
  });

  it('leaves out what rank_tolerance says', () => {
    const problem = diagonalProblem([[4, 2, 1e-4, 1e-5]], 6);
    const all = isoC(operandOf(problem), { rankTolerance: 0 });
    expect(all.facts).toMatchObject({ directions: 4, rank: 4, weakShare: 0.5 });
    const some = isoC(operandOf(problem), { rankTolerance: 1e-3 });
    expect(some.facts).toMatchObject({ directions: 4, rank: 2, weakShare: 0 });
    expect(distance(some.merged, isoCOracle(problem, 1e-3))).toBeLessThan(1e-5);
  });

  it('zero task vectors give zeros, and a zero task changes no other', () => {
    const zero: Problem = { ...randomProblem(6, 9, 2), taskVectors: [] };
    const zeros = { ...zero, taskVectors: [new Float32Array(54), new Float32Array(54)] };
    const results = [
      isoC(operandOf(zeros), { rankTolerance: 0 }),
      isoCts(operandOf(zeros), { rankTolerance: 0, commonFraction: 0.8 }),
      tsv(operandOf(zeros)),
      knots(operandOf(zeros), { tolerance: 1e-4, inner: 'sum' }),
      wudi(operandOf(zeros), { iterations: 3, learningRate: 1e-5 }),
    ];
    for (const { merged, facts } of results) {
      expect([...merged].every((value) => value === 0)).toBe(true);
      expect(facts.rank).toBe(0);
    }
    const one = randomProblem(6, 9, 1);
    const withZero = { ...one, taskVectors: [...one.taskVectors, new Float32Array(54)] };
    const options = { iterations: 20, learningRate: 1e-4 };
    expect(
      distance(wudi(operandOf(withZero), options).merged, wudi(operandOf(one), options).merged),
    ).toBe(0);
  });

  it('more tasks than directions leaves TSV nothing to keep', () => {
    const problem = randomProblem(2, 8, 3);
    expect([...tsv(operandOf(problem)).merged].every((value) => value === 0)).toBe(true);
  });
});

describe('knots with ties on the right parts', () => {
  it.each([
    ['wide', 12, 30],
    ['tall', 30, 12],
  ] as const)('trims, elects and sums them, %s', (_, rows, columns) => {
    const problem = randomProblem(rows, columns, 3);
    const density = 0.4;
    const parameters = {
      weights: [1, 1, 1],
      alpha: 1,
      density: [density, density, density],
      gamma: [],
      epsilon: [],
      t: 0,
      lambda: [],
    };
    const settings = { ...parameterDefaults, method: 'knots' } as const;
    const inner = (parts: readonly Float32Array[]) => tiesOfParts(parts, { settings, parameters });
    const found = knots(operandOf(problem), { tolerance: 1e-4, inner });
    const expected = knotsOracle(problem, 1e-4, (parts) => plainTies(parts, density));
    expect(distance(found.merged, expected)).toBeLessThan(1e-5);
    const plain = knots(operandOf(problem), { tolerance: 1e-4, inner: 'sum' });
    expect(distance(found.merged, plain.merged)).toBeGreaterThan(0.05);
  });
});

/** TIES as the paper writes it; a tie of the sum cannot happen with these numbers. */
function plainTies(parts: readonly Float64Array[], density: number): Float64Array {
  const trimmed = parts.map((part) => {
    const keep = Math.floor(part.length * density);
    const cut = Float64Array.from(part, Math.abs).sort()[part.length - keep];
    return part.map((x) => (Math.abs(x) >= cut ? x : 0));
  });
  return parts[0].map((_, i) => {
    const column = trimmed.map((part) => part[i]);
    const sign = Math.sign(column.reduce((a, b) => a + b, 0));
    return column.filter((x) => Math.sign(x) === sign).reduce((a, b) => a + b, 0);
  });
}

describe('what the report says of a spectrum', () => {
  it('effective rank counts equal values and ignores zeros', () => {
    expect(effectiveRank([2, 2, 2, 0])).toBeCloseTo(3, 12);
    expect(effectiveRank([5, 0])).toBe(1);
    expect(effectiveRank([0, 0])).toBe(0);
    expect(effectiveRank([])).toBe(0);
  });

  it('weak share is a count for flat results and energy for the others', () => {
    expect(weakShare([1, 1, 1e-4, 1e-4], 'flat')).toBe(0.5);
    expect(weakShare([1, 1e-4], 'squared')).toBeCloseTo(1e-8, 12);
    expect(weakShare([0, 0], 'flat')).toBe(0);
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import { createAlgebra } from '../../../server/compute/linalg/algebra';
import type { Algebra, Matrix } from '../../../server/compute/linalg/matrix';
import { isoC, isoCts } from '../../../server/engine/spectral/iso';
import { keptElements, LongFactor } from '../../../server/engine/spectral/long-factor';
import { inMemory, panelElements, panels } from '../../../server/engine/spectral/operand';
import { tsv } from '../../../server/engine/spectral/tsv';

let algebra: Algebra;
beforeAll(async () => {
  algebra = await createAlgebra();
});

/**
 * A tall matrix of so many panels that a factor is not kept between passes, made of one small matrix
 * again and again: with n copies, τ = [t; t; …], its singular values are √n times the small one's.
 */
const [small, columns] = [6, 4];
const copies = Math.ceil((1.1 * keptElements) / (small * columns));

function problem() {
  const little = [0, 1].map((task) =>
    Float32Array.from({ length: small * columns }, (_, i) =>
      Math.sin(1.7 * (i + 2) ** 2 + 3 * task),
    ),
  );
  const tall = little.map((values) => {
    const out = new Float32Array(values.length * copies);
    for (let at = 0; at < out.length; at += values.length) out.set(values, at);
    return out;
  });
  const operand = (taskVectors: readonly Float32Array[], rows: number) => ({
    rows,
    columns,
    taskVectors: inMemory(taskVectors),
    algebra,
  });
  return { one: operand(little, small), all: operand(tall, small * copies) };
}

describe('matrices of several panels', () => {
  it.each([
    ['iso_c', (p: Parameters<typeof isoC>[0]) => isoC(p, { rankTolerance: 0 })],
    [
      'iso_cts',
      (p: Parameters<typeof isoC>[0]) => isoCts(p, { rankTolerance: 0, commonFraction: 0.5 }),
    ],
    ['tsv', tsv],
  ] as const)('%s of a matrix on top of itself is its result on top of itself', (_, method) => {
    const { one, all } = problem();
    expect([...panels(all)].length).toBe(Math.ceil((small * columns * copies) / panelElements));
    const expected = method(one);
    const found = method(all);
    expect(found.facts.rank).toBe(expected.facts.rank);
    for (const copy of [0, Math.floor(copies / 2), copies - 1]) {
      const from = copy * small * columns;
      const part = found.merged.subarray(from, from + small * columns);
      part.forEach((value, i) => {
        expect(value).toBeCloseTo(expected.merged[i] ?? NaN, 5);
      });
    }
  });

  it('factors that are kept and factors that are not give the same', () => {
    const { one, all } = problem();
    const right: Matrix = { rows: 4, columns: 2, data: Float64Array.of(1, 0, 2, 1, 0, -1, 3, 1) };
    const nested = (operand: typeof one) => {
      const factor = new LongFactor(operand, [[{ source: 'sum', right }]]);
      return new LongFactor(operand, [[{ factor }], [{ source: 1, right }]]);
    };
    const scaled = (a: Matrix, by: number) => [...a.data].map((value) => value * by);
    const [gram, product] = [nested(one).gram(), nested(one).timesLeft(0)];
    const close = (found: Matrix, expected: readonly number[]) => {
      found.data.forEach((value, i) => {
        expect(value / copies).toBeCloseTo((expected[i] ?? NaN) / copies, 8);
      });
    };
    close(nested(all).gram(), scaled(gram, copies));
    close(nested(all).timesLeft(0), scaled(product, copies));
  });
});

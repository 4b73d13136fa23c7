import { beforeAll, describe, expect, it } from 'vitest';
import { createAlgebra } from '../../../server/compute/linalg/algebra';
import type { Algebra } from '../../../server/compute/linalg/matrix';
import { inMemory, type Operand } from '../../../server/engine/spectral/operand';
import { matrixSpectrum, sampledIndices } from '../../../server/engine/spectral/spectrum';

let algebra: Algebra;
beforeAll(async () => {
  algebra = await createAlgebra();
});

function measured(operand: Operand, k: number) {
  const spectrum = matrixSpectrum(operand, k);
  if (!spectrum) throw new Error('no task changed the matrix');
  return spectrum;
}

/** A matrix with the given entries at (row, column). */
function sparse(
  rows: number,
  columns: number,
  entries: readonly (readonly [number, number, number])[],
) {
  const data = new Float32Array(rows * columns);
  for (const [row, column, value] of entries) data[row * columns + column] = value;
  return data;
}

describe.each([
  ['wide', 4, 9],
  ['tall', 9, 4],
] as const)('spectra, %s', (_, rows, columns) => {
  const operand = (taskVectors: readonly Float32Array[]) => ({
    rows,
    columns,
    taskVectors: inMemory(taskVectors),
    algebra,
  });

  it('finds singular values, ranks and the weak share', () => {
    const one = sparse(rows, columns, [
      [0, 0, 3],
      [1, 1, 2],
      [2, 2, 1e-4],
    ]);
    const { directions, indices, tasks, sum } = measured(operand([one, one]), 2);
    expect([directions, indices]).toEqual([4, [0, 1, 2, 3]]);
    expect(tasks[0]?.values.map((x) => Number(x.toFixed(5)))).toEqual([3, 2, 0.0001, 0]);
    expect(tasks[0]).toMatchObject({ rank: 3, weak: 0.5 });
    expect(sum.values[0]).toBeCloseTo(6, 6);
    expect(sum.effective_rank).toBeCloseTo(tasks[0]?.effective_rank ?? 0, 6);
  });

  it('tells equal, turned and orthogonal subspaces apart', () => {
    const a = sparse(rows, columns, [[0, 0, 2]]);
    const turned = sparse(rows, columns, [
      [0, 0, 1],
      [0, 1, 1],
    ]);
    const away = sparse(rows, columns, [[0, 2, 5]]);
    const { overlaps } = measured(operand([a, turned, away]), 3);
    expect(overlaps.map(({ cosines }) => cosines.length)).toEqual([1, 1, 1]);
    expect(overlaps[0]?.cosines[0]).toBeCloseTo(Math.SQRT1_2, 6);
    expect(overlaps[0]?.shares[0]).toBeCloseTo(0.5, 6);
    expect(overlaps[1]?.shares[0]).toBeCloseTo(0, 12);
    const { overlaps: same } = measured(operand([a, a]), 3);
    expect(same[0]?.shares[0]).toBeCloseTo(1, 12);
  });

  it('a task that did not change the matrix has no directions', () => {
    const zero = new Float32Array(rows * columns);
    expect(matrixSpectrum(operand([zero, zero]), 2)).toBeNull();
    const { tasks, overlaps } = measured(operand([zero, sparse(rows, columns, [[0, 0, 1]])]), 2);
    expect(tasks[0]).toMatchObject({ rank: 0, effective_rank: 0, weak: 0 });
    expect(overlaps).toEqual([{ cosines: [], shares: [] }]);
  });
});

it('samples long spectra from the first to the last', () => {
  const indices = sampledIndices(896);
  expect(indices.length).toBeLessThanOrEqual(65);
  expect([indices[0], indices[1], indices.at(-1)]).toEqual([0, 1, 895]);
  expect(indices.every((index, i) => i === 0 || index > (indices[i - 1] ?? -1))).toBe(true);
});

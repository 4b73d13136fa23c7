import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAlgebra } from '../../server/compute/linalg/algebra';
import { rightSingularVectors as solve } from '../../server/compute/linalg/svd';
import type { MatrixView, RightSingular } from '../../server/engine/subspace';
import { routerBasis, routerPlace } from '../../server/engine/subspace';

const algebra = await createAlgebra();
const rightSingularVectors = (w: MatrixView, rank: number): RightSingular =>
  solve(algebra, w, rank);

/** ‖P·h‖ for rows of P. */
function energy(rows: Float64Array, width: number, hidden: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < rows.length; i += width) {
    const product = hidden.reduce((total, value, j) => total + value * rows[i + j], 0);
    sum += product * product;
  }
  return Math.sqrt(sum);
}

describe('routerBasis', () => {
  it('gives the worked example of the reference', () => {
    const value = {
      rows: 3,
      columns: 4,
      data: Float32Array.from([3, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0]),
    };
    const basis = routerBasis(value, 2, rightSingularVectors);
    expect(basis).toMatchObject({ rank: 2, width: 4 });
    const mean = (energy(basis.rows, 4, [1, 2, 3, 4]) + energy(basis.rows, 4, [0, 1, 0, -1])) / 2;
    expect(mean).toBeCloseTo(1.618034, 6);
  });

  it('takes the block before the unmerged ones, and the hidden state after it', () => {
    expect(routerPlace(24, 1, {})).toEqual({ valueBlock: 22, hiddenEntry: 24 });
    expect(routerPlace(24, 3, {})).toEqual({ valueBlock: 20, hiddenEntry: 22 });
    expect(routerPlace(24, 1, { valueBlock: 5, hiddenEntry: 6 })).toEqual({
      valueBlock: 5,
      hiddenEntry: 6,
    });
  });
});

describe('rightSingularVectors', () => {
  const shapes = fc.record({
    rows: fc.integer({ min: 1, max: 7 }),
    columns: fc.integer({ min: 1, max: 7 }),
    seed: fc.integer(),
  });

  it('gives orthonormal rows whose images have the lengths of the singular values', () => {
    fc.assert(
      fc.property(shapes, ({ rows, columns, seed }) => {
        const data = Float32Array.from({ length: rows * columns }, (_, i) =>
          Math.sin((i + 1) * 12.9898 + (seed % 1000)),
        );
        const { values, vectors } = rightSingularVectors({ rows, columns, data }, 7);
        expect(values.length).toBe(Math.min(rows, columns));
        for (let i = 0; i < values.length; i++) {
          const row = vectors.subarray(i * columns, (i + 1) * columns);
          if (values[i] < 1e-5) continue;
          expect(Math.hypot(...row)).toBeCloseTo(1, 9);
          const image = Array.from({ length: rows }, (_, r) =>
            row.reduce((sum, v, c) => sum + v * data[r * columns + c], 0),
          );
          expect(Math.hypot(...image)).toBeCloseTo(values[i], 6);
          expect(Math.max(...row)).toBeGreaterThanOrEqual(-Math.min(...row) - 1e-12);
        }
      }),
    );
  });

  it('finds the same subspace for a matrix and for the same matrix with more rows of zeros', () => {
    const data = Float32Array.from({ length: 12 }, (_, i) => Math.cos(i * 3.7));
    const tall = new Float32Array(40);
    tall.set(data);
    const a = rightSingularVectors({ rows: 3, columns: 4, data }, 2);
    const b = rightSingularVectors({ rows: 10, columns: 4, data: tall }, 2);
    a.vectors.forEach((value, i) => expect(b.vectors[i]).toBeCloseTo(value, 9));
  });
});

import { describe, expect, it } from 'vitest';
import { unrelatedActive, unrelatedTasks } from '../../server/lsp/unrelated';

describe('unrelated tasks', () => {
  it('have the closed form for equal tasks', () => {
    const merge = { factors: [1, 1, 1, 1], lambdas: [0.6, 0.6, 0.6, 0.6] };
    expect(unrelatedActive(merge)).toBeCloseTo(
      1 - (2 / Math.PI) * Math.atan(0.6 * Math.sqrt(3)),
      12,
    );
  });

  it.each([
    [
      [0.5, 1, 2],
      [0.6, 0.6, 0.6],
    ],
    [
      [1, 1, 1, 1],
      [0.2, 0.4, 0.6, 0.9],
    ],
    [
      [0.3, 0.3],
      [1, 0.1],
    ],
    [[1.4], [0.6]],
  ])('keep what counting says, with factors %j and λ %j', (factors, lambdas) => {
    const { active, coverage } = unrelatedTasks({ factors, lambdas });
    const counted = coverage.reduce((sum, share, k) => sum + k * share, 0) / factors.length;
    expect(Math.abs(counted - active)).toBeLessThan(0.01);
  });
});

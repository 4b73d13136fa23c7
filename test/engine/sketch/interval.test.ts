import { describe, expect, it } from 'vitest';
import { shareInterval, tQuantile975 } from '../../../server/engine/sketch/interval';

describe('tQuantile975', () => {
  it.each([
    [2, 4.30265],
    [3, 3.18245],
    [4, 2.77645],
    [5, 2.57058],
    [10, 2.22814],
    [30, 2.04227],
    [120, 1.97993],
  ])('is the tabulated value at %d degrees of freedom', (df, expected) => {
    expect(Math.abs(tQuantile975(df) - expected)).toBeLessThan(df < 5 ? 2e-3 : 2e-5);
  });
});

describe('shareInterval', () => {
  it('never leaves [0, 1] and contains its value', () => {
    for (const p of [0, 0.001, 0.5, 0.999, 1]) {
      const { low, high } = shareInterval(p, {
        variance: 1e-4,
        degreesOfFreedom: 60,
        clusters: 64,
      });
      expect(low).toBeGreaterThanOrEqual(0);
      expect(high).toBeLessThanOrEqual(1);
      expect(low! <= p && p <= high!).toBe(true);
    }
  });

  it('stays open where every cluster looked alike', () => {
    const { high } = shareInterval(0, { variance: 0, degreesOfFreedom: 60, clusters: 64 });
    expect(high).toBeGreaterThan(0.05);
    expect(high).toBeLessThan(0.07);
  });
});

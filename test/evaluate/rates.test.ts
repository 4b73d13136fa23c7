import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { betaCdf, betaQuantile, uniformStream } from '../../server/evaluate/rates/beta';
import {
  barnard,
  mcnemar,
  newcombe,
  pairedInterval,
  probabilityBetter,
  sequentialEvidence,
} from '../../server/evaluate/rates/compare';
import type { Counts, Interval } from '../../server/evaluate/rates/intervals';
import {
  clopperPearson,
  jeffreys,
  meanInterval,
  posterior,
  rateInterval,
  wilson,
} from '../../server/evaluate/rates/intervals';
import { compactLetters, holm } from '../../server/evaluate/rates/letters';

const of = (successes: number, trials: number): Counts => ({ successes, trials });

function expectInterval(actual: Interval, low: number, high: number) {
  expect(Math.abs(actual.low - low)).toBeLessThan(6e-5);
  expect(Math.abs(actual.high - high)).toBeLessThan(6e-5);
}

describe('intervals of one rate', () => {
  it.each([
    [18, 20, [0.699, 0.9721], [0.683, 0.9877], [0.7161, 0.9786], [0.6962, 0.9695]],
    [14, 20, [0.481, 0.8545], [0.4572, 0.8811], [0.4828, 0.8639], [0.4782, 0.8541]],
    [12, 20, [0.3866, 0.7812], [0.3605, 0.8088], [0.3839, 0.7894], [0.3844, 0.7818]],
    [20, 20, [0.8389, 1], [0.8316, 1], [0.8834, 1], [0.8389, 0.9988]],
    [0, 20, [0, 0.1611], [0, 0.1684], [0, 0.1166], [0.0012, 0.1611]],
    [54, 60, [0.7985, 0.9534], [0.7949, 0.9624], [0.8055, 0.9572], [0.7981, 0.9526]],
    [490, 500, [0.9636, 0.9891], [0.9635, 0.9904], [0.9648, 0.9897], [0.9636, 0.989]],
  ] as const)('equal the check values for %d of %d', (...row) => {
    const [s, n, w, cp, j, u] = row;
    expectInterval(wilson(of(s, n)), w[0], w[1]);
    expectInterval(clopperPearson(of(s, n)), cp[0], cp[1]);
    expectInterval(jeffreys(of(s, n)), j[0], j[1]);
    expectInterval(posterior(of(s, n), 1), u[0], u[1]);
  });

  it('say nothing where nothing was tried, and refuse impossible counts', () => {
    expect(rateInterval('wilson', of(0, 0))).toEqual({ low: 0, high: 1 });
    expect(() => rateInterval('exact', of(3, 2))).toThrow(RangeError);
    expect(() => rateInterval('posterior', of(-1, 2))).toThrow(RangeError);
    expect(() => rateInterval('wilson', of(Number.NaN, 2))).toThrow(RangeError);
  });

  it('hold the rate, stay in [0, 1], and mirror when success and failure change places', () => {
    fc.assert(
      fc.property(fc.nat(400), fc.nat(400), (s, f) => {
        fc.pre(s + f > 0);
        for (const kind of ['wilson', 'exact'] as const) {
          const here = rateInterval(kind, of(s, s + f));
          const mirror = rateInterval(kind, of(f, s + f));
          expect(here.low).toBeGreaterThanOrEqual(0);
          expect(here.high).toBeLessThanOrEqual(1);
          expect(here.low - 1e-12).toBeLessThanOrEqual(s / (s + f));
          expect(here.high + 1e-12).toBeGreaterThanOrEqual(s / (s + f));
          expect(here.low + mirror.high).toBeCloseTo(1, 9);
        }
      }),
      { numRuns: 300 },
    );
  });

  // The exact coverage at one true rate is a finite sum; averaged over rates it must be near 95 %.
  it.each([10, 20, 50, 100])('cover the true rate at n = %d', (n) => {
    const rates = Array.from({ length: 99 }, (_, i) => (i + 1) / 100);
    const atLeast = (s: number, rate: number) =>
      s === 0 ? 1 : s > n ? 0 : betaCdf(rate, s, n - s + 1);
    const mean = (kind: 'wilson' | 'exact' | 'posterior') => {
      const shown = Array.from({ length: n + 1 }, (_, s) => rateInterval(kind, of(s, n)));
      const each = rates.map((rate) =>
        shown.reduce((sum, { low, high }, s) => {
          if (rate < low || rate > high) return sum;
          return sum + atLeast(s, rate) - atLeast(s + 1, rate);
        }, 0),
      );
      return { mean: each.reduce((a, b) => a + b, 0) / each.length, least: Math.min(...each) };
    };
    const score = mean('wilson');
    expect(score.mean).toBeGreaterThan(0.93);
    expect(score.mean).toBeLessThan(0.97);
    expect(mean('exact').least).toBeGreaterThanOrEqual(0.95 - 1e-9);
    expect(mean('posterior').mean).toBeGreaterThan(0.93);
  });
});

describe('interval of a mean over tasks', () => {
  it('is reproducible and contains the mean, also at 0 and 1', () => {
    const tasks = [of(18, 20), of(14, 20), of(12, 20)];
    expect(meanInterval(tasks)).toEqual(meanInterval(tasks));
    expect(meanInterval([of(20, 20), of(20, 20)]).high).toBe(1);
    expect(meanInterval([of(0, 20), of(0, 20)]).low).toBe(0);
    expect(meanInterval([]).mean).toBeNaN();
    expect(meanInterval([of(0, 0), of(1, 2)]).mean).toBe(0.5);
  });

  it('covers the true mean in about 95 % of simulated evaluations', () => {
    const uniform = uniformStream(7);
    const rates = [0.9, 0.85, 0.6];
    const truth = (0.9 + 0.85 + 0.6) / 3;
    let covered = 0;
    const repeats = 1000;
    for (let r = 0; r < repeats; r += 1) {
      const tasks = rates.map((rate) =>
        of(
          Array.from({ length: 20 }, () => (uniform() < rate ? 1 : 0)).reduce<number>(
            (a, b) => a + b,
            0,
          ),
          20,
        ),
      );
      const { low, high } = meanInterval(tasks, 1000);
      if (low <= truth && truth <= high) covered += 1;
    }
    // Three standard errors of a 95 % share of 1,000.
    expect(covered / repeats).toBeGreaterThan(0.929);
    expect(covered / repeats).toBeLessThan(0.975);
  });
});

describe('comparisons of two policies', () => {
  it.each([
    [[18, 20], [14, 20], 0.1539, 0.935, -0.05, 0.43],
    [[18, 20], [12, 20], 0.0386, 0.984, 0.03, 0.53],
    [[18, 20], [17, 20], 0.7473, 0.669, -0.17, 0.27],
    [[20, 20], [15, 20], 0.0167, 0.99, 0.04, 0.47],
    [[54, 60], [40, 60], 0.0024, 0.999, 0.09, 0.37],
    [[490, 500], [474, 500], 0.0072, 0.997, 0.01, 0.06],
  ] as const)('equal the check values for %j against %j', (...row) => {
    const [a, b, p, better, low, high] = row;
    const [x, y] = [of(a[0], a[1]), of(b[0], b[1])];
    expect(Math.abs(barnard(x, y) - p)).toBeLessThan(6e-5);
    expect(Math.abs(barnard(y, x) - p)).toBeLessThan(6e-5);
    expect(Math.abs(probabilityBetter(x, y) - better)).toBeLessThan(6e-4);
    expect(Math.abs(newcombe(x, y).low - low)).toBeLessThan(6e-3);
    expect(Math.abs(newcombe(x, y).high - high)).toBeLessThan(6e-3);
  });

  it('do not tell equal results apart', () => {
    expect(barnard(of(20, 20), of(20, 20))).toBe(1);
    expect(barnard(of(5, 10), of(10, 20))).toBe(1);
    expect(barnard(of(0, 0), of(3, 3))).toBe(1);
    expect(mcnemar(0, 0)).toBe(1);
    expect(mcnemar(7, 7)).toBe(1);
  });

  it('keep the level of Barnard below 5 % for every common rate', () => {
    const n = 12;
    const p = Array.from({ length: n + 1 }, (_, i) =>
      Array.from({ length: n + 1 }, (_, j) => barnard(of(i, n), of(j, n))),
    );
    const choose = (k: number) =>
      Array.from({ length: k }, (_, i) => (n - i) / (i + 1)).reduce((a, b) => a * b, 1);
    for (let rate = 0.05; rate < 1; rate += 0.05) {
      let level = 0;
      for (let i = 0; i <= n; i += 1)
        for (let j = 0; j <= n; j += 1)
          if (p[i][j] <= 0.05)
            level += choose(i) * choose(j) * rate ** (i + j) * (1 - rate) ** (2 * n - i - j);
      expect(level).toBeLessThanOrEqual(0.05 + 1e-6);
    }
  });

  it('give the exact McNemar values', () => {
    expect(mcnemar(4, 0)).toBeCloseTo(0.125, 10);
    expect(mcnemar(5, 0)).toBeCloseTo(0.0625, 10);
    expect(mcnemar(0, 6)).toBeCloseTo(0.03125, 10);
    expect(mcnemar(5, 1)).toBeCloseTo(0.21875, 10);
    expect(mcnemar(14, 7)).toBeCloseTo(0.1892, 4);
  });

  it('give the evidence that is valid at any time', () => {
    expect(sequentialEvidence(8, 0)).toBeCloseTo(28.44, 2);
    expect(sequentialEvidence(7, 0)).toBeCloseTo(16, 9);
  });

  it('narrow the interval of a difference where seeds are shared', () => {
    const paired = pairedInterval({ both: 70, first: 14, second: 7, neither: 9 });
    const apart = newcombe(of(84, 100), of(77, 100));
    expect(paired.low).toBeLessThan(0.07);
    expect(paired.high - paired.low).toBeLessThan(apart.high - apart.low);
  });
});

describe('compact letters', () => {
  it('step down as Holm says', () => {
    const tests = [0.01, 0.04, 0.03, 0.005].map((p, a) => ({ a, b: 9, p }));
    expect(holm(tests).map((t) => t.p)).toEqual([0.005, 0.01]);
  });

  it('share a letter exactly where two policies are not told apart', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.infiniteStream(fc.boolean()), (n, coin) => {
        const pairs: { a: number; b: number }[] = [];
        for (let a = 0; a < n; a += 1)
          for (let b = a + 1; b < n; b += 1) if (coin.next().value) pairs.push({ a, b });
        const letters = compactLetters(
          n,
          pairs,
          Array.from({ length: n }, (_, i) => i),
        );
        for (let a = 0; a < n; a += 1)
          for (let b = a + 1; b < n; b += 1) {
            const shared = [...letters[a]].some((l) => letters[b].includes(l));
            expect(shared).toBe(!pairs.some((p) => p.a === a && p.b === b));
          }
        expect(letters.every((l) => l.length > 0)).toBe(true);
      }),
    );
  });

  it('name the best group a', () => {
    const letters = compactLetters(
      3,
      [
        { a: 0, b: 1 },
        { a: 0, b: 2 },
      ],
      [1, 2, 0],
    );
    expect(letters).toEqual(['b', 'a', 'a']);
  });
});

describe('beta distribution', () => {
  it('inverts itself', () => {
    for (const [a, b] of [
      [0.5, 0.5],
      [1, 1],
      [3, 40],
      [200, 7],
    ] as const)
      for (const p of [0.001, 0.025, 0.5, 0.975])
        expect(betaCdf(betaQuantile(p, a, b), a, b)).toBeCloseTo(p, 10);
  });
});

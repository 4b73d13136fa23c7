import { describe, expect, it } from 'vitest';
import { scorePairing, routerEnergies } from '../../server/policy/router';
import { Normalizer, parseStatistics, statisticsKey } from '../../server/policy/statistics';

const sizes = { action: 2, proprio: 2, actionNorm: 'q99', proprioNorm: 'q99' } as const;
const series = { q01: [0, -1], q99: [2, 1], min: [0, 0], max: [4, 4], mean: [1, 1], std: [2, 2] };

describe('statistics', () => {
  it('are found by task, by its name without pauses, or as the only ones', () => {
    const file = { a: {}, b_no_noops: {} };
    expect(statisticsKey(file, 'a')).toBe('a');
    expect(statisticsKey(file, 'b')).toBe('b_no_noops');
    expect(statisticsKey({ only: {} }, 'whatever')).toBe('only');
    expect(() => statisticsKey(file, 'c')).toThrow('it has a, b_no_noops');
    expect(() => statisticsKey({}, 'c')).toThrow('it has none');
  });

  it('scale quantiles to −1 … 1, clip the state and leave masked dimensions', () => {
    const file = { t: { action: { ...series, mask: [true, false] }, proprio: series } };
    const normalizer = Normalizer.make(file, 't', sizes);
    const [first, second] = normalizer.normalizeProprio([1.5, 3]);
    expect(first).toBeCloseTo(0.5, 6);
    expect(second).toBe(1);
    const [action, gripper] = normalizer.restoreAction([0.5, 0.7]);
    expect(action).toBeCloseTo(1.5, 6);
    expect(gripper).toBe(0.7);
  });

  it('scale by minimum and maximum, or by mean and deviation without clipping', () => {
    const file = { t: { action: series, proprio: series } };
    const minMax = Normalizer.make(file, 't', {
      ...sizes,
      actionNorm: 'min_max',
      proprioNorm: 'min_max',
    });
    expect(minMax.normalizeProprio([3, 2])[0]).toBeCloseTo(0.5, 6);
    const meanStd = Normalizer.make(file, 't', {
      ...sizes,
      actionNorm: 'mean_std',
      proprioNorm: 'mean_std',
    });
    expect(meanStd.normalizeProprio([9, 1])[0]).toBeCloseTo(4, 6);
    expect(meanStd.restoreAction([4, 0])[0]).toBeCloseTo(9, 6);
  });

  it('with a list missing or of another length are refused by name', () => {
    const file = { t: { action: { q01: [0], q99: [1] }, proprio: series } };
    expect(() => Normalizer.make(file, 't', sizes)).toThrow(
      't.action.q01 has 1 numbers; the model has 2',
    );
    expect(() => Normalizer.make({ t: {} }, 't', sizes)).toThrow('has no t.action.q01');
    expect(() => parseStatistics({ t: { action: { q01: 'x' } } }, 'f.json')).toThrow(
      /^f\.json: t\.action\.q01/,
    );
  });
});

describe('router scores', () => {
  const none = { temperature: 1 };

  it('are mean norms of projections, halved over both paths (a computed example)', () => {
    // P keeps two of four axes; tokens (1,2,3,4) and (0,1,0,−1) have norms √5 and 1.
    const P = Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0);
    const tokens = Float32Array.of(1, 2, 3, 4, 0, 1, 0, -1, 1, 2, 3, 4, 0, 1, 0, -1);
    const energies = routerEnergies(tokens, 2, { rank: 2, width: 4, task: P, action: P });
    const { scores } = scorePairing([energies], 'same', none);
    expect(scores[0]).toBeCloseTo((Math.sqrt(5) + 1) / 2, 12);
  });

  const fixed = (task: number, action: number) => ({
    taskInTask: Float64Array.of(task),
    actionInAction: Float64Array.of(action),
    taskInAction: Float64Array.of(action),
    actionInTask: Float64Array.of(task),
  });

  it('choose the largest, the lowest index on a tie, and refuse NaN', () => {
    const pick = (...scores: number[]) =>
      scorePairing(
        scores.map((score) => fixed(score, score)),
        'same',
        none,
      );
    const { softmax, margin, chosen } = pick(1.618034, 1.2, 0.9);
    expect(softmax.map((p) => p.toFixed(6))).toEqual(['0.465972', '0.306768', '0.227259']);
    expect(margin).toBeCloseTo(0.418034, 6);
    expect(chosen).toBe(0);
    expect(pick(1, 2, 2).chosen).toBe(1);
    expect(pick(3)).toMatchObject({ chosen: 0, margin: 0, softmax: [1] });
    expect(() => pick(1, NaN)).toThrow('router score of task 2 is NaN');
  });

  it('change with temperature and offsets as stated', () => {
    const energies = [fixed(4, 4), fixed(5, 5)];
    const cold = scorePairing(energies, 'same', { temperature: 0.1 });
    expect(cold.softmax[1]).toBeCloseTo(1 / (1 + Math.exp(-10)), 9);
    const offsets = { same: [2, 10], crossed: [1, 1] };
    const corrected = scorePairing(energies, 'same', { temperature: 1, offsets });
    expect(corrected.scores).toEqual([2, 0.5]);
    expect(corrected.chosen).toBe(0);
  });
});

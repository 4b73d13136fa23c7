import { describe, expect, it } from 'vitest';
import { goldenCases } from './golden-cases';
import { merge, planText } from './driver';

const base = 'models/qwen-f32/base';
const text = (settings: object): string =>
  JSON.stringify({
    version: 1,
    base,
    experts: { alpha: 'models/qwen-f32/alpha' },
    merge: { density: 0.2, seed: 3, ...settings },
    masks: 'none',
    router: 'none',
  });
const name = 'model.embed_tokens.weight';

async function vector(settings: object): Promise<Float32Array> {
  const { tensors } = await merge(text(settings));
  return tensors('task_vector.safetensors').get(name)!.values;
}

/** τ of the one expert. */
async function taskVector(): Promise<Float32Array> {
  return vector({ method: 'task_arithmetic', density: undefined, seed: undefined });
}

describe('DARE', () => {
  it('keeps the share it should and divides what it keeps by the density', async () => {
    const [all, kept] = [await taskVector(), await vector({ method: 'dare_linear' })];
    const indices = [...kept.keys()].filter((i) => kept[i] !== 0);
    // Five standard errors of a binomial draw, as the golden case has them.
    expect(Math.abs(indices.length - 0.2 * all.length)).toBeLessThan(
      5 * Math.sqrt(all.length * 0.16),
    );
    for (const i of indices) expect(kept[i]).toBe(Math.fround(all[i] / Math.fround(0.2)));
    expect(goldenCases.some(({ id }) => id === 'dare-statistics')).toBe(true);
  });

  it('keeps the L1 norm with `rescale: l1`', async () => {
    const l1 = (values: Float32Array): number => values.reduce((sum, v) => sum + Math.abs(v), 0);
    const [all, kept] = [
      await taskVector(),
      await vector({ method: 'dare_linear', rescale: 'l1' }),
    ];
    expect(l1(kept) / l1(all)).toBeCloseTo(1, 5);
  });

  it('draws by the seed alone', async () => {
    const first = await vector({ method: 'dare_linear' });
    expect(await vector({ method: 'dare_linear' })).toEqual(first);
    expect(await vector({ method: 'dare_linear', seed: 4 })).not.toEqual(first);
  });
});

describe('DELLA', () => {
  it('keeps large magnitudes of a row more often than small ones', async () => {
    const [all, kept] = [
      await taskVector(),
      await vector({ method: 'della_linear', density: 0.5, epsilon: 0.4 }),
    ];
    const [rows, columns] = [128, 32];
    expect(all.length).toBe(rows * columns);
    let [large, small] = [0, 0];
    for (let row = 0; row < rows; row++) {
      const order = Array.from({ length: columns }, (_, i) => row * columns + i).sort(
        (a, b) => Math.abs(all[a]) - Math.abs(all[b]),
      );
      order.forEach((i, rank) => {
        if (kept[i] === 0) return;
        if (rank < columns / 2) small++;
        else large++;
      });
    }
    expect(large / (rows * columns)).toBeCloseTo(0.35, 1);
    expect(small / (rows * columns)).toBeCloseTo(0.15, 1);
  });
});

describe('a plan', () => {
  it('is plain JSON in name order and can be narrowed to a glob', async () => {
    const plan = await planText(text({ method: 'ties' }).replace(',"seed":3', ''));
    const names = plan.jobs.map((job) => job.name);
    expect(names).toEqual([...names].sort());
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
    expect(plan.passes).toEqual(['scan', 'threshold', 'merge']);
    const only = await planText(text({ method: 'dare_linear' }), { only: '*layers.1.mlp.*' });
    expect(only.jobs.length).toBe(3);
    expect(only.bytesToRead).toBeLessThan(plan.bytesToRead);
  });
});

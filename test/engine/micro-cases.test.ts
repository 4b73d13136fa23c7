import { describe, expect, it } from 'vitest';
import { bitAt, float32Tensor, merge } from './driver';
import { recipeText, writeZoo } from './zoo';

// The worked example of the algorithm reference: three tasks, five positions, λ = 0.6.
const tasks = ['a', 'b', 'c'];
const taskVectors = [
  [1, -0.5, 0, 0.3, -2],
  [0.5, 0.5, 0.2, -0.1, 1],
  [-0.25, 0.5, 0, -0.25, 0.5],
];
const beside = writeZoo({
  base: { 'model.norm.weight': float32Tensor([5], [0, 0, 0, 0, 0]) },
  ...Object.fromEntries(
    tasks.map((task, m) => [task, { 'model.norm.weight': float32Tensor([5], taskVectors[m]) }]),
  ),
});

async function run(settings: object) {
  const merged = await merge(recipeText(tasks, settings), { beside });
  const masks = merged.tensors('masks.safetensors');
  return {
    ...merged,
    vector: Array.from(merged.tensors('task_vector.safetensors').get('model.norm.weight')!.values),
    masks: tasks.map((task) => {
      const { bytes } = masks.get(`${task}/model.norm.weight`)!;
      return [0, 1, 2, 3, 4].map((i) => bitAt(bytes, i)).join('');
    }),
  };
}

function closeTo(found: readonly number[], expected: readonly number[]): void {
  expected.forEach((value, i) => {
    expect(found[i]).toBeCloseTo(value, 6);
  });
}

describe('the worked example', () => {
  it('task arithmetic', async () => {
    const { vector, masks, report } = await run({ merge: { method: 'task_arithmetic' } });
    closeTo(vector, [1.25, 0.5, 0.2, -0.05, -0.5]);
    expect(masks).toEqual(['10011', '11111', '01010']);
    expect(report.total.active).toEqual({ a: 3, b: 5, c: 2 });
    expect(report.total.coverage).toEqual([0, 1, 3, 1]);
  });

  it('TIES without trimming', async () => {
    const { vector, masks } = await run({ merge: { method: 'ties' } });
    closeTo(vector, [1.5, 1, 0.2, -0.35, -2]);
    expect(masks).toEqual(['10001', '01100', '01010']);
  });

  it('EMR with its rescalers', async () => {
    const { vector, masks, tensors } = await run({ merge: { method: 'emr' } });
    closeTo(vector, [1, 0.5, 0.2, -0.25, -2]);
    expect(masks).toEqual(['10001', '11110', '01010']);
    const rest = tensors('rest.safetensors');
    closeTo(
      tasks.map((task) => rest.get(`${task}/rescaler`)!.values[0]),
      [1.266667, 1.179487, 2],
    );
  });

  it('scales the merged vector by α before the masks are made', async () => {
    const { vector, masks } = await run({ merge: { alpha: 2 }, masks: { lambda: 1 } });
    closeTo(vector, [2.5, 1, 0.4, -0.1, -1]);
    expect(masks).toEqual(tasks.map((_, m) => expectedMask(m, 2, 1)));
  });

  it('replaces masks by the positions that two tasks have in common', async () => {
    const { masks, report } = await run({ masks: { lambda: 0.6, consensus: 2 } });
    expect(masks).toEqual(tasks.map(consensusOfTwo));
    expect(report.total.active!.a).toBe(masks[0].split('1').length - 1);
  });
});

/** The rule of §3.1 by hand. */
function expectedMask(task: number, alpha: number, lambda: number): string {
  return [0, 1, 2, 3, 4]
    .map((i) => {
      const merged = alpha * taskVectors.reduce((sum, tau) => sum + tau[i], 0);
      const own = taskVectors[task][i];
      return Number(Math.abs(own) > lambda * Math.abs(merged - own));
    })
    .join('');
}

function consensusOfTwo(): string {
  const all = tasks.map((_, m) => expectedMask(m, 1, 0.6));
  return [0, 1, 2, 3, 4]
    .map((i) => Number(all.filter((mask) => mask[i] === '1').length >= 2))
    .join('');
}

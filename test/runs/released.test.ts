import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readMergedDirectory } from '../../server/runs/merged';

const released = resolve(__dirname, '../fixtures/policy/merged');

describe('a released merged directory', () => {
  it('is read with tasks in order, masks, heads and router under the experts’ names', async () => {
    const merged = await readMergedDirectory(released);
    expect(merged.tasks).toEqual(['libero_spatial', 'libero_object', 'libero_goal']);
    expect(merged.form).toBe('mergevla');
    expect(merged.unmergedBlocks).toBe(1);
    expect(merged.masks?.map((masks) => masks.size)).toEqual([60, 60, 60]);
    expect(merged.shared.get('action_queries.weight')?.shape).toEqual([64, 64]);
    expect(merged.shared.has('proprio_projector.fc1.weight')).toBe(true);
    expect(merged.shared.has('action_head.model.mlp_resnet_blocks.2.v_task.weight')).toBe(true);
    for (const own of merged.own) {
      expect(own.get('action_head.model.mlp_resnet_blocks.3.v_task.weight')?.shape).toEqual([
        64, 64,
      ]);
      expect(own.get('action_head.model.mlp_resnet_blocks.3.gating_factor')?.shape).toEqual([1]);
      expect(own.get('action_head.model.fc2.weight')?.shape[0]).toBe(7);
    }
    expect(merged.router).toMatchObject({ rank: 8, valueBlock: 2, hiddenEntry: 4 });
    expect(merged.router?.bases[2].action.shape).toEqual([8, 64]);
  });

  it('is told from folders that are no merge', async () => {
    await expect(
      readMergedDirectory(resolve(released, '../experts/libero_goal')),
    ).rejects.toMatchObject({ code: 'MV534' });
  });
});

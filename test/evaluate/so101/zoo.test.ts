import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createSo101Environment } from '../../../server/evaluate/so101/environment';
import { CAMERAS, TASKS } from '../../../server/evaluate/so101/scene';
import { loadPolicy } from '../../../server/policy/policy';

const zoo = resolve(__dirname, '../../../samples/so101-cubes/zoo');

function bytesUnder(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
}

describe('the sample zoo', () => {
  it('fits into 20 MB', () => {
    expect(bytesUnder(zoo)).toBeLessThan(20e6);
  });

  it.each(TASKS)(
    'answers the first observation of %s with joint targets within reach',
    async (task) => {
      const environment = await createSo101Environment();
      const policy = await loadPolicy(join(zoo, task), { threads: 1 });
      environment.reset(task, 1);
      const { images, imageSize, proprio } = environment.observe();
      const pictures = CAMERAS.map((camera) => ({
        width: imageSize,
        height: imageSize,
        data: images[camera],
      }));
      const observation = { images: pictures, instruction: environment.instruction, proprio };
      const { actions } = await policy.act(observation, task);
      expect(actions).toHaveLength(8);
      for (const action of actions) {
        action.forEach((target, joint) => {
          // The demonstrator moves a joint by 0.14 rad a control step at most; the gripper by 0.15.
          expect(Math.abs(target - proprio[joint])).toBeLessThan(1.5);
        });
      }
      const blank = pictures.map((picture) => ({ ...picture, data: picture.data.map(() => 128) }));
      const unseeing = await policy.act({ ...observation, images: blank }, task);
      expect(unseeing.actions).not.toEqual(actions);
      await policy.close();
      environment.dispose();
    },
  );
});

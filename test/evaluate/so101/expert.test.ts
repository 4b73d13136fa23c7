import { describe, expect, it } from 'vitest';
import { Expert } from '../../../server/evaluate/so101/expert';
import { seedOf } from '../../../server/evaluate/so101/random';
import { TASKS } from '../../../server/evaluate/so101/scene';
import { loadMujoco, Simulator } from '../../../server/evaluate/so101/simulator';
import { fulfilled, startEpisode } from '../../../server/evaluate/so101/tasks';

const episodes = 100;

describe('the scripted experts', () => {
  it.each(TASKS)('solve at least 95 of 100 unseen %s episodes', async (task) => {
    const simulator = new Simulator(await loadMujoco(), task);
    const failed: number[] = [];
    let steps = 0;
    for (let index = 0; index < episodes; index++) {
      const seed = seedOf('validation', 5000 + index);
      startEpisode(simulator, seed);
      const expert = new Expert(simulator);
      let held = 0;
      for (let step = 0; step < 400 && held < 6; step++, steps++) {
        simulator.step(expert.act());
        held = fulfilled(simulator) ? held + 1 : 0;
      }
      if (held < 6) failed.push(seed);
    }
    console.log(task, episodes - failed.length, 'mean steps', steps / episodes, failed);
    expect(failed.length).toBeLessThanOrEqual(5);
    simulator.dispose();
  });

  it('turn back at once for a cube that they lost on the way', async () => {
    const simulator = new Simulator(await loadMujoco(), 'stack_cube');
    startEpisode(simulator, seedOf('validation', 1));
    const expert = new Expert(simulator);
    for (let step = 0; simulator.cubePosition('red')[2] < 0.07; step++) {
      expect(step).toBeLessThan(100);
      simulator.step(expert.act());
    }
    simulator.placeCube('red', { x: 0.2, y: -0.05, yaw: 0.3 });
    simulator.settle();
    const targets = Array.from({ length: 8 }, () => {
      const target = expert.act();
      simulator.step(target);
      return target[5] ?? 0;
    });
    expect(Math.max(...targets)).toBeGreaterThan(0.5);
    for (let step = 0; !fulfilled(simulator); step++) {
      expect(step).toBeLessThan(100);
      simulator.step(expert.act());
    }
    simulator.dispose();
  });
});

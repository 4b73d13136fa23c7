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
});

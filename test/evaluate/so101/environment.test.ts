import { describe, expect, it } from 'vitest';
import { decodePositions, decodeTargets, hingesOf } from '../../../server/protocol/episode';
import { isEpisodeRecording } from '../../../server/protocol/episode-guards';
import {
  createSo101Environment,
  type Environment,
} from '../../../server/evaluate/so101/environment';
import { SEED_RANGES, seedOf } from '../../../server/evaluate/so101/random';
import { rollOut, type Actor } from '../../../server/evaluate/so101/rollout';
import { HOME, JOINTS, TASKS, type Task } from '../../../server/evaluate/so101/scene';

/** Swings the arm into the scene, so that contacts decide what follows. */
const swinging: Actor = {
  start: async () => ({}),
  act: async ({ proprio }) =>
    Array.from({ length: 8 }, (_row, step) =>
      proprio.map((angle, joint) => angle + (joint === 1 ? 0.08 : 0.02 * Math.sin(step + joint))),
    ),
};

async function play(environment: Environment, task: Task, seed: number) {
  return rollOut(environment, swinging, { task, seed, execute: 4, maxSteps: 40 });
}

describe('the built-in bench', () => {
  it('gives the same episode, bit for bit, whatever ran before and in whichever engine', async () => {
    const one = await createSo101Environment();
    const other = await createSo101Environment();
    for (const task of TASKS) {
      const alone = await play(one, task, 7);
      await play(other, task, 8);
      await play(other, 'push_cube', 9);
      const after = await play(other, task, 7);
      expect(after).toEqual(alone);
    }
    one.dispose();
    other.dispose();
  });

  it('gives other starts for other seeds, and only another colour under the shift', async () => {
    const environment = await createSo101Environment();
    const start = (seed: number, shift: 'none' | 'colours') => {
      environment.reset('pick_place', seed, { shift });
      return { seen: environment.observe(), recording: environment.recording() };
    };
    const plain = start(3, 'none');
    const shifted = start(3, 'colours');
    expect(start(4, 'none').recording.qpos).not.toBe(plain.recording.qpos);
    expect(shifted.recording.qpos).toBe(plain.recording.qpos);
    expect(shifted.seen.images.top).not.toEqual(plain.seen.images.top);
    environment.dispose();
  });

  it('shows a cube only where it is: pictures of two seeds differ in a small area', async () => {
    const environment = await createSo101Environment();
    environment.reset('pick_place', 11, { shift: 'none', imageSize: 96 });
    const a = environment.observe().images.top;
    environment.reset('pick_place', 12, { shift: 'none', imageSize: 96 });
    const b = environment.observe().images.top;
    expect(a.length).toBe(96 * 96 * 3);
    const red = (picture: Uint8Array) =>
      Array.from({ length: 96 * 96 }, (_pixel, index) => index).filter(
        (index) =>
          picture[3 * index] > 120 && picture[3 * index + 1] < 60 && picture[3 * index + 2] < 60,
      );
    for (const picture of [a, b]) {
      // A 25 mm cube covers about 7 x 7 of 96 pixels that span a third of a metre.
      expect(red(picture).length).toBeGreaterThan(20);
      expect(red(picture).length).toBeLessThan(120);
    }
    expect(red(a)).not.toEqual(red(b));
    environment.dispose();
  });

  it('ends at the step limit with a reason and a replayable recording', async () => {
    const environment = await createSo101Environment();
    environment.reset('stack_cube', 5, { maxSteps: 3 });
    expect(environment.step(HOME).done).toBe(false);
    environment.step(HOME);
    const last = environment.step(HOME);
    expect(last).toEqual({
      done: true,
      success: false,
      reason: 'the red cube is not on the blue',
    });
    expect(environment.step(HOME)).toEqual(last);
    const recording = environment.recording();
    const rows = decodePositions(recording);
    expect(rows).toHaveLength(4);
    expect(rows?.[0]).toHaveLength(recording.scene.positions);
    expect(recording.scene.bodies.map((body) => body.name)).toContain('blue');
    expect(JSON.stringify(recording).length).toBeLessThan(20_000);
    expect(decodePositions({ ...recording, steps: 4 })).toBeNull();
    environment.dispose();
  });

  it('records when the policy was asked and what it told the joints to reach', async () => {
    const environment = await createSo101Environment();
    const { recording, steps } = await play(environment, 'push_cube', 7);
    const asked = Array.from({ length: Math.ceil(steps / 4) }, (_, call) => 4 * call);
    expect(recording.calls).toEqual(asked);
    const targets = decodeTargets(recording);
    expect(targets).toHaveLength(steps);
    expect(hingesOf(recording.scene).map(({ name }) => name)).toEqual([...JOINTS]);
    const start = decodePositions(recording)?.[0] ?? new Float32Array();
    // The first action of the first chunk, in the units of the recording.
    for (let joint = 0; joint < JOINTS.length; joint++) {
      const told = start[joint] + (joint === 1 ? 0.08 : 0.02 * Math.sin(joint));
      expect(Math.abs((targets?.[0]?.[joint] ?? 0) - told)).toBeLessThan(1 / 8192);
    }
    environment.dispose();
  });

  it('keeps a target beyond its units at their end, and tells what an older recording lacks', async () => {
    const environment = await createSo101Environment();
    environment.reset('push_cube', 5, { maxSteps: 3 });
    environment.step([9, -9, ...HOME.slice(2)]);
    const { targets = '', ...older } = environment.recording();
    const [first = new Float32Array()] = decodeTargets({ ...older, targets }) ?? [];
    expect([...first.subarray(0, 2)]).toEqual([32_767 / 8192, -4]);
    expect(decodeTargets(older)).toBeNull();
    expect(decodeTargets({ ...older, targets: targets.slice(0, -4) })).toBeNull();
    expect(decodeTargets({ ...older, targets: 'not base64!' })).toBeNull();
    expect(decodePositions({ ...older, qpos: 'not base64!' })).toBeNull();
    expect([older, { ...older, targets }].every(isEpisodeRecording)).toBe(true);
    for (const damage of [{ steps: -1 }, { scene: {} }, { calls: ['0'] }, { qpos: 1 }])
      expect(isEpisodeRecording({ ...older, ...damage })).toBe(false);
    environment.dispose();
  });

  it('refuses to step before it was reset', async () => {
    const environment = await createSo101Environment();
    expect(() => environment.step(HOME)).toThrow('the environment was not reset');
  });
});

describe('seeds', () => {
  it('come from ranges that do not meet', () => {
    const ranges = Object.values(SEED_RANGES).sort((a, b) => a.first - b.first);
    ranges.slice(1).forEach((range, index) => {
      expect(range.first).toBeGreaterThan(ranges[index].last);
    });
  });

  it('are refused beyond the end of their range', () => {
    expect(seedOf('test', 0)).toBe(200_000);
    expect(() => seedOf('validation', 100_000)).toThrow('no episode 100000');
    expect(() => seedOf('train', -1)).toThrow(RangeError);
  });
});

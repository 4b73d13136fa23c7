import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { encodePositions, type EpisodeRecording } from '../../server/protocol/episode';
import { replayEvents } from '../../src/panels/replay-events';

const recording = JSON.parse(
  readFileSync(join(__dirname, '../fixtures/webview/episode.json'), 'utf8'),
) as EpisodeRecording;

/** One loose cube whose height over the steps is given, 1 cm a unit. */
function lifted(
  heights: readonly number[],
  change: Partial<EpisodeRecording> = {},
): EpisodeRecording {
  const [body] = recording.scene.bodies;
  if (!body) throw new Error('the fixture has no body');
  const rows = heights.map((height) => [0.2, 0, 0.02 + height / 100, 1, 0, 0, 0]);
  return {
    ...recording,
    ...{ steps: rows.length - 1, qpos: encodePositions(rows, 7) },
    scene: {
      ...{ cameras: [], positions: 7 },
      bodies: [
        body,
        { ...body, name: 'red', parent: 0, joint: { kind: 'free', name: 'j', address: 0 } },
      ],
    },
    ...change,
  };
}

it('names touch, lift and set-down, and ends with the reason', () => {
  const heights = [0, 0, 0, 1, 2, 4, 4, 4, 4, 4, 3, 1, 0.2, 0, 0];
  const events = replayEvents(lifted(heights, { success: false, reason: 'time limit' }));
  expect(events).toEqual([
    { step: 3, name: 'touched', bad: false },
    { step: 4, name: 'lifted', bad: false },
    { step: 12, name: 'down', bad: false },
    { step: 14, name: 'time limit', bad: true },
  ]);
});

it('calls a cube down that rests on another one', () => {
  const heights = [0, 2, 6, 6, 6, 6, 5, 4, 3, 3, 3, 3, 3, 3];
  expect(replayEvents(lifted(heights)).find(({ name }) => name === 'down')?.step).toBe(12);
});

it('names the cubes where there are several, in the order of time, within the episode', () => {
  const events = replayEvents(recording);
  const steps = events.map(({ step }) => step);
  expect(steps).toEqual([...steps].sort((a, b) => a - b));
  expect(events.some(({ name }) => name.endsWith('lifted'))).toBe(true);
  expect(Math.max(...steps)).toBeLessThanOrEqual(recording.steps);
});

it('has nothing to say of a cube that nobody touched, or of damaged positions', () => {
  expect(replayEvents(lifted([0, 0, 0], { reason: '' }))).toEqual([]);
  expect(replayEvents(lifted([0, 3, 0], { qpos: 'AAAA', reason: '' }))).toEqual([]);
});

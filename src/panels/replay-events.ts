import { decodePositions, type EpisodeRecording } from '../../server/protocol/episode';
import type { Replay } from '../../server/protocol/panels/success-rates';

/** Metres: a cube has moved, is in the air, and is down again. */
const [moved, lifted, lowered] = [0.005, 0.015, 0.005];

type Event = Replay['events'][number];

/** Named moments of a recorded episode, told from where the loose bodies are; the last is how it ended. */
export function replayEvents(recording: EpisodeRecording): readonly Event[] {
  const rows = decodePositions(recording) ?? [];
  const loose = recording.scene.bodies.flatMap(({ name, joint }) =>
    joint?.kind === 'free' ? [{ name, address: joint.address }] : [],
  );
  const many = loose.length > 1;
  const moments = loose.flatMap(({ name, address }) =>
    momentsOf(rows, address).map(([what, step]): Event => ({
      ...{ step, bad: false },
      name: many ? `${name} ${what}` : what,
    })),
  );
  const { steps, reason, success } = recording;
  const end = reason === '' ? [] : [{ step: steps, name: reason, bad: !success }];
  return [...moments.sort((a, b) => a.step - b.step), ...end];
}

/** First touched, first lifted, and down again after that. */
function momentsOf(rows: readonly Float32Array[], address: number): [string, number][] {
  const at = (step: number, axis: number) => rows[step]?.[address + axis] ?? 0;
  const [x, y, z] = [at(0, 0), at(0, 1), at(0, 2)];
  const first = (from: number, holds: (step: number) => boolean) => {
    const found = rows.findIndex((_, step) => step > from && holds(step));
    return found < 0 ? undefined : found;
  };
  const touch = first(
    0,
    (step) => Math.hypot(at(step, 0) - x, at(step, 1) - y, at(step, 2) - z) > moved,
  );
  const lift = first(0, (step) => at(step, 2) - z > lifted);
  // Down: near its start's height, or at rest on something higher.
  const still = (step: number) => Math.abs(at(step, 2) - at(step - 4, 2)) < lowered / 10;
  const highest = (step: number) =>
    rows.slice(0, step + 1).reduce((most, row) => Math.max(most, row[address + 2] ?? 0), 0);
  const falls = (step: number) => at(step, 2) < highest(step) - lowered;
  const down =
    lift === undefined
      ? undefined
      : first(lift + 4, (step) => at(step, 2) - z < lowered || (still(step) && falls(step)));
  const all: [string, number | undefined][] = [
    ['touched', touch],
    ['lifted', lift],
    ['down', down],
  ];
  return all.flatMap(([what, step]): [string, number][] =>
    step === undefined ? [] : [[what, step]],
  );
}

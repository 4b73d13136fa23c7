import { decodePositions, type EpisodeRecording } from '../../protocol/episode';
import { renderCamera } from './camera';
import type { ActorInput } from './rollout';
import { CAMERAS, TASKS } from './scene';
import { loadMujoco, Simulator } from './simulator';
import { startEpisode } from './tasks';

/** Positions are stored as float32; a start that differs by more was drawn in another way. */
const storedPrecision = 1e-5;

/**
 * What the policy saw first in a recorded episode, pictures of `size` pixels. The start is drawn from
 * the seed again, which gives the same bytes as the rollout had; where a recording starts elsewhere its
 * own positions count. Undefined for a recording that is not of this bench.
 */
export async function firstFrame(
  recording: EpisodeRecording,
  size: number,
): Promise<ActorInput | undefined> {
  const task = TASKS.find((known) => known === recording.task);
  const start = decodePositions(recording)?.[0];
  if (task === undefined || recording.suite !== 'so101-cubes' || !start) return undefined;
  const simulator = new Simulator(await loadMujoco(), task);
  try {
    if (simulator.model.nq !== start.length) return undefined;
    startEpisode(simulator, recording.seed, { colour: cubeColour(recording) });
    const drawn = simulator.positions();
    if (start.some((value, i) => Math.abs(value - (drawn[i] ?? 0)) > storedPrecision))
      simulator.pose(start);
    const images = CAMERAS.map((camera) => ({
      width: size,
      height: size,
      data: renderCamera(simulator, camera, size),
    }));
    return { images, instruction: recording.instruction, proprio: simulator.joints() };
  } finally {
    simulator.dispose();
  }
}

function cubeColour({ scene }: EpisodeRecording): readonly number[] {
  const cube = scene.bodies.flatMap(({ geoms }) => geoms).find(({ name }) => name === 'red');
  return cube?.colour.slice(0, 3) ?? [];
}

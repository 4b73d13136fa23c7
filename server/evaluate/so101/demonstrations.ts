import { open } from 'node:fs/promises';
import { throwIfCancelled } from '../../protocol/merge-error';
import { renderCamera } from './camera';
import { Expert } from './expert';
import { bell, randomFrom, seedOf, uniform, type Random } from './random';
import { CAMERAS, CONTROL_HZ, JOINTS, type Task } from './scene';
import { loadMujoco, Simulator, type CubeName } from './simulator';
import { fulfilled, INSTRUCTIONS, startEpisode } from './tasks';

export interface DemonstrationOptions {
  readonly task: Task;
  /** Successful episodes to collect. */
  readonly episodes: number;
  /** First episode of the training seeds to try; failed tries are skipped. */
  readonly start: number;
  /** Standard deviation of the joint perturbations, radians. */
  readonly perturbation: number;
  readonly imageSize: number;
  /** Keeps every n-th frame. */
  readonly every: number;
  /** Gives the red cube a random colour in every episode instead of red. */
  readonly recolour: boolean;
  readonly signal?: AbortSignal;
  readonly onEpisode?: (done: number, tries: number) => void;
}

export interface Demonstrations {
  readonly task: Task;
  readonly episodes: number;
  readonly tries: number;
  readonly frames: number;
  readonly bytes: number;
}

interface Frame {
  readonly images: readonly Uint8Array[];
  /** Share of the red cube in each pixel times its shading, 0 … 255; none where colours matter. */
  readonly cube: readonly Uint8Array[];
  readonly numbers: Readonly<
    Record<'proprio' | 'command' | 'red' | 'blue' | 'yaw', ArrayLike<number>>
  >;
}

const STEP_LIMIT = 260;
/** The criterion must hold this long, as in an evaluation, before a demonstration ends. */
const STEPS_FULFILLED = 6;
/** A perturbation is drawn every so many control steps. */
const PERTURBATION_EVERY = 6;
/**
 * Control steps for which it acts; then the expert has time to come back, and goes on only where it
 * should be: from a hand held aside a policy would learn to go on there.
 */
const PERTURBATION_STEPS = 2;
const OUT_OF_SIGHT = [0, 0, -1] as const;

/**
 * Lets the scripted expert solve a task and writes what it saw and commanded as one safetensors
 * file: `images` U8 [n, 2, size, size, 3] (top, wrist), `proprio` and `command` F32 [n, 6] (joint
 * angles and joint targets in radians), `episode` I32 [n], `red` and `blue` F32 [n, 3] (places of
 * the cubes in metres), `yaw` F32 [n, 2] (their turns about the vertical, radians, red then blue,
 * 0 where there is no such cube). Where the cube's colour does not matter, `cube` U8 [n, 2, size, size] tells
 * how a picture changes with it: colour c instead of red adds cube · (c − red). Commands are the expert's own, without the perturbation that was added to
 * them, so that a policy learns to come back.
 */
export async function collectDemonstrations(
  file: string,
  options: DemonstrationOptions,
): Promise<Demonstrations> {
  const simulator = new Simulator(await loadMujoco(), options.task);
  const frames: Frame[] = [];
  const episode: number[] = [];
  let tries = 0;
  let done = 0;
  while (done < options.episodes) {
    throwIfCancelled(options.signal);
    // One turn of the event loop an episode, so that a signal to stop is heard.
    await new Promise((resolve) => setImmediate(resolve));
    const solved = demonstrate(simulator, seedOf('train', options.start + tries), options);
    tries++;
    if (solved === null) continue;
    frames.push(...solved);
    episode.push(...solved.map(() => done));
    done++;
    options.onEpisode?.(done, tries);
  }
  simulator.dispose();
  const bytes = await writeFrames(file, { frames, episode, options });
  return { task: options.task, episodes: done, tries, frames: frames.length, bytes };
}

/** One try: the frames of a solved episode, or null. */
function demonstrate(
  simulator: Simulator,
  seed: number,
  options: DemonstrationOptions,
): Frame[] | null {
  // A stream of its own, so that perturbations do not depend on how the start was drawn.
  const random = randomFrom(seed * 7919 + 3);
  const colour = [0, 1, 2].map(() => uniform(random, 0.05, 0.95));
  startEpisode(simulator, seed, options.recolour ? { colour } : {});
  const expert = new Expert(simulator);
  const frames: Frame[] = [];
  let perturbation = JOINTS.map(() => 0);
  let held = 0;
  for (let step = 0; step < STEP_LIMIT && held < STEPS_FULFILLED; step++) {
    const phase = step % PERTURBATION_EVERY;
    if (phase === 0) perturbation = perturb(random, options.perturbation);
    if (phase === PERTURBATION_STEPS) perturbation = JOINTS.map(() => 0);
    const frame = step % options.every === 0 ? look(simulator, options.imageSize) : null;
    const command = expert.act();
    if (frame) frames.push({ ...frame, numbers: { ...frame.numbers, command } });
    simulator.step(command.map((target, joint) => target + (perturbation[joint] ?? 0)));
    held = fulfilled(simulator) ? held + 1 : 0;
  }
  return held < STEPS_FULFILLED ? null : frames;
}

/** About half of the joints are pushed aside; the gripper never is. */
function perturb(random: Random, deviation: number): number[] {
  return JOINTS.map((_name, joint) => {
    const drawn = random() < 0.5 ? bell(random) * deviation : 0;
    return joint < JOINTS.length - 1 ? drawn : 0;
  });
}

function look(simulator: Simulator, size: number): Frame {
  const images = CAMERAS.map((camera) => renderCamera(simulator, camera, size));
  return {
    images,
    cube: simulator.task === 'stack_cube' ? [] : cubeLight(simulator, images, size),
    numbers: {
      proprio: simulator.joints(),
      command: [],
      red: simulator.cubePosition('red'),
      blue: simulator.task === 'stack_cube' ? simulator.cubePosition('blue') : OUT_OF_SIGHT,
      yaw: [
        cubeYaw(simulator, 'red'),
        simulator.task === 'stack_cube' ? cubeYaw(simulator, 'blue') : 0,
      ],
    },
  };
}

function cubeYaw(simulator: Simulator, cube: CubeName): number {
  const [r00 = 1, , , r10 = 0] = simulator.cubeRotation(cube);
  return Math.atan2(r10, r00);
}

/** A picture is linear in a cube's colour, so a second one with more green tells the cube's part. */
function cubeLight(
  simulator: Simulator,
  images: readonly Uint8Array[],
  size: number,
): readonly Uint8Array[] {
  const colour = simulator.cubeColour('red');
  const green = colour[1] ?? 0;
  const other = green < 0.5 ? 1 : 0;
  simulator.colourCube('red', [colour[0] ?? 0, other, colour[2] ?? 0]);
  const light = CAMERAS.map((camera, index) => {
    const changed = renderCamera(simulator, camera, size);
    const image = images[index] ?? changed;
    return Uint8Array.from({ length: size * size }, (_value, pixel) =>
      Math.round(((changed[3 * pixel + 1] ?? 0) - (image[3 * pixel + 1] ?? 0)) / (other - green)),
    );
  });
  simulator.colourCube('red', colour);
  return light;
}

interface Collected {
  readonly frames: readonly Frame[];
  readonly episode: readonly number[];
  readonly options: DemonstrationOptions;
}

async function writeFrames(file: string, collected: Collected): Promise<number> {
  const { frames, episode, options } = collected;
  const count = frames.length;
  const size = options.imageSize;
  const column = (name: keyof Frame['numbers'], width: number) => ({
    dtype: 'F32',
    shape: [count, width],
    data: [floatBytes(frames.flatMap((frame) => Array.from(frame.numbers[name])))],
  });
  const tensors = {
    images: {
      dtype: 'U8',
      shape: [count, CAMERAS.length, size, size, 3],
      data: frames.flatMap((frame) => frame.images),
    },
    ...(options.task !== 'stack_cube' && {
      cube: {
        dtype: 'U8',
        shape: [count, CAMERAS.length, size, size],
        data: frames.flatMap((frame) => frame.cube),
      },
    }),
    proprio: column('proprio', JOINTS.length),
    command: column('command', JOINTS.length),
    red: column('red', 3),
    blue: column('blue', 3),
    yaw: column('yaw', 2),
    episode: {
      dtype: 'I32',
      shape: [count],
      data: [new Uint8Array(Int32Array.from(episode).buffer)],
    },
  };
  const header = headerOf(tensors, {
    task: options.task,
    instruction: INSTRUCTIONS[options.task],
    cameras: CAMERAS.join(','),
    control_hz: String(CONTROL_HZ),
    first_seed: String(seedOf('train', options.start)),
    perturbation: String(options.perturbation),
    recolour: String(options.recolour),
  });
  const handle = await open(file, 'w');
  try {
    const pieces = Object.values(tensors).flatMap((tensor) => tensor.data);
    for (const piece of [header, ...pieces]) await handle.write(piece);
    return (await handle.stat()).size;
  } finally {
    await handle.close();
  }
}

interface Column {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: readonly Uint8Array[];
}

/** Length and JSON of a safetensors file, padded so that the data starts at a multiple of eight. */
function headerOf(
  tensors: Readonly<Record<string, Column>>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    const end = offset + data.reduce((sum, piece) => sum + piece.byteLength, 0);
    header[name] = { dtype, shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded]);
}

function floatBytes(values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

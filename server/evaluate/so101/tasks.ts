import { BOX_CENTRE, GOAL_CENTRE, GOAL_HALF, HALF_CUBE, HOME, RED, type Task } from './scene';
import { randomFrom, uniform, type Random } from './random';
import type { Simulator } from './simulator';

export const INSTRUCTIONS: Readonly<Record<Task, string>> = {
  pick_place: 'pick up the cube and place it in the black box',
  push_cube: 'push the cube into the white goal zone',
  stack_cube: 'stack the red cube on the blue cube',
};

/** What counts as success, for people; it must hold for 0.3 s. */
export const CRITERIA: Readonly<Record<Task, string>> = {
  pick_place: 'the cube rests inside the box and no jaw touches it',
  push_cube: 'the whole footprint of the cube lies inside the goal zone, on the table',
  stack_cube: 'the red cube rests on the blue one, within 14 mm, and no jaw touches it',
};

/** `colours`: the cube of pick and push has a colour that no demonstration shows. */
export type Shift = 'none' | 'colours';

export const UNSEEN_COLOURS: readonly (readonly number[])[] = [
  [0.1, 0.7, 0.2],
  [0.9, 0.8, 0.1],
  [0.1, 0.2, 0.85],
  [0.6, 0.2, 0.7],
  [0.95, 0.5, 0.1],
  [0.1, 0.75, 0.8],
];

/**
 * Start of an episode, wholly fixed by task, seed and shift: joints within 20 mrad of the home
 * pose, cubes anywhere in the task's spawn area.
 */
export function startEpisode(
  simulator: Simulator,
  seed: number,
  options: { readonly shift?: Shift; readonly colour?: readonly number[] } = {},
): void {
  const random = randomFrom(seed);
  const joints = HOME.map((angle, joint) =>
    joint < 5 ? angle + uniform(random, -0.02, 0.02) : angle,
  );
  simulator.reset(joints);
  placeCubes(simulator, random);
  // Drawn last and always, so that a seed means the same poses under every shift.
  const drawn = UNSEEN_COLOURS[Math.floor(random() * UNSEEN_COLOURS.length)] ?? RED;
  const shifted = options.shift === 'colours' && simulator.task !== 'stack_cube';
  simulator.colourCube('red', options.colour ?? (shifted ? drawn : RED));
  simulator.settle();
}

function placeCubes(simulator: Simulator, random: Random): void {
  const yaw = uniform(random, -Math.PI / 4, Math.PI / 4);
  const between = (low: number, high: number) => uniform(random, low, high);
  switch (simulator.task) {
    case 'pick_place':
      simulator.placeCube('red', { x: between(0.17, 0.25), y: between(-0.1, -0.01), yaw });
      return;
    case 'push_cube':
      // Wide across the direction of the push, so that no blind sweep meets most cubes.
      simulator.placeCube('red', { x: between(0.145, 0.25), y: between(0, 0.09), yaw: yaw / 2 });
      return;
    case 'stack_cube':
      simulator.placeCube('red', { x: between(0.17, 0.25), y: between(-0.11, -0.02), yaw });
      simulator.placeCube('blue', {
        x: between(0.17, 0.25),
        y: between(0.02, 0.09),
        yaw: between(-0.4, 0.4),
      });
  }
}

/** Cubes that move more slowly than this (m/s and rad/s together) lie still. */
export const STILL = 0.1;

/** The paper's criterion of a task, in this very instant; it must hold for several control steps. */
export function fulfilled(simulator: Simulator): boolean {
  switch (simulator.task) {
    case 'pick_place':
      return inBox(simulator) && atRest(simulator);
    case 'push_cube':
      return insideGoal(simulator);
    case 'stack_cube':
      return onBlueCube(simulator) && atRest(simulator);
  }
}

function atRest(simulator: Simulator): boolean {
  return simulator.cubeSpeed('red') < STILL && !simulator.jawTouches('red');
}

function inBox(simulator: Simulator): boolean {
  const [x, y, z] = simulator.cubePosition('red');
  return Math.abs(x - BOX_CENTRE.x) < 0.043 && Math.abs(y - BOX_CENTRE.y) < 0.043 && z < 0.03;
}

/** The footprint of the turned cube lies wholly in the goal zone, and the cube on the table. */
function insideGoal(simulator: Simulator): boolean {
  const [x, y, z] = simulator.cubePosition('red');
  const [r00 = 0, r01 = 0, , r10 = 0, r11 = 0] = simulator.cubeRotation('red');
  const reachX = HALF_CUBE * (Math.abs(r00) + Math.abs(r01));
  const reachY = HALF_CUBE * (Math.abs(r10) + Math.abs(r11));
  return (
    Math.abs(x - GOAL_CENTRE.x) + reachX <= GOAL_HALF &&
    Math.abs(y - GOAL_CENTRE.y) + reachY <= GOAL_HALF &&
    z < 0.02
  );
}

function onBlueCube(simulator: Simulator): boolean {
  const red = simulator.cubePosition('red');
  const blue = simulator.cubePosition('blue');
  const aside = Math.hypot(red[0] - blue[0], red[1] - blue[1]);
  return aside < 0.014 && Math.abs(red[2] - blue[2] - 2 * HALF_CUBE) < 0.004;
}

/** What a person would say went wrong, judged from the last state of a failed episode. */
export function failureReason(simulator: Simulator): string {
  const [x, y, z] = simulator.cubePosition('red');
  if (z < -0.01 || Math.hypot(x, y) > 0.6) return 'the cube left the table';
  if (simulator.jawTouches('red')) return 'still holding or touching the cube at the step limit';
  switch (simulator.task) {
    case 'pick_place':
      return inBox(simulator) ? 'the cube did not come to rest' : 'the cube is not in the box';
    case 'push_cube':
      return 'the cube is not wholly inside the goal zone';
    case 'stack_cube':
      return z > 2 * HALF_CUBE
        ? 'the stack does not stand still'
        : 'the red cube is not on the blue';
  }
}

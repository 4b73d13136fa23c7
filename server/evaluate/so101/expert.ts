import { clamp, solveJoints } from './inverse-kinematics';
import { BOX_CENTRE, GOAL_CENTRE, HALF_CUBE } from './scene';
import type { CubeName, Point, Simulator } from './simulator';
import { fulfilled } from './tasks';

/** One stop on the way, in task space. */
interface Waypoint {
  readonly position: Point;
  readonly roll: number;
  /** Target of the gripper joint, radians. */
  readonly gripper: number;
  /** Control steps to wait after arriving. */
  readonly hold: number;
  /** Share of the full joint speed. */
  readonly speed: number;
  /** Distance that counts as arrived, metres. */
  readonly tolerance: number;
}

const DOWN = Math.PI / 2;
const OPEN = 0.55;
const CLOSED = -0.1;
/** Jaw tips reach 14 mm past the grip site, so 20 mm is as low as the site goes. */
const GRASP_HEIGHT = 0.02;
const TRAVEL_HEIGHT = 0.085;
/** Largest change of a commanded joint in one control step, radians; the roll joint is quicker. */
const JOINT_SPEED = [0.09, 0.09, 0.09, 0.09, 0.14] as const;
const GRIPPER_SPEED = 0.15;
/** Control steps without success after the last waypoint before the plan is made anew. */
const PATIENCE = 6;
const LARGEST_PLANS = 3;
/** Steps that a target out of reach is held before the next waypoint. */
const STUCK_STEPS = 6;
/** x of the pan axis, about which the hand turns. */
const PAN_X = 0.0388;

/** A scripted demonstrator: sees the true poses, plans waypoints, follows them at limited speed. */
export class Expert {
  private readonly command: number[];
  private waypoints: readonly Waypoint[];
  private next = 0;
  private held = 0;
  private stuck = 0;
  private idle = 0;
  private plans = 1;

  constructor(private readonly simulator: Simulator) {
    this.command = [...simulator.joints()];
    this.waypoints = planWaypoints(simulator);
  }

  /** Whether every waypoint has been passed. */
  get finished(): boolean {
    return this.next >= this.waypoints.length;
  }

  /** Joint targets for the next control step, radians, six. */
  act(): number[] {
    if (this.finished && !fulfilled(this.simulator)) this.replan();
    const waypoint = this.waypoints[Math.min(this.next, this.waypoints.length - 1)];
    if (waypoint === undefined) return [...this.command];
    const goal = solveJoints(
      this.simulator,
      { position: waypoint.position, pitch: DOWN, roll: waypoint.roll },
      this.command,
    );
    JOINT_SPEED.forEach((limit, joint) => {
      const now = this.command[joint] ?? 0;
      const step = limit * waypoint.speed;
      this.command[joint] = now + clamp((goal[joint] ?? 0) - now, -step, step);
    });
    const gripper = this.command[5] ?? 0;
    this.command[5] = gripper + clamp(waypoint.gripper - gripper, -GRIPPER_SPEED, GRIPPER_SPEED);
    this.advance(waypoint, goal);
    return [...this.command];
  }

  private replan(): void {
    if (this.idle++ <= PATIENCE || this.plans >= LARGEST_PLANS) return;
    this.waypoints = planWaypoints(this.simulator);
    this.plans++;
    this.next = 0;
    this.held = 0;
    this.idle = 0;
  }

  private advance(waypoint: Waypoint, goal: readonly number[]): void {
    const away = distance(waypoint.position, this.simulator.gripPosition());
    const settled = goal.every(
      (angle, joint) => Math.abs(angle - (this.command[joint] ?? 0)) < 1e-6,
    );
    const arrived = away < waypoint.tolerance || (settled && this.stuck++ >= STUCK_STEPS);
    if (!arrived || Math.abs((this.command[5] ?? 0) - waypoint.gripper) > 1e-6) return;
    if (this.held++ < waypoint.hold) return;
    this.next++;
    this.held = 0;
    this.stuck = 0;
  }
}

function planWaypoints(simulator: Simulator): readonly Waypoint[] {
  switch (simulator.task) {
    case 'pick_place':
      return [...graspRed(simulator), ...dropInBox()];
    case 'push_cube':
      return pushToGoal(simulator);
    case 'stack_cube':
      return [...graspRed(simulator), ...putOnBlue(simulator)];
  }
}

function waypoint(
  position: Point,
  gripper: number,
  options: Partial<Omit<Waypoint, 'position' | 'gripper'>> = {},
): Waypoint {
  return { position, gripper, roll: 0, hold: 0, speed: 1, tolerance: 0.006, ...options };
}

/**
 * Comes down with the fixed jaw 7 mm clear of the cube, then moves onto the cube while closing:
 * coming down centred would set the fixed jaw on the cube's edge.
 */
function graspRed(simulator: Simulator): readonly Waypoint[] {
  const [x, y] = simulator.cubePosition('red');
  const roll = rollOnto(simulator, 'red');
  const heading = bearing(x, y) - roll;
  const aside: readonly [number, number] = [
    x + 0.007 * Math.sin(heading),
    y - 0.007 * Math.cos(heading),
  ];
  return [
    waypoint([...aside, 0.075], OPEN, { roll }),
    waypoint([...aside, GRASP_HEIGHT], OPEN, { roll, tolerance: 0.004, speed: 0.7 }),
    waypoint([x, y, GRASP_HEIGHT], CLOSED, { roll, hold: 2 }),
    waypoint([x, y, TRAVEL_HEIGHT], CLOSED, { roll }),
  ];
}

function dropInBox(): readonly Waypoint[] {
  const { x, y } = BOX_CENTRE;
  return [
    waypoint([x, y, TRAVEL_HEIGHT], CLOSED),
    waypoint([x, y, 0.05], CLOSED),
    waypoint([x, y, 0.05], OPEN, { hold: 1 }),
    waypoint([x, y, 0.09], OPEN, { hold: 1 }),
  ];
}

function putOnBlue(simulator: Simulator): readonly Waypoint[] {
  const [x, y] = simulator.cubePosition('blue');
  const roll = rollOnto(simulator, 'blue');
  const release = GRASP_HEIGHT + 2 * HALF_CUBE + 0.0015;
  return [
    waypoint([x, y, TRAVEL_HEIGHT], CLOSED, { roll, tolerance: 0.003 }),
    waypoint([x, y, release], CLOSED, { roll, speed: 0.5, tolerance: 0.0025 }),
    waypoint([x, y, release], 0.35, { roll, hold: 2 }),
    waypoint([x, y, 0.1], 0.45, { roll, hold: 1 }),
  ];
}

/** Stands behind the cube as seen from the goal and pushes in eight short legs, jaws closed. */
function pushToGoal(simulator: Simulator): readonly Waypoint[] {
  const [x, y] = simulator.cubePosition('red');
  const length = Math.hypot(GOAL_CENTRE.x - x, GOAL_CENTRE.y - y);
  const ux = (GOAL_CENTRE.x - x) / length;
  const uy = (GOAL_CENTRE.y - y) / length;
  /** From the cube's centre to the grip site when the jaws touch the cube. */
  const reach = HALF_CUBE + 0.0205;
  const direction = Math.atan2(uy, ux);
  const roll = (px: number, py: number) => wrap(bearing(px, py) - Math.PI / 2 - direction, Math.PI);
  const start = [x - ux * (reach + 0.015), y - uy * (reach + 0.015)] as const;
  const end = [GOAL_CENTRE.x - ux * reach, GOAL_CENTRE.y - uy * reach] as const;
  const legs = 8;
  const pushes = Array.from({ length: legs }, (_leg, index) => {
    const share = (index + 1) / legs;
    const px = start[0] + (end[0] - start[0]) * share;
    const py = start[1] + (end[1] - start[1]) * share;
    const tolerance = share < 1 ? 0.012 : 0.004;
    return waypoint([px, py, GRASP_HEIGHT], CLOSED, { roll: roll(px, py), speed: 0.4, tolerance });
  });
  const back: Point = [end[0] - ux * 0.02, end[1] - uy * 0.02, 0.06];
  return [
    waypoint([...start, 0.075], CLOSED, { roll: roll(...start) }),
    waypoint([...start, GRASP_HEIGHT], CLOSED, { roll: roll(...start), tolerance: 0.004 }),
    ...pushes,
    waypoint(back, CLOSED, { roll: roll(...end), hold: 3 }),
  ];
}

/** Angle of the line from the pan axis to a point on the table. */
function bearing(x: number, y: number): number {
  return Math.atan2(y, x - PAN_X);
}

/** Roll that lays the jaws along the nearest faces of a cube. */
function rollOnto(simulator: Simulator, cube: CubeName): number {
  const [x, y] = simulator.cubePosition(cube);
  const [r00 = 1, , , r10 = 0] = simulator.cubeRotation(cube);
  return -wrap(Math.atan2(r10, r00) - bearing(x, y), Math.PI / 4);
}

/** The same angle modulo twice `half`, within ±`half`. */
function wrap(angle: number, half: number): number {
  return angle - 2 * half * Math.round(angle / (2 * half));
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

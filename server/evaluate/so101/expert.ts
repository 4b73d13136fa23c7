import { clamp, solveJoints } from './inverse-kinematics';
import { BOX_CENTRE, GOAL_CENTRE, HALF_CUBE } from './scene';
import type { Point, Simulator } from './simulator';
import { fulfilled, STILL } from './tasks';

/** One stop on the way, in task space. */
interface Waypoint {
  readonly position: Point;
  readonly roll: number;
  /** Target of the gripper joint, radians. */
  readonly gripper: number;
  /** Share of the full joint speed. */
  readonly speed: number;
  /** Distance that counts as arrived, metres. */
  readonly tolerance: number;
  /** Whether the gripper waits until the hand has arrived. */
  readonly steady: boolean;
  /** Whether the red cube must be between the jaws; where it is not, the plan is made anew. */
  readonly carrying: boolean;
  /** Direction of a push, radians; the red cube must lie ahead, or the plan is made anew. */
  readonly pushing?: number;
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
/** A pushed cube whose centre lies farther than this from the line of the push has slipped, metres. */
const SLIPPED = 0.018;
/** A red cube whose centre is higher than this, with a jaw on it, is being carried. */
const CARRIED_HEIGHT = 0.05;
/** Steps that a target out of reach is held before the next waypoint. */
const STUCK_STEPS = 6;
/** x of the pan axis, about which the hand turns. */
const PAN_X = 0.0388;

/** A scripted demonstrator: sees the true poses, plans waypoints, follows them at limited speed. */
export class Expert {
  private readonly command: number[];
  private waypoints: readonly Waypoint[];
  private next = 0;
  private stuck = 0;

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
    if (this.mustReplan()) this.replan();
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
    const arrived = this.arrived(waypoint, goal);
    const gripper = this.command[5] ?? 0;
    if (arrived || !waypoint.steady) {
      this.command[5] = gripper + clamp(waypoint.gripper - gripper, -GRIPPER_SPEED, GRIPPER_SPEED);
    }
    if (arrived) this.advance(waypoint);
    return [...this.command];
  }

  /** A grasp that missed and a cube that fell can be seen: what comes next depends on that alone. */
  private mustReplan(): boolean {
    const { simulator } = this;
    const waypoint = this.waypoints[this.next];
    if (waypoint?.carrying === true) return !simulator.jawTouches('red');
    if (waypoint?.pushing !== undefined) return slipped(simulator, waypoint.pushing);
    if (!this.finished || fulfilled(simulator)) return false;
    return simulator.jawTouches('red') || simulator.cubeSpeed('red') < STILL;
  }

  private replan(): void {
    this.waypoints = planWaypoints(this.simulator);
    this.next = 0;
    this.stuck = 0;
  }

  private arrived({ position, tolerance }: Waypoint, goal: readonly number[]): boolean {
    const settled = goal.every(
      (angle, joint) => Math.abs(angle - (this.command[joint] ?? 0)) < 1e-6,
    );
    const away = distance(position, this.simulator.gripPosition());
    return away < tolerance || (settled && this.stuck++ >= STUCK_STEPS);
  }

  private advance(waypoint: Waypoint): void {
    if (Math.abs((this.command[5] ?? 0) - waypoint.gripper) > 1e-6) return;
    this.next++;
    this.stuck = 0;
  }
}

function planWaypoints(simulator: Simulator): readonly Waypoint[] {
  switch (simulator.task) {
    case 'pick_place':
      return carried(simulator) ? dropInBox() : graspRed(simulator);
    case 'push_cube':
      return pushToGoal(simulator);
    case 'stack_cube':
      return carried(simulator) ? putOnBlue(simulator) : graspRed(simulator);
  }
}

function waypoint(
  position: Point,
  gripper: number,
  options: Partial<Omit<Waypoint, 'position' | 'gripper'>> = {},
): Waypoint {
  return {
    position,
    gripper,
    roll: 0,
    speed: 1,
    tolerance: 0.006,
    steady: false,
    carrying: false,
    ...options,
  };
}

/**
 * Comes down beside the cube, the fixed jaw clear of its corners, and moves onto it while closing.
 * The hand stays unturned, and the jaws turn the cube: how a cube is turned can hardly be seen in
 * pictures of 64 pixels, and a policy cannot learn what it cannot see.
 */
function graspRed(simulator: Simulator): readonly Waypoint[] {
  const [x, y] = simulator.cubePosition('red');
  const heading = bearing(x, y);
  const aside: readonly [number, number] = [
    x + 0.012 * Math.sin(heading),
    y - 0.012 * Math.cos(heading),
  ];
  return [
    waypoint([...aside, 0.075], OPEN),
    waypoint([...aside, GRASP_HEIGHT], OPEN, { tolerance: 0.004, speed: 0.7 }),
    waypoint([x, y, GRASP_HEIGHT], CLOSED, { steady: true }),
    waypoint([x, y, TRAVEL_HEIGHT], CLOSED),
  ];
}

function dropInBox(): readonly Waypoint[] {
  const { x, y } = BOX_CENTRE;
  return [
    waypoint([x, y, TRAVEL_HEIGHT], CLOSED, { carrying: true }),
    waypoint([x, y, 0.05], CLOSED, { carrying: true }),
    waypoint([x, y, 0.05], OPEN, { steady: true }),
    waypoint([x, y, TRAVEL_HEIGHT], OPEN),
  ];
}

function carried(simulator: Simulator): boolean {
  return simulator.jawTouches('red') && simulator.cubePosition('red')[2] > CARRIED_HEIGHT;
}

/** Brings the red cube, which may lie askew between the jaws, over the blue one. */
function putOnBlue(simulator: Simulator): readonly Waypoint[] {
  const [bx, by] = simulator.cubePosition('blue');
  const [rx, ry] = simulator.cubePosition('red');
  const [gx, gy] = simulator.gripPosition();
  const [, , , , roll = 0] = simulator.joints();
  // The offset of the cube from the grip turns with the hand.
  const turn = bearing(bx, by) - (bearing(gx, gy) - roll);
  const x = bx - ((rx - gx) * Math.cos(turn) - (ry - gy) * Math.sin(turn));
  const y = by - ((rx - gx) * Math.sin(turn) + (ry - gy) * Math.cos(turn));
  const release = GRASP_HEIGHT + 2 * HALF_CUBE + 0.0015;
  return [
    waypoint([x, y, TRAVEL_HEIGHT], CLOSED, { tolerance: 0.003, carrying: true }),
    waypoint([x, y, release], CLOSED, { speed: 0.5, tolerance: 0.004, carrying: true }),
    waypoint([x, y, release], 0.35, { steady: true }),
    waypoint([x, y, TRAVEL_HEIGHT], 0.45),
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
    return waypoint([px, py, GRASP_HEIGHT], CLOSED, {
      roll: roll(px, py),
      speed: 0.4,
      tolerance,
      pushing: direction,
    });
  });
  const back: Point = [end[0] - ux * 0.02, end[1] - uy * 0.02, 0.06];
  return [
    waypoint([...start, 0.075], CLOSED, { roll: roll(...start) }),
    waypoint([...start, GRASP_HEIGHT], CLOSED, { roll: roll(...start), tolerance: 0.004 }),
    ...pushes,
    waypoint(back, CLOSED, { roll: roll(...end) }),
  ];
}

function slipped(simulator: Simulator, direction: number): boolean {
  const [x, y] = simulator.cubePosition('red');
  const [gx, gy] = simulator.gripPosition();
  return Math.abs((y - gy) * Math.cos(direction) - (x - gx) * Math.sin(direction)) > SLIPPED;
}

/** Angle of the line from the pan axis to a point on the table. */
function bearing(x: number, y: number): number {
  return Math.atan2(y, x - PAN_X);
}

/** The same angle modulo twice `half`, within ±`half`. */
function wrap(angle: number, half: number): number {
  return angle - 2 * half * Math.round(angle / (2 * half));
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

import type { DoubleBuffer, MainModule, MjData, MjModel } from '@mujoco/mujoco';
import { HALF_CUBE, HOME, JOINTS, SUBSTEPS, sceneXml, type CameraName, type Task } from './scene';

/** The physics engine, once per thread; 0.2 s to load. */
export type Mujoco = MainModule;

export async function loadMujoco(): Promise<Mujoco> {
  const { default: load } = await import('@mujoco/mujoco');
  return load();
}

/** Views into the engine's memory are untyped in its declarations, and die when the memory grows. */
export function floats(view: unknown): Float64Array {
  if (view instanceof Float64Array) return view;
  throw new TypeError('the simulator returned something other than float64 numbers');
}

export function singles(view: unknown): Float32Array {
  if (view instanceof Float32Array) return view;
  throw new TypeError('the simulator returned something other than float32 numbers');
}

export function integers(view: unknown): Int32Array {
  if (view instanceof Int32Array) return view;
  throw new TypeError('the simulator returned something other than integers');
}

export type CubeName = 'red' | 'blue';
export type Point = readonly [number, number, number];

/** Index of the first generalised position of each cube: six joints come first. */
const CUBE_ADDRESS: Readonly<Record<CubeName, number>> = {
  red: JOINTS.length,
  blue: JOINTS.length + 7,
};

/** Physics of one task's scene. Owns memory outside the JavaScript heap: call `dispose`. */
export class Simulator {
  readonly model: MjModel;
  readonly data: MjData;
  /** A second state for inverse kinematics, which must not touch the episode. */
  readonly scratch: MjData;
  /** Translation and rotation Jacobian of the grip site, `[3, nv]` each. */
  readonly translation: DoubleBuffer;
  readonly rotation: DoubleBuffer;
  readonly grip: number;
  private readonly jaws: readonly number[];

  constructor(
    readonly mujoco: Mujoco,
    readonly task: Task,
  ) {
    this.model = mujoco.MjModel.from_xml_string(sceneXml(task));
    this.data = new mujoco.MjData(this.model);
    this.scratch = new mujoco.MjData(this.model);
    this.translation = new mujoco.DoubleBuffer(3 * this.model.nv);
    this.rotation = new mujoco.DoubleBuffer(3 * this.model.nv);
    this.grip = this.id('mjOBJ_SITE', 'grip');
    this.jaws = [this.id('mjOBJ_GEOM', 'jaw_fixed'), this.id('mjOBJ_GEOM', 'jaw_moving')];
  }

  /** Puts everything into the state right after loading, then the arm at `joints`. */
  reset(joints: readonly number[] = HOME): void {
    this.mujoco.mj_resetData(this.model, this.data);
    joints.forEach((angle, joint) => {
      floats(this.data.qpos)[joint] = angle;
      floats(this.data.ctrl)[joint] = angle;
    });
  }

  /** Lays a cube flat on the table, turned by `yaw` radians; needs `settle` afterwards. */
  placeCube(cube: CubeName, pose: { x: number; y: number; yaw: number }): void {
    const half = pose.yaw / 2;
    const values = [pose.x, pose.y, HALF_CUBE + 1e-4, Math.cos(half), 0, 0, Math.sin(half)];
    floats(this.data.qpos).set(values, CUBE_ADDRESS[cube]);
  }

  colourCube(cube: CubeName, rgb: readonly number[]): void {
    singles(this.model.geom_rgba).set(rgb.slice(0, 3), 4 * this.id('mjOBJ_GEOM', cube));
  }

  cubeColour(cube: CubeName): number[] {
    const first = 4 * this.id('mjOBJ_GEOM', cube);
    return Array.from(singles(this.model.geom_rgba).subarray(first, first + 3));
  }

  /** Puts everything at these generalised positions; what follows from them is computed. */
  pose(positions: ArrayLike<number>): void {
    floats(this.data.qpos).set(positions);
    this.settle();
  }

  /** Computes everything that follows from the positions; no time passes. */
  settle(): void {
    this.mujoco.mj_forward(this.model, this.data);
  }

  /** One control step (50 ms) with joint targets in radians. */
  step(targets: ArrayLike<number>): void {
    const control = floats(this.data.ctrl);
    for (let joint = 0; joint < JOINTS.length; joint++) control[joint] = targets[joint] ?? 0;
    for (let substep = 0; substep < SUBSTEPS; substep++) {
      this.mujoco.mj_step(this.model, this.data);
    }
  }

  /** All generalised positions, copied. */
  positions(): Float64Array {
    return floats(this.data.qpos).slice();
  }

  /** Joint angles of the arm, radians, copied. */
  joints(): Float64Array {
    return floats(this.data.qpos).slice(0, JOINTS.length);
  }

  cubePosition(cube: CubeName): Point {
    const [x = 0, y = 0, z = 0] = floats(this.data.qpos).subarray(CUBE_ADDRESS[cube]);
    return [x, y, z];
  }

  /** Rotation matrix of a cube, row-major 3 × 3, as of the last `settle` or `step`. */
  cubeRotation(cube: CubeName): Float64Array {
    const body = this.id('mjOBJ_BODY', cube);
    return floats(this.data.xmat).slice(9 * body, 9 * body + 9);
  }

  /** Norm of a cube's six velocities (m/s and rad/s together). */
  cubeSpeed(cube: CubeName): number {
    const address = JOINTS.length + (cube === 'red' ? 0 : 6);
    return Math.hypot(...floats(this.data.qvel).subarray(address, address + 6));
  }

  gripPosition(): Point {
    const [x = 0, y = 0, z = 0] = floats(this.data.site_xpos).subarray(3 * this.grip);
    return [x, y, z];
  }

  /** Whether a jaw touches the cube. Every contact handed out must be given back to the engine. */
  jawTouches(cube: CubeName): boolean {
    if (this.data.ncon === 0) return false;
    const geom = this.id('mjOBJ_GEOM', cube);
    const contacts = this.data.contact;
    let touches = false;
    for (let index = 0; index < this.data.ncon && !touches; index++) {
      const contact = contacts.get(index);
      if (contact === undefined) continue;
      const { geom1, geom2 } = contact;
      contact.delete();
      touches =
        (geom1 === geom && this.jaws.includes(geom2)) ||
        (geom2 === geom && this.jaws.includes(geom1));
    }
    contacts.delete();
    return touches;
  }

  cameraId(camera: CameraName): number {
    return this.id('mjOBJ_CAMERA', camera);
  }

  dispose(): void {
    this.translation.delete();
    this.rotation.delete();
    this.scratch.delete();
    this.data.delete();
    this.model.delete();
  }

  private id(
    kind: 'mjOBJ_SITE' | 'mjOBJ_GEOM' | 'mjOBJ_BODY' | 'mjOBJ_CAMERA',
    name: string,
  ): number {
    const id = this.mujoco.mj_name2id(this.model, this.mujoco.mjtObj[kind].value, name);
    if (id < 0) throw new Error(`the scene of ${this.task} has no ${name}`);
    return id;
  }
}

import { JOINTS } from './scene';
import { floats, type Point, type Simulator } from './simulator';

/** Where the grip site should be and how the hand should stand. */
export interface GripPose {
  readonly position: Point;
  /** Sum of lift, elbow and wrist angles: π/2 points straight down. */
  readonly pitch: number;
  /** Angle of the wrist roll joint. */
  readonly roll: number;
}

const ARM_JOINTS = JOINTS.length - 1;
const ITERATIONS = 40;
/** Damping λ² of the least squares, and the largest change of a joint in one iteration (radians). */
const DAMPING = 1e-5;
const LARGEST_CHANGE = 0.3;
/** Angles count a tenth of a metre per radian against positions. */
const ANGLE_WEIGHT = 0.1;

/**
 * Joint angles (five, radians) that bring the grip site to a pose, by damped least squares
 * dq = Jᵀ (J Jᵀ + λ² 1)⁻¹ e, clamped to the joint ranges. Rows of J: position, pitch, roll. An
 * unreachable pose gives the nearest reachable one.
 */
export function solveJoints(
  simulator: Simulator,
  pose: GripPose,
  start: ArrayLike<number>,
): number[] {
  const joints = Array.from({ length: ARM_JOINTS }, (_value, joint) => start[joint] ?? 0);
  const ranges = floats(simulator.model.jnt_range);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const { jacobian, error, reached } = linearise(simulator, pose, joints);
    if (reached) break;
    const weights = solve(dampedGram(jacobian), error);
    for (let joint = 0; joint < ARM_JOINTS; joint++) {
      const change = jacobian.reduce(
        (sum, row, index) => sum + (row[joint] ?? 0) * (weights[index] ?? 0),
        0,
      );
      const moved = (joints[joint] ?? 0) + clamp(change, -LARGEST_CHANGE, LARGEST_CHANGE);
      joints[joint] = clamp(moved, ranges[2 * joint] ?? 0, ranges[2 * joint + 1] ?? 0);
    }
  }
  return joints;
}

function linearise(simulator: Simulator, pose: GripPose, joints: readonly number[]) {
  const { mujoco, model, scratch, translation, rotation, grip } = simulator;
  floats(scratch.qpos).set(joints);
  mujoco.mj_kinematics(model, scratch);
  mujoco.mj_comPos(model, scratch);
  mujoco.mj_jacSite(model, scratch, translation, rotation, grip);
  const full = floats(translation.GetView());
  const place = floats(scratch.site_xpos).subarray(3 * grip, 3 * grip + 3);
  const away = pose.position.map((target, axis) => target - (place[axis] ?? 0));
  const [, lift = 0, elbow = 0, wrist = 0, roll = 0] = joints;
  const pitchError = pose.pitch - (lift + elbow + wrist);
  const rollError = pose.roll - roll;
  const jacobian = [0, 1, 2].map((axis) =>
    joints.map((_angle, joint) => full[axis * model.nv + joint] ?? 0),
  );
  jacobian.push([0, ANGLE_WEIGHT, ANGLE_WEIGHT, ANGLE_WEIGHT, 0]);
  jacobian.push([0, 0, 0, 0, ANGLE_WEIGHT]);
  return {
    jacobian,
    error: [...away, ANGLE_WEIGHT * pitchError, ANGLE_WEIGHT * rollError],
    reached:
      Math.hypot(...away) < 2e-4 && Math.abs(pitchError) < 0.01 && Math.abs(rollError) < 0.01,
  };
}

function dampedGram(rows: readonly (readonly number[])[]): number[][] {
  return rows.map((a, i) =>
    rows.map(
      (b, j) =>
        a.reduce((sum, value, joint) => sum + value * (b[joint] ?? 0), 0) + (i === j ? DAMPING : 0),
    ),
  );
}

/** Solves a small positive definite system by Gauss–Jordan elimination; no pivoting is needed. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, index) => [...row, right[index] ?? 0]);
  rows.forEach((pivotRow, pivot) => {
    const lead = pivotRow[pivot] ?? 1;
    rows.forEach((row, index) => {
      if (index === pivot) return;
      const factor = (row[pivot] ?? 0) / lead;
      pivotRow.forEach((value, column) => {
        row[column] = (row[column] ?? 0) - factor * value;
      });
    });
  });
  return rows.map((row, index) => (row.at(-1) ?? 0) / (row[index] ?? 1));
}

export function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}

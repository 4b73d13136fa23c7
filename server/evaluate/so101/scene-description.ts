import type {
  Quaternion,
  SceneBody,
  SceneCamera,
  SceneDescription,
  SceneGeom,
  SceneJoint,
  Triple,
} from '../../protocol/episode';
import { floats, integers, singles, type Simulator } from './simulator';

/** The geometry of a simulator's scene as it stands, colours included, for a viewer. */
export function describeScene(simulator: Simulator): SceneDescription {
  const { model } = simulator;
  return {
    bodies: count(model.nbody).map((body) => describeBody(simulator, body)),
    cameras: count(model.ncam).map((camera) => describeCamera(simulator, camera)),
    positions: model.nq,
  };
}

function describeBody(simulator: Simulator, body: number): SceneBody {
  const { model, mujoco } = simulator;
  const joint = describeJoint(simulator, body);
  const bodyOf = integers(model.geom_bodyid);
  return {
    name: mujoco.mj_id2name(model, mujoco.mjtObj.mjOBJ_BODY.value, body),
    parent: body === 0 ? null : (integers(model.body_parentid)[body] ?? 0),
    position: triple(model.body_pos, body),
    quaternion: quaternion(model.body_quat, body),
    ...(joint && { joint }),
    geoms: count(model.ngeom)
      .filter((geom) => bodyOf[geom] === body)
      .map((geom) => describeGeom(simulator, geom)),
  };
}

function describeJoint(simulator: Simulator, body: number): SceneJoint | undefined {
  const { model, mujoco } = simulator;
  const joint = integers(model.body_jntadr)[body] ?? -1;
  if (joint < 0) return undefined;
  const name = mujoco.mj_id2name(model, mujoco.mjtObj.mjOBJ_JOINT.value, joint);
  const address = integers(model.jnt_qposadr)[joint] ?? 0;
  if (integers(model.jnt_type)[joint] === mujoco.mjtJoint.mjJNT_FREE.value) {
    return { kind: 'free', name, address };
  }
  return { kind: 'hinge', name, address, axis: triple(model.jnt_axis, joint) };
}

function describeGeom(simulator: Simulator, geom: number): SceneGeom {
  const { model, mujoco } = simulator;
  const type = integers(model.geom_type)[geom];
  const shape =
    type === mujoco.mjtGeom.mjGEOM_PLANE.value
      ? 'plane'
      : type === mujoco.mjtGeom.mjGEOM_BOX.value
        ? 'box'
        : 'cylinder';
  const [red = 0, green = 0, blue = 0, opacity = 1] = singles(model.geom_rgba).subarray(4 * geom);
  return {
    name: mujoco.mj_id2name(model, mujoco.mjtObj.mjOBJ_GEOM.value, geom),
    shape,
    size: triple(model.geom_size, geom),
    position: triple(model.geom_pos, geom),
    quaternion: quaternion(model.geom_quat, geom),
    colour: [rounded(red), rounded(green), rounded(blue), rounded(opacity)],
  };
}

function describeCamera(simulator: Simulator, camera: number): SceneCamera {
  const { model, mujoco } = simulator;
  return {
    name: mujoco.mj_id2name(model, mujoco.mjtObj.mjOBJ_CAMERA.value, camera),
    body: integers(model.cam_bodyid)[camera] ?? 0,
    position: triple(model.cam_pos, camera),
    quaternion: quaternion(model.cam_quat, camera),
    fovyDegrees: floats(model.cam_fovy)[camera] ?? 45,
  };
}

function count(length: number): number[] {
  return Array.from({ length }, (_value, index) => index);
}

function triple(view: unknown, index: number): Triple {
  const [x = 0, y = 0, z = 0] = floats(view).subarray(3 * index);
  return [rounded(x), rounded(y), rounded(z)];
}

function quaternion(view: unknown, index: number): Quaternion {
  const [w = 1, x = 0, y = 0, z = 0] = floats(view).subarray(4 * index);
  return [rounded(w), rounded(x), rounded(y), rounded(z)];
}

/** Six decimals: micrometres, and a short JSON. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

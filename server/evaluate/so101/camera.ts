import { castPicture, type PlacedGeom, type Shape } from '../camera/ray-caster';
import { floats, integers, singles, type Simulator } from './simulator';
import type { CameraName } from './scene';

/** What a camera of the simulator sees, as RGB bytes `[size, size, 3]`. */
export function renderCamera(simulator: Simulator, camera: CameraName, size: number): Uint8Array {
  const { data, model } = simulator;
  const id = simulator.cameraId(camera);
  const sight = {
    place: floats(data.cam_xpos).slice(3 * id, 3 * id + 3),
    rotation: floats(data.cam_xmat).slice(9 * id, 9 * id + 9),
    fovyDegrees: floats(model.cam_fovy)[id] ?? 45,
  };
  return castPicture(sight, geomsOf(simulator), size);
}

function geomsOf({ data, model, mujoco }: Simulator): PlacedGeom[] {
  const shapes = new Map<number, Shape>([
    [mujoco.mjtGeom.mjGEOM_PLANE.value, 'plane'],
    [mujoco.mjtGeom.mjGEOM_BOX.value, 'box'],
    [mujoco.mjtGeom.mjGEOM_CYLINDER.value, 'cylinder'],
  ]);
  return Array.from({ length: model.ngeom }, (_, geom) => {
    const shape = shapes.get(integers(model.geom_type)[geom] ?? -1);
    if (shape === undefined) throw new Error('the scene holds a shape the camera cannot draw');
    const [sx = 0, sy = 0, sz = 0] = floats(model.geom_size).subarray(3 * geom);
    const [red = 0, green = 0, blue = 0] = singles(model.geom_rgba).subarray(4 * geom);
    return {
      shape,
      centre: floats(data.geom_xpos).slice(3 * geom, 3 * geom + 3),
      rotation: floats(data.geom_xmat).slice(9 * geom, 9 * geom + 9),
      size: [sx, sy, sz],
      rgb: [red, green, blue],
    };
  });
}

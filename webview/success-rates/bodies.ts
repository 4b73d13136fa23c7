import type { BufferGeometry, Object3D } from 'three';
import {
  BoxGeometry,
  Color,
  CylinderGeometry,
  Group,
  Mesh,
  MeshLambertMaterial,
  PerspectiveCamera,
  PlaneGeometry,
  Quaternion,
  Vector3,
} from 'three';
import { castPicture } from '../../server/evaluate/camera/ray-caster';
import type {
  EpisodeRecording,
  SceneBody,
  SceneDescription,
  SceneGeom,
} from '../../server/protocol/episode';
import { decodePositions } from '../../server/protocol/episode';

/** Infinite planes are drawn as a square of this edge, in metres. */
const planeSize = 1.2;

/** The bodies of a recorded episode: they move as the recorded joint positions say, nothing is simulated. */
export class PosedBodies {
  readonly root = new Group();
  readonly cameras: ReadonlyMap<string, PerspectiveCamera>;
  private readonly bodies: readonly Group[];
  private readonly meshes: readonly (readonly [SceneGeom, Mesh])[];
  private readonly rows: readonly Float32Array[];

  constructor(private readonly recording: EpisodeRecording) {
    this.rows = decodePositions(recording) ?? [];
    const { bodies, cameras, meshes } = build(recording.scene, this.root);
    this.bodies = bodies;
    this.cameras = cameras;
    this.meshes = meshes;
  }

  pose(step: number): void {
    const row = this.rows[Math.min(this.rows.length - 1, Math.max(0, step))];
    if (!row) return;
    this.recording.scene.bodies.forEach((body, i) => {
      const group = this.bodies[i];
      if (group) moveBody(group, body, row);
    });
  }

  /** What a camera sees at a step, by the ray caster that drew the policy's own pictures; RGB bytes. */
  picture(name: string, step: number, size: number): Uint8Array | undefined {
    const camera = this.cameras.get(name);
    if (!camera) return undefined;
    this.pose(step);
    this.root.updateMatrixWorld(true);
    const geoms = this.meshes.map(([{ shape, size: half, colour }, mesh]) => {
      const { place: centre, rotation } = placeOf(mesh);
      return {
        shape,
        centre,
        rotation,
        size: half,
        rgb: [colour[0], colour[1], colour[2]],
      } as const;
    });
    return castPicture({ ...placeOf(camera), fovyDegrees: camera.fov }, geoms, size);
  }

  /** Where the loose bodies are at a step, for those who do not see them. */
  words(step: number): string {
    const [start, row] = [this.rows[0], this.rows[step]];
    if (!start || !row) return '';
    const loose = this.recording.scene.bodies.flatMap(({ name, joint }) =>
      joint?.kind === 'free' ? [{ name, address: joint.address }] : [],
    );
    return loose
      .map(({ name, address }) => {
        const moved = [0, 1, 2].map((i) => (row[address + i] ?? 0) - (start[address + i] ?? 0));
        const [x = 0, y = 0, z = 0] = moved;
        const centimetres = (metres: number) => String(Math.round(100 * metres));
        return `${name}: ${centimetres(Math.hypot(x, y))} centimetres from its start, ${centimetres(z)} above it.`;
      })
      .join(' ');
  }

  /** Where the last body of the arm's chain is over the whole episode. */
  gripperPath(): readonly Vector3[] {
    const arm = this.recording.scene.bodies.findLastIndex(({ joint }) => joint?.kind === 'hinge');
    const group = this.bodies[arm];
    if (!group) return [];
    return this.rows.map((_, step) => {
      this.pose(step);
      group.updateWorldMatrix(true, false);
      return group.localToWorld(new Vector3(0, 0, 0));
    });
  }
}

/** Place and rotation (row-major) in the world; three.js keeps its matrices by columns. */
function placeOf(object: Object3D): { place: Float64Array; rotation: Float64Array } {
  const e = object.matrixWorld.elements;
  return {
    place: Float64Array.of(e[12], e[13], e[14]),
    rotation: Float64Array.of(e[0], e[4], e[8], e[1], e[5], e[9], e[2], e[6], e[10]),
  };
}

function moveBody(group: Group, body: SceneBody, row: Float32Array): void {
  const { joint } = body;
  const at = (i: number) => row[i] ?? 0;
  if (!joint) return;
  if (joint.kind === 'free') {
    group.position.set(at(joint.address), at(joint.address + 1), at(joint.address + 2));
    const [w, x, y, z] = [3, 4, 5, 6].map((i) => at(joint.address + i));
    group.quaternion.set(x ?? 0, y ?? 0, z ?? 0, w ?? 1);
    return;
  }
  const turn = new Quaternion().setFromAxisAngle(
    new Vector3(...joint.axis).normalize(),
    at(joint.address),
  );
  group.quaternion.copy(quaternion(body.quaternion)).multiply(turn);
}

/** Ours has the real part first, three.js last. */
function quaternion([w, x, y, z]: readonly [number, number, number, number]): Quaternion {
  return new Quaternion(x, y, z, w);
}

function build(description: SceneDescription, root: Group) {
  const bodies: Group[] = [];
  const meshes: [SceneGeom, Mesh][] = [];
  for (const body of description.bodies) {
    const group = new Group();
    group.position.set(...body.position);
    group.quaternion.copy(quaternion(body.quaternion));
    for (const geom of body.geoms) {
      const mesh = meshOf(geom);
      group.add(mesh);
      meshes.push([geom, mesh]);
    }
    const parent = body.parent === null ? undefined : bodies[body.parent];
    (parent ?? root).add(group);
    bodies.push(group);
  }
  const cameras = new Map<string, PerspectiveCamera>();
  for (const { name, body, position, quaternion: q, fovyDegrees } of description.cameras) {
    const camera = new PerspectiveCamera(fovyDegrees, 1, 0.005, 10);
    camera.position.set(...position);
    camera.quaternion.copy(quaternion(q));
    (bodies[body] ?? root).add(camera);
    cameras.set(name, camera);
  }
  return { bodies, cameras, meshes };
}

function meshOf(geom: SceneGeom): Mesh {
  const [red, green, blue, opacity] = geom.colour;
  const material = new MeshLambertMaterial({
    color: new Color().setRGB(red, green, blue, 'srgb'),
    transparent: opacity < 1,
    opacity,
  });
  const mesh = new Mesh(geometryOf(geom), material);
  mesh.position.set(...geom.position);
  mesh.quaternion.copy(quaternion(geom.quaternion));
  return mesh;
}

function geometryOf({ shape, size }: SceneGeom): BufferGeometry {
  switch (shape) {
    case 'box':
      return new BoxGeometry(2 * size[0], 2 * size[1], 2 * size[2]);
    case 'cylinder':
      // three.js lays a cylinder along y, the recording along z.
      return new CylinderGeometry(size[0], size[0], 2 * size[1], 24).rotateX(Math.PI / 2);
    case 'plane':
      return new PlaneGeometry(planeSize, planeSize);
  }
}

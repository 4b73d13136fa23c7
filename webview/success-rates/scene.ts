import type { WebGLRenderer } from 'three';
import {
  AmbientLight,
  BoxGeometry,
  BufferGeometry,
  Color,
  CylinderGeometry,
  DirectionalLight,
  Group,
  Line,
  LineBasicMaterial,
  Mesh,
  MeshLambertMaterial,
  PerspectiveCamera,
  PlaneGeometry,
  Quaternion,
  Scene,
  Vector3,
} from 'three';
import { OrbitControls } from 'three/examples/jsm/controls/OrbitControls.js';
import type {
  EpisodeRecording,
  SceneBody,
  SceneDescription,
  SceneGeom,
} from '../../server/protocol/episode';
import { decodePositions } from '../../server/protocol/episode';
import type { Theme } from '../shared/theme';

/** Infinite planes are drawn as a square of this edge, in metres. */
const planeSize = 1.2;

/** A recorded episode in 3D: bodies move as the recorded joint positions say, nothing is simulated. */
export class ReplayScene {
  private readonly scene = new Scene();
  private readonly orbit = new PerspectiveCamera(40, 1, 0.01, 20);
  private readonly controls: OrbitControls;
  private readonly bodies: readonly Group[];
  private readonly cameras: ReadonlyMap<string, PerspectiveCamera>;
  private readonly trail: Line;
  private readonly path: readonly Vector3[];
  readonly steps: number;
  private readonly rows: readonly Float32Array[];
  private view = 'orbit';

  constructor(
    private readonly renderer: WebGLRenderer,
    private readonly recording: EpisodeRecording,
    theme: Theme,
  ) {
    this.rows = decodePositions(recording) ?? [];
    this.steps = Math.max(0, this.rows.length - 1);
    const { bodies, cameras } = build(recording.scene, this.scene);
    this.bodies = bodies;
    this.cameras = cameras;
    this.scene.background = new Color(theme.background);
    const sun = new DirectionalLight(0xffffff, 2.2);
    sun.position.set(-0.4, -0.6, 1.5);
    this.scene.add(new AmbientLight(0xffffff, 1.4), sun);
    this.orbit.up.set(0, 0, 1);
    this.orbit.position.set(0.58, -0.4, 0.32);
    this.controls = new OrbitControls(this.orbit, renderer.domElement);
    this.controls.target.set(0.15, 0.01, 0.08);
    this.controls.enableDamping = false;
    this.path = this.gripperPath();
    this.trail = new Line(
      new BufferGeometry().setFromPoints([...this.path]),
      new LineBasicMaterial({ color: theme.focus }),
    );
    this.scene.add(this.trail);
  }

  /** Names of the views: orbit, then the recorded cameras. */
  get views(): readonly string[] {
    return ['orbit', ...this.cameras.keys()];
  }

  show(view: string): void {
    this.view = this.cameras.has(view) ? view : 'orbit';
  }

  onTurn(draw: () => void): void {
    this.controls.addEventListener('change', draw);
  }

  setTheme(theme: Theme): void {
    this.scene.background = new Color(theme.background);
  }

  /** Draws one step into the renderer's canvas. */
  draw(step: number, width: number, height: number): void {
    this.pose(step);
    this.trail.geometry.setDrawRange(0, step + 1);
    const camera = this.cameras.get(this.view) ?? this.orbit;
    camera.aspect = width / Math.max(1, height);
    camera.updateProjectionMatrix();
    this.trail.visible = this.view === 'orbit';
    this.renderer.setSize(width, height, false);
    this.renderer.render(this.scene, camera);
  }

  /** What a recorded camera sees at a step: square, `size` pixels, as RGBA from the top. */
  snapshot(name: string, step: number, size: number): Uint8ClampedArray<ArrayBuffer> | undefined {
    const camera = this.cameras.get(name);
    if (!camera) return undefined;
    this.pose(step);
    this.trail.visible = false;
    camera.aspect = 1;
    camera.updateProjectionMatrix();
    this.renderer.setSize(size, size, false);
    this.renderer.render(this.scene, camera);
    const context = this.renderer.getContext();
    const flipped = new Uint8Array(size * size * 4);
    context.readPixels(0, 0, size, size, context.RGBA, context.UNSIGNED_BYTE, flipped);
    const upright = new Uint8ClampedArray(flipped.length);
    for (let row = 0; row < size; row += 1)
      upright.set(
        flipped.subarray((size - 1 - row) * size * 4, (size - row) * size * 4),
        row * size * 4,
      );
    return upright;
  }

  dispose(): void {
    this.controls.dispose();
    this.scene.traverse((object) => {
      if (object instanceof Mesh || object instanceof Line)
        (object.geometry as BufferGeometry).dispose();
    });
  }

  private pose(step: number): void {
    const row = this.rows[Math.min(this.steps, Math.max(0, step))];
    if (!row) return;
    this.recording.scene.bodies.forEach((body, i) => {
      const group = this.bodies[i];
      if (group) moveBody(group, body, row);
    });
  }

  /** Where the last body of the arm's chain is over the whole episode. */
  private gripperPath(): readonly Vector3[] {
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

function build(description: SceneDescription, scene: Scene) {
  const bodies: Group[] = [];
  for (const body of description.bodies) {
    const group = new Group();
    group.position.set(...body.position);
    group.quaternion.copy(quaternion(body.quaternion));
    for (const geom of body.geoms) group.add(meshOf(geom));
    const parent = body.parent === null ? undefined : bodies[body.parent];
    (parent ?? scene).add(group);
    bodies.push(group);
  }
  const cameras = new Map<string, PerspectiveCamera>();
  for (const { name, body, position, quaternion: q, fovyDegrees } of description.cameras) {
    const camera = new PerspectiveCamera(fovyDegrees, 1, 0.005, 10);
    camera.position.set(...position);
    camera.quaternion.copy(quaternion(q));
    (bodies[body] ?? scene).add(camera);
    cameras.set(name, camera);
  }
  return { bodies, cameras };
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

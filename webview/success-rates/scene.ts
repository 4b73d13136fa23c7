import type { BufferGeometry as Geometry, WebGLRenderer } from 'three';
import {
  AmbientLight,
  BufferGeometry,
  Color,
  DirectionalLight,
  Line,
  LineBasicMaterial,
  Mesh,
  PerspectiveCamera,
  Scene,
} from 'three';
import { OrbitControls } from 'three/examples/jsm/controls/OrbitControls.js';
import type { Theme } from '../shared/theme';
import type { PosedBodies } from './bodies';

/** A recorded episode in 3D: bodies move as the recorded joint positions say, nothing is simulated. */
export class ReplayScene {
  private readonly scene = new Scene();
  private readonly orbit = new PerspectiveCamera(40, 1, 0.01, 20);
  private readonly controls: OrbitControls;
  private readonly trail: Line;
  private view = 'orbit';

  constructor(
    private readonly renderer: WebGLRenderer,
    private readonly bodies: PosedBodies,
    theme: Theme,
  ) {
    this.scene.add(bodies.root);
    this.scene.background = new Color(theme.background);
    const sun = new DirectionalLight(0xffffff, 2.2);
    sun.position.set(-0.4, -0.6, 1.5);
    this.scene.add(new AmbientLight(0xffffff, 1.4), sun);
    this.orbit.up.set(0, 0, 1);
    this.orbit.position.set(0.58, -0.4, 0.32);
    this.controls = new OrbitControls(this.orbit, renderer.domElement);
    this.controls.target.set(0.15, 0.01, 0.08);
    this.controls.enableDamping = false;
    this.trail = new Line(
      new BufferGeometry().setFromPoints([...bodies.gripperPath()]),
      new LineBasicMaterial({ color: theme.focus }),
    );
    this.scene.add(this.trail);
  }

  /** Names of the views: orbit, then the recorded cameras. */
  get views(): readonly string[] {
    return ['orbit', ...this.bodies.cameras.keys()];
  }

  show(view: string): void {
    this.view = this.bodies.cameras.has(view) ? view : 'orbit';
  }

  onTurn(draw: () => void): void {
    this.controls.addEventListener('change', draw);
  }

  setTheme(theme: Theme): void {
    this.scene.background = new Color(theme.background);
  }

  /** Draws one step into the renderer's canvas. */
  draw(step: number, width: number, height: number): void {
    this.bodies.pose(step);
    this.trail.geometry.setDrawRange(0, step + 1);
    const camera = this.bodies.cameras.get(this.view) ?? this.orbit;
    camera.aspect = width / Math.max(1, height);
    camera.updateProjectionMatrix();
    this.trail.visible = this.view === 'orbit';
    this.renderer.setSize(width, height, false);
    this.renderer.render(this.scene, camera);
  }

  dispose(): void {
    this.controls.dispose();
    this.scene.traverse((object) => {
      if (object instanceof Mesh || object instanceof Line) (object.geometry as Geometry).dispose();
    });
  }
}

import { WebGLRenderer } from 'three';
import type { FromSuccessPanel, Replay } from '../../server/protocol/panels/success-rates';
import { segments, select } from '../shared/components';
import { eachFrame, fill, h } from '../shared/dom';
import { icon } from '../shared/icons';
import { reducedMotion } from '../shared/theme';
import type { Drawable } from '../shared/export';
import type { LiveRegion } from '../shared/tooltip';
import { PosedBodies } from './bodies';
import { JointsView } from './joints';
import type { SuccessModel } from './model';
import { ReplayCameras } from './replay-cameras';
import { ReplayTrack } from './replay-track';
import { ReplayScene } from './scene';

const speeds = ['0.25', '0.5', '1', '2', '4', '8'];

interface ReplayActions {
  readonly next: (direction: 1 | -1) => void;
  readonly toggleJoints: () => void;
  readonly post: (message: Extract<FromSuccessPanel, { type: 'copy' | 'export' }>) => void;
  readonly live: LiveRegion;
  readonly inLight: Drawable['inLight'];
}

/** Plays one recorded episode: orbit view, the cameras beside it, its steps, and its joints on demand. */
export class ReplayCard {
  readonly element = h('section', { class: 'card replay' });
  private readonly canvas = h('canvas', { class: 'replay-canvas', tabindex: 0, role: 'img' });
  private readonly stage = h('div', { class: 'replay-stage' }, this.canvas);
  private readonly heading = h('div', { class: 'heading' });
  private readonly cameras = new ReplayCameras();
  private readonly track: ReplayTrack;
  private readonly joints: JointsView;
  private readonly buttons = h('span', { class: 'replay-buttons' });
  private renderer: WebGLRenderer | undefined;
  private webgl = true;
  private scene: ReplayScene | undefined;
  private bodies: PosedBodies | undefined;
  private replay: Replay | undefined;
  private model: SuccessModel | undefined;
  private step = 0;
  private playing = false;
  private speed = 1;
  private view = 'orbit';
  private clock = 0;
  private readonly paint = eachFrame(() => {
    this.paintNow();
  });

  constructor(private readonly actions: ReplayActions) {
    const goTo = (step: number): void => {
      this.goTo(step);
    };
    this.track = new ReplayTrack(goTo);
    this.joints = new JointsView({ ...actions, goTo });
    this.element.append(
      this.heading,
      h('div', { class: 'replay-body' }, this.stage, this.cameras.element),
      h('div', { class: 'replay-controls' }, this.buttons, this.track.element),
      this.joints.element,
    );
    this.element.addEventListener('keydown', (event) => {
      this.keydown(event);
    });
    new ResizeObserver(this.paint).observe(this.stage);
  }

  draw(model: SuccessModel): void {
    this.model = model;
    const { replay, noReplay } = model.replayed ?? {};
    this.element.hidden = !replay && noReplay === undefined;
    if (replay && replay !== this.replay) this.load(replay);
    if (!replay) this.unload();
    this.scene?.setTheme(model.theme);
    this.drawHeading();
    this.joints.element.hidden = !model.joints || !replay;
    if (replay && model.joints) this.joints.draw(replay.recording, model.theme, model.twin);
    this.paint();
  }

  private load(replay: Replay): void {
    this.unload();
    this.replay = replay;
    this.step = 0;
    this.renderer ??= this.makeRenderer();
    this.bodies = new PosedBodies(replay.recording);
    if (this.renderer && this.model)
      this.scene = new ReplayScene(this.renderer, this.bodies, this.model.theme);
    this.scene?.onTurn(this.paint);
    this.scene?.show(this.view);
    this.track.show(replay);
    this.playing = !reducedMotion();
    this.clock = performance.now();
    if (this.playing) this.tick();
  }

  private unload(): void {
    this.scene?.dispose();
    this.scene = undefined;
    this.bodies = undefined;
    this.replay = undefined;
    this.playing = false;
  }

  /** Without WebGL the cameras and the scrubber are left; that is said once. */
  private makeRenderer(): WebGLRenderer | undefined {
    try {
      const renderer = new WebGLRenderer({
        canvas: this.canvas,
        antialias: true,
        preserveDrawingBuffer: true,
      });
      renderer.setPixelRatio(1);
      return renderer;
    } catch {
      this.webgl = false;
      return undefined;
    }
  }

  private drawHeading(): void {
    const recording = this.replay?.recording;
    const facts = recording ? this.facts(recording) : (this.model?.replayed?.noReplay ?? '');
    fill(
      this.heading,
      h('h2', {}, 'Replay'),
      h('span', { class: 'secondary' }, facts),
      this.webgl
        ? null
        : h('span', { class: 'secondary' }, 'No WebGL here: cameras and steps only.'),
      h('span', { class: 'end' }, this.viewChoice(), ...(recording ? this.choices() : [])),
    );
    this.drawButtons();
  }

  private facts(recording: Replay['recording']): string {
    const end = recording.success ? 'success' : recording.reason;
    const calls = recording.calls ? '' : ' · policy calls not recorded';
    return `seed ${String(recording.seed)} · step ${String(this.step)} of ${String(recording.steps)} · ${end}${calls}`;
  }

  private viewChoice(): HTMLElement | null {
    const views = this.scene?.views ?? [];
    if (views.length < 2) return null;
    return segments(
      'View',
      views.map((view) => ({ value: view, label: view })),
      this.view,
      (view) => {
        this.setView(view);
      },
    );
  }

  private choices(): readonly HTMLElement[] {
    const joints = h(
      'button',
      {
        class: 'plain',
        type: 'button',
        'aria-label': 'Joint targets against reached',
        title: 'Joint targets against reached (J)',
        'aria-pressed': String(this.model?.joints === true),
        click: this.actions.toggleJoints,
      },
      icon('chart'),
    );
    const choices = speeds.map((value) => ({ value, label: `${value}×` }));
    const speed = select('Speed', choices, String(this.speed), (value) => {
      this.speed = Number(value);
    });
    return [joints, speed];
  }

  private drawButtons(): void {
    const control = (name: 'back' | 'pause' | 'play' | 'forward', title: string, run: () => void) =>
      h(
        'button',
        { class: 'plain', type: 'button', title, 'aria-label': title, click: run },
        icon(name),
      );
    fill(
      this.buttons,
      control('back', 'One step back (←)', () => {
        this.goTo(this.step - 1);
      }),
      control(
        this.playing ? 'pause' : 'play',
        this.playing ? 'Pause (Space)' : 'Play (Space)',
        () => {
          this.toggle();
        },
      ),
      control('forward', 'One step on (→)', () => {
        this.goTo(this.step + 1);
      }),
    );
  }

  private setView(view: string): void {
    this.view = view;
    this.scene?.show(view);
    this.drawHeading();
    this.paint();
  }

  private toggle(): void {
    const steps = this.replay?.recording.steps ?? 0;
    if (!this.playing && this.step >= steps) this.step = 0;
    this.playing = !this.playing;
    this.clock = performance.now();
    this.drawHeading();
    if (this.playing) this.tick();
  }

  private tick(): void {
    requestAnimationFrame((now) => {
      const recording = this.replay?.recording;
      if (!this.playing || !recording) return;
      const ahead = Math.floor(((now - this.clock) / 1000) * recording.controlHz * this.speed);
      if (ahead > 0) {
        this.clock = now;
        this.setStep(this.step + ahead);
      }
      if (this.step >= recording.steps) {
        this.playing = false;
        this.drawHeading();
      } else this.tick();
    });
  }

  /** By hand: pauses. */
  private goTo(step: number): void {
    this.playing = false;
    this.setStep(step);
    this.drawHeading();
  }

  /** Every event that is passed is said, with what the scene looks like then. */
  private setStep(step: number): void {
    const { events = [], recording } = this.replay ?? {};
    const next = Math.min(recording?.steps ?? 0, Math.max(0, step));
    const passed = events.filter((event) => event.step > this.step && event.step <= next);
    this.step = next;
    if (passed.length > 0)
      this.actions.live.say(
        [
          ...passed.map((event) => `Step ${String(event.step)}: ${event.name}.`),
          this.bodies?.words(next) ?? '',
        ].join(' '),
      );
    else if (!this.playing) this.joints.say(next);
    this.paint();
  }

  private paintNow(): void {
    const { replay, bodies, step } = this;
    if (!replay || !bodies) return;
    const { recording } = replay;
    this.track.moveTo(step, replay);
    this.joints.moveTo(step);
    const facts = this.heading.querySelector('.secondary');
    if (facts) facts.textContent = this.facts(recording);
    this.canvas.setAttribute(
      'aria-label',
      `Episode with seed ${String(recording.seed)}, ${recording.task}, step ${String(step)} of ${String(recording.steps)}. ${bodies.words(step)}`,
    );
    this.cameras.draw(replay, bodies, step);
    const width = this.stage.clientWidth;
    if (this.scene && width > 0) this.scene.draw(step, width, Math.round(width * 0.62));
  }

  private keydown(event: KeyboardEvent): void {
    const control = event.target instanceof Element ? event.target : this.element;
    if (control.closest('vscode-single-select, .segments')) return;
    // A button does what it says.
    if (event.key === ' ' && control.closest('button')) return;
    const run = this.keys(event.shiftKey ? 10 : 1)[event.key];
    if (!run || event.ctrlKey || event.metaKey) return;
    run();
    event.preventDefault();
  }

  private keys(big: number): Readonly<Record<string, () => void>> {
    const { recording, events = [] } = this.replay ?? {};
    const view = (i: number) => {
      this.setView(this.scene?.views[i] ?? 'orbit');
    };
    return {
      ' ': () => {
        this.toggle();
      },
      ArrowLeft: () => {
        this.goTo(this.step - big);
      },
      ArrowRight: () => {
        this.goTo(this.step + big);
      },
      Home: () => {
        this.goTo(0);
      },
      End: () => {
        this.goTo(recording?.steps ?? 0);
      },
      e: () => {
        this.goTo(events.find(({ step }) => step > this.step)?.step ?? this.step);
      },
      j: this.actions.toggleJoints,
      n: () => {
        this.actions.next(1);
      },
      p: () => {
        this.actions.next(-1);
      },
      1: () => {
        view(0);
      },
      2: () => {
        view(1);
      },
      3: () => {
        view(2);
      },
    };
  }
}

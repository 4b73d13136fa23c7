import { WebGLRenderer } from 'three';
import type { Replay } from '../../server/protocol/panels/success-rates';
import { segments, select } from '../shared/components';
import { eachFrame, fill, h, styled } from '../shared/dom';
import { icon } from '../shared/icons';
import { reducedMotion } from '../shared/theme';
import type { LiveRegion } from '../shared/tooltip';
import type { SuccessModel } from './model';
import { PosedBodies } from './bodies';
import { ReplayScene } from './scene';

const speeds = ['0.25', '0.5', '1', '2', '4', '8'];
/** Edge of a camera picture where the recording does not say what the policy was given. */
const cameraSize = 64;

/** Plays one recorded episode: orbit view, the cameras beside it, a scrubber with named events. */
export class ReplayCard {
  readonly element = h('section', { class: 'card replay' });
  private readonly canvas = h('canvas', { class: 'replay-canvas', tabindex: 0, role: 'img' });
  private readonly stage = h('div', { class: 'replay-stage' }, this.canvas);
  private readonly heading = h('div', { class: 'heading' });
  private readonly cameras = h('div', { class: 'replay-cameras' });
  private readonly controls = h('div', { class: 'replay-controls' });
  private readonly scrubber = h('input', { type: 'range', min: 0, step: 1, 'aria-label': 'Step' });
  private readonly marks = h('div', { class: 'replay-marks', 'aria-hidden': 'true' });
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

  constructor(
    private readonly actions: {
      readonly next: (direction: 1 | -1) => void;
      readonly live: LiveRegion;
    },
  ) {
    const track = h('div', { class: 'replay-track' }, this.scrubber, this.marks);
    this.controls.append(this.buttons, track);
    this.element.append(
      this.heading,
      h('div', { class: 'replay-body' }, this.stage, this.cameras),
      this.controls,
    );
    this.scrubber.addEventListener('input', () => {
      this.goTo(Number(this.scrubber.value));
    });
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
    this.drawMarks();
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
    fill(this.cameras);
    this.scene?.onTurn(this.paint);
    this.scene?.show(this.view);
    this.scrubber.max = String(replay.recording.steps);
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
      h('span', { class: 'end' }, this.viewChoice(), recording ? this.speedChoice() : null),
    );
    this.drawButtons();
  }

  private facts(recording: Replay['recording']): string {
    const end = recording.success ? 'success' : recording.reason;
    return `seed ${String(recording.seed)} · step ${String(this.step)} of ${String(recording.steps)} · ${end}`;
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

  private speedChoice(): HTMLElement {
    const choices = speeds.map((value) => ({ value, label: `${value}×` }));
    return select('Speed', choices, String(this.speed), (value) => {
      this.speed = Number(value);
    });
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

  private drawMarks(): void {
    const steps = this.replay?.recording.steps ?? 1;
    const events = this.replay?.events ?? [];
    fill(
      this.marks,
      ...events.map(({ step, name, bad }) => {
        // Words of late events stand before their mark, where there is room.
        const late = step > 0.6 * steps ? 'late' : '';
        const kind = `replay-event small ${bad ? 'bad' : ''} ${late}`;
        const label = h('span', { class: 'replay-event-name', title: name }, name);
        return styled(h('span', { class: kind }, h('i'), label), {
          left: `${String((100 * step) / steps)}%`,
        });
      }),
      events.some(({ step }) => step > 0.9 * steps)
        ? null
        : h('span', { class: 'replay-end small' }, String(steps)),
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

  private setStep(step: number): void {
    const { events = [], recording } = this.replay ?? {};
    const next = Math.min(recording?.steps ?? 0, Math.max(0, step));
    const passed = events.find((event) => event.step > this.step && event.step <= next);
    if (passed) this.actions.live.say(`Step ${String(passed.step)}: ${passed.name}`);
    this.step = next;
    this.paint();
  }

  private paintNow(): void {
    const recording = this.replay?.recording;
    if (!recording) return;
    this.scrubber.value = String(this.step);
    styled(this.scrubber, {
      '--filled': `${String((100 * this.step) / Math.max(1, recording.steps))}%`,
    });
    const facts = this.heading.querySelector('.secondary');
    if (facts) facts.textContent = this.facts(recording);
    this.canvas.setAttribute(
      'aria-label',
      `Episode with seed ${String(recording.seed)}, ${recording.task}, step ${String(this.step)} of ${String(recording.steps)}`,
    );
    this.paintCameras();
    const width = this.stage.clientWidth;
    if (this.scene && width > 0) this.scene.draw(this.step, width, Math.round(width * 0.62));
  }

  /** Pictures that were kept, otherwise the recorded states under the camera that drew the policy's own. */
  private paintCameras(): void {
    const { frames = [], recording } = this.replay ?? {};
    const names =
      frames.length > 0
        ? frames.map(({ camera }) => camera)
        : [...(this.bodies?.cameras.keys() ?? [])];
    if (this.cameras.children.length !== names.length) this.makeCameras(names);
    const edge = recording?.imageSize ?? cameraSize;
    names.forEach((name, i) => {
      const canvas = this.cameras.children[i]?.querySelector('canvas');
      const context = canvas?.getContext('2d');
      const kept = frames[i] ? keptFrame(frames[i], this.step) : undefined;
      const rgb = kept ?? this.bodies?.picture(name, this.step, edge);
      if (!canvas || !context || !rgb) return;
      const size = Math.round(Math.sqrt(rgb.length / 3));
      canvas.width = canvas.height = size;
      context.putImageData(new ImageData(withOpacity(rgb), size, size), 0, 0);
    });
  }

  private makeCameras(names: readonly string[]): void {
    const { frames = [], recording } = this.replay ?? {};
    const known = frames[0]?.size ?? recording?.imageSize;
    const caption = `${String(known ?? cameraSize)} px ${known === undefined ? 'drawn again' : 'as seen'}`;
    fill(
      this.cameras,
      ...names.map((name) =>
        h(
          'figure',
          {},
          h('canvas', { class: 'camera', role: 'img', 'aria-label': `Camera ${name}` }),
          h('figcaption', { class: 'secondary' }, `${name} · ${caption}`),
        ),
      ),
    );
  }

  private keydown(event: KeyboardEvent): void {
    if (event.target instanceof Element && event.target.closest('vscode-single-select, .segments'))
      return;
    const { recording, events = [] } = this.replay ?? {};
    const big = event.shiftKey ? 10 : 1;
    const view = (i: number) => {
      this.setView(this.scene?.views[i] ?? 'orbit');
    };
    const keys: Readonly<Record<string, () => void>> = {
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
    const run = keys[event.key];
    if (!run || event.ctrlKey || event.metaKey) return;
    run();
    event.preventDefault();
  }
}

/** The newest kept picture at or before a step, as RGB bytes. */
function keptFrame({ steps, size, pixels }: Replay['frames'][number], step: number) {
  const place = steps.findLastIndex((at) => at <= step);
  const count = size * size * 3;
  if (place < 0 || pixels.length < (place + 1) * count) return undefined;
  return pixels.subarray(place * count, (place + 1) * count);
}

function withOpacity(rgb: Uint8Array): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray((rgb.length / 3) * 4).fill(255);
  for (let i = 0; i < rgb.length / 3; i += 1)
    for (let c = 0; c < 3; c += 1) pixels[4 * i + c] = rgb[3 * i + c] ?? 0;
  return pixels;
}

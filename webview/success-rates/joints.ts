import type { EpisodeRecording } from '../../server/protocol/episode';
import type { FromSuccessPanel } from '../../server/protocol/panels/success-rates';
import type { AnyDataset, Overlay } from '../shared/chart';
import { baseOptions, Picture } from '../shared/chart';
import { Drawn, fill, h, s } from '../shared/dom';
import { dateToday, exportMenu, type Drawable } from '../shared/export';
import type { Theme } from '../shared/theme';
import type { LiveRegion } from '../shared/tooltip';
import { TwinCard, twinsAsCsv } from '../shared/twin';
import type { JointCurve } from './joint-data';
import {
  angle,
  jointCurves,
  jointSentence,
  jointsTitle,
  jointSummary,
  jointTwin,
  reachedAt,
  targetAt,
} from './joint-data';

interface JointTools {
  readonly goTo: (step: number) => void;
  readonly post: (message: Extract<FromSuccessPanel, { type: 'copy' | 'export' }>) => void;
  readonly live: LiveRegion;
  readonly inLight: Drawable['inLight'];
}

/** One joint's small chart and the two numbers at the present step. */
interface Small {
  readonly curve: JointCurve;
  readonly element: HTMLElement;
  readonly picture: Picture;
  readonly reached: HTMLElement;
  readonly target: HTMLElement;
}

const targetDash = [4, 3];

/** Joint targets against what was reached, one small chart a joint, with the present step as crosshair. */
export class JointsView {
  private readonly charts = h('div', {
    class: 'joint-charts',
    role: 'group',
    tabindex: 0,
    'aria-label': 'Joint targets against reached angles, arrows move the step and choose the joint',
  });
  private readonly heading = h('div', { class: 'heading' });
  private readonly twin: TwinCard;
  readonly element = h('div', { class: 'joints', hidden: true });
  private readonly drawn = new Drawn();
  private readonly headed = new Drawn();
  private smalls: readonly Small[] = [];
  private joint = 0;
  private step = 0;

  constructor(private readonly tools: JointTools) {
    this.twin = new TwinCard((text) => {
      tools.post({ type: 'copy', text });
    });
    this.charts.addEventListener('keydown', (event) => {
      const move = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!move) return;
      this.choose(this.joint + move);
      event.preventDefault();
    });
    this.charts.addEventListener('focus', () => {
      this.choose(this.joint);
    });
  }

  /** What stands still while an episode plays. */
  draw(recording: EpisodeRecording, theme: Theme, asTable: boolean): void {
    if (this.headed.differs(recording, theme, asTable)) this.drawHeading(recording, theme, asTable);
    fill(this.element, this.heading, asTable ? this.twin.element : this.charts);
    if (asTable) this.twin.draw([jointTwin(recording)]);
    else if (this.drawn.differs(recording, theme)) this.drawCharts(recording, theme);
    this.moveTo(this.step);
  }

  /** The crosshair and the numbers beside the names. */
  moveTo(step: number): void {
    this.step = step;
    for (const { curve, picture, reached, target } of this.smalls) {
      reached.textContent = angle(reachedAt(curve, step));
      target.textContent = curve.targets ? angle(targetAt(curve, step)) : '';
      picture.redraw();
    }
  }

  /** Speaks the joint that the keyboard is at; not while an episode plays. */
  say(step: number): void {
    const chosen = this.smalls[this.joint];
    if (chosen && document.activeElement === this.charts)
      this.tools.live.say(jointSentence(chosen.curve, step));
  }

  private choose(joint: number): void {
    this.joint = Math.max(0, Math.min(this.smalls.length - 1, joint));
    this.smalls.forEach(({ element }, i) => element.classList.toggle('chosen', i === this.joint));
    this.say(this.step);
  }

  private drawHeading(recording: EpisodeRecording, theme: Theme, asTable: boolean): void {
    const { task, seed, steps } = recording;
    const csv = () => twinsAsCsv([jointTwin(recording)]);
    const legend = () =>
      h(
        'span',
        { class: 'legend secondary' },
        h('span', {}, lineKey(theme.foreground), 'reached'),
        h('span', {}, lineKey(theme.muted, targetDash), 'target'),
      );
    fill(
      this.heading,
      h('h2', {}, jointsTitle),
      recording.targets === undefined
        ? h('span', { class: 'secondary' }, 'reached; this recording holds no targets')
        : asTable
          ? null
          : legend(),
      h(
        'span',
        { class: 'end' },
        exportMenu(
          {
            name: `joints-${task}-${String(seed)}`,
            page: { main: this.element, inLight: this.tools.inLight },
            csv,
            footer: () =>
              `${task} · seed ${String(seed)} · ${String(steps)} steps · degrees · ${dateToday()}`,
          },
          this.tools.post,
        ),
      ),
    );
  }

  private drawCharts(recording: EpisodeRecording, theme: Theme): void {
    for (const { picture } of this.smalls) picture.destroy();
    this.smalls = jointCurves(recording).map((curve) => this.small(curve));
    fill(this.charts, ...this.smalls.map(({ element }) => element));
    for (const { curve, picture } of this.smalls)
      picture.show(
        {
          type: 'line',
          data: { datasets: datasetsOf(curve, theme) },
          options: baseOptions(theme, {
            x: { min: 0, max: Math.max(1, recording.steps), grid: false, show: false },
            y: axisOf(curve),
          }),
          overlays: [this.crosshair(theme)],
        },
        jointSummary(curve),
      );
  }

  private small(curve: JointCurve): Small {
    const picture = new Picture('joint');
    const reached = h('strong');
    const target = h('span', { class: 'secondary' });
    const caption = h('figcaption', {}, h('span', {}, curve.name), reached, target);
    const element = h('figure', {}, caption, picture.element);
    const follow = (event: PointerEvent) => {
      if (event.buttons === 1) this.tools.goTo(Math.round(picture.value('x', event.offsetX)));
    };
    picture.canvas.addEventListener('pointerdown', follow);
    picture.canvas.addEventListener('pointermove', follow);
    return { curve, element, picture, reached, target };
  }

  private crosshair(theme: Theme): Overlay {
    return (context, { scales: { x }, chartArea }) => {
      if (!x) return;
      const at = x.getPixelForValue(this.step);
      context.strokeStyle = theme.focus;
      context.lineWidth = 1.5;
      context.beginPath();
      context.moveTo(at, chartArea.top);
      context.lineTo(at, chartArea.bottom);
      context.stroke();
    };
  }
}

function datasetsOf({ reached, targets = [] }: JointCurve, theme: Theme): AnyDataset[] {
  // A target is in force until the next one: a stair that ends with the episode.
  const last = targets.at(-1);
  const told = last === undefined ? [] : [...targets, last];
  const line = (values: readonly number[]) => values.map((y, x) => ({ x, y }));
  return [
    {
      type: 'line',
      data: line(told),
      stepped: true,
      pointRadius: 0,
      borderColor: theme.muted,
      borderWidth: 1.25,
      borderDash: targetDash,
    },
    {
      type: 'line',
      data: line(reached),
      pointRadius: 0,
      borderColor: theme.foreground,
      borderWidth: 1.5,
    },
  ];
}

/** Whole tens of degrees around all that is drawn, at least forty. */
function axisOf({ reached, targets = [] }: JointCurve) {
  const values = [...reached, ...targets].filter(Number.isFinite);
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  if (values.length === 0) return { min: -20, max: 20, step: 20 };
  const middle = (low + high) / 2;
  const min = 10 * Math.floor(Math.min(low, middle - 20) / 10);
  const max = 10 * Math.ceil(Math.max(high, middle + 20) / 10);
  return { min, max, step: (max - min) / 2, label: (value: number) => `${String(value)}°` };
}

function lineKey(colour: string, dash: readonly number[] = []): SVGSVGElement {
  const stroke = {
    stroke: colour,
    'stroke-width': 1.5,
    'stroke-dasharray': dash.join(' ') || null,
  };
  return s(
    'svg',
    { width: 22, height: 10, 'aria-hidden': 'true' },
    s('line', { x1: 0, y1: 5, x2: 22, y2: 5, ...stroke }),
  );
}

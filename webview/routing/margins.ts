import type { RoutedEpisode, RoutedSet } from '../../server/protocol/panels/routing';
import type { AnyDataset, Overlay } from '../shared/chart';
import { baseOptions, Picture } from '../shared/chart';
import { withAlpha } from '../shared/colours';
import { segments } from '../shared/components';
import { Drawn, fill, h, styled } from '../shared/dom';
import { shorten, signed } from '../shared/format';
import { markerOf, taskMark } from '../shared/tasks';
import type { LiveRegion, Tooltip } from '../shared/tooltip';
import type { RoutingActions, RoutingModel } from './model';
import { setOf } from './model';

/** Above this the marks of right routes would be a solid block: they become a histogram. */
const mostMarks = 400;
const bins = 110;
/** Pixels from a mark within which it is meant. */
const reach = 12;

/** A place on the chart: x in units of the score, y in rows from below. */
interface PlacedMark {
  readonly x: number;
  readonly y: number;
  readonly episode: RoutedEpisode;
}

/** One mark an episode, stacked so that none hides another; the wrong side is tinted and crossed. */
export class MarginsCard {
  readonly element = h('section', { class: 'card margins' });
  private readonly picture = new Picture('margin-picture');
  private placed: readonly PlacedMark[] = [];
  private mark = 0;
  private readonly drawn = new Drawn();
  private model: RoutingModel | undefined;

  constructor(
    private readonly actions: RoutingActions,
    private readonly tools: { readonly tooltip: Tooltip; readonly live: LiveRegion },
  ) {
    const { canvas } = this.picture;
    canvas.tabIndex = 0;
    canvas.addEventListener('pointermove', (event) => {
      const near = this.nearest(event);
      if (near === undefined) this.tools.tooltip.hide();
      else this.show(near);
    });
    canvas.addEventListener('pointerleave', () => {
      this.tools.tooltip.hide();
    });
    canvas.addEventListener('blur', () => {
      this.tools.tooltip.hide();
      this.picture.redraw();
    });
    canvas.addEventListener('focus', () => {
      this.move(this.mark);
    });
    canvas.addEventListener('click', (event) => {
      const near = this.nearest(event);
      if (near !== undefined) this.open(near);
    });
    canvas.addEventListener('keydown', (event) => {
      this.keydown(event);
    });
  }

  draw(model: RoutingModel): void {
    this.model = model;
    const set = setOf(model, model.margins);
    this.element.hidden = !set;
    if (!set) return;
    const { tasks, frame } = model.snapshot;
    const values = set.episodes.map(({ routed, margin }) => `${String(routed)} ${String(margin)}`);
    if (!this.drawn.differs(values.join(), tasks.join(), model.margins, frame, model.theme)) return;
    const what = set.episodes.length > mostMarks ? 'crosses routed wrong' : 'one mark an episode';
    fill(
      this.element,
      h(
        'div',
        { class: 'heading' },
        h('h2', {}, 'How clear the decision was'),
        h('span', { class: 'secondary' }, `${model.margins} pairing · ${what}`),
        h('span', { class: 'end' }, this.pairings(model)),
      ),
      h(
        'div',
        { class: 'margin-body' },
        styled(
          h(
            'div',
            { class: 'margin-names' },
            ...tasks.map((task) => h('span', { title: task }, shorten(task, 14))),
          ),
          { '--rows': String(tasks.length) },
        ),
        styled(this.picture.element, {
          height: `${String(Math.max(100, 22 + 46 * tasks.length))}px`,
        }),
      ),
      h(
        'p',
        { class: 'secondary small axis-title' },
        h('span', {}, '← routed wrong'),
        h('span', {}, 'margin r(true) − best other →'),
      ),
    );
    this.chart(model, set);
  }

  private pairings({ margins }: RoutingModel): HTMLElement {
    const choices = (['same', 'crossed'] as const).map((value) => ({ value, label: value }));
    return segments('Pairing', choices, margins, (value) => {
      this.actions.setMargins(value === 'crossed' ? 'crossed' : 'same');
    });
  }

  private chart(model: RoutingModel, { episodes }: RoutedSet): void {
    const { tasks } = model.snapshot;
    const values = episodes.map(({ margin }) => margin);
    const low = Math.min(-0.5, ...values);
    const high = Math.max(0.5, ...values);
    const bin = (high - low) / bins;
    const many = episodes.length > mostMarks;
    const marked = many ? episodes.filter(({ truth, routed }) => truth !== routed) : episodes;
    this.placed = stack(marked, tasks.length, bin).sort((a, b) => b.y - a.y || a.x - b.x);
    this.mark = Math.min(this.mark, Math.max(0, this.placed.length - 1));
    const wrong = values.filter((value) => value < 0).length;
    this.picture.show(
      {
        type: 'scatter',
        data: { datasets: tasks.flatMap((_, task) => this.datasets(model, task)) },
        options: baseOptions(model.theme, {
          x: {
            min: Math.floor(low * 2) / 2,
            max: Math.ceil(high * 2) / 2,
            label: (x) => signed(x, Number.isInteger(x) ? 0 : 1),
          },
          y: { min: -0.5, max: tasks.length - 0.5, show: false, grid: false },
        }),
        overlays: [
          zeroLine(model),
          ...(many ? [histogram(model, episodes, bin)] : []),
          this.rings(model),
        ],
      },
      `Margins of ${String(episodes.length)} episodes, ${String(wrong)} on the wrong side`,
    );
  }

  /** Marks of one task: its own marker where the route was right, crosses where it was not. */
  private datasets({ theme }: RoutingModel, task: number): AnyDataset[] {
    const mark = taskMark(theme, task);
    const own = this.placed.filter(({ episode }) => episode.truth === task);
    const at = (isRight: boolean) =>
      own
        .filter(({ episode }) => (episode.routed === task) === isRight)
        .map(({ x, y }) => ({ x, y }));
    return [
      {
        ...{ type: 'scatter', data: at(true), radius: 2.6, ...markerOf(mark.point) },
        ...{ backgroundColor: mark.colour, borderColor: mark.colour },
      },
      {
        ...{ type: 'scatter', data: at(false), radius: 4.5, pointStyle: 'crossRot' },
        ...{ borderWidth: 2, borderColor: theme.error },
      },
    ];
  }

  /** The episode on screen, and the keyboard's mark while the chart has the focus. */
  private rings({ theme, snapshot }: RoutingModel): Overlay {
    // The first drawing is made before the picture has its chart.
    return (context, { scales }) => {
      const ring = ({ x, y }: PlacedMark, radius: number, colour: string) => {
        context.strokeStyle = colour;
        context.lineWidth = 1.5;
        context.beginPath();
        const at = (axis: 'x' | 'y', value: number) =>
          scales[axis]?.getPixelForValue(value) ?? Number.NaN;
        context.arc(at('x', x), at('y', y), radius, 0, 2 * Math.PI);
        context.stroke();
      };
      const open = this.placed.find(({ episode }) => episode.id === snapshot.frame);
      if (open) ring(open, 6, theme.foreground);
      const mark = this.placed[this.mark];
      if (mark && document.activeElement === this.picture.canvas) ring(mark, 8, theme.focus);
    };
  }

  private pixels({ x, y }: PlacedMark): [number, number] {
    return [this.picture.pixel('x', x), this.picture.pixel('y', y)];
  }

  private nearest(event: MouseEvent): number | undefined {
    const box = this.picture.canvas.getBoundingClientRect();
    let best: { readonly place: number; readonly distance: number } | undefined;
    this.placed.forEach((mark, place) => {
      const [x, y] = this.pixels(mark);
      const distance = Math.hypot(x - (event.clientX - box.left), y - (event.clientY - box.top));
      if (distance < (best?.distance ?? reach)) best = { place, distance };
    });
    return best?.place;
  }

  private keydown(event: KeyboardEvent): void {
    const row = this.placed[this.mark]?.episode.truth ?? 0;
    const rows = (by: number) => {
      const next = this.placed.findIndex(({ episode }) => episode.truth === row + by);
      return next < 0 ? this.mark : next;
    };
    const targets: Readonly<Record<string, () => number>> = {
      ArrowLeft: () => this.mark - 1,
      ArrowRight: () => this.mark + 1,
      ArrowUp: () => rows(-1),
      ArrowDown: () => rows(1),
      Home: () => this.placed.findIndex(({ episode }) => episode.truth === row),
      End: () => this.placed.findLastIndex(({ episode }) => episode.truth === row),
      PageUp: () => 0,
      PageDown: () => this.placed.length - 1,
    };
    const target = targets[event.key];
    if (target) this.move(target());
    else if (event.key === 'Enter') this.open(this.mark);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private move(place: number): void {
    this.mark = Math.min(this.placed.length - 1, Math.max(0, place));
    this.picture.redraw();
    this.show(this.mark);
  }

  private open(place: number): void {
    this.mark = place;
    const mark = this.placed[place];
    if (mark) this.actions.openEpisode(mark.episode.id);
  }

  private show(place: number): void {
    const mark = this.placed[place];
    const { tasks } = this.model?.snapshot ?? { tasks: [] };
    if (!mark) return;
    const { seed, truth, routed, margin } = mark.episode;
    const sentence = `${tasks[truth] ?? ''}, seed ${String(seed)}: margin ${signed(margin, 2)}, routed to ${tasks[routed] ?? ''}`;
    const box = this.picture.canvas.getBoundingClientRect();
    const [x, y] = this.pixels(mark);
    this.tools.tooltip.show(new DOMRect(box.left + x - 6, box.top + y - 6, 12, 12), sentence);
    if (document.activeElement === this.picture.canvas) this.tools.live.say(sentence);
  }
}

/** Marks within one bin go up and down from the middle of their row in turn. */
function stack(episodes: readonly RoutedEpisode[], tasks: number, bin: number): PlacedMark[] {
  const filled = new Map<string, number>();
  const most = new Map<number, number>();
  const places = episodes.map((episode) => {
    const slot = Math.round(episode.margin / bin);
    const key = `${String(episode.truth)} ${String(slot)}`;
    const rank = filled.get(key) ?? 0;
    filled.set(key, rank + 1);
    most.set(episode.truth, Math.max(most.get(episode.truth) ?? 0, rank + 1));
    return { x: slot * bin, rank, episode };
  });
  return places.map(({ x, rank, episode }) => {
    const step = Math.min(0.13, 0.8 / (most.get(episode.truth) ?? 1));
    const offset = (rank % 2 === 0 ? 1 : -1) * Math.ceil(rank / 2) * step;
    return { x, y: tasks - 1 - episode.truth + offset, episode };
  });
}

/** Right routes by margin, one row a task, all rows on one scale. */
function histogram(
  { theme, snapshot: { tasks } }: RoutingModel,
  episodes: readonly RoutedEpisode[],
  bin: number,
): Overlay {
  const counts = new Map<string, number>();
  for (const { truth, routed, margin } of episodes) {
    const key = `${String(truth)} ${String(Math.round(margin / bin))}`;
    if (truth === routed) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const most = Math.max(1, ...counts.values());
  return (context, chart) => {
    const { x, y } = chart.scales;
    if (!x || !y) return;
    for (const [key, count] of counts) {
      const [task = 0, slot = 0] = key.split(' ').map(Number);
      const half = (0.42 * count) / most;
      const left = x.getPixelForValue((slot - 0.45) * bin);
      const top = y.getPixelForValue(tasks.length - 1 - task + half);
      const bottom = y.getPixelForValue(tasks.length - 1 - task - half);
      context.fillStyle = taskMark(theme, task).colour;
      context.fillRect(left, top, x.getPixelForValue((slot + 0.45) * bin) - left, bottom - top);
    }
  };
}

function zeroLine({ theme }: RoutingModel): Overlay {
  return (context, chart) => {
    const { left, top, bottom } = chart.chartArea;
    const zero = chart.scales['x']?.getPixelForValue(0) ?? left;
    context.fillStyle = withAlpha(theme.error, 0.12);
    context.fillRect(left, top, zero - left, bottom - top);
    context.strokeStyle = theme.foreground;
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(zero, top);
    context.lineTo(zero, bottom);
    context.stroke();
  };
}

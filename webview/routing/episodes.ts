import type { RoutedEpisode, RoutedSet } from '../../server/protocol/panels/routing';
import type { Pairing } from '../../server/protocol/routing';
import type { AnyDataset, Overlay } from '../shared/chart';
import { baseOptions, Picture } from '../shared/chart';
import { inkOn, interpolate, withAlpha } from '../shared/colours';
import { segments } from '../shared/components';
import { fill, h, styled } from '../shared/dom';
import { nbsp, percent, shorten, signed } from '../shared/format';
import { markerOf, taskMark } from '../shared/tasks';
import type { RoutingActions, RoutingModel } from './model';
import { setOf } from './model';

/** Rows true, columns routed; coloured by the share of the row, the diagonal outlined. */
export function confusionCard(model: RoutingModel, pairing: Pairing): HTMLElement | null {
  const set = setOf(model, pairing);
  if (!set) return null;
  const { tasks } = model.snapshot;
  const right = set.episodes.filter(({ truth, routed }) => truth === routed).length;
  return h(
    'section',
    { class: 'card confusion' },
    h(
      'div',
      { class: 'heading' },
      h('h2', {}, pairing === 'same' ? 'Same' : 'Crossed'),
      h('span', { class: 'secondary' }, `${String(right)} of ${String(set.episodes.length)} right`),
    ),
    h(
      'p',
      { class: 'secondary' },
      `${percent(set.right, 1)}${nbsp}% [${percent(set.low, 1)}, ${percent(set.high, 1)}] · true ↓ routed →`,
    ),
    h(
      'table',
      { class: 'matrix', 'aria-label': `Confusion of the ${pairing} pairing` },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('td'),
          ...tasks.map((task) => h('th', { scope: 'col', title: task }, shorten(task, 7))),
        ),
      ),
      h(
        'tbody',
        {},
        ...tasks.map((task, i) =>
          h(
            'tr',
            {},
            h('th', { scope: 'row', title: task }, shorten(task, 14)),
            ...tasks.map((_, j) => confusionCell(model, set, [i, j])),
          ),
        ),
      ),
    ),
  );
}

function confusionCell(
  { theme }: RoutingModel,
  set: RoutedSet,
  [truth, routed]: readonly [number, number],
): HTMLElement {
  const row = set.episodes.filter((episode) => episode.truth === truth);
  const count = row.filter((episode) => episode.routed === routed).length;
  const cell = h('td', { class: truth === routed ? 'own' : null }, String(count));
  if (count === 0) return cell;
  const colour = interpolate(theme.depth, count / row.length);
  return styled(cell, { background: colour, color: inkOn(colour) });
}

/** One mark an episode, stacked so that none hides another; the wrong side is tinted and crossed. */
export class MarginsCard {
  readonly element = h('section', { class: 'card margins' });
  private readonly picture = new Picture('margin-picture');

  constructor(private readonly actions: RoutingActions) {
    this.picture.canvas.addEventListener('click', (event) => {
      this.click(event);
    });
  }

  private placed: readonly { readonly x: number; readonly y: number; readonly id: string }[] = [];

  draw(model: RoutingModel): void {
    const set = setOf(model, model.margins);
    this.element.hidden = !set;
    if (!set) return;
    const { tasks } = model.snapshot;
    fill(
      this.element,
      h(
        'div',
        { class: 'heading' },
        h('h2', {}, 'How clear the decision was'),
        h('span', { class: 'secondary' }, `${model.margins} pairing · one mark an episode`),
        h(
          'span',
          { class: 'end' },
          segments(
            'Pairing',
            [
              { value: 'same', label: 'same' },
              { value: 'crossed', label: 'crossed' },
            ],
            model.margins,
            (value) => {
              this.actions.setMargins(value === 'crossed' ? 'crossed' : 'same');
            },
          ),
        ),
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
        this.picture.element,
      ),
      h(
        'p',
        { class: 'secondary small axis-title' },
        '← routed wrong   margin r(true) − best other →',
      ),
    );
    this.show(model, set);
  }

  private show(model: RoutingModel, set: RoutedSet): void {
    const { tasks } = model.snapshot;
    const values = set.episodes.map(({ margin }) => margin);
    const low = Math.min(-0.5, ...values);
    const high = Math.max(0.5, ...values);
    const marks = stack(set.episodes, tasks.length, (high - low) / 110);
    this.placed = marks.map(({ x, y, episode }) => ({ x, y, id: episode.id }));
    const datasets = tasks.flatMap((_, task): AnyDataset[] => {
      const mark = taskMark(model.theme, task);
      const own = marks.filter(
        ({ episode }) => episode.truth === task && episode.truth === episode.routed,
      );
      const wrong = marks.filter(
        ({ episode }) => episode.truth === task && episode.truth !== episode.routed,
      );
      const style = markerOf(mark.point);
      return [
        {
          type: 'scatter',
          data: own.map(({ x, y }) => ({ x, y })),
          pointStyle: style.pointStyle,
          rotation: style.rotation,
          radius: 2.6,
          backgroundColor: mark.colour,
          borderColor: mark.colour,
        } as AnyDataset,
        {
          type: 'scatter',
          data: wrong.map(({ x, y }) => ({ x, y })),
          pointStyle: 'crossRot',
          radius: 4.5,
          borderWidth: 2,
          borderColor: model.theme.error,
        } as AnyDataset,
      ];
    });
    this.picture.show(
      {
        type: 'scatter',
        data: { datasets },
        options: baseOptions(model.theme, {
          x: {
            min: Math.floor(low * 2) / 2,
            max: Math.ceil(high * 2) / 2,
            label: (x) => signed(x, Number.isInteger(x) ? 0 : 1),
          },
          y: { min: -0.5, max: tasks.length - 0.5, show: false, grid: false },
        }),
        overlays: [zeroLine(model)],
      },
      `Margins of ${String(set.episodes.length)} episodes, ${String(values.filter((v) => v < 0).length)} on the wrong side`,
    );
  }

  private click(event: MouseEvent): void {
    const box = this.picture.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const near = this.placed
      .map((mark) => ({
        id: mark.id,
        distance: Math.hypot(
          this.picture.pixel('x', mark.x) - x,
          this.picture.pixel('y', mark.y) - y,
        ),
      }))
      .sort((a, b) => a.distance - b.distance)[0];
    if (near && near.distance < 12) this.actions.openEpisode(near.id);
  }
}

interface StackedMark {
  readonly x: number;
  readonly y: number;
  readonly episode: RoutedEpisode;
}

/** Marks within one bin go up and down from the middle of their row in turn. */
function stack(episodes: readonly RoutedEpisode[], tasks: number, bin: number): StackedMark[] {
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
    const step = Math.min(0.1, 0.8 / (most.get(episode.truth) ?? 1));
    const offset = (rank % 2 === 0 ? 1 : -1) * Math.ceil(rank / 2) * step;
    return { x, y: tasks - 1 - episode.truth + offset, episode };
  });
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

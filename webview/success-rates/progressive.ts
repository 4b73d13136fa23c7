import type { RateCell, Study } from '../../server/protocol/panels/success-rates';
import type { AnyDataset, Overlay } from '../shared/chart';
import { baseOptions, Picture } from '../shared/chart';
import { withAlpha } from '../shared/colours';
import { Drawn, fill, h } from '../shared/dom';
import { percent } from '../shared/format';
import type { Theme } from '../shared/theme';
import type { LiveRegion, Tooltip } from '../shared/tooltip';
import type { SuccessActions } from './model';
import { countsSentence, rateOf } from './model';

type Point = Study['points'][number] & { readonly cell: RateCell };

/** Pixels around a dot within which the pointer means it. */
const reach = 12;

/** Success over the number of merged blocks: a dot for each run, which a click or Enter opens. */
export class ProgressiveCard {
  readonly element: HTMLElement;
  private readonly picture = new Picture('progressive');
  private readonly title = h('span', { class: 'secondary' });
  private readonly drawn = new Drawn();
  private points: readonly Point[] = [];
  /** The dot that the keyboard is at. */
  private mark: number | undefined;

  constructor(
    private readonly actions: Pick<SuccessActions, 'openRun'>,
    private readonly tools: { readonly tooltip: Tooltip; readonly live: LiveRegion },
  ) {
    const below = 'merged language-model blocks 0 … k − 1';
    const heading = h('div', { class: 'heading' }, h('h2', {}, 'Progressive merge'), this.title);
    this.element = h(
      'section',
      { class: 'card' },
      heading,
      this.picture.element,
      h('p', { class: 'secondary small axis-title' }, below),
    );
    this.listen(this.picture.canvas);
  }

  draw(study: Study, theme: Theme): void {
    if (!this.drawn.differs(study, theme)) return;
    fill(this.title, study.title);
    this.points = study.points.flatMap((point) =>
      point.cell ? [{ ...point, cell: point.cell }] : [],
    );
    const most = Math.max(
      1,
      ...study.points.map(({ x }) => x),
      ...study.statements.map(({ to }) => to),
    );
    this.picture.show(
      {
        type: 'line',
        data: { datasets: datasetsOf(this.points, theme) },
        options: baseOptions(theme, {
          x: { min: 1, max: most, grid: false },
          y: { min: 0, max: 1, step: 0.25, label: (y) => `${percent(y, 0)} %` },
        }),
        overlays: [paperMarks(study, theme), this.ring(theme)],
      },
      `Success over merged blocks: ${this.points.map(({ label, cell }) => `${label} ${percent(rateOf(cell), 0)} percent`).join(', ')}`,
    );
  }

  private listen(canvas: HTMLCanvasElement): void {
    canvas.tabIndex = 0;
    canvas.addEventListener('keydown', (event) => {
      this.keydown(event);
    });
    canvas.addEventListener('blur', () => {
      this.moveTo(undefined);
    });
    canvas.addEventListener('pointermove', (event) => {
      const place = this.dotAt(event);
      canvas.classList.toggle('on-dot', this.points[place]?.run !== undefined);
      this.explain(this.points[place]);
    });
    canvas.addEventListener('pointerleave', () => {
      this.explain(undefined);
    });
    canvas.addEventListener('click', (event) => {
      this.open(this.dotAt(event));
    });
  }

  private keydown(event: KeyboardEvent): void {
    const last = this.points.length - 1;
    const places: Readonly<Record<string, number>> = {
      ArrowLeft: Math.max(0, (this.mark ?? 1) - 1),
      ArrowRight: Math.min(last, (this.mark ?? -1) + 1),
      Home: 0,
      End: last,
    };
    const place = places[event.key];
    if (place !== undefined) this.moveTo(place);
    else if (event.key === 'Enter') this.open(this.mark ?? -1);
    else return;
    event.preventDefault();
  }

  private moveTo(place: number | undefined): void {
    this.mark = place;
    const point = this.points[place ?? -1];
    this.explain(point);
    if (point) this.tools.live.say(sentence(point));
    this.picture.redraw();
  }

  private open(place: number): void {
    const run = this.points[place]?.run;
    if (run !== undefined) this.actions.openRun(run);
  }

  private explain(point: Point | undefined): void {
    const { tooltip } = this.tools;
    if (!point) {
      tooltip.hide();
      return;
    }
    const { left, top } = this.picture.canvas.getBoundingClientRect();
    const [x, y] = this.pixels(point);
    tooltip.show(new DOMRect(left + x, top + y, 0, 0), sentence(point));
  }

  private dotAt({ offsetX, offsetY }: MouseEvent): number {
    const away = this.points.map((point) => {
      const [x, y] = this.pixels(point);
      return Math.hypot(x - offsetX, y - offsetY);
    });
    const least = Math.min(...away);
    return least <= reach ? away.indexOf(least) : -1;
  }

  private pixels({ x, cell }: Point): readonly [number, number] {
    return [this.picture.pixel('x', x), this.picture.pixel('y', rateOf(cell))];
  }

  /** Around the dot that the keyboard is at. */
  private ring(theme: Theme): Overlay {
    return (context) => {
      const point = this.points[this.mark ?? -1];
      if (!point) return;
      context.strokeStyle = theme.foreground;
      context.lineWidth = 1.5;
      context.beginPath();
      context.arc(...this.pixels(point), 6, 0, 2 * Math.PI);
      context.stroke();
    };
  }
}

function sentence({ label, cell, run }: Point): string {
  const name = run?.split(/[\\/]/).findLast((part) => part !== '' && part !== 'run');
  return `${label}: ${countsSentence(cell)}${name === undefined ? '' : `, ${name}`}`;
}

function datasetsOf(points: readonly Point[], theme: Theme): AnyDataset[] {
  const line = (pick: (cell: RateCell) => number) =>
    points.map(({ x, cell }) => ({ x, y: pick(cell) }));
  const edge = { type: 'line', pointRadius: 0, borderWidth: 0 } as const;
  return [
    { ...edge, data: line(({ high }) => high) },
    {
      ...edge,
      data: line(({ low }) => low),
      fill: '-1',
      backgroundColor: withAlpha(theme.focus, 0.35),
    },
    {
      type: 'line',
      data: line(rateOf),
      borderColor: theme.focus,
      backgroundColor: theme.focus,
      borderWidth: 1.75,
      pointRadius: 3,
    },
  ];
}

/** The paper's statements: hollow mark where the range ends, dashed reach, words. */
function paperMarks(study: Study, theme: Theme): Overlay {
  return (context, chart) => {
    const { x, y } = chart.scales;
    if (!x || !y) return;
    for (const { text, from, to, value } of study.statements) {
      const [left, right, level] = [
        x.getPixelForValue(from),
        x.getPixelForValue(to),
        y.getPixelForValue(value),
      ];
      const late = from > 1;
      const at = late ? left : right;
      context.strokeStyle = theme.foreground;
      context.lineWidth = 1.25;
      context.setLineDash([4, 3]);
      context.beginPath();
      context.moveTo(left, level);
      context.lineTo(right, level);
      context.stroke();
      context.setLineDash([]);
      context.fillStyle = theme.background;
      context.beginPath();
      context.arc(at, level, 3.5, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
      context.fillStyle = theme.foreground;
      context.font = `11px ${theme.font}`;
      const room = chart.chartArea.right - context.measureText(text).width;
      context.fillText(text, Math.min(at + 8, room), level - 8);
    }
  };
}

import { drawPoint } from 'chart.js/helpers';
import type { AnyDataset } from '../shared/chart';
import type { Overlay } from '../shared/chart';
import { baseOptions, Picture } from '../shared/chart';
import { inkOn, mix } from '../shared/colours';
import { Drawn, fill, h, s } from '../shared/dom';
import type { Figure } from '../../server/protocol/panels/shared';
import {
  halfWidth,
  highOf,
  lowOf,
  missing,
  nbsp,
  percent,
  shorten,
  valueOf,
} from '../shared/format';
import { patternFill, patterns } from '../shared/patterns';
import { markerOf, taskMark, taskMarker } from '../shared/tasks';
import type { Theme } from '../shared/theme';
import type { MaskActions, MaskModel } from './model';
import { coverageClasses, parameterText } from './model';

/** Grouped bars as in the paper's Figure 2. */
export class KeepsCard {
  readonly element = h('section', { class: 'card keeps', tabindex: 0 });
  private readonly drawn = new Drawn();
  private readonly legend = h('div', { class: 'legend' });
  private readonly picture = new Picture('bars');
  private readonly groups = h('div', { class: 'bar-groups secondary', 'aria-hidden': 'true' });
  private readonly note = h('p', { class: 'note' });

  constructor() {
    this.element.append(
      h('div', { class: 'heading' }, h('h2', {}, 'How much of the merge each task keeps')),
      this.legend,
      this.picture.element,
      this.groups,
      this.note,
    );
  }

  draw(model: MaskModel, actions: MaskActions): void {
    const { snapshot, theme } = model;
    const { view, exact, recipe, paper } = snapshot;
    if (!view || !recipe) return;
    if (!this.drawn.differs(view, exact, recipe, paper, theme, model.isolated)) return;
    fill(
      this.legend,
      ...recipe.tasks.map((task, i) =>
        h(
          'button',
          {
            class: 'plain',
            type: 'button',
            'aria-pressed': String(model.isolated === i),
            title: task,
            click: () => {
              actions.isolate(i);
            },
          },
          swatch(theme, i),
          shorten(task, 24),
        ),
      ),
      ...(exact && view.source.kind === 'estimate'
        ? [
            h(
              'span',
              {},
              yardstickKey(theme),
              `exact, ${parameterText(exact.parameters, 'lambda', recipe.tasks)}`,
            ),
          ]
        : []),
    );
    const top = axisTop(model);
    this.picture.show(
      {
        type: 'bar',
        data: { datasets: recipe.tasks.map((_, task) => barDataset(model, task)) },
        options: baseOptions(theme, {
          // The width of bars follows the distance of the ticks: one a group.
          x: { min: -0.5, max: view.totals.length - 0.5, step: 1, show: false, grid: false },
          y: { min: 0, max: top, step: top > 0.5 ? 0.2 : 0.1, label: (y) => `${percent(y, 0)} %` },
        }),
        overlays: [barMarks(model)],
      },
      view.sentences.totals,
    );
    fill(this.groups, ...view.totals.map(({ label }) => h('span', {}, label)));
    fill(this.note, paper?.totals ?? '');
  }
}

function axisTop({ snapshot: { view, exact } }: MaskModel): number {
  const all = [view, exact].flatMap(
    (v) => v?.totals.flatMap(({ active }) => active.map(valueOf)) ?? [],
  );
  return Math.min(
    1,
    Math.max(0.1, Math.ceil(Math.max(0, ...all.filter(Number.isFinite)) * 10 + 0.8) / 10),
  );
}

function barDataset(model: MaskModel, task: number): AnyDataset {
  const colour = taskMark(model.theme, task).colour;
  const faint = model.isolated !== undefined && model.isolated !== task;
  return {
    type: 'bar',
    data: (model.snapshot.view?.totals ?? []).map(({ active }, x) => ({
      x,
      y: valueOf(active[task]),
    })),
    backgroundColor: faint ? mix(model.theme.background, colour, 0.35) : colour,
    borderColor: model.theme.contrast ? model.theme.border : colour,
    borderWidth: model.theme.contrast ? 1 : 0,
    categoryPercentage: 0.78,
    barPercentage: 0.85,
  };
}

/** Value inside, marker at the foot, whisker for the interval, bar for the exact value. */
function barMarks({ snapshot: { view, exact }, theme }: MaskModel): Overlay {
  return (context, chart) => {
    const scale = chart.scales['y'];
    if (!view || !scale) return;
    chart.data.datasets.forEach((_, task) => {
      const { colour, point } = taskMark(theme, task);
      chart.getDatasetMeta(task).data.forEach((bar, group) => {
        const { x, width } = bar.getProps(['x', 'width']) as unknown as {
          x: number;
          width: number;
        };
        const figure = view.totals[group]?.active[task];
        const ink = inkOn(colour);
        const y = scale.getPixelForValue(valueOf(figure));
        const bottom = chart.chartArea.bottom;
        context.fillStyle = ink;
        context.strokeStyle = ink;
        context.textAlign = 'center';
        context.font = `600 11px ${theme.font}`;
        if (bottom - y > 30 && width > 15) context.fillText(percent(valueOf(figure), 0), x, y + 14);
        if (bottom - y > 14 && width > 9)
          drawPoint(context, { ...markerOf(point), radius: 4, borderWidth: 1 }, x, bottom - 8);
        drawWhisker(
          context,
          [x, scale.getPixelForValue(lowOf(figure)), scale.getPixelForValue(highOf(figure))],
          theme,
        );
        // Numbers that are exact themselves need no yardstick.
        if (view.source.kind === 'exact') return;
        drawYardstick(
          context,
          [x, width],
          scale.getPixelForValue(valueOf(exact?.totals[group]?.active[task])),
          theme,
        );
      });
    });
  };
}

function drawWhisker(
  context: CanvasRenderingContext2D,
  [x, low, high]: readonly [number, number, number],
  theme: Theme,
): void {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return;
  context.strokeStyle = theme.foreground;
  context.lineWidth = 1;
  context.setLineDash([]);
  context.beginPath();
  for (const y of [low, high]) {
    context.moveTo(x - 3, y);
    context.lineTo(x + 3, y);
  }
  context.moveTo(x, low);
  context.lineTo(x, high);
  context.stroke();
}

function drawYardstick(
  context: CanvasRenderingContext2D,
  [x, width]: readonly [number, number],
  y: number,
  theme: Theme,
): void {
  if (!Number.isFinite(y)) return;
  context.fillStyle = theme.foreground;
  context.fillRect(x - width / 2 - 1, y - 1, width + 2, 2);
}

function swatch(theme: Theme, task: number): Node {
  return h('span', { class: 'swatch-marker' }, taskMarker(theme, task));
}

function yardstickKey(theme: Theme): Node {
  return s(
    'svg',
    { width: 14, height: 12, viewBox: '0 0 14 12', 'aria-hidden': 'true' },
    s('rect', { x: 0, y: 5, width: 14, height: 2, fill: theme.foreground }),
  );
}

/** Two headline numbers and stacked bars: how many tasks keep a weight. */
export class CoverageCard {
  readonly element = h('section', { class: 'card coverage', tabindex: 0 });
  private readonly drawn = new Drawn();

  draw(model: MaskModel): void {
    const { view, recipe, paper } = model.snapshot;
    if (!view || !recipe) return;
    if (!this.drawn.differs(view, recipe, paper, model.theme)) return;
    const all = view.coverage[0]?.shares;
    const selfish = all?.[1];
    const bars = view.coverage.map(({ label, shares }) =>
      stackedBar(model, label, shares.map(valueOf), false),
    );
    const unrelated = view.unrelated
      ? stackedBar(model, 'unrelated', view.unrelated.coverage, true)
      : null;
    fill(
      this.element,
      h('div', { class: 'heading' }, h('h2', {}, 'How many tasks keep a weight')),
      h(
        'div',
        { class: 'headlines' },
        headline(view.selfishOfRetained, 'selfish, of retained'),
        headline(selfish, 'selfish, of all'),
      ),
      h(
        'div',
        { class: 'stacks', role: 'img', 'aria-label': coverageSentence(model) },
        ...bars,
        unrelated,
      ),
      coverageLegend(model.theme, recipe.tasks.length),
      recipe.tasks.length < 2
        ? h('p', { class: 'note' }, 'With one task a weight is unused or selfish.')
        : null,
      paper?.coverage ? h('p', { class: 'note' }, paper.coverage) : null,
    );
  }
}

function headline(figure: Figure | undefined, label: string): HTMLElement {
  const value = valueOf(figure);
  const exact = typeof figure === 'number';
  const width = halfWidth(figure);
  return h(
    'div',
    {},
    h(
      'div',
      { class: 'headline' },
      Number.isFinite(value) ? `${percent(value, exact ? 2 : 1)}${nbsp}%` : missing,
    ),
    h(
      'div',
      { class: 'secondary' },
      Number.isFinite(width) ? `${label} · ±${nbsp}${percent(width, 1)}` : label,
    ),
  );
}

function coverageSentence({ snapshot: { view } }: MaskModel): string {
  const [unused, selfish, shared, universal] = coverageClasses(
    view?.coverage[0]?.shares.map(valueOf) ?? [],
  );
  return `Of all weights ${percent(unused, 0)} % are unused, ${percent(selfish, 0)} % selfish, ${percent(shared, 0)} % shared, ${percent(universal, 0)} % universal`;
}

function stackedBar(
  { theme }: MaskModel,
  label: string,
  shares: readonly number[],
  yardstick: boolean,
): HTMLElement {
  const classes = coverageClasses(shares);
  const width = 260;
  let x = 0;
  const parts = classes.flatMap((value, level) => {
    const w = value * width;
    const left = x;
    x += w;
    if (!(w > 0)) return [];
    const colour = theme.coverage[level] ?? '';
    return [
      s('rect', {
        x: left,
        y: 0,
        width: w,
        height: 16,
        fill: patternFill(level),
        stroke: theme.contrast ? theme.border : 'none',
        opacity: yardstick && !theme.contrast ? 0.6 : 1,
      }),
      w > 30
        ? s(
            'text',
            {
              x: left + w / 2,
              y: 12,
              'text-anchor': 'middle',
              fill: yardstick && !theme.contrast ? theme.foreground : inkOn(colour),
              'font-size': 11,
              'font-family': theme.font,
            },
            percent(value, 0),
          )
        : null,
    ];
  });
  return h(
    'div',
    { class: `stack ${yardstick ? 'yardstick secondary' : ''}` },
    h('span', { title: label }, label),
    s(
      'svg',
      { viewBox: `0 0 ${String(width)} 16`, preserveAspectRatio: 'none', height: 16 },
      patterns(theme),
      ...parts,
    ),
  );
}

export function coverageLegend(theme: Theme, tasks: number): HTMLElement {
  const middle = tasks > 3 ? `2–${String(tasks - 1)}` : '2';
  const items: readonly (readonly [number, string, string])[] = [
    [0, 'unused', '0'],
    [1, 'selfish', '1'],
    ...(tasks > 2 ? [[2, 'shared', middle] as const] : []),
    ...(tasks > 1 ? [[3, 'universal', String(tasks)] as const] : []),
  ];
  return h(
    'div',
    { class: 'legend' },
    ...items.map(([level, name, count]) =>
      h(
        'span',
        {},
        s(
          'svg',
          { width: 14, height: 12, 'aria-hidden': 'true' },
          patterns(theme),
          s('rect', {
            x: 0.5,
            y: 0.5,
            width: 13,
            height: 11,
            fill: patternFill(level),
            stroke: theme.contrast ? theme.border : 'none',
          }),
        ),
        name,
        h('span', { class: 'secondary' }, count),
      ),
    ),
  );
}

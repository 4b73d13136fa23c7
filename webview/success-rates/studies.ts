import type { RateCell, Study } from '../../server/protocol/panels/success-rates';
import type { AnyDataset, Overlay } from '../shared/chart';
import { baseOptions, Picture } from '../shared/chart';
import { withAlpha } from '../shared/colours';
import { fill, h } from '../shared/dom';
import { nbsp, percent } from '../shared/format';
import type { Theme } from '../shared/theme';
import type { SuccessActions, SuccessModel } from './model';
import { rateOf } from './model';
import { hollowMark, rateBar } from './rate-bar';

/** The paper's two studies, when chosen runs belong to one. */
export class StudiesRow {
  readonly element = h('div', { class: 'row studies' });
  private readonly progressive = new Picture('progressive');

  constructor(private readonly actions: SuccessActions) {}

  draw(model: SuccessModel): void {
    const { studies } = model.snapshot;
    this.element.hidden = studies.length === 0;
    fill(
      this.element,
      ...studies.map((study) =>
        study.kind === 'progressive'
          ? this.drawProgressive(study)
          : this.drawComponents(study, model.theme),
      ),
    );
    const progressive = studies.find(({ kind }) => kind === 'progressive');
    if (progressive) this.showProgressive(progressive, model.theme);
  }

  private drawProgressive(study: Study): HTMLElement {
    return h(
      'section',
      { class: 'card' },
      h(
        'div',
        { class: 'heading' },
        h('h2', {}, 'Progressive merge'),
        h('span', { class: 'secondary' }, study.title),
      ),
      this.progressive.element,
      h('p', { class: 'secondary small axis-title' }, 'merged language-model blocks 0 … k − 1'),
    );
  }

  private showProgressive(study: Study, theme: Theme): void {
    const points = study.points.filter(({ cell }) => cell !== null);
    const most = Math.max(
      1,
      ...study.points.map(({ x }) => x),
      ...study.statements.map(({ to }) => to),
    );
    const line = (pick: (cell: RateCell) => number) =>
      points.map(({ x, cell }) => ({ x, y: cell ? pick(cell) : Number.NaN }));
    const edge = { type: 'line', pointRadius: 0, borderWidth: 0 } as const;
    const datasets: AnyDataset[] = [
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
    this.progressive.show(
      {
        type: 'line',
        data: { datasets },
        options: baseOptions(theme, {
          x: { min: 1, max: most, grid: false },
          y: { min: 0, max: 1, step: 0.25, label: (y) => `${percent(y, 0)} %` },
        }),
        overlays: [paperMarks(study, theme)],
      },
      `Success over merged blocks: ${points.map(({ label, cell }) => `${label} ${percent(rateOf(cell), 0)} percent`).join(', ')}`,
    );
  }

  private drawComponents(study: Study, theme: Theme): HTMLElement {
    const rows = study.points.map((point) =>
      h(
        'tr',
        {},
        h('th', { scope: 'row' }, point.label),
        h('td', {}, dotPlot(point.cell, point.paper, theme)),
        h(
          'td',
          { class: 'end' },
          point.cell
            ? this.runLink(point.run, `${percent(rateOf(point.cell), 0)}${nbsp}%`)
            : h('span', { class: 'secondary' }, 'not run'),
        ),
        h(
          'td',
          { class: 'end' },
          h('em', {}, point.paper === undefined ? '–' : percent(point.paper, 1)),
        ),
      ),
    );
    return h(
      'section',
      { class: 'card' },
      h(
        'div',
        { class: 'heading' },
        h('h2', {}, 'Merging one part'),
        h('span', { class: 'secondary' }, study.title),
      ),
      h(
        'table',
        { class: 'components' },
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col' }, 'part'),
            h('td'),
            h('th', { scope: 'col', class: 'end' }, 'ours'),
            h('th', { scope: 'col', class: 'end' }, h('em', {}, 'paper')),
          ),
        ),
        h('tbody', {}, ...rows),
      ),
    );
  }

  private runLink(run: string | undefined, text: string): Node {
    if (run === undefined) return h('strong', {}, text);
    return h(
      'button',
      {
        class: 'link',
        type: 'button',
        title: run,
        click: () => {
          this.actions.openRun(run);
        },
      },
      h('strong', {}, text),
    );
  }
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
      context.fillText(text, at + 8, level - 8);
    }
  };
}

function dotPlot(cell: RateCell | null, paper: number | undefined, theme: Theme): SVGSVGElement {
  const none = { successes: 0, trials: 0, low: 0, high: 0, errors: 0 };
  const bar = rateBar(cell ?? none, { theme, hatched: false, paper: false });
  if (paper !== undefined) bar.append(hollowMark(paper, theme));
  return bar;
}

import type { RateCell, Study } from '../../server/protocol/panels/success-rates';
import { Drawn, fill, h } from '../shared/dom';
import { nbsp, percent } from '../shared/format';
import type { Theme } from '../shared/theme';
import type { LiveRegion, Tooltip } from '../shared/tooltip';
import type { SuccessActions, SuccessModel } from './model';
import { rateOf } from './model';
import { ProgressiveCard } from './progressive';
import { hollowMark, rateBar } from './rate-bar';

/** The paper's two studies, when chosen runs belong to one. */
export class StudiesRow {
  readonly element = h('div', { class: 'row studies' });
  private readonly progressive: ProgressiveCard;
  private readonly parts = h('section', { class: 'card' });
  private readonly drawn = new Drawn();

  constructor(
    private readonly actions: SuccessActions,
    tools: { readonly tooltip: Tooltip; readonly live: LiveRegion },
  ) {
    this.progressive = new ProgressiveCard(actions, tools);
  }

  draw({ snapshot: { studies }, theme }: SuccessModel): void {
    this.element.hidden = studies.length === 0;
    const cards = { progressive: this.progressive.element, components: this.parts };
    fill(this.element, ...studies.map(({ kind }) => cards[kind]));
    for (const study of studies)
      if (study.kind === 'progressive') this.progressive.draw(study, theme);
      else if (this.drawn.differs(JSON.stringify(study), theme)) this.drawComponents(study, theme);
  }

  private drawComponents(study: Study, theme: Theme): void {
    const rows = study.points.map((point) =>
      h(
        'tr',
        {},
        h('th', { scope: 'row' }, point.label),
        this.plotCell(point, theme),
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
    fill(
      this.parts,
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

  /** The dot opens its run under the pointer; the number beside it does so for the keyboard. */
  private plotCell({ cell, paper, run }: Study['points'][number], theme: Theme): HTMLElement {
    const plot = dotPlot(cell, paper, theme);
    if (cell === null || run === undefined) return h('td', {}, plot);
    const click = () => {
      this.actions.openRun(run);
    };
    return h('td', { class: 'on-dot', click }, plot);
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

function dotPlot(cell: RateCell | null, paper: number | undefined, theme: Theme): SVGSVGElement {
  const none = { successes: 0, trials: 0, low: 0, high: 0, errors: 0 };
  const bar = rateBar(cell ?? none, { theme, hatched: false, paper: false });
  if (paper !== undefined) bar.append(hollowMark(paper, theme));
  return bar;
}

import type { RoutedSet } from '../../server/protocol/panels/routing';
import type { Pairing } from '../../server/protocol/routing';
import { inkOn, interpolate } from '../shared/colours';
import { fill, h, styled } from '../shared/dom';
import { nbsp, percent, shorten } from '../shared/format';
import type { LiveRegion, Tooltip } from '../shared/tooltip';
import type { RoutingActions, RoutingModel } from './model';
import { setOf } from './model';

/** With its interval; up to 100 episodes decide no tenth of a per cent. */
function rate({ right, low, high, episodes }: RoutedSet): string {
  const digits = episodes.length > 100 ? 1 : 0;
  return `${percent(right, digits)}${nbsp}% [${percent(low, digits)}, ${percent(high, digits)}]`;
}

type Place = readonly [truth: number, routed: number];

/** Rows true, columns routed; coloured by the share of the row, the diagonal outlined. One tab stop. */
export class ConfusionCard {
  readonly element = h('section', { class: 'card confusion' });
  private mark: Place = [0, 0];
  private model: RoutingModel | undefined;

  constructor(
    private readonly pairing: Pairing,
    private readonly actions: RoutingActions,
    private readonly tools: { readonly tooltip: Tooltip; readonly live: LiveRegion },
  ) {
    this.element.addEventListener('keydown', (event) => {
      this.keydown(event);
    });
    this.element.addEventListener('pointerover', (event) => {
      this.point(event.target);
    });
    this.element.addEventListener('pointerleave', () => {
      this.tools.tooltip.hide();
    });
    this.element.addEventListener('click', (event) => {
      const place = placeOf(event.target);
      if (place) this.filter(place);
    });
  }

  draw(model: RoutingModel): void {
    this.model = model;
    const set = setOf(model, this.pairing);
    this.element.hidden = !set;
    if (!set) return;
    const hadFocus = this.element.contains(document.activeElement);
    const right = set.episodes.filter(({ truth, routed }) => truth === routed).length;
    fill(
      this.element,
      h(
        'div',
        { class: 'heading' },
        h('h2', {}, this.pairing === 'same' ? 'Same' : 'Crossed'),
        h(
          'span',
          { class: 'secondary' },
          `${String(right)} of ${String(set.episodes.length)} right`,
        ),
      ),
      h('p', { class: 'secondary' }, `${rate(set)} · true${nbsp}↓ routed${nbsp}→`),
      this.table(model, set),
    );
    if (hadFocus) this.focus();
  }

  private table({ snapshot: { tasks }, ...model }: RoutingModel, set: RoutedSet): HTMLElement {
    const names = firstWords(tasks);
    const head = tasks.map((task, i) => h('th', { scope: 'col', title: task }, names[i]));
    return h(
      'table',
      { class: 'matrix', role: 'grid', 'aria-label': `Confusion of the ${this.pairing} pairing` },
      h('thead', {}, h('tr', {}, h('td'), ...head)),
      h(
        'tbody',
        {},
        ...tasks.map((task, truth) =>
          h(
            'tr',
            {},
            h('th', { scope: 'row', title: task }, shorten(task, 14)),
            ...tasks.map((_, routed) => this.cell(model, set, [truth, routed])),
          ),
        ),
      ),
    );
  }

  private cell(
    { theme, filter }: Pick<RoutingModel, 'theme' | 'filter'>,
    set: RoutedSet,
    [truth, routed]: Place,
  ): HTMLElement {
    const row = set.episodes.filter((episode) => episode.truth === truth);
    const count = row.filter((episode) => episode.routed === routed).length;
    const isMark = this.mark[0] === truth && this.mark[1] === routed;
    const isChosen =
      filter?.pairing === this.pairing && filter.truth === truth && filter.routed === routed;
    const cell = h(
      'td',
      {
        role: 'gridcell',
        tabindex: isMark ? 0 : -1,
        'data-truth': truth,
        'data-routed': routed,
        'aria-selected': String(isChosen),
        class: `${truth === routed ? 'own' : ''} ${isChosen ? 'chosen' : ''}`,
      },
      String(count),
    );
    if (count === 0) return cell;
    const colour = interpolate(theme.depth, count / row.length);
    return styled(cell, { background: colour, color: inkOn(colour) });
  }

  private keydown(event: KeyboardEvent): void {
    const last = (this.model?.snapshot.tasks.length ?? 1) - 1;
    const [truth, routed] = this.mark;
    const targets: Readonly<Record<string, Place>> = {
      ArrowUp: [truth - 1, routed],
      ArrowDown: [truth + 1, routed],
      ArrowLeft: [truth, routed - 1],
      ArrowRight: [truth, routed + 1],
      Home: [truth, 0],
      End: [truth, last],
    };
    const target = targets[event.key];
    if (target) {
      const within = (value: number) => Math.min(last, Math.max(0, value));
      this.mark = [within(target[0]), within(target[1])];
      if (this.model) this.draw(this.model);
      this.focus();
    } else if (event.key === 'Enter' || event.key === ' ') this.filter(this.mark);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private focus(): void {
    const cell = this.element.querySelector<HTMLElement>('[tabindex="0"]');
    cell?.focus({ preventScroll: true });
    this.point(cell);
  }

  private filter(place: Place): void {
    this.mark = place;
    this.actions.setFilter({ pairing: this.pairing, truth: place[0], routed: place[1] });
  }

  private point(target: EventTarget | null): void {
    const place = placeOf(target);
    const set = this.model && setOf(this.model, this.pairing);
    if (!place || !set || !(target instanceof HTMLElement)) return;
    const sentence = describe(this.model?.snapshot.tasks ?? [], set, place);
    this.tools.tooltip.show(target.getBoundingClientRect(), sentence);
    if (target === document.activeElement) this.tools.live.say(sentence);
  }
}

function describe(
  tasks: readonly string[],
  { episodes }: RoutedSet,
  [truth, routed]: Place,
): string {
  const row = episodes.filter((episode) => episode.truth === truth);
  const count = row.filter((episode) => episode.routed === routed).length;
  const share = row.length > 0 ? `, ${percent(count / row.length, 0)}${nbsp}%` : '';
  return `${String(count)} of ${String(row.length)} episodes of ${tasks[truth] ?? ''} were routed to ${tasks[routed] ?? ''}${share}`;
}

/** `pick_place` is `pick` among tasks that begin in other ways. */
function firstWords(tasks: readonly string[]): readonly string[] {
  const words = tasks.map((task) => /^[^\s_-]+/.exec(task)?.[0] ?? task);
  const isClear = new Set(words).size === words.length;
  return (isClear ? words : tasks).map((name) => shorten(name, tasks.length > 3 ? 5 : 8));
}

function placeOf(target: EventTarget | null): Place | undefined {
  if (!(target instanceof HTMLElement)) return undefined;
  const { truth, routed } = target.dataset;
  return truth === undefined || routed === undefined ? undefined : [Number(truth), Number(routed)];
}

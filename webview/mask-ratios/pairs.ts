import { inkOn, interpolate } from '../shared/colours';
import { fill, h, styled } from '../shared/dom';
import { missing, nbsp, percent, shorten, signed, valueOf } from '../shared/format';
import type { MaskView } from '../../server/protocol/panels/mask-ratios';
import type { LiveRegion, Tooltip } from '../shared/tooltip';
import type { MaskModel } from './model';

const cosineRanges = [0.05, 0.1, 0.25, 0.5, 1];
const conflictRanges = [0.02, 0.04, 0.08, 0.16, 0.5];

/** One square matrix: cosine above the diagonal, sign conflict below, norms on it, one colour scale. */
export class PairsCard {
  readonly element = h('section', { class: 'card pairs' });
  private row = 0;
  private column = 1;
  private model: MaskModel | undefined;
  private readonly body = h('div', { class: 'matrix-scroller', tabindex: -1 });

  constructor(private readonly tools: { readonly tooltip: Tooltip; readonly live: LiveRegion }) {
    this.body.addEventListener('keydown', (event) => {
      this.keydown(event);
    });
    this.body.addEventListener('pointerover', (event) => {
      if (event.target instanceof HTMLElement) this.point(event.target);
    });
    this.body.addEventListener('pointerleave', () => {
      this.tools.tooltip.hide();
    });
  }

  draw(model: MaskModel): void {
    this.model = model;
    const { view, recipe } = model.snapshot;
    if (!view || !recipe) return;
    fill(this.body, this.table(model));
    const ranges = this.ranges();
    fill(
      this.element,
      h('div', { class: 'heading' }, h('h2', {}, 'Tasks against each other')),
      h('p', { class: 'secondary' }, 'above cosine · below sign conflict · diagonal ‖τ‖, %'),
      this.body,
      h(
        'p',
        { class: 'secondary small scale-note' },
        `cosine ±${String(ranges[0])}, conflict 50 ± ${String(Math.round(ranges[1] * 100))} points`,
      ),
      h(
        'p',
        { class: 'note' },
        h('strong', {}, `${view.sentences.pairs} `),
        `Unrelated tasks sit at cosine 0 and 50${nbsp}%.`,
      ),
    );
  }

  /** Symmetric and snapped to the data. */
  private ranges(): readonly [number, number] {
    const view = this.model?.snapshot.view;
    const spread = (values: readonly number[]) =>
      Math.max(0, ...values.filter(Number.isFinite).map(Math.abs));
    const cosine = spread(view?.cosine.map(valueOf) ?? []);
    const conflict = spread(view?.conflict.map((f) => valueOf(f) - 0.5) ?? []);
    return [
      cosineRanges.find((r) => r >= cosine) ?? 1,
      conflictRanges.find((r) => r >= conflict) ?? 0.5,
    ];
  }

  private table({ snapshot, theme }: MaskModel): HTMLElement {
    const { view, recipe } = snapshot;
    const tasks = recipe?.tasks ?? [];
    const dense = tasks.length > 8;
    const [cosineRange, conflictRange] = this.ranges();
    const cell = (i: number, j: number) => {
      const value = pairValue(view, tasks.length, i, j);
      const place = i < j ? value / cosineRange : (0.5 - value) / conflictRange;
      const here = i === this.row && j === this.column;
      const element = h(
        'td',
        {
          role: 'gridcell',
          tabindex: here ? 0 : -1,
          'data-row': i,
          'data-column': j,
          class: i === j ? 'diagonal' : null,
        },
        dense ? '' : cellText(i, j, value),
      );
      if (i === j || !Number.isFinite(value)) return element;
      const colour = interpolate(theme.accord, (place + 1) / 2);
      return styled(element, { background: colour, color: inkOn(colour) });
    };
    return h(
      'table',
      {
        role: 'grid',
        class: `matrix ${dense ? 'dense' : ''}`,
        'aria-label': 'Cosine and sign conflict of each pair of tasks',
      },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('td'),
          ...tasks.map((task) =>
            h('th', { scope: 'col', title: task }, dense ? '' : shorten(task, 10)),
          ),
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
            ...tasks.map((_, j) => cell(i, j)),
          ),
        ),
      ),
    );
  }

  private keydown(event: KeyboardEvent): void {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[
      event.key
    ];
    if (!step || !this.model) return;
    event.preventDefault();
    const last = (this.model.snapshot.recipe?.tasks.length ?? 1) - 1;
    const move = (from: number, by: number | undefined) =>
      Math.min(last, Math.max(0, from + (by ?? 0)));
    this.row = move(this.row, step[0]);
    this.column = move(this.column, step[1]);
    this.draw(this.model);
    const next = this.body.querySelector<HTMLElement>('[tabindex="0"]');
    next?.focus();
    if (next) this.point(next);
  }

  private point(target: HTMLElement): void {
    const { row, column } = target.dataset;
    if (row === undefined || column === undefined || !this.model) return;
    const text = this.describe(Number(row), Number(column), this.model);
    this.tools.tooltip.show(target.getBoundingClientRect(), text);
    if (target === document.activeElement) this.tools.live.say(text);
  }

  private describe(i: number, j: number, { snapshot: { view, recipe } }: MaskModel): string {
    const tasks = recipe?.tasks ?? [];
    const [a, b] = [Math.min(i, j), Math.max(i, j)];
    if (i === j)
      return `${tasks[i] ?? ''}: ‖τ‖ is ${percent(valueOf(view?.norms[i]), 2)}${nbsp}% of the base`;
    const cosine = valueOf(view?.cosine[a * tasks.length + b]);
    const conflict = view?.conflict[b * tasks.length + a];
    return `${tasks[a] ?? ''} and ${tasks[b] ?? ''}: cosine ${signed(cosine, 2)}, sign conflict ${percent(valueOf(conflict), 1)}${nbsp}%`;
  }
}

function cellText(i: number, j: number, value: number): string {
  if (!Number.isFinite(value)) return missing;
  if (i === j) return `${percent(value, 2)}${nbsp}%`;
  return i < j ? signed(value, 2) : `${percent(value, 0)}${nbsp}%`;
}

/** Norm on the diagonal, cosine above it, sign conflict below. */
function pairValue(view: MaskView | undefined, tasks: number, i: number, j: number): number {
  const k = i * tasks + j;
  if (i === j) return valueOf(view?.norms[i]);
  return valueOf(i < j ? view?.cosine[k] : view?.conflict[k]);
}

import { inkOn } from '../shared/colours';
import { fill, h, styled } from '../shared/dom';
import { shorten } from '../shared/format';
import type { LiveRegion, Tooltip } from '../shared/tooltip';

/** More tasks than this are shown without numbers in the cells. */
const mostNumbers = 8;

/** What stands in one cell; a colour only where there is a value. */
export interface MatrixCell {
  readonly text: string;
  readonly colour?: string | undefined;
  readonly chosen?: boolean;
}

export interface MatrixContent {
  readonly label: string;
  readonly tasks: readonly string[];
  readonly cell: (row: number, column: number) => MatrixCell;
  /** One sentence for the tooltip and the live region. */
  readonly describe: (row: number, column: number) => string;
  /** A cell was clicked, or chosen with Enter. */
  readonly choose?: (row: number, column: number) => void;
}

/** Tasks against tasks: one tab stop, arrows move the cell, pointer and focus explain it. */
export class TaskMatrix {
  readonly element = h('div', { class: 'matrix-scroller', tabindex: -1 });
  private content: MatrixContent | undefined;
  private row = 0;
  private column = 1;

  constructor(private readonly tools: { readonly tooltip: Tooltip; readonly live: LiveRegion }) {
    this.element.addEventListener('keydown', (event) => {
      this.keydown(event);
    });
    this.element.addEventListener('pointerover', (event) => {
      if (event.target instanceof HTMLElement) this.point(event.target);
    });
    this.element.addEventListener('click', (event) => {
      if (event.target instanceof HTMLElement) this.choose(event.target);
    });
    this.element.addEventListener('pointerleave', () => {
      this.tools.tooltip.hide();
    });
  }

  draw(content: MatrixContent): void {
    this.content = content;
    const focused = this.element.contains(document.activeElement);
    fill(this.element, this.table(content));
    if (focused) this.current()?.focus({ preventScroll: true });
  }

  private table({ tasks, label, cell }: MatrixContent): HTMLElement {
    const dense = tasks.length > mostNumbers;
    const heads = tasks.map((task) =>
      h('th', { scope: 'col', title: task }, dense ? '' : shorten(task, 10)),
    );
    const rows = tasks.map((task, i) =>
      h(
        'tr',
        {},
        h('th', { scope: 'row', title: task }, shorten(task, 14)),
        ...tasks.map((_, j) => this.drawCell(i, j, cell(i, j), dense)),
      ),
    );
    return h(
      'table',
      { role: 'grid', class: `matrix ${dense ? 'dense' : ''}`, 'aria-label': label },
      h('thead', {}, h('tr', {}, h('td'), ...heads)),
      h('tbody', {}, ...rows),
    );
  }

  private drawCell(
    i: number,
    j: number,
    { text, colour, chosen = false }: MatrixCell,
    dense: boolean,
  ): HTMLElement {
    const here = i === this.row && j === this.column;
    const kind = i === j ? 'diagonal' : chosen ? 'chosen' : null;
    const place = { 'data-row': i, 'data-column': j, class: kind };
    const props = {
      role: 'gridcell',
      tabindex: here ? 0 : -1,
      'aria-selected': chosen ? 'true' : null,
      ...place,
    };
    const element = h('td', props, dense ? '' : text);
    return colour === undefined
      ? element
      : styled(element, { background: colour, color: inkOn(colour) });
  }

  private current(): HTMLElement | null {
    return this.element.querySelector('[tabindex="0"]');
  }

  private keydown(event: KeyboardEvent): void {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[
      event.key
    ];
    if (event.key === 'Enter' && event.target instanceof HTMLElement) this.choose(event.target);
    if (!step || !this.content) return;
    event.preventDefault();
    const last = this.content.tasks.length - 1;
    const move = (from: number, by: number | undefined) =>
      Math.min(last, Math.max(0, from + (by ?? 0)));
    this.row = move(this.row, step[0]);
    this.column = move(this.column, step[1]);
    this.draw(this.content);
    const next = this.current();
    next?.focus();
    if (next) this.point(next);
  }

  private choose({ dataset: { row, column } }: HTMLElement): void {
    if (row !== undefined && column !== undefined)
      this.content?.choose?.(Number(row), Number(column));
  }

  private point(target: HTMLElement): void {
    const { row, column } = target.dataset;
    if (row === undefined || column === undefined || !this.content) return;
    const text = this.content.describe(Number(row), Number(column));
    this.tools.tooltip.show(target.getBoundingClientRect(), text);
    if (target === document.activeElement) this.tools.live.say(text);
  }
}

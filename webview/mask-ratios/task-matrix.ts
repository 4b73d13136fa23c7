import { inkOn } from '../shared/colours';
import { eachFrame, fill, h, styled } from '../shared/dom';
import { shorten } from '../shared/format';
import type { LiveRegion, Tooltip } from '../shared/tooltip';

/** More tasks than this are shown without numbers in the cells. */
const mostNumbers = 8;
/** Of more tasks than this only the cells near the window are in the page. */
export const mostWhole = 24;
/** From one cell without a number to the next, and how many are drawn beyond each edge of the window. */
const pitch = 20;
const margin = 4;
/** How many rows PageUp and PageDown move. */
const page = 10;

type Span = readonly [from: number, to: number];

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
  private windowed = false;

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
    const follow = eachFrame(() => {
      if (this.windowed && this.content) this.draw(this.content);
    });
    this.element.addEventListener('scroll', follow);
    new ResizeObserver(follow).observe(this.element);
  }

  draw(content: MatrixContent): void {
    this.content = content;
    const focused = this.element.contains(document.activeElement);
    fill(this.element, this.table(content));
    if (focused) this.current()?.focus({ preventScroll: true });
  }

  private table({ tasks, label, cell }: MatrixContent): HTMLElement {
    const dense = tasks.length > mostNumbers;
    const [rows, columns] = this.spans(tasks.length);
    const heads = tasks
      .slice(...columns)
      .map((task) => h('th', { scope: 'col', title: task }, dense ? '' : shorten(task, 10)));
    const lines = tasks.slice(...rows).map((task, i) => {
      const row = rows[0] + i;
      const head = h('th', { scope: 'row', title: task }, shorten(task, 14));
      const cells = tasks
        .slice(...columns)
        .map((_, j) => this.drawCell(row, columns[0] + j, cell(row, columns[0] + j), dense));
      return h(
        'tr',
        { 'aria-rowindex': row + 2 },
        head,
        ...framed(cells, columns, tasks.length, 'min-width'),
      );
    });
    return h(
      'table',
      {
        ...{ role: 'grid', class: `matrix ${dense ? 'dense' : ''}`, 'aria-label': label },
        ...{ 'aria-rowcount': tasks.length + 1, 'aria-colcount': tasks.length + 1 },
      },
      h('thead', {}, h('tr', {}, h('td'), ...framed(heads, columns, tasks.length, 'min-width'))),
      h(
        'tbody',
        {},
        ...framed(lines, rows, tasks.length, 'height').map((line) =>
          line instanceof HTMLTableRowElement ? line : h('tr', { 'aria-hidden': 'true' }, line),
        ),
      ),
    );
  }

  /** Rows and columns that are in the page. */
  private spans(count: number): readonly [Span, Span] {
    this.windowed = count > mostWhole;
    this.element.classList.toggle('windowed', this.windowed);
    if (!this.windowed)
      return [
        [0, count],
        [0, count],
      ];
    const { scrollTop, scrollLeft, clientHeight, clientWidth } = this.element;
    const span = (from: number, size: number): Span => [
      Math.max(0, Math.floor(from / pitch) - margin),
      Math.min(count, Math.ceil((from + size) / pitch) + margin),
    ];
    const spans = [span(scrollTop, clientHeight), span(scrollLeft, clientWidth)] as const;
    // The tab stop stays in the page when the matrix is scrolled away from under it.
    this.row = Math.min(spans[0][1] - 1, Math.max(spans[0][0], this.row));
    this.column = Math.min(spans[1][1] - 1, Math.max(spans[1][0], this.column));
    return spans;
  }

  private drawCell(
    i: number,
    j: number,
    { text, colour, chosen = false }: MatrixCell,
    dense: boolean,
  ): HTMLElement {
    const here = i === this.row && j === this.column;
    const kind = i === j ? 'diagonal' : chosen ? 'chosen' : null;
    const place = { 'data-row': i, 'data-column': j, 'aria-colindex': j + 2, class: kind };
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
    if (event.key === 'Enter' && event.target instanceof HTMLElement) this.choose(event.target);
    if (!this.content) return;
    const last = this.content.tasks.length - 1;
    const target = this.target(event, last);
    if (!target) return;
    event.preventDefault();
    const within = (place: number) => Math.min(last, Math.max(0, place));
    [this.row, this.column] = [within(target[0]), within(target[1])];
    this.scrollToCell();
    this.draw(this.content);
    const next = this.current();
    next?.focus({ preventScroll: this.windowed });
    if (next) this.point(next);
  }

  /** Where a key moves the cell. */
  private target(event: KeyboardEvent, last: number): readonly [number, number] | undefined {
    const { row, column } = this;
    const targets: Readonly<Record<string, readonly [number, number]>> = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      Home: [event.ctrlKey ? 0 : row, 0],
      End: [event.ctrlKey ? last : row, last],
      PageUp: [row - page, column],
      PageDown: [row + page, column],
    };
    return targets[event.key];
  }

  /** Brings the cell into the window, from under the names that stay at the edges. */
  private scrollToCell(): void {
    if (!this.windowed) return;
    const { element } = this;
    const names = element.querySelector('th[scope="row"]')?.clientWidth ?? 0;
    const scrolled = (from: number, place: number, space: number) =>
      Math.min(place * pitch, Math.max(from, (place + 2) * pitch - space));
    element.scrollTop = scrolled(element.scrollTop, this.row, element.clientHeight);
    element.scrollLeft = scrolled(element.scrollLeft, this.column, element.clientWidth - names);
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

/** Cells or rows of a span, between what stands for those outside of it. */
function framed(
  inside: readonly HTMLElement[],
  [from, to]: Span,
  count: number,
  side: 'height' | 'min-width',
): HTMLElement[] {
  const outside = (places: number) => {
    const empty = h('td', { class: 'outside', 'aria-hidden': 'true' });
    return places > 0 ? [styled(empty, { [side]: `${String(places * pitch - 2)}px` })] : [];
  };
  return [...outside(from), ...inside, ...outside(count - to)];
}

import { eachFrame, fill, h, styled } from './dom';
import { type MenuItem, openMenu, placeOf } from './menu';

/** A column of a grid. `text` is what is copied and exported, at full precision. */
export interface Column<Row> {
  readonly key: string;
  readonly title: string | (() => Node);
  readonly label?: string;
  readonly align?: 'end';
  readonly width?: string;
  readonly text: (row: Row) => string;
  readonly render?: (row: Row) => Node | string;
  /** Present when the column can be sorted. */
  readonly order?: (a: Row, b: Row) => number;
}

export interface GridOptions<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rowHeight?: number;
  /** Height of the window in rows; more rows than this are windowed. */
  readonly windowRows?: number;
  readonly isSelected?: (row: Row) => boolean;
  /** A row that only names a group: drawn over all columns. */
  readonly groupOf?: (row: Row) => string | undefined;
  readonly rowClass?: (row: Row) => string;
  /** Identity of a row: where it is told, sorted rows stay in their places while their values change. */
  readonly keyOf?: (row: Row) => string;
  /** `extend`: with Shift, up to here from where the last one was opened. */
  readonly onopen?: (row: Row, column: string, extend: boolean) => void;
  readonly onfocus?: (row: Row, column: string) => void;
  /** The pointer came over a cell. */
  readonly onhover?: (row: Row, column: string, cell: HTMLElement) => void;
  readonly oncopy?: (text: string) => void;
  /** What the context menu of a row offers, by right click, context-menu key or Shift+F10. */
  readonly actions?: (row: Row) => readonly MenuItem[];
}

interface Sorting {
  readonly key: string;
  readonly descending: boolean;
}

/** Rows drawn above and below the window, so that a short scroll finds them there. */
const margin = 8;

/**
 * A native table as ARIA grid: one tab stop, arrows move the cell, rows outside the window are not in
 * the page. Row and column counts are set because of that.
 */
export class Grid<Row> {
  readonly element: HTMLElement;
  private readonly table = h('table', { role: 'grid' });
  private readonly head = h('thead');
  private readonly body = h('tbody');
  private rows: readonly Row[] = [];
  private shown: readonly Row[] = [];
  private sorting: Sorting | undefined;
  /** Of the rows as they were sorted last, by their key. */
  private places = new Map<string, number>();
  private row = 0;
  private column = 0;

  constructor(private readonly options: GridOptions<Row>) {
    this.table.append(this.head, this.body);
    this.table.setAttribute('aria-label', options.label);
    this.element = h('div', { class: 'grid-scroller', tabindex: -1 }, this.table);
    this.element.addEventListener(
      'scroll',
      eachFrame(() => {
        this.draw();
      }),
    );
    this.table.addEventListener('keydown', (event) => {
      this.keydown(event);
    });
    this.table.addEventListener('click', (event) => {
      this.click(event);
    });
    this.table.addEventListener('mousedown', (event) => {
      // Shift selects rows, not their text.
      if (event.shiftKey) event.preventDefault();
    });
    this.table.addEventListener('contextmenu', (event) => {
      this.offer(event);
    });
    this.table.addEventListener('pointerover', (event) => {
      const found = this.cellOf(event.target);
      if (found) this.options.onhover?.(...found);
    });
    this.table.addEventListener('focusin', (event) => {
      this.focused(event);
    });
  }

  /** All rows as they are sorted on screen. */
  get order(): readonly Row[] {
    return this.shown;
  }

  /** Shows these rows; selection and focus stay at their place. */
  show(rows: readonly Row[]): void {
    this.rows = rows;
    this.sort();
    this.row = Math.min(this.row, Math.max(0, this.shown.length - 1));
    this.draw();
  }

  /** Draws again, after a change of theme or selection. */
  draw(): void {
    const { columns } = this.options;
    const hadFocus = this.body.contains(document.activeElement);
    this.table.setAttribute('aria-rowcount', String(this.shown.length + 1));
    this.table.setAttribute('aria-colcount', String(columns.length));
    fill(this.head, this.drawHead());
    const [from, to] = this.range();
    fill(
      this.body,
      spacer(from * this.rowHeight, columns.length),
      ...this.shown.slice(from, to).map((row, i) => this.drawRow(row, from + i)),
      spacer((this.shown.length - to) * this.rowHeight, columns.length),
    );
    if (hadFocus) this.cellAt()?.focus({ preventScroll: true });
  }

  /** All rows as tab-separated values, in the order on screen. */
  tsv(): string {
    return this.values()
      .map((line) => line.join('\t'))
      .join('\n');
  }

  /** Head and rows as text. */
  values(): string[][] {
    const { columns } = this.options;
    const head = columns.map((column) => column.label ?? titleText(column));
    return [head, ...this.shown.map((row) => columns.map((column) => column.text(row)))];
  }

  private get rowHeight(): number {
    return this.options.rowHeight ?? 24;
  }

  private range(): readonly [number, number] {
    const most = this.options.windowRows ?? 30;
    const count = this.shown.length;
    this.element.classList.toggle('windowed', count > most);
    if (count <= most) return [0, count];
    styled(this.element, { 'max-height': `${String((most + 1) * this.rowHeight)}px` });
    const first = Math.floor(this.element.scrollTop / this.rowHeight);
    return [Math.max(0, first - margin), Math.min(count, first + most + margin)];
  }

  private sort(): void {
    const column = this.options.columns.find(({ key }) => key === this.sorting?.key);
    const order = column?.order;
    if (!order) {
      this.shown = this.rows;
      return;
    }
    const { keyOf } = this.options;
    const sign = this.sorting?.descending ? -1 : 1;
    // Rows that came later have no place yet and stand below the others.
    const place = (row: Row) => this.places.get(keyOf?.(row) ?? '') ?? Infinity;
    this.shown = this.sections().flatMap(({ head, rows }) => [
      ...head,
      ...rows.sort((a, b) => place(a) - place(b) || sign * order(a, b)),
    ]);
    if (keyOf) this.places = new Map(this.shown.map((row, i) => [keyOf(row), i]));
  }

  /** Groups stay together, each under its title. */
  private sections(): readonly { readonly head: Row[]; readonly rows: Row[] }[] {
    const sections: { head: Row[]; rows: Row[] }[] = [{ head: [], rows: [] }];
    for (const row of this.rows)
      if (this.options.groupOf?.(row) !== undefined) sections.push({ head: [row], rows: [] });
      else sections.at(-1)?.rows.push(row);
    return sections;
  }

  private drawHead(): HTMLElement {
    return h(
      'tr',
      { role: 'row', 'aria-rowindex': 1 },
      ...this.options.columns.map((column, i) => {
        const sorted = this.sorting?.key === column.key ? this.sorting : undefined;
        const content = typeof column.title === 'string' ? column.title : column.title();
        const cell = h(
          'th',
          {
            role: 'columnheader',
            scope: 'col',
            class: column.align,
            'aria-colindex': i + 1,
            'aria-sort': sorted ? (sorted.descending ? 'descending' : 'ascending') : null,
          },
          column.order
            ? h(
                'button',
                {
                  class: 'sort',
                  type: 'button',
                  tabindex: -1,
                  click: () => {
                    this.sortBy(column.key);
                  },
                },
                content,
                sorted ? (sorted.descending ? ' ▾' : ' ▴') : '',
              )
            : content,
        );
        return column.width ? styled(cell, { width: column.width }) : cell;
      }),
    );
  }

  private drawRow(row: Row, index: number): HTMLElement {
    const group = this.options.groupOf?.(row);
    const props = { role: 'row', 'aria-rowindex': index + 2, 'data-row': index };
    if (group !== undefined)
      return h(
        'tr',
        { ...props, class: 'group' },
        h(
          'th',
          {
            colspan: this.options.columns.length,
            scope: 'rowgroup',
            role: 'gridcell',
            'data-column': 0,
            tabindex: this.tabIndex(index, 0),
          },
          group,
        ),
      );
    const selected = this.options.isSelected?.(row) ?? false;
    return h(
      'tr',
      {
        ...props,
        'aria-selected': String(selected),
        class: `${selected ? 'selected ' : ''}${this.options.rowClass?.(row) ?? ''}`,
      },
      ...this.options.columns.map((column, i) =>
        h(
          i === 0 ? 'th' : 'td',
          {
            role: i === 0 ? 'rowheader' : 'gridcell',
            scope: i === 0 ? 'row' : null,
            class: column.align,
            'aria-colindex': i + 1,
            'data-column': i,
            tabindex: this.tabIndex(index, i),
          },
          column.render?.(row) ?? column.text(row),
        ),
      ),
    );
  }

  private tabIndex(row: number, column: number): number {
    return row === this.row && column === this.column ? 0 : -1;
  }

  private sortBy(key: string): void {
    const same = this.sorting?.key === key ? this.sorting : undefined;
    this.sorting = same && !same.descending ? undefined : { key, descending: !same };
    this.places.clear();
    this.sort();
    this.draw();
  }

  private cellAt(): HTMLElement | null {
    return this.body.querySelector(
      `tr[data-row="${String(this.row)}"] [data-column="${String(this.column)}"]`,
    );
  }

  private move(row: number, column: number): void {
    this.row = Math.min(this.shown.length - 1, Math.max(0, row));
    this.column = Math.min(this.options.columns.length - 1, Math.max(0, column));
    this.scrollToRow();
    this.draw();
    (this.cellAt() ?? this.rowAt())?.focus({ preventScroll: true });
  }

  /** A group's row has one cell, whatever the column. */
  private rowAt(): HTMLElement | null {
    return this.body.querySelector(`tr[data-row="${String(this.row)}"] [data-column]`);
  }

  private scrollToRow(): void {
    if (!this.element.classList.contains('windowed')) return;
    const top = this.row * this.rowHeight;
    const space = this.element.clientHeight - 2 * this.rowHeight;
    if (top < this.element.scrollTop) this.element.scrollTop = top;
    else if (top > this.element.scrollTop + space) this.element.scrollTop = top - space;
  }

  private keydown(event: KeyboardEvent): void {
    const last = this.shown.length - 1;
    const page = this.options.windowRows ?? 30;
    const targets: Readonly<Record<string, readonly [number, number]>> = {
      ArrowUp: [this.row - 1, this.column],
      ArrowDown: [this.row + 1, this.column],
      ArrowLeft: [this.row, this.column - 1],
      ArrowRight: [this.row, this.column + 1],
      Home: event.ctrlKey ? [0, 0] : [this.row, 0],
      End: event.ctrlKey ? [last, Infinity] : [this.row, Infinity],
      PageUp: [this.row - page, this.column],
      PageDown: [this.row + page, this.column],
    };
    const target = targets[event.key];
    if (target) this.move(target[0], target[1]);
    else if (!this.act(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  private act(event: KeyboardEvent): boolean {
    const row = this.shown[this.row];
    const column = this.options.columns[this.column];
    if (row === undefined || !column) return false;
    if (['Enter', ' '].includes(event.key)) {
      this.options.onopen?.(row, column.key, event.shiftKey);
      return true;
    }
    if (event.key !== 'c' || !(event.ctrlKey || event.metaKey)) return false;
    const copy = this.options.oncopy;
    if (copy) copy(event.shiftKey ? this.tsv() : column.text(row));
    return true;
  }

  private click(event: MouseEvent): void {
    const cell = event.target instanceof Element ? event.target.closest('[data-column]') : null;
    const line = cell?.closest('tr');
    if (!(cell instanceof HTMLElement) || !line || isControl(event.target)) return;
    this.row = Number(line.dataset['row']);
    this.column = Number(cell.dataset['column']);
    const row = this.shown[this.row];
    const column = this.options.columns[this.column];
    if (row !== undefined && column) this.options.onopen?.(row, column.key, event.shiftKey);
    this.draw();
    this.cellAt()?.focus({ preventScroll: true });
  }

  private offer(event: MouseEvent): void {
    const [row, column, cell] = this.cellOf(event.target) ?? [];
    if (row === undefined || !cell || !this.options.actions) return;
    event.preventDefault();
    this.row = this.shown.indexOf(row);
    this.column = this.options.columns.findIndex(({ key }) => key === column);
    openMenu(
      `Actions for ${cell.closest('tr')?.querySelector('th')?.textContent ?? ''}`,
      this.options.actions(row),
      {
        ...placeOf(event, cell),
        back: () => {
          this.draw();
          this.cellAt()?.focus({ preventScroll: true });
        },
      },
    );
  }

  private focused(event: FocusEvent): void {
    const found = this.cellOf(event.target);
    if (found) this.options.onfocus?.(found[0], found[1]);
  }

  /** Row, column's key and cell of an element inside a cell. */
  private cellOf(target: EventTarget | null): [Row, string, HTMLElement] | undefined {
    const cell = target instanceof Element ? target.closest('[data-column]') : null;
    if (!(cell instanceof HTMLElement)) return undefined;
    const row = this.shown[Number(cell.closest('tr')?.dataset['row'])];
    const column = this.options.columns[Number(cell.dataset['column'])];
    return row !== undefined && column ? [row, column.key, cell] : undefined;
  }
}

function spacer(height: number, columns: number): HTMLElement | null {
  if (height <= 0) return null;
  const cell = styled(h('td', { colspan: columns }), {
    height: `${String(height)}px`,
    padding: '0',
  });
  return h('tr', { class: 'spacer', 'aria-hidden': 'true' }, cell);
}

function isControl(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('button, a, select, input') !== null;
}

function titleText<Row>(column: Column<Row>): string {
  if (column.label !== undefined) return column.label;
  return typeof column.title === 'string' ? column.title : column.key;
}

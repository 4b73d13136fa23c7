import type { RateCell, RateRow, RateTable } from '../../server/protocol/panels/success-rates';
import { fill, h, styled } from '../shared/dom';
import { duration, missing, nbsp, percent } from '../shared/format';
import type { Column } from '../shared/grid';
import { Grid } from '../shared/grid';
import { icon } from '../shared/icons';
import type { Theme } from '../shared/theme';
import type { LiveRegion, Tooltip } from '../shared/tooltip';
import type { SuccessActions, SuccessModel } from './model';
import { cellTip } from './cell-tip';
import { rateBar, type BarLook } from './rate-bar';
import { amongOf, lettersOf, selectionLine } from './selection';
import { cellSentence, rateOf, rateText, tableOf } from './model';

/** A line of the table: a group's title, or a policy. */
type Line = { readonly title: string } | { readonly row: RateRow };

/** Policies × tasks: counts, rate, and a bar from 0 to 100 % so that columns read as dot plots. */
export class RatesCard {
  readonly element = h('section', { class: 'card rates' });
  private grid: Grid<Line> | undefined;
  private made = '';
  /** The row that was selected last by itself. */
  private anchor = '';
  private readonly foot = h('div');
  private model: SuccessModel | undefined;

  constructor(
    private readonly actions: SuccessActions,
    private readonly tools: { readonly tooltip: Tooltip; readonly live: LiveRegion },
  ) {
    this.element.addEventListener('pointerleave', () => {
      tools.tooltip.hide();
    });
  }

  draw(model: SuccessModel): void {
    this.model = model;
    const { view, theme } = model;
    const table = tableOf(model);
    if (!table) return;
    const key = `${view} ${theme.kind} ${table.tasks.join('\0')}`;
    if (!this.grid || this.made !== key) this.grid = this.makeGrid(table, theme);
    this.made = key;
    this.grid.show(linesOf(table));
    // The grid stays in the page, and with it the focus, while what is below it changes.
    fill(this.element, this.grid.element, this.foot);
    fill(
      this.foot,
      legend(theme, amongOf(model)?.test ?? table.letterTest),
      selectionLine(model, () => {
        this.actions.selectRows([]);
      }),
    );
  }

  private makeGrid(table: RateTable, theme: Theme): Grid<Line> {
    return new Grid<Line>({
      label: 'Success rates, policies by tasks',
      columns: columnsOf(table, theme, () => this.model),
      rowHeight: 33,
      windowRows: 60,
      groupOf: (line) => ('title' in line ? line.title : undefined),
      keyOf: (line) => ('row' in line ? line.row.id : line.title),
      rowClass: (line) => ('row' in line ? `rate-row ${line.row.state}` : ''),
      isSelected: (line) =>
        'row' in line && (this.model?.selectedRows.includes(line.row.id) ?? false),
      onopen: (line, column, extend) => {
        this.open(line, column, extend);
      },
      onfocus: (line, column) => {
        this.focus(line, column);
      },
      onhover: (line, column, cell) => {
        this.explain(line, column, cell);
      },
      oncopy: (text) => {
        this.actions.copy(text);
      },
    });
  }

  private open(line: Line, column: string, extend: boolean): void {
    if (!('row' in line) || line.row.state === 'paper') return;
    if (column.startsWith('task ')) this.actions.openCell(line.row.id, column.slice(5));
    else if (column === 'policy') this.actions.selectRows(this.selection(line.row.id, extend));
  }

  /** One row more or less; with Shift all rows from the last one to this, as they are sorted. */
  private selection(row: string, extend: boolean): readonly string[] {
    const before = this.model?.selectedRows ?? [];
    const order = (this.grid?.order ?? []).flatMap((line) =>
      'row' in line && line.row.state !== 'paper' ? [line.row.id] : [],
    );
    const [from, to] = [order.indexOf(this.anchor), order.indexOf(row)];
    if (extend && from >= 0) {
      const range = order.slice(Math.min(from, to), Math.max(from, to) + 1);
      return [...new Set([...before, ...range])];
    }
    this.anchor = row;
    return before.includes(row) ? before.filter((id) => id !== row) : [...before, row];
  }

  private focus(line: Line, column: string): void {
    const { tooltip, live } = this.tools;
    tooltip.hide();
    if (!('row' in line)) return;
    const place = this.tasks().indexOf(column.slice(5));
    const task = this.tasks()[place];
    if (!column.startsWith('task ') || task === undefined) {
      live.say(`${line.row.label} ${line.row.detail}`);
      return;
    }
    live.say(cellSentence(line.row, task, line.row.cells[place]));
    if (document.activeElement instanceof HTMLElement)
      this.explain(line, column, document.activeElement);
  }

  /** The tooltip of a cell, for the pointer and for the keyboard's mark alike. */
  private explain(line: Line, column: string, at: HTMLElement): void {
    const place = column.startsWith('task ') ? this.tasks().indexOf(column.slice(5)) : -1;
    const cell = 'row' in line ? line.row.cells[place] : undefined;
    const { tooltip } = this.tools;
    if (!('row' in line) || !cell || !this.model) tooltip.hide();
    else
      tooltip.showBelow(
        at.getBoundingClientRect(),
        ...cellTip(line.row, column.slice(5), cell, this.model.theme),
      );
  }

  private tasks(): readonly string[] {
    return this.model?.snapshot.table?.tasks ?? [];
  }
}

function linesOf(table: RateTable): Line[] {
  return table.groups.flatMap(({ title, rows }): Line[] => [
    { title },
    ...rows.map((row) => ({ row })),
  ]);
}

function columnsOf(
  table: RateTable,
  theme: Theme,
  model: () => SuccessModel | undefined,
): Column<Line>[] {
  const row = (line: Line) => ('row' in line ? line.row : undefined);
  return [
    {
      key: 'policy',
      title: 'policy',
      text: (line) => `${row(line)?.label ?? ''} ${row(line)?.detail ?? ''}`.trim(),
      order: (a, b) => (row(a)?.label ?? '').localeCompare(row(b)?.label ?? ''),
      render: (line) => ('row' in line ? policyCell(line.row) : ''),
    },
    ...table.tasks.map((task, i): Column<Line> => ({
      key: `task ${task}`,
      title: task,
      text: (line) => cellCopy(row(line)?.cells[i]),
      order: by((line) => rateOf(row(line)?.cells[i])),
      render: (line) => {
        if (!('row' in line)) return '';
        const cell = model()?.cell;
        const chosen = cell?.row === line.row.id && cell.task === task;
        const own = model()?.view === 'cross' && line.row.label === task;
        return rateCell(line.row, line.row.cells[i], { theme, marked: chosen || own });
      },
    })),
    {
      key: 'mean',
      title: 'task mean',
      align: 'end',
      text: (line) => String(row(line)?.mean?.value ?? ''),
      order: by((line) => row(line)?.mean?.value),
      render: (line) => ('row' in line ? meanCell(line.row) : ''),
    },
    {
      key: 'letters',
      title: 'letters',
      text: (line) => lettersOf(model(), row(line)) ?? '',
      render: (line) => ('row' in line ? lettersCell(line.row, model()) : ''),
    },
    {
      key: 'routed',
      title: 'routed right',
      align: 'end',
      text: (line) => routedText(row(line)),
      order: by((line) => {
        const { right = 0, known = 0 } = row(line)?.routed ?? {};
        return right / known;
      }),
      render: (line) => h('span', {}, routedText(row(line)) || missing),
    },
  ];
}

/** By a number; what has none comes below all others. */
function by(value: (line: Line) => number | undefined): (a: Line, b: Line) => number {
  const of = (line: Line) => {
    const found = value(line) ?? Number.NaN;
    return Number.isNaN(found) ? -1 : found;
  };
  return (a, b) => of(a) - of(b);
}

function routedText(row: RateRow | undefined): string {
  return row?.routed ? `${String(row.routed.right)}/${String(row.routed.known)}` : '';
}

function cellCopy(cell: RateCell | null | undefined): string {
  if (!cell) return '';
  return cell.trials > 0
    ? `${String(cell.successes)}/${String(cell.trials)}`
    : String(cell.printed ?? '');
}

function policyCell(row: RateRow): HTMLElement {
  const paper = row.state === 'paper';
  const name = h('span', {}, h(paper ? 'em' : 'strong', {}, row.label), ` ${row.detail} `);
  const tag = paper ? 'paper' : row.state === 'partial' ? 'partial' : undefined;
  if (tag) name.append(h('span', { class: 'tag', title: row.note }, tag));
  const { progress } = row;
  if (row.state !== 'running' || !progress) return name;
  const bar = h(
    'div',
    { class: 'progress' },
    styled(h('div'), { width: `${String((100 * progress.done) / Math.max(1, progress.total))}%` }),
  );
  const left = progress.seconds === undefined ? '' : ` · ${duration(progress.seconds)} left`;
  return h(
    'div',
    { class: 'running-name' },
    name,
    h(
      'span',
      { class: 'running-line secondary small' },
      bar,
      `${String(progress.done)} of ${String(progress.total)}${left}`,
    ),
  );
}

interface CellLook {
  readonly theme: Theme;
  readonly marked: boolean;
}

function rateCell(
  row: RateRow,
  cell: RateCell | null | undefined,
  { theme, marked }: CellLook,
): HTMLElement {
  const box = (...children: (Node | string | null)[]) =>
    h('div', { class: `rate-cell ${marked ? 'chosen' : ''} ${row.state}` }, ...children);
  if (!cell) return box(h('span', { class: 'rate-none' }, missing));
  const running = (cell.planned ?? 0) > cell.trials + cell.errors;
  if (running && cell.trials === 0)
    return box(
      h('span', { class: 'rate-counts secondary' }, `0/${String(cell.planned)}`),
      h('span', { class: 'rate-queued secondary' }, 'queued'),
    );
  const counts = cell.trials > 0 ? `${String(cell.successes)}/${String(cell.trials)}` : '';
  return box(
    h('span', { class: 'rate-counts secondary' }, counts),
    h('span', { class: 'rate-value' }, rateText(cell)),
    rateBar(cell, { theme, hatched: running, paper: row.state === 'paper' }),
    cell.errors > 0 ? crashed(cell.errors) : null,
  );
}

function crashed(errors: number): HTMLElement {
  const title = `${String(errors)} rollouts crashed and are counted apart`;
  return h('span', { class: 'rate-errors', title }, icon('warning'), String(errors));
}

function meanCell(row: RateRow): HTMLElement | string {
  if (!row.mean)
    return row.state === 'running' || row.state === 'partial'
      ? h('span', { class: 'secondary' }, 'partial')
      : missing;
  const { value, low, high } = row.mean;
  const text = `${percent(value, 1)}${nbsp}%`;
  if (low === undefined || high === undefined) return h('em', { class: 'secondary' }, text);
  return h(
    'div',
    { class: 'mean' },
    h('strong', {}, text),
    h('span', { class: 'secondary small' }, `[${percent(low, 0)}, ${percent(high, 0)}]`),
  );
}

/** Letters in fixed places, so that they align into columns. */
function lettersCell(row: RateRow, model: SuccessModel | undefined): HTMLElement {
  if (row.state === 'running' && row.progress)
    return h('span', { class: 'secondary' }, `after ${String(row.progress.total)}`);
  const letters = lettersOf(model, row);
  if (letters === undefined) return h('span', {}, missing);
  const rows = (model && tableOf(model)?.groups.flatMap((group) => group.rows)) ?? [];
  const alphabet = [...new Set(rows.map((other) => lettersOf(model, other) ?? '').join(''))].sort();
  return h(
    'span',
    { class: 'letters code' },
    alphabet.map((letter) => (letters.includes(letter) ? letter : nbsp)).join(''),
  );
}

function legend(theme: Theme, test: string): HTMLElement {
  const cell = { successes: 1, trials: 2, low: 0.2, high: 0.8, errors: 0 };
  const key = (look: BarLook, text: string) =>
    h('span', {}, h('span', { class: 'legend-bar' }, rateBar(cell, look)), text);
  return h(
    'p',
    { class: 'legend rates-legend secondary' },
    key({ theme, hatched: false, paper: false }, 'rate and interval'),
    key({ theme, hatched: true, paper: false }, 'still running'),
    key({ theme, hatched: false, paper: true }, 'paper, interval ours where n is stated'),
    h('span', {}, `same letter: not told apart (${test})`),
  );
}

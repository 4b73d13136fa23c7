import { fill, h } from './dom';
import type { Column } from './grid';
import { Grid } from './grid';

/** A chart as a table: the same numbers in the same order. */
export interface Twin {
  readonly title: string;
  /** Title of the first column, then of each cell. */
  readonly head: readonly string[];
  readonly rows: readonly TwinRow[];
}

/** One line of a twin: a name and its cells, each with what is shown and what is copied. */
export interface TwinRow {
  readonly name: string;
  readonly cells: readonly TwinCell[];
}

export interface TwinCell {
  readonly shown: string;
  readonly exact: string;
}

/** A number at full precision; nothing where there is none. */
export const plainCell = (value: number, shown: string): TwinCell => ({
  shown,
  exact: Number.isFinite(value) ? String(value) : '',
});

interface Kept {
  readonly head: string;
  readonly grid: Grid<TwinRow>;
}

/** The tables that stand for a panel's charts. A table that is there already keeps focus and scroll. */
export class TwinCard {
  readonly element = h('section', { class: 'card twin' });
  private kept = new Map<string, Kept>();

  constructor(private readonly copy: (text: string) => void) {}

  draw(twins: readonly Twin[]): void {
    const before = [...this.kept.keys()];
    const known = this.kept;
    this.kept = new Map();
    for (const twin of twins) {
      const head = twin.head.join('\0');
      const old = known.get(twin.title);
      const kept = old?.head === head ? old : { head, grid: this.grid(twin) };
      this.kept.set(twin.title, kept);
      kept.grid.show(twin.rows);
    }
    const isSame = twins.every(({ title }) => known.get(title) === this.kept.get(title));
    if (isSame && before.length === twins.length) return;
    fill(
      this.element,
      ...[...this.kept].flatMap(([title, { grid }]) => [h('h2', {}, title), grid.element]),
    );
  }

  private grid({ title, head }: Twin): Grid<TwinRow> {
    const columns: Column<TwinRow>[] = head.map((label, i) => ({
      key: `${String(i)} ${label}`,
      title: label,
      label,
      ...(i === 0 ? {} : { align: 'end' as const }),
      text: (row) => (i === 0 ? row.name : (row.cells[i - 1]?.exact ?? '')),
      render: (row) => (i === 0 ? row.name : (row.cells[i - 1]?.shown ?? '–')),
    }));
    return new Grid<TwinRow>({ label: title, columns, windowRows: 24, oncopy: this.copy });
  }
}

/** All tables as CSV: a block for each, an empty line between. */
export function twinsAsCsv(twins: readonly Twin[]): string {
  const quote = (text: string) => (/[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  return twins
    .map(({ title, head, rows }) =>
      [[title], head, ...rows.map(({ name, cells }) => [name, ...cells.map(({ exact }) => exact)])]
        .map((line) => line.map(quote).join(','))
        .join('\n'),
    )
    .join('\n\n');
}

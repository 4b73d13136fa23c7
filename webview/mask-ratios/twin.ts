import type { Figure } from '../../server/protocol/panels/shared';
import { fill, h } from '../shared/dom';
import { highOf, lowOf, percent, share, signed, valueOf } from '../shared/format';
import type { Column } from '../shared/grid';
import { Grid } from '../shared/grid';
import type { MaskModel } from './model';
import { activeAt, conflictAt, coverageAt, symbols } from './model';
import { spectraTwins } from './spectra-twin';

/** One line of a twin: a name and its cells, each with what is shown and what is copied. */
interface TwinRow {
  readonly name: string;
  readonly cells: readonly TwinCell[];
}
export interface TwinCell {
  readonly shown: string;
  readonly exact: string;
}

/** The same numbers as the drawings, in the same order, as native tables. */
export class TwinCard {
  readonly element = h('section', { class: 'card twin' });

  constructor(private readonly copy: (text: string) => void) {}

  draw(model: MaskModel): void {
    fill(
      this.element,
      ...twins(model).flatMap(({ title, head, rows }) => [
        h('h2', {}, title),
        this.table(title, head, rows),
      ]),
    );
  }

  private table(label: string, head: readonly string[], rows: readonly TwinRow[]): HTMLElement {
    const columns: Column<TwinRow>[] = head.map((title, i) => ({
      key: `${String(i)} ${title}`,
      title,
      label: title,
      ...(i === 0 ? {} : { align: 'end' as const }),
      text: (row) => (i === 0 ? row.name : (row.cells[i - 1]?.exact ?? '')),
      render: (row) => (i === 0 ? row.name : (row.cells[i - 1]?.shown ?? '–')),
    }));
    const grid = new Grid<TwinRow>({ label, columns, windowRows: 24, oncopy: this.copy });
    grid.show(rows);
    return grid.element;
  }
}

export interface Twin {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly TwinRow[];
}

/** Tables for every chart of the panel. */
export function twins(model: MaskModel): readonly Twin[] {
  const { view, recipe } = model.snapshot;
  if (!view || !recipe) return [];
  return [
    totalsTwin(model),
    coverageTwin(model),
    pairsTwin(model),
    layersTwin(model),
    ...curveTwins(model),
    ...spectraTwins(model),
  ];
}

/** All tables as CSV: a block for each, an empty line between. */
export function twinsAsCsv(model: MaskModel): string {
  const quote = (text: string) => (/[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  return twins(model)
    .map(({ title, head, rows }) =>
      [[title], head, ...rows.map(({ name, cells }) => [name, ...cells.map(({ exact }) => exact)])]
        .map((line) => line.map(quote).join(','))
        .join('\n'),
    )
    .join('\n\n');
}

function cell(figure: Figure | null | undefined): TwinCell {
  const [low, high] = [lowOf(figure), highOf(figure)];
  const value = valueOf(figure);
  const exact = !Number.isFinite(value)
    ? ''
    : Number.isFinite(low)
      ? `${String(value)} [${String(low)}, ${String(high)}]`
      : String(value);
  return { shown: share(figure), exact };
}

const plain = (value: number, shown: string): TwinCell => ({
  shown,
  exact: Number.isFinite(value) ? String(value) : '',
});

function totalsTwin({ snapshot: { view, recipe } }: MaskModel): Twin {
  return {
    title: 'How much of the merge each task keeps',
    head: ['component', ...(recipe?.tasks ?? [])],
    rows: (view?.totals ?? []).map(({ label, active }) => ({
      name: label,
      cells: active.map(cell),
    })),
  };
}

function coverageTwin({ snapshot: { view, recipe } }: MaskModel): Twin {
  const levels = Array.from(
    { length: (recipe?.tasks.length ?? 0) + 1 },
    (_, i) => `by ${String(i)}`,
  );
  const unrelated = view?.unrelated
    ? [{ name: 'unrelated', cells: view.unrelated.coverage.map((v) => cell(v)) }]
    : [];
  return {
    title: 'How many tasks keep a weight',
    head: ['component', ...levels],
    rows: [
      ...(view?.coverage ?? []).map(({ label, shares }) => ({
        name: label,
        cells: shares.map(cell),
      })),
      ...unrelated,
    ],
  };
}

function pairsTwin({ snapshot: { view, recipe } }: MaskModel): Twin {
  const tasks = recipe?.tasks ?? [];
  const rows = tasks.flatMap((a, i) =>
    tasks.slice(i + 1).map((b, offset) => {
      const j = i + 1 + offset;
      const cosine = valueOf(view?.cosine[i * tasks.length + j]);
      return {
        name: `${a} and ${b}`,
        cells: [plain(cosine, signed(cosine, 2)), cell(view?.conflict[j * tasks.length + i])],
      };
    }),
  );
  return { title: 'Tasks against each other', head: ['pair', 'cosine', 'sign conflict'], rows };
}

function layersTwin({ snapshot: { view, recipe, sections } }: MaskModel): Twin {
  const tasks = recipe?.tasks ?? [];
  const blocks = sections.reduce((sum, section) => sum + section.blocks.length, 0);
  const names = sections.flatMap((section) =>
    section.blocks.map(({ label }) => `${section.component} ${label}`),
  );
  const rows = names.map((name, b) => ({
    name,
    cells: view
      ? [
          ...tasks.map((_, task) =>
            triple([0, 1, 2].map((part) => activeAt(view, blocks, [task, b, part]))),
          ),
          ...Array.from({ length: tasks.length + 1 }, (_, level) => {
            const value = coverageAt(view, blocks, level, b);
            return plain(value, `${percent(value, 1)} %`);
          }),
          triple([0, 1, 2].map((part) => conflictAt(view, b, part))),
        ]
      : [],
  }));
  const levels = Array.from({ length: tasks.length + 1 }, (_, i) => `by ${String(i)}`);
  return { title: 'Layer by layer', head: ['block', ...tasks, ...levels, 'sign conflict'], rows };
}

function triple([
  value = Number.NaN,
  low = Number.NaN,
  high = Number.NaN,
]: readonly number[]): TwinCell {
  if (!Number.isFinite(value)) return { shown: '–', exact: '' };
  return cell(Number.isFinite(low) && high > low ? { value, low, high } : value);
}

function curveTwins({ snapshot: { curves, recipe } }: MaskModel): Twin[] {
  const tasks = recipe?.tasks ?? [];
  return curves.map(({ parameter, grid, values, unrelated }) => ({
    title: `Active ratio over ${symbols[parameter]}`,
    head: [symbols[parameter], ...tasks, 'unrelated'],
    rows: grid.map((x, i) => ({
      name: x.toFixed(2),
      cells: [
        ...tasks.map((_, task) => cell(values[task * grid.length + i])),
        cell(unrelated?.[i]),
      ],
    })),
  }));
}

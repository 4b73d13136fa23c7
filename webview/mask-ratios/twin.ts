import type { PairView } from '../../server/protocol/panels/mask-details';
import type { Figure } from '../../server/protocol/panels/shared';
import { highOf, lowOf, percent, share, signed, valueOf } from '../shared/format';
import type { Twin, TwinCell } from '../shared/twin';
import { plainCell } from '../shared/twin';
import type { MaskModel } from './model';
import { activeAt, conflictAt, coverageAt, levelsOf, symbols } from './model';
import { spectraTwins } from './spectra-twin';

/** Tables for every chart of the panel. */
export function twins(model: MaskModel): readonly Twin[] {
  const { view, recipe } = model.snapshot;
  if (!view || !recipe) return [];
  return [
    totalsTwin(model),
    coverageTwin(model),
    pairsTwin(model),
    normsTwin(model),
    layersTwin(model),
    ...curveTwins(model),
    ...spectraTwins(model),
  ];
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

function coverageTwin({ snapshot: { view } }: MaskModel): Twin {
  const levels = Array.from(
    { length: view?.coverage[0]?.shares.length ?? 0 },
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
        cells: [plainCell(cosine, signed(cosine, 2)), cell(view?.conflict[j * tasks.length + i])],
      };
    }),
  );
  return { title: 'Tasks against each other', head: ['pair', 'cosine', 'sign conflict'], rows };
}

/** The diagonal of the matrix. */
function normsTwin({ snapshot: { view, recipe } }: MaskModel): Twin {
  const rows = (recipe?.tasks ?? []).map((task, i) => {
    const share = valueOf(view?.norms[i]);
    return { name: task, cells: [plainCell(share, `${percent(share, 2)} %`)] };
  });
  return { title: 'Size of each task vector', head: ['task', '‖τ‖, % of base'], rows };
}

function layersTwin({ snapshot: { view, recipe, sections, pair } }: MaskModel): Twin {
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
          ...Array.from({ length: levelsOf(view, blocks) }, (_, level) => {
            const value = coverageAt(view, blocks, level, b);
            return plainCell(value, `${percent(value, 1)} %`);
          }),
          triple([0, 1, 2].map((part) => conflictAt(view, b, part))),
          ...(pair ? pairCells(pair, b) : []),
        ]
      : [],
  }));
  const count = view ? levelsOf(view, blocks) : 0;
  const levels = Array.from({ length: count }, (_, i) => `by ${String(i)}`);
  const both = pair ? `${tasks[pair.first] ?? ''} and ${tasks[pair.second] ?? ''}` : '';
  const own = pair ? [`sign conflict, ${both}`, `cosine, ${both}`] : [];
  const head = ['block', ...tasks, ...levels, 'sign conflict', ...own];
  return { title: 'Layer by layer', head, rows };
}

function pairCells({ conflict, cosine }: PairView, block: number): TwinCell[] {
  const value = cosine[block] ?? Number.NaN;
  return [
    triple([0, 1, 2].map((part) => conflict[3 * block + part] ?? Number.NaN)),
    plainCell(value, signed(value, 2)),
  ];
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

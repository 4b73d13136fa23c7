import { nbsp, number, percent } from '../shared/format';
import type { MaskModel } from './model';
import { magnitude, overlapOf, overlapSizes, spectraOf, unrelatedOverlap } from './spectra-model';
import type { Twin, TwinCell } from '../shared/twin';

/** The measured spectra as tables: ranks, singular values, overlaps. */
export function spectraTwins(model: MaskModel): readonly Twin[] {
  const view = spectraOf(model);
  if (!view || view.tensors.length === 0) return [];
  const tasks = model.snapshot.recipe?.tasks ?? [];
  const pairs = tasks.flatMap((a, i) => tasks.slice(i + 1).map((b) => `${a} and ${b}`));
  const sizes = overlapSizes(view.scope?.k ?? 1);
  const ranks: Twin = {
    title: `Effective rank by matrix, ${view.title}`,
    head: ['matrix', 'directions', 'rank of sum', 'weak share of sum', ...tasks, 'sum'],
    rows: view.tensors.map(({ name, directions, sum, tasks: own }) => ({
      name,
      cells: [
        cell(directions, String(directions)),
        cell(sum.rank, String(sum.rank)),
        cell(sum.weak, `${percent(sum.weak, 1)}${nbsp}%`),
        ...[...own, sum].map(({ effective_rank: rank }) => cell(rank, number(rank, 1))),
      ],
    })),
  };
  const values: Twin = {
    title: `Singular values, ${view.title}`,
    head: ['matrix and direction', ...tasks, 'sum'],
    rows: view.tensors.flatMap(({ name, indices, tasks: own, sum }) =>
      indices.map((index, i) => ({
        name: `${name} ${String(index + 1)}`,
        cells: [...own, sum].map(({ values: list }) =>
          cell(list[i] ?? Number.NaN, magnitude(list[i])),
        ),
      })),
    ),
  };
  const overlaps: Twin = {
    title: `Overlap of leading directions, ${view.title}`,
    head: ['matrix and pair', ...sizes.map((size) => `leading ${String(size)}`)],
    rows: view.tensors.flatMap((tensor) => [
      ...pairs.map((pair, p) => ({
        name: `${tensor.name} ${pair}`,
        cells: sizes.map((size) => share(overlapOf(tensor, p, size))),
      })),
      {
        name: `${tensor.name} unrelated`,
        cells: sizes.map((size) => share(unrelatedOverlap(tensor, size))),
      },
    ]),
  };
  return pairs.length > 0 ? [ranks, values, overlaps] : [ranks, values];
}

function cell(value: number, shown: string): TwinCell {
  return { shown, exact: Number.isFinite(value) ? String(value) : '' };
}

const share = (value: number): TwinCell => cell(value, `${percent(value, 1)}${nbsp}%`);

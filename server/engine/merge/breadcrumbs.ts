import { column, type Columns } from '../stages';
import type { ColumnInput, ColumnMethod } from './method';
import { electInto, sumInto, weightedColumns } from './weighted';

/** Drop the largest γ and as many of the smallest as leave the density (Davari & Belilovsky; §6). */
export const breadcrumbs: ColumnMethod = {
  kind: 'columns',
  space: 'task_vectors',
  ranks: ({ density, gamma }, task, n) =>
    density[task] >= 1 ? [] : crumbRanks(density[task], gamma[task], n),
  combine: (input) => {
    sumInto(input, crumbColumns(input), input.settings.normalize);
  },
};

export const breadcrumbsTies: ColumnMethod = {
  ...breadcrumbs,
  needsSignBalance: (settings) => settings.elect_tie === 'global',
  statisticsLength: (settings) => (settings.elect_tie === 'global' ? 1 : 0),
  statistics: (input, sums) => {
    sums[0] += input.stages.signBalance(crumbColumns(input), input.n);
  },
  combine: (input) => {
    electInto(input, crumbColumns(input));
  },
};

/** How many of the largest are kept before the top is dropped, and how many that top has. */
function crumbRanks(density: number, gamma: number, n: number): [number, number] {
  const target = Math.floor(density * n);
  let top = Math.floor(gamma * n);
  let bottom = n - target - top;
  if (bottom < 0) {
    // Fewer of the largest are dropped, so that the density is met.
    top += bottom;
    bottom = 0;
  }
  return [n - bottom, top];
}

function crumbColumns(input: ColumnInput): Columns {
  const { stages, n, merged, scratch } = input;
  const columns = weightedColumns(input);
  if (input.facts.cuts.every((cuts) => cuts.length === 0)) return columns;
  for (let m = 0; m < columns.count; m++) {
    const source = column(columns, m);
    const target = column(scratch, m);
    const cuts = input.facts.cuts[m];
    const kept = cuts.at(0);
    const top = cuts.at(1);
    // The top is cut from the same values into `merged`, which is free until the columns are joined.
    if (top) top.remaining -= stages.trim(source, top, merged, n);
    if (kept) kept.remaining -= stages.trim(source, kept, target, n);
    else if (source !== target) target.set(source.subarray(0, n));
    if (top) stages.subtract(target, merged, target, n);
  }
  return scratch;
}

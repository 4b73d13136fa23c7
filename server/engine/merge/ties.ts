import type { MethodSettings } from '../plan-types';
import { column, type Columns } from '../stages';
import type { ColumnInput, ColumnMethod } from './method';
import { electInto, weightedColumns } from './weighted';

/** Trim to the largest magnitudes, elect one sign, join what agrees (Yadav et al.; merge-methods §5). */
export const ties: ColumnMethod = {
  kind: 'columns',
  space: 'task_vectors',
  ranks: ({ density }, task, n) => (density[task] >= 1 ? [] : [keepCount(density[task], n)]),
  needsSignBalance: (settings) => settings.elect_tie === 'global',
  statisticsLength: (settings) => (settings.elect_tie === 'global' ? 1 : 0),
  statistics: (input, sums) => {
    sums[0] += input.stages.signBalance(trimmedColumns(input), input.n);
  },
  combine: (input) => {
    electInto(input, trimmedColumns(input));
  },
};

/** True where one cut is taken over all merged tensors as one vector. */
export function cutsOverModel({ method, trim_scope }: MethodSettings): boolean {
  return method === 'ties' && trim_scope === 'model';
}

/** True where, besides, ties of the election go by the sign of the whole model. */
export function electsOverModel(settings: MethodSettings): boolean {
  return cutsOverModel(settings) && settings.elect_tie === 'global';
}

/** ⌊n·density⌋. */
export function keepCount(density: number, n: number): number {
  return Math.max(0, Math.min(n, Math.floor(n * density)));
}

/** The weighted columns with everything below their cuts zeroed. */
function trimmedColumns(input: ColumnInput): Columns {
  const columns = weightedColumns(input);
  if (input.facts.cuts.every((cuts) => cuts.length === 0)) return columns;
  for (let m = 0; m < columns.count; m++) {
    const source = column(columns, m);
    const target = column(input.scratch, m);
    const cut = input.facts.cuts[m][0] ?? { threshold: -1, remaining: 0 };
    cut.remaining -= input.stages.trim(source, cut, target, input.n);
  }
  return input.scratch;
}

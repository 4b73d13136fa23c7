import { randomWord } from '../random';
import { column, type Columns } from '../stages';
import type { ColumnInput, ColumnMethod } from './method';
import { electInto, sumInto, weightedColumns } from './weighted';

/** Keep at random, rescale, sum (Yu et al.; merge-methods §6). */
export const dareLinear: ColumnMethod = {
  kind: 'columns',
  space: 'task_vectors',
  statisticsLength: (settings, tasks) => (settings.rescale === 'l1' ? 2 * tasks : 0),
  statistics: addNorms,
  combine: (input) => {
    sumInto(input, droppedColumns(input), input.settings.normalize);
  },
};

/** DARE with TIES' election; ties of the sum are decided by the election of each tensor's draw. */
export const dareTies: ColumnMethod = {
  ...dareLinear,
  needsSignBalance: (settings) => settings.elect_tie === 'global',
  statisticsLength: (settings, tasks) =>
    (settings.rescale === 'l1' ? 2 * tasks : 0) + (settings.elect_tie === 'global' ? 1 : 0),
  statistics: (input, sums) => {
    addNorms(input, sums);
    if (input.settings.elect_tie !== 'global') return;
    // The sign of a sum of L1-rescaled columns is not known before their norms; the plain draw stands for it.
    sums[sums.length - 1] += input.stages.signBalance(
      drawnColumns(input, () => 1),
      input.n,
    );
  },
  combine: (input) => {
    electInto(input, droppedColumns(input));
  },
};

function addNorms(input: ColumnInput, sums: Float64Array): void {
  if (input.settings.rescale !== 'l1') return;
  const columns = weightedColumns(input);
  const { density } = input.parameters;
  for (let m = 0; m < columns.count; m++) {
    const values = column(columns, m);
    for (let i = 0; i < input.n; i++) {
      const size = Math.abs(values[i]);
      sums[2 * m] += size;
      if (isKept(input, m, i, density[m])) sums[2 * m + 1] += size;
    }
  }
}

function droppedColumns(input: ColumnInput): Columns {
  const { density } = input.parameters;
  return drawnColumns(input, (m) => {
    if (input.settings.rescale === 'none') return 1;
    if (input.settings.rescale === 'keep_probability') return density[m];
    return 1 / l1Factor(input.facts.sums[2 * m], input.facts.sums[2 * m + 1]);
  });
}

/** ‖τ‖₁ / ‖kept‖₁; 1 when either is too small to divide by. */
export function l1Factor(all: number, kept: number): number {
  return all < 1e-7 || kept < 1e-7 ? 1 : all / kept;
}

/** Scratch columns: kept elements divided by the task's divisor, zeros elsewhere. */
function drawnColumns(input: ColumnInput, divisorOf: (task: number) => number): Columns {
  const columns = weightedColumns(input);
  for (let m = 0; m < columns.count; m++) {
    const density = input.parameters.density[m];
    const divisor = Math.fround(divisorOf(m));
    const source = column(columns, m);
    const target = column(input.scratch, m);
    for (let i = 0; i < input.n; i++)
      target[i] = isKept(input, m, i, density) ? source[i] / divisor : 0;
  }
  return input.scratch;
}

function isKept(input: ColumnInput, task: number, i: number, density: number): boolean {
  if (density >= 1) return true;
  const { positions } = input;
  const index = typeof positions === 'number' ? positions + i : positions[i];
  return randomWord(input.keys[task], index) < density * 0x100000000;
}

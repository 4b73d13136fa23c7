import { randomWord } from '../random';
import { column, type Columns } from '../stages';
import { l1Factor } from './dare';
import type { RowInput, RowMethod } from './method';
import { electInto, sumInto, weightedColumns } from './weighted';

/** Keep by rank in the row, at random, rescale, sum (Deep et al.; merge-methods §6). */
export const dellaLinear: RowMethod = {
  kind: 'rows',
  space: 'task_vectors',
  statisticsLength: (settings, tasks) => (settings.rescale === 'l1' ? 2 * tasks : 0),
  statistics: addNorms,
  combine: (input) => {
    sumInto(input, prunedColumns(input), input.settings.normalize);
  },
};

/** DELLA with TIES' election. */
export const della: RowMethod = {
  ...dellaLinear,
  needsSignBalance: (settings) => settings.elect_tie === 'global',
  statisticsLength: (settings, tasks) =>
    (settings.rescale === 'l1' ? 2 * tasks : 0) + (settings.elect_tie === 'global' ? 1 : 0),
  statistics: (input, sums) => {
    addNorms(input, sums);
    if (input.settings.elect_tie === 'global')
      sums[sums.length - 1] += input.stages.signBalance(
        pruned(input, () => 1),
        input.n,
      );
  },
  combine: (input) => {
    electInto(input, prunedColumns(input));
  },
};

function addNorms(input: RowInput, sums: Float64Array): void {
  if (input.settings.rescale !== 'l1') return;
  const all = weightedColumns(input);
  for (let m = 0; m < all.count; m++) sums[2 * m] += l1(column(all, m), input.n);
  const kept = pruned(input, () => 1);
  for (let m = 0; m < kept.count; m++) sums[2 * m + 1] += l1(column(kept, m), input.n);
}

function l1(values: Float32Array, n: number): number {
  let total = 0;
  for (let i = 0; i < n; i++) total += Math.abs(values[i]);
  return total;
}

function prunedColumns(input: RowInput): Columns {
  const { density } = input.parameters;
  return pruned(input, (m) => {
    if (input.settings.rescale === 'none') return 1;
    if (input.settings.rescale === 'keep_probability') return 1 / density[m];
    return l1Factor(input.facts.sums[2 * m], input.facts.sums[2 * m + 1]);
  });
}

function pruned(input: RowInput, factorOf: (task: number) => number): Columns {
  const columns = weightedColumns(input);
  for (let m = 0; m < columns.count; m++) {
    const target = column(input.scratch, m);
    if (columns.data !== input.scratch.data) target.set(column(columns, m));
    if (input.parameters.density[m] >= 1) continue;
    for (let start = 0; start < input.n; start += input.rowLength)
      pruneRow(input, m, start, target);
    const factor = factorOf(m);
    if (factor !== 1) input.stages.scale(target, factor, target, input.n);
  }
  return input.scratch;
}

/** Keep probability rises from density − ε for the smallest magnitude to density + ε for the largest. */
function pruneRow(input: RowInput, task: number, start: number, values: Float32Array): void {
  const { rowLength, parameters } = input;
  const low = parameters.density[task] - parameters.epsilon[task];
  const order = ranked(values.subarray(start, start + rowLength));
  const first = typeof input.positions === 'number' ? input.positions : 0;
  for (let rank = 0; rank < rowLength; rank++) {
    const i = order[rank];
    const share = rowLength > 1 ? rank / (rowLength - 1) : 0;
    const probability = low + share * 2 * parameters.epsilon[task];
    const word = randomWord(input.keys[task], first + start + i);
    if (!(word < probability * 0x100000000)) values[start + i] = 0;
  }
}

/** Indices by rising magnitude; among equal ones the lower index ranks higher. */
function ranked(row: Float32Array): Uint32Array {
  const order = Uint32Array.from(row, (_, i) => i);
  return order.sort((a, b) => Math.abs(row[a]) - Math.abs(row[b]) || b - a);
}

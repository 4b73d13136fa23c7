import { column } from '../stages';
import type { ColumnInput, ColumnMethod, RowInput, RowMethod } from './method';

/** τ_merge = s · mean τ with s from the mean pairwise cosine (Jang et al.; merge-methods §9). */
export const modelStock: ColumnMethod = {
  kind: 'columns',
  space: 'task_vectors',
  statisticsLength: (_, tasks) => (tasks * (tasks + 1)) / 2,
  statistics: addGram,
  combine: (input) => {
    const share = stockShare(input.facts.sums, input.columns.count);
    mean(input, 0, input.n, share);
  },
};

/** The same with one share for each row. */
export const modelStockRows: RowMethod = {
  kind: 'rows',
  space: 'task_vectors',
  combine: (input: RowInput) => {
    const { count } = input.columns;
    for (let start = 0; start < input.n; start += input.rowLength) {
      const gram = new Float64Array((count * (count + 1)) / 2);
      rowGram(input, start, gram);
      mean(input, start, input.rowLength, stockShare(Array.from(gram), count));
    }
  },
};

/** Sums in the order (1,1) (1,2) … (1,T) (2,2) …. */
function addGram(input: ColumnInput, sums: Float64Array): void {
  const { columns, stages, n } = input;
  let at = 0;
  for (let a = 0; a < columns.count; a++)
    for (let b = a; b < columns.count; b++)
      sums[at++] +=
        a === b
          ? stages.sumSquares(column(columns, a), n)
          : stages.dot(column(columns, a), column(columns, b), new Float64Array(1), n);
}

function rowGram(input: RowInput, start: number, gram: Float64Array): void {
  const { data, stride, count } = input.columns;
  let at = 0;
  for (let a = 0; a < count; a++)
    for (let b = a; b < count; b++, at++)
      for (let i = start; i < start + input.rowLength; i++)
        gram[at] += data[a * stride + i] * data[b * stride + i];
}

/** s = T cos / (1 + (T − 1) cos); 0 keeps the base where the denominator vanishes. */
export function stockShare(gram: readonly number[], tasks: number): number {
  const at = (a: number, b: number) => gram[a * tasks - (a * (a - 1)) / 2 + b - a];
  let total = 0;
  let pairs = 0;
  for (let a = 0; a < tasks; a++)
    for (let b = a + 1; b < tasks; b++) {
      const norms = Math.max(Math.sqrt(at(a, a)) * Math.sqrt(at(b, b)), 1e-6);
      total += Math.max(-1, Math.min(1, at(a, b) / norms));
      pairs++;
    }
  const cosine = pairs > 0 ? total / pairs : 1;
  const denominator = 1 + (tasks - 1) * cosine;
  return Math.abs(denominator) < 1e-6 ? 0 : (tasks * cosine) / denominator;
}

function mean(input: ColumnInput, start: number, length: number, share: number): void {
  const { data, stride, count } = input.columns;
  for (let i = start; i < start + length; i++) {
    let sum = 0;
    for (let m = 0; m < count; m++) sum = Math.fround(sum + data[m * stride + i]);
    input.merged[i] = Math.fround(share) * Math.fround(sum / count);
  }
}

import { column, type Columns } from '../stages';
import type { ColumnInput } from './method';

/** The columns times their weights: the input itself where every weight is 1, else `scratch`. */
export function weightedColumns(input: ColumnInput): Columns {
  const { weights } = input.parameters;
  if (weights.every((w) => w === 1)) return input.columns;
  weights.forEach((w, m) => {
    input.stages.scale(column(input.columns, m), w, column(input.scratch, m), input.n);
  });
  return input.scratch;
}

/** merged = Σ of the columns, divided by Σ w when asked (a sum below 1e-8 in size counts as 1). */
export function sumInto(input: ColumnInput, columns: Columns, normalize: boolean): void {
  const { stages, merged, n } = input;
  stages.sum(columns, merged, n);
  if (!normalize) return;
  const total = input.parameters.weights.reduce((sum, w) => Math.fround(sum + Math.fround(w)), 0);
  const divisor = Math.abs(total) < 1e-8 ? 1 : total;
  if (divisor !== 1) for (let i = 0; i < n; i++) merged[i] = merged[i] / divisor;
}

/** The sign of a whole model; that of one without a majority is minus (reference §2.2). */
export function isNegative(signBalance: number): boolean {
  return signBalance <= 0;
}

/** Joins columns by TIES' election; ties of the sum go by the model's sign or to plus (reference §2.2). */
export function electInto(input: ColumnInput, columns: Columns): void {
  const { settings, facts, signs } = input;
  input.parameters.weights.forEach((w, m) => (input.divisors[m] = w));
  const tieNegative = settings.elect_tie === 'global' && isNegative(facts.signBalance);
  const options = { agree: settings.agree, tieNegative, weights: input.divisors, signs };
  input.stages.elect(columns, options, input.merged, input.n);
}

import { column } from '../stages';
import type { ColumnInput, ColumnMethod } from './method';
import { weightedColumns } from './weighted';

/**
 * Elect, mask, rescale (merge-methods §7): sign + where Σ τ > 0, else −, times the largest agreeing
 * magnitude. Sums: for each task Σ|τ| and Σ|mask · unified|, from which the rescaler is made.
 */
export const emr: ColumnMethod = {
  kind: 'columns',
  space: 'task_vectors',
  statisticsLength: (_, tasks) => 2 * tasks,
  statistics: (input, sums) => {
    unify(input);
    const columns = weightedColumns(input);
    for (let m = 0; m < columns.count; m++) {
      const values = column(columns, m);
      for (let i = 0; i < input.n; i++) {
        sums[2 * m] += Math.abs(values[i]);
        if (sameSign(values[i], input.merged[i])) sums[2 * m + 1] += Math.abs(input.merged[i]);
      }
    }
  },
  combine: unify,
};

function unify(input: ColumnInput): void {
  input.divisors.fill(1);
  const options = { agree: 'max', tieNegative: true, weights: input.divisors } as const;
  input.stages.elect(weightedColumns(input), options, input.merged, input.n);
}

/** EMR's masks: positions where τ_m has the unified sign. Returns the active count. */
export function emrMask(
  taskVector: Float32Array,
  unified: Float32Array,
  bits: Uint8Array,
  n: number,
): number {
  let active = 0;
  bits.fill(0, 0, Math.ceil(n / 8));
  for (let i = 0; i < n; i++) {
    if (!sameSign(taskVector[i], unified[i])) continue;
    bits[i >>> 3] |= 1 << (i & 7);
    active++;
  }
  return active;
}

/**
 * r_m = Σ over tensors of mean|τ_m| ÷ Σ over tensors of mean|mask_m · unified|; 1 for an expert equal
 * to the base. `sums` and `elements` have one entry a tensor.
 */
export function rescalers(
  sums: readonly (readonly number[])[],
  elements: readonly number[],
  tasks: number,
): number[] {
  return Array.from({ length: tasks }, (_, m) => {
    let own = 0;
    let unified = 0;
    sums.forEach((s, i) => {
      own += s[2 * m] / elements[i];
      unified += s[2 * m + 1] / elements[i];
    });
    return unified > 0 ? own / unified : 1;
  });
}

function sameSign(a: number, b: number): boolean {
  return (a > 0 && b > 0) || (a < 0 && b < 0);
}

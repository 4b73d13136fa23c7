import type { ColumnMethod } from './method';
import { weightedColumns } from './weighted';

/** τ_merge = (1/T) Σ w τ: what tensors that are not matrices take in the spectral methods. */
export const mean: ColumnMethod = {
  kind: 'columns',
  space: 'task_vectors',
  combine: (input) => {
    const { stages, merged, n } = input;
    stages.sum(weightedColumns(input), merged, n);
    for (let i = 0; i < n; i++) merged[i] = merged[i] / input.columns.count;
  },
};

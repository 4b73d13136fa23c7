import type { ColumnMethod } from './method';
import { sumInto, weightedColumns } from './weighted';

/** τ_merge = Σ w τ (Ilharco et al.; merge-methods §3). */
export const taskArithmetic: ColumnMethod = {
  kind: 'columns',
  space: 'task_vectors',
  combine: (input) => {
    sumInto(input, weightedColumns(input), input.settings.normalize);
  },
};

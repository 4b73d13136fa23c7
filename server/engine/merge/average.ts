import type { ColumnMethod } from './method';
import { sumInto, weightedColumns } from './weighted';

/** θ_merge = Σ w θ, divided by Σ w (merge-methods §3). */
export const average: ColumnMethod = {
  kind: 'columns',
  space: 'weights',
  combine: (input) => {
    sumInto(input, weightedColumns(input), input.settings.normalize);
  },
};

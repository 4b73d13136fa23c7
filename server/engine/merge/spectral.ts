import { isoC, isoCts } from '../spectral/iso';
import { knots } from '../spectral/knots';
import type { Operand } from '../spectral/operand';
import { weightedBy } from '../spectral/operand';
import { tsv, tsvDirections } from '../spectral/tsv';
import { wudi } from '../spectral/wudi';
import type { MethodName } from '../plan-types';
import { tiesOfParts } from './knots-ties';
import type { MatrixInput, MatrixMethod } from './method';

/** The methods that need singular values or iterations on whole matrices. */
export const spectralMethods: Readonly<Partial<Record<MethodName, MatrixMethod>>> = {
  iso_c: matrixMethod((input) =>
    isoC(operandOf(input), { rankTolerance: input.settings.rank_tolerance }),
  ),
  iso_cts: matrixMethod((input) =>
    isoCts(operandOf(input), {
      rankTolerance: input.settings.rank_tolerance,
      commonFraction: input.settings.common_fraction,
    }),
  ),
  tsv: {
    ...matrixMethod((input) => tsv(operandOf(input))),
    takes: (shape, tasks) => tsvDirections(Math.min(...shape), tasks) > 0,
  },
  knots: matrixMethod((input) =>
    knots(operandOf(input), {
      tolerance: input.settings.tolerance,
      inner: input.settings.inner === 'sum' ? 'sum' : (parts) => tiesOfParts(parts, input),
    }),
  ),
  wudi: matrixMethod((input) =>
    wudi(operandOf(input), {
      iterations: input.settings.iterations,
      learningRate: input.settings.learning_rate,
    }),
  ),
};

function matrixMethod(combine: MatrixMethod['combine']): MatrixMethod {
  return { kind: 'matrix', space: 'task_vectors', combine };
}

/** Weights multiply the task vectors before anything else. */
function operandOf({ rows, columns, taskVectors, parameters, algebra }: MatrixInput): Operand {
  return { rows, columns, taskVectors: weightedBy(taskVectors, parameters.weights), algebra };
}

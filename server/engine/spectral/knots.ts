import type { Matrix } from '../../compute/linalg/matrix';
import { columnsOf } from './factors';
import type { Operand } from './operand';
import { gramOf, isTall, tasksOf, transformShortSide, wholeMatrix } from './operand';
import type { SpectralResult } from './result';
import { weakShare, zeroResult } from './result';

/** How the right parts of the tasks are merged: given k × columns parts, returns one of that shape. */
export type InnerMerge = (parts: readonly Float32Array[]) => Float32Array;

/**
 * KnOTS: [τ_1 | … | τ_M] = U S [V_1 | … | V_M]; components with S ≤ `tolerance` (absolute) are
 * dropped, the right parts are merged, and U S multiplies back (Stoica et al. 2025; merge-methods
 * §12). With the sum of the right parts, which the MergeVLA release uses, the result is the
 * projection U Uᵀ Στ: task arithmetic up to the dropped components.
 */
export function knots(
  operand: Operand,
  options: { readonly tolerance: number; readonly inner: 'sum' | InnerMerge },
): SpectralResult {
  const left = leftSpace(operand, options.tolerance);
  const directions = Math.min(operand.rows, operand.columns * operand.taskVectors.count);
  const facts = {
    directions,
    rank: left.columns,
    singularValues: left.values,
    weakShare: weakShare(left.values.subarray(0, left.columns), 'squared'),
  };
  if (left.columns === 0) return zeroResult(operand.rows * operand.columns, directions);
  if (options.inner === 'sum') return { merged: projectSum(operand, left), facts };
  return { merged: mergeRightParts(operand, left, options.inner), facts };
}

/** Left singular vectors `[rows, k]` of the concatenation, with all singular values. */
interface LeftSpace extends Matrix {
  readonly values: Float64Array;
}

/** Uses whichever Gram matrix of the concatenation is smaller. */
function leftSpace(operand: Operand, tolerance: number): LeftSpace {
  const { algebra, rows, columns, taskVectors } = operand;
  const many = columns * taskVectors.count;
  const rowsAreFewer = rows <= many;
  const gram = rowsAreFewer ? gramOfRows(operand) : gramOfColumns(operand);
  const { values, vectors } = algebra.symmetricEigen(gram);
  const singular = values.map((value) => Math.sqrt(Math.max(0, value)));
  let kept = 0;
  while (kept < singular.length && singular[kept] > tolerance) kept++;
  if (rowsAreFewer) return { ...columnsOf(vectors, 0, kept), values: singular };
  const right = columnsOf(vectors, 0, kept, singular);
  const out = { rows, columns: kept, data: new Float64Array(rows * kept) };
  tasksOf(operand).forEach((task) => {
    const part = {
      rows: columns,
      columns: kept,
      data: right.data.subarray(task * columns * kept, (task + 1) * columns * kept),
    };
    algebra.multiply(wholeMatrix(operand, task), part, { addTo: out });
  });
  return { ...out, values: singular };
}

/** Σ τ τᵀ, `[rows, rows]`. */
function gramOfRows(operand: Operand): Matrix {
  const { rows, algebra } = operand;
  const total = { rows, columns: rows, data: new Float64Array(rows * rows) };
  tasksOf(operand).forEach((task) => {
    if (isTall(operand)) algebra.gram(wholeMatrix(operand, task), { addTo: total });
    else gramOf(operand, task).data.forEach((value, i) => (total.data[i] += value));
  });
  return total;
}

/** The Gram matrix of all columns, `[M · columns, M · columns]`, in blocks τ_aᵀ τ_b. */
function gramOfColumns(operand: Operand): Matrix {
  const { columns, taskVectors, algebra } = operand;
  const n = columns * taskVectors.count;
  const total = { rows: n, columns: n, data: new Float64Array(n * n) };
  for (const i of tasksOf(operand)) {
    const left = wholeMatrix(operand, i);
    for (const j of tasksOf(operand)) {
      const block = algebra.multiply(left, wholeMatrix(operand, j), { transposeA: true });
      for (let row = 0; row < columns; row++)
        total.data.set(
          block.data.subarray(row * columns, (row + 1) * columns),
          (i * columns + row) * n + j * columns,
        );
    }
  }
  return total;
}

function projectSum(operand: Operand, left: Matrix): Float32Array {
  const { algebra, rows, columns } = operand;
  if (!isTall(operand))
    return transformShortSide(operand, algebra.multiply(left, left, { transposeB: true }), 'sum');
  const sum = { rows, columns, data: new Float64Array(rows * columns) };
  for (const task of tasksOf(operand))
    wholeMatrix(operand, task).data.forEach((value, i) => (sum.data[i] += value));
  const inside = algebra.multiply(left, sum, { transposeA: true });
  return Float32Array.from(algebra.multiply(left, inside).data);
}

/** U S · merge(V_1, …, V_M) with V_m = S⁻¹ Uᵀ τ_m, `[k, columns]`. */
function mergeRightParts(operand: Operand, left: LeftSpace, inner: InnerMerge): Float32Array {
  const { algebra } = operand;
  const k = left.columns;
  const parts = tasksOf(operand).map((task) => {
    const part = algebra.multiply(left, wholeMatrix(operand, task), { transposeA: true });
    return Float32Array.from(
      part.data,
      (value, i) => value / left.values[Math.floor(i / operand.columns)],
    );
  });
  const merged = inner(parts);
  const scaled = {
    rows: k,
    columns: operand.columns,
    data: Float64Array.from(
      merged,
      (value, i) => value * left.values[Math.floor(i / operand.columns)],
    ),
  };
  return Float32Array.from(algebra.multiply(left, scaled).data);
}

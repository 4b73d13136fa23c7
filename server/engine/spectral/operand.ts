import type { Algebra, Matrix } from '../../compute/linalg/matrix';

/**
 * The task vectors of one matrix, seen with the short side first: logically `[r, L]` with
 * r = min(rows, columns). Long sides are worked through in panels, so that only r × r matrices and
 * one panel live in float64 at a time.
 */
export interface Operand {
  readonly rows: number;
  readonly columns: number;
  /** τ_1 … τ_M, each `[rows, columns]` row-major; expert weights are already in them. */
  readonly taskVectors: readonly Float32Array[];
  readonly algebra: Algebra;
  readonly signal?: AbortSignal;
}

/** Which matrix of an operand: one task's, or the sum over tasks. */
export type Source = number | 'sum';

/** Columns `from … to` of the logical `[r, L]` matrix, stored as they are or transposed. */
export interface Panel {
  readonly from: number;
  readonly width: number;
  readonly matrix: Matrix;
  readonly transposed: boolean;
}

const panelElements = 4 * 1024 * 1024;

/** r, the length of the short side. */
export const shortSide = ({ rows, columns }: Operand): number => Math.min(rows, columns);
/** L, the length of the long side. */
export const longSide = ({ rows, columns }: Operand): number => Math.max(rows, columns);
/** True when the matrix has more rows than columns: its logical form is the transposed one. */
export const isTall = ({ rows, columns }: Operand): boolean => rows > columns;

/** Walks the long side of one matrix; throws the signal's reason when it was aborted. */
export function* panels(operand: Operand, source: Source): Generator<Panel> {
  const width = Math.max(1, Math.floor(panelElements / shortSide(operand)));
  for (let from = 0; from < longSide(operand); from += width) {
    operand.signal?.throwIfAborted();
    yield readPanel(operand, source, { from, width: Math.min(width, longSide(operand) - from) });
  }
}

function readPanel(
  operand: Operand,
  source: Source,
  place: { from: number; width: number },
): Panel {
  const { from, width } = place;
  const r = shortSide(operand);
  const transposed = isTall(operand);
  const data = new Float64Array(r * width);
  const sources = source === 'sum' ? operand.taskVectors : [operand.taskVectors[source]];
  for (const taskVector of sources) {
    if (transposed) addTo(data, taskVector.subarray(from * r, (from + width) * r), 0);
    else
      for (let i = 0; i < r; i++) {
        const start = i * operand.columns + from;
        addTo(data, taskVector.subarray(start, start + width), i * width);
      }
  }
  const matrix = transposed ? { rows: width, columns: r, data } : { rows: r, columns: width, data };
  return { from, width, matrix, transposed };
}

function addTo(into: Float64Array, values: Float32Array, at: number): void {
  for (let i = 0; i < values.length; i++) into[at + i] += values[i];
}

/** A Aᵀ of the logical matrix, `[r, r]`. */
export function gramOf(operand: Operand, source: Source): Matrix {
  const r = shortSide(operand);
  const total = { rows: r, columns: r, data: new Float64Array(r * r) };
  for (const { matrix, transposed } of panels(operand, source))
    operand.algebra.gram(matrix, { transpose: transposed, addTo: total });
  return total;
}

/** left · panel, `[k, width]`, for `left` of shape `[k, r]`. */
export function timesPanel(operand: Operand, left: Matrix, panel: Panel): Matrix {
  return operand.algebra.multiply(left, panel.matrix, { transposeB: panel.transposed });
}

/** panelᵀ · right, `[width, k]`, for `right` of shape `[r, k]`. */
export function panelTimes(operand: Operand, panel: Panel, right: Matrix): Matrix {
  return operand.algebra.multiply(panel.matrix, right, { transposeA: !panel.transposed });
}

/** Writes columns `from …` of the logical result, given as `[r, width]`, into the real matrix. */
export function writePanel(
  operand: Operand,
  values: Matrix,
  from: number,
  into: Float32Array,
): void {
  const { rows: r, columns: width, data } = values;
  const tall = isTall(operand);
  for (let i = 0; i < r; i++)
    for (let j = 0; j < width; j++)
      into[tall ? (from + j) * r + i : i * operand.columns + from + j] = data[i * width + j];
}

/** left · A for one matrix of the operand, written as float32: `left` is `[r, r]`. */
export function transformShortSide(operand: Operand, left: Matrix, source: Source): Float32Array {
  const merged = new Float32Array(operand.rows * operand.columns);
  for (const panel of panels(operand, source))
    writePanel(operand, timesPanel(operand, left, panel), panel.from, merged);
  return merged;
}

/** Aᵀ · right for one matrix of the operand, `[L, k]`: `right` is `[r, k]`. */
export function longFactor(operand: Operand, right: Matrix, source: Source): Matrix {
  const k = right.columns;
  const out = {
    rows: longSide(operand),
    columns: k,
    data: new Float64Array(longSide(operand) * k),
  };
  for (const panel of panels(operand, source))
    out.data.set(panelTimes(operand, panel, right).data, panel.from * k);
  return out;
}

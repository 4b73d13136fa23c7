import type { Algebra, Matrix } from '../../compute/linalg/matrix';

/** Elements of one panel of one matrix, in float64 while it is worked on. */
export const panelElements = 4 * 1024 * 1024;

/**
 * The task vectors of one matrix, seen with the short side first: logically `[r, L]` with
 * r = min(rows, columns). Long sides are worked through in panels, so that only r × r matrices and
 * one panel live in float64 at a time.
 */
export interface Operand {
  readonly rows: number;
  readonly columns: number;
  readonly taskVectors: TaskVectors;
  readonly algebra: Algebra;
  readonly signal?: AbortSignal;
}

/** τ_1 … τ_M of one matrix, each `[rows, columns]` row-major, with expert weights already in them. */
export interface TaskVectors {
  readonly count: number;
  /** Elements `start` to `end` of one task; valid until the next call. Every pass reads again. */
  read(task: number, start: number, end: number): Float32Array;
}

/** Task vectors that are in memory as they are. */
export function inMemory(taskVectors: readonly Float32Array[]): TaskVectors {
  return {
    count: taskVectors.length,
    read: (task, start, end) => taskVectors[task].subarray(start, end),
  };
}

/** Task vectors times the expert weights. */
export function weightedBy(given: TaskVectors, weights: readonly number[]): TaskVectors {
  if (weights.every((weight) => weight === 1)) return given;
  return {
    count: given.count,
    read(task, start, end) {
      const values = given.read(task, start, end);
      const weight = weights[task];
      return weight === 1 ? values : values.map((value) => value * weight);
    },
  };
}

/** Which matrix of an operand: one task's, or the sum over tasks. */
export type Source = number | 'sum';

/** Columns `from … from + width` of the logical `[r, L]` matrices. */
export interface Panel {
  readonly from: number;
  readonly width: number;
  /** Stored `[width, r]` where the matrix is tall, `[r, width]` otherwise. */
  of(source: Source): Matrix;
}

/** r, the length of the short side. */
export const shortSide = ({ rows, columns }: Operand): number => Math.min(rows, columns);
/** L, the length of the long side. */
export const longSide = ({ rows, columns }: Operand): number => Math.max(rows, columns);
/** True when the matrix has more rows than columns: its logical form is the transposed one. */
export const isTall = ({ rows, columns }: Operand): boolean => rows > columns;
/** 0 … M − 1. */
export const tasksOf = ({ taskVectors }: Operand): readonly number[] =>
  Array.from({ length: taskVectors.count }, (_, task) => task);

/** Panels along the long side: how many columns of the logical matrix each has. */
const panelWidth = (operand: Operand): number =>
  Math.max(1, Math.floor(panelElements / shortSide(operand)));

/** True when no task changed any element. */
export function isUnchanged(operand: Operand): boolean {
  const elements = operand.rows * operand.columns;
  // The runs that panels read, so that nothing is read twice.
  const step = isTall(operand) ? panelWidth(operand) * shortSide(operand) : elements;
  for (let start = 0; start < elements; start += step)
    for (const task of tasksOf(operand)) {
      const values = operand.taskVectors.read(task, start, Math.min(elements, start + step));
      if (values.some((value) => value !== 0)) return false;
    }
  return true;
}

/** Walks the long side; throws the signal's reason when it was aborted. */
export function* panels(operand: Operand): Generator<Panel> {
  const most = panelWidth(operand);
  for (let from = 0; from < longSide(operand); from += most) {
    operand.signal?.throwIfAborted();
    yield panelAt(operand, from, Math.min(most, longSide(operand) - from));
  }
}

function panelAt(operand: Operand, from: number, width: number): Panel {
  const read = new Map<Source, Matrix>();
  return {
    from,
    width,
    of(source) {
      const known = read.get(source) ?? readPanel(operand, source, { from, width });
      read.set(source, known);
      return known;
    },
  };
}

function readPanel(
  operand: Operand,
  source: Source,
  { from, width }: { readonly from: number; readonly width: number },
): Matrix {
  const r = shortSide(operand);
  const tall = isTall(operand);
  const data = new Float64Array(r * width);
  for (const task of source === 'sum' ? tasksOf(operand) : [source]) {
    if (tall) addTo(data, operand.taskVectors.read(task, from * r, (from + width) * r), 0);
    else {
      const whole = operand.taskVectors.read(task, 0, r * operand.columns);
      for (let i = 0; i < r; i++) {
        const start = i * operand.columns + from;
        addTo(data, whole.subarray(start, start + width), i * width);
      }
    }
  }
  return tall ? { rows: width, columns: r, data } : { rows: r, columns: width, data };
}

function addTo(into: Float64Array, values: Float32Array, at: number): void {
  for (let i = 0; i < values.length; i++) into[at + i] += values[i];
}

/** One whole task vector in float64, `[rows, columns]`. */
export function wholeMatrix({ rows, columns, taskVectors }: Operand, task: number): Matrix {
  return { rows, columns, data: Float64Array.from(taskVectors.read(task, 0, rows * columns)) };
}

/** A Aᵀ of the logical matrix, `[r, r]`. */
export function gramOf(operand: Operand, source: Source): Matrix {
  const r = shortSide(operand);
  const total = { rows: r, columns: r, data: new Float64Array(r * r) };
  for (const panel of panels(operand))
    operand.algebra.gram(panel.of(source), { transpose: isTall(operand), addTo: total });
  return total;
}

/** left · panel, `[k, width]`, for `left` of shape `[k, r]`. */
export function timesPanel(operand: Operand, left: Matrix, matrix: Matrix): Matrix {
  return operand.algebra.multiply(left, matrix, { transposeB: isTall(operand) });
}

/** panelᵀ · right, `[width, k]`, for `right` of shape `[r, k]`. */
export function panelTimes(operand: Operand, matrix: Matrix, right: Matrix): Matrix {
  return operand.algebra.multiply(matrix, right, { transposeA: !isTall(operand) });
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
  for (const panel of panels(operand))
    writePanel(operand, timesPanel(operand, left, panel.of(source)), panel.from, merged);
  return merged;
}

import type { Algebra } from '../../compute/linalg/matrix';
import type { TaskVectors } from '../spectral/operand';
import type { SpectralResult } from '../spectral/result';
import type { MergeParameters, MethodSettings, TensorJob } from '../plan-types';
import type { Columns, Cut, Stages } from '../stages';

/** What earlier passes found out about the tensor that is being merged. */
export interface Facts {
  /** For each task the cuts that `ranks` asked for; `remaining` counts down over the tensor. */
  readonly cuts: readonly (readonly MutableCut[])[];
  /** Positions with a positive elected sign minus those with a negative one, over the whole model. */
  readonly signBalance: number;
  /** Sums of the method's `statistics` over this tensor. */
  readonly sums: readonly number[];
}

export type MutableCut = { -readonly [Key in keyof Cut]: Cut[Key] };

/** Positions of one tensor, and room to work in. Arrays come from the stages' own memory. */
export interface ColumnInput {
  readonly stages: Stages;
  /** τ_1 … τ_M, or θ_1 … θ_M for methods on whole weights. Not to be changed. */
  readonly columns: Columns;
  /** θ_0, zeros where there is none. Not to be changed. */
  readonly base: Float32Array;
  readonly hasBase: boolean;
  /** As many columns as `columns`. */
  readonly scratch: Columns;
  /** One entry a task, for the election's divisor. */
  readonly divisors: Float32Array;
  /** What elections add to; see `Election`. */
  readonly signs?: Int32Array | undefined;
  /** The result: τ_merge before α, or θ_merge for methods on whole weights. */
  readonly merged: Float32Array;
  readonly n: number;
  /** Index in the tensor of the first position, or the index of each (samples), for random draws. */
  readonly positions: number | Float64Array;
  readonly parameters: MergeParameters;
  readonly settings: MethodSettings;
  readonly facts: Facts;
  /** Keys of the random generator, one a task; see `random.ts`. */
  readonly keys: readonly RandomKey[];
}

export interface RandomKey {
  readonly low: number;
  readonly high: number;
}

/** A method that sees positions one by one, or needs no more than sums and cuts over a tensor. */
export interface ColumnMethod {
  readonly kind: 'columns';
  /** Whether columns hold task vectors or whole weights. */
  readonly space: 'task_vectors' | 'weights';
  /** How many of the largest magnitudes each cut of a task keeps among n; empty when nothing is cut. */
  readonly ranks?: (parameters: MergeParameters, task: number, n: number) => readonly number[];
  /** True when the sign of the whole model's sums decides ties. */
  readonly needsSignBalance?: (settings: MethodSettings) => boolean;
  /** How many sums `statistics` fills; 0 when none are needed. */
  readonly statisticsLength?: (settings: MethodSettings, tasks: number) => number;
  /** Adds this block's contribution to the sums, in float64. */
  readonly statistics?: (input: ColumnInput, sums: Float64Array) => void;
  /** Columns as they take part in the election: weighted and cut. */
  readonly combine: (input: ColumnInput) => void;
}

/** A method that needs whole rows at once. */
export interface RowMethod {
  readonly kind: 'rows';
  readonly space: 'task_vectors';
  readonly needsSignBalance?: (settings: MethodSettings) => boolean;
  readonly statisticsLength?: (settings: MethodSettings, tasks: number) => number;
  readonly statistics?: (input: RowInput, sums: Float64Array) => void;
  readonly combine: (input: RowInput) => void;
}

/** Whole rows of one tensor; `columns.stride` is rows · rowLength. */
export interface RowInput extends ColumnInput {
  readonly rowLength: number;
}

/** Elements of one row: all but the first axis, and all of a vector. */
export function rowLengthOf({ shape, elements }: Pick<TensorJob, 'shape' | 'elements'>): number {
  return shape.length < 2 ? elements : elements / (shape[0] ?? 1);
}

/** Task vectors of one matrix, whole, row-major float32. */
export interface MatrixInput {
  readonly rows: number;
  readonly columns: number;
  readonly taskVectors: TaskVectors;
  readonly settings: MethodSettings;
  readonly parameters: MergeParameters;
  readonly algebra: Algebra;
}

/** A method on matrices: singular values or iterations. Tensors that are not matrices take the mean. */
export interface MatrixMethod {
  readonly kind: 'matrix';
  readonly space: 'task_vectors';
  /** τ_merge before α, row-major, and what was found out about the matrix. */
  readonly combine: (input: MatrixInput) => SpectralResult;
  /** False for matrices that the method cannot do anything with; they take the mean. */
  readonly takes?: (shape: readonly number[], tasks: number) => boolean;
}

export type Method = ColumnMethod | RowMethod | MatrixMethod;

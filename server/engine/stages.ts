/**
 * Columns of equal length in one array: column m holds positions [m·stride, m·stride + n).
 * One column is one task's values (usually τ_m) at the same positions of a tensor.
 */
export interface Columns {
  readonly data: Float32Array;
  readonly stride: number;
  readonly count: number;
  /** Column m as an array of its own, where made once: making views in a loop is slow. */
  readonly views?: readonly Float32Array[];
}

/** Columns over one array. */
export function makeColumns(data: Float32Array, stride: number, count: number): Columns {
  const view = (m: number) => data.subarray(m * stride, (m + 1) * stride);
  return { data, stride, count, views: Array.from({ length: count }, (_, m) => view(m)) };
}

/** How TIES joins what agrees with the elected sign. */
export type Agree = 'sum' | 'mean' | 'max';

/**
 * The steps that every method is made of, on float32 columns. Two implementations give the same bits:
 * plain TypeScript (`plain-stages.ts`, the oracle, also used for sampled positions) and WebAssembly.
 * `n` is the number of positions; the WebAssembly one wants it padded with zeros to a multiple of 32,
 * and arrays that it allocated itself. A target may be one of the sources.
 */
export interface Stages {
  subtract(a: Float32Array, b: Float32Array, target: Float32Array, n: number): void;
  add(a: Float32Array, b: Float32Array, target: Float32Array, n: number): void;
  scale(a: Float32Array, factor: number, target: Float32Array, n: number): void;
  /** target = 0 + c_1 + c_2 + …, in order. */
  sum(columns: Columns, target: Float32Array, n: number): void;
  /** TIES' election and join; `weights` has one entry a column and is the divisor of `mean`. */
  elect(columns: Columns, options: Election, target: Float32Array, n: number): void;
  /**
   * Positions with a positive column sum minus those with a negative one. `cuts`, one a column: only
   * magnitudes with float32 bits above it count.
   */
  signBalance(columns: Columns, n: number, cuts?: Int32Array): number;
  /** Zeroes what is below the cut; returns how many magnitudes equal to it were kept. */
  trim(column: Float32Array, cut: Cut, target: Float32Array, n: number): number;
  /** Returns the count of magnitudes at `window.high` or above; adds those inside to the histogram. */
  tally(column: Float32Array, window: Window, histogram: Uint32Array, n: number): number;
  /**
   * Bits of |τ| > λ·|τ_merge − τ| (reference §3.1), least significant first; returns the active count and
   * adds, where asked, Σ ((bit ? τ_merge : 0) − τ)² to `distance[0]`.
   */
  taskMask(pair: MaskInput, bits: Uint8Array, n: number, distance?: Float64Array): number;
  /** Adds to `histogram` how many positions are active in 0 … count masks; see `MaskSet.atLeast`. */
  coverage(masks: MaskSet, histogram: Uint32Array, n: number): void;
  /** target = base + (bit ? merged : 0). */
  applyMask(pair: BasePair, bits: Uint8Array, target: Float32Array, n: number): void;
  /** Σ ((bit ? merged : 0) − τ)². */
  distance(pair: MaskInput, bits: Uint8Array, n: number): number;
  /** Σ a² in float64, element i in partial sum i mod 4. */
  sumSquares(a: Float32Array, n: number): number;
  /**
   * Of exactly three columns, into `out` (12 numbers, set): Σ a², Σ b², Σ c², Σ ab, Σ ac, Σ bc, and for
   * ab, ac, bc what `dot` adds to `signs[0]` and then to `signs[1]`: all in one reading.
   */
  gram3(columns: Columns, out: Float64Array, n: number): void;
  /**
   * Σ a·b likewise; adds to `signs[0]` the number of positions with opposite signs, and to `signs[1]`
   * that of positions where both are non-zero (and no NaN).
   */
  dot(a: Float32Array, b: Float32Array, signs: Float64Array, n: number): number;
}

export interface Election {
  readonly agree: Agree;
  /** The sign taken where the sum is exactly zero. */
  readonly tieNegative: boolean;
  readonly weights: Float32Array;
  /** Two numbers to add to: the sign balance, and at how many positions `tieNegative` decided. */
  readonly signs?: Int32Array | undefined;
}

/** Keep magnitudes with float32 bits above `threshold`, and the first `remaining` that equal it. */
export interface Cut {
  readonly threshold: number;
  readonly remaining: number;
}

/** Bit patterns [low, high) in bins of 2^shift. */
export interface Window {
  readonly low: number;
  readonly high: number;
  readonly shift: number;
}

export interface MaskInput {
  readonly taskVector: Float32Array;
  readonly merged: Float32Array;
  readonly lambda: number;
}

export interface BasePair {
  readonly base: Float32Array;
  readonly merged: Float32Array;
}

/** Masks one after the other in one array, `stride` bytes apart. */
export interface MaskSet {
  readonly bits: Uint8Array;
  readonly stride: number;
  readonly count: number;
  /** Above 0: every mask is replaced by the positions active in at least that many. */
  readonly atLeast: number;
}

/** Column m as a view. */
export function column(columns: Columns, m: number): Float32Array {
  return columns.views?.[m] ?? columns.data.subarray(m * columns.stride, (m + 1) * columns.stride);
}

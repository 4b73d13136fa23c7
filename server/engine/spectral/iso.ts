import type { Matrix } from '../../compute/linalg/matrix';
import type { ShortSingular } from './factors';
import {
  columnsOf,
  composeFactors,
  polarFactor,
  sideBySide,
  singularFromGram,
  spectralFunction,
} from './factors';
import type { Operand } from './operand';
import { gramOf, isTall, longFactor, shortSide, transformShortSide } from './operand';
import type { SpectralResult } from './result';
import { weakShare, zeroResult } from './result';

/**
 * Iso-C: every singular value of Στ becomes their mean, τ_merge = σ̄ U Vᵀ (Marczak et al. 2025;
 * merge-methods §10). Directions below `rankTolerance` times the largest singular value are left
 * out, and the mean is over those that stay.
 */
export function isoC(
  operand: Operand,
  options: { readonly rankTolerance: number },
): SpectralResult {
  const directions = shortSide(operand);
  const gram = gramOf(operand, 'sum');
  const singular = singularFromGram(operand.algebra, gram, options.rankTolerance);
  if (singular.rank === 0) return zeroResult(operand.rows * operand.columns, directions);
  const kept = singular.values.subarray(0, singular.rank);
  const mean = meanOf(kept);
  const shape = { values: singular.values, vectors: singular.vectors };
  const floor = singular.values[singular.rank] ?? 0;
  const left = spectralFunction(operand.algebra, shape, floor, (value) => mean / value);
  return {
    merged: transformShortSide(operand, left, 'sum'),
    facts: {
      directions,
      rank: singular.rank,
      singularValues: singular.values,
      weakShare: weakShare(kept, 'flat'),
    },
  };
}

/** Sizes of the two subspaces of Iso-CTS: `common` directions and `each` per task. */
export function isoCtsSizes(
  directions: number,
  tasks: number,
  commonFraction: number,
): { common: number; each: number } {
  const rest = directions - Math.floor(commonFraction * directions);
  const each = roundHalfToEven(rest / tasks);
  return { common: directions - each * tasks, each };
}

/**
 * Iso-CTS: the common subspace of Στ and, for each task, the leading directions of what lies outside
 * it; both factor stacks are made orthonormal and all singular values become their mean
 * (Marczak et al. 2025; merge-methods §10).
 */
export function isoCts(
  operand: Operand,
  options: { readonly rankTolerance: number; readonly commonFraction: number },
): SpectralResult {
  const { algebra, taskVectors } = operand;
  const directions = shortSide(operand);
  const sum = singularFromGram(algebra, gramOf(operand, 'sum'), options.rankTolerance);
  const { common, each } = isoCtsSizes(directions, taskVectors.length, options.commonFraction);
  const space = commonSpace(operand, sum, Math.max(0, Math.min(common, sum.rank)));
  const parts = isTall(operand)
    ? outsideCommonLongSide(operand, space, {
        each,
        rankTolerance: options.rankTolerance,
        scale: sum.values[0],
      })
    : taskVectors.map((_, task) =>
        outsideCommonShortSide(operand, sum, {
          task,
          each,
          common: space.short.columns,
          rankTolerance: options.rankTolerance,
        }),
      );
  const s = Float64Array.from([...parts.flatMap((part) => [...part.values]), ...space.values]);
  if (s.length === 0) return zeroResult(operand.rows * operand.columns, directions);
  const [short, long] = orthonormalStacks(operand, parts, space);
  return {
    merged: composeFactors(operand, short, new Float64Array(s.length).fill(meanOf(s)), long),
    facts: {
      directions,
      rank: s.length,
      singularValues: sum.values,
      weakShare: weakShare(s, 'flat'),
    },
  };
}

/** Singular triples of one part: short vectors `[r, k]`, long vectors `[L, k]` and the values. */
interface Triples {
  readonly short: Matrix;
  readonly long: Matrix;
  readonly values: Float64Array;
}

function commonSpace(operand: Operand, sum: ShortSingular, count: number): Triples {
  const values = sum.values.slice(0, count);
  const long = longFactor(operand, columnsOf(sum.vectors, 0, count, sum.values), 'sum');
  return { short: columnsOf(sum.vectors, 0, count), long, values };
}

interface PartOptions {
  readonly each: number;
  readonly rankTolerance: number;
}

/** `scale`: the largest singular value of Στ. */
interface LongOptions extends PartOptions {
  readonly scale: number;
}

/**
 * Rows are the short side: U_c is short, so what lies outside it is Y = U_⊥ᵀ τ, `[r − c, L]`, with
 * U_⊥ the remaining eigenvectors.
 */
function outsideCommonShortSide(
  operand: Operand,
  sum: ShortSingular,
  {
    task,
    each,
    common,
    rankTolerance,
  }: PartOptions & { readonly task: number; readonly common: number },
): Triples {
  const { algebra } = operand;
  const complement = columnsOf(sum.vectors, common, shortSide(operand));
  if (complement.columns === 0 || each === 0) return nothing(operand);
  const projected = longFactor(operand, complement, task);
  const singular = singularFromGram(
    algebra,
    algebra.gram(projected, { transpose: true }),
    rankTolerance,
    sum.values[0],
  );
  const count = Math.min(each, singular.rank);
  return {
    short: algebra.multiply(complement, columnsOf(singular.vectors, 0, count)),
    long: algebra.multiply(projected, columnsOf(singular.vectors, 0, count, singular.values)),
    values: singular.values.slice(0, count),
  };
}

/**
 * Rows are the long side: U_c is long, `[L, c]`. With B_m = τ_mᵀ U_c the Gram matrix outside it is
 * τ_mᵀτ_m − B_m B_mᵀ. The B_m of all tasks sum to V_c Σ_c, which gives the last one for nothing.
 */
function outsideCommonLongSide(
  operand: Operand,
  space: Triples,
  options: LongOptions,
): readonly Triples[] {
  const last = operand.taskVectors.length - 1;
  const rest = scaleColumns(space.short, space.values);
  return operand.taskVectors.map((_, task) => {
    if (options.each === 0) return nothing(operand);
    const inside = task === last ? rest : timesLong(operand, task, space.long);
    if (task !== last) subtract(rest, inside);
    return outsideOne(operand, space, { ...options, task, inside });
  });
}

function outsideOne(
  operand: Operand,
  space: Triples,
  {
    task,
    inside,
    each,
    rankTolerance,
    scale,
  }: LongOptions & { readonly task: number; readonly inside: Matrix },
): Triples {
  const { algebra } = operand;
  const gram = gramOf(operand, task);
  subtract(gram, algebra.gram(inside));
  const singular = singularFromGram(algebra, gram, rankTolerance, scale);
  const count = Math.min(each, singular.rank);
  const right = columnsOf(singular.vectors, 0, count, singular.values);
  const long = longFactor(operand, right, task);
  subtract(
    long,
    algebra.multiply(space.long, algebra.multiply(inside, right, { transposeA: true })),
  );
  return {
    short: columnsOf(singular.vectors, 0, count),
    long,
    values: singular.values.slice(0, count),
  };
}

/** τ · long in the logical orientation, `[r, c]`. */
function timesLong(operand: Operand, task: number, long: Matrix): Matrix {
  // Tall matrices are stored `[L, r]`, which is what the product needs; no panel is copied twice.
  const taskVector = operand.taskVectors[task];
  const total = {
    rows: operand.columns,
    columns: long.columns,
    data: new Float64Array(operand.columns * long.columns),
  };
  const width = Math.max(1, Math.floor((4 * 1024 * 1024) / operand.columns));
  for (let from = 0; from < operand.rows; from += width) {
    operand.signal?.throwIfAborted();
    const to = Math.min(from + width, operand.rows);
    const a = {
      rows: to - from,
      columns: operand.columns,
      data: Float64Array.from(taskVector.subarray(from * operand.columns, to * operand.columns)),
    };
    const b = {
      rows: to - from,
      columns: long.columns,
      data: long.data.subarray(from * long.columns, to * long.columns),
    };
    operand.algebra.multiply(a, b, { transposeA: true, addTo: total });
  }
  return total;
}

/**
 * Polar factors of both stacks, tasks first. On the side where the common vectors live (the output
 * side) the tasks' vectors are orthogonal to them, so only the tasks' part needs work there.
 */
function orthonormalStacks(
  operand: Operand,
  parts: readonly Triples[],
  space: Triples,
): [Matrix, Matrix] {
  const { algebra } = operand;
  const short = sideBySide(parts.map((part) => part.short));
  const long = sideBySide(parts.map((part) => part.long));
  if (isTall(operand))
    return [
      polarFactor(algebra, sideBySide([short, space.short])),
      sideBySide([polarFactor(algebra, long), space.long]),
    ];
  return [
    sideBySide([polarFactor(algebra, short), space.short]),
    polarFactor(algebra, sideBySide([long, space.long])),
  ];
}

function nothing(operand: Operand): Triples {
  const empty = (rows: number): Matrix => ({ rows, columns: 0, data: new Float64Array(0) });
  return {
    short: empty(shortSide(operand)),
    long: empty(Math.max(operand.rows, operand.columns)),
    values: new Float64Array(0),
  };
}

function subtract(from: Matrix, what: Matrix): void {
  for (let i = 0; i < from.data.length; i++) from.data[i] -= what.data[i];
}

function scaleColumns(a: Matrix, factors: Float64Array): Matrix {
  return { ...a, data: a.data.map((value, at) => value * factors[at % a.columns]) };
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

import type { Matrix } from '../../compute/linalg/matrix';
import type { ShortSingular } from './factors';
import {
  columnsOf,
  inverseRoot,
  polarFactor,
  scaleColumns,
  sideBySide,
  singularFromGram,
  spectralFunction,
} from './factors';
import type { LongBlock } from './long-factor';
import { LongFactor } from './long-factor';
import type { Operand } from './operand';
import { gramOf, isTall, shortSide, tasksOf, transformShortSide } from './operand';
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
  const { rankTolerance } = options;
  const sum = singularFromGram(algebra, gramOf(operand, 'sum'), rankTolerance);
  const { common, each } = isoCtsSizes(directions, taskVectors.count, options.commonFraction);
  const space = commonSpace(operand, sum, Math.max(0, Math.min(common, sum.rank)));
  const outside = isTall(operand) ? outsideCommonLongSide : outsideCommonShortSide;
  const parts = each === 0 ? [] : outside(operand, sum, { space, each, rankTolerance });
  const s = Float64Array.from([...parts.flatMap((part) => [...part.values]), ...space.values]);
  if (s.length === 0) return zeroResult(operand.rows * operand.columns, directions);
  const [short, long] = orthonormalStacks(operand, parts, space);
  return {
    merged: long.compose(scaleColumns(short, new Float64Array(short.columns).fill(meanOf(s)))),
    facts: {
      directions,
      rank: s.length,
      singularValues: sum.values,
      weakShare: weakShare(s, 'flat'),
    },
  };
}

/** Singular triples of one part: short vectors `[r, k]`, long vectors as products, and the values. */
interface Triples {
  readonly short: Matrix;
  readonly long: LongBlock;
  readonly values: Float64Array;
}

/** The common directions; their long vectors are worked out once for all that needs them. */
interface CommonSpace {
  readonly short: Matrix;
  readonly long: LongFactor;
  readonly values: Float64Array;
}

function commonSpace(operand: Operand, sum: ShortSingular, count: number): CommonSpace {
  const right = columnsOf(sum.vectors, 0, count, sum.values);
  return {
    short: columnsOf(sum.vectors, 0, count),
    long: new LongFactor(operand, [[{ source: 'sum', right }]]),
    values: sum.values.slice(0, count),
  };
}

interface PartOptions {
  readonly space: CommonSpace;
  readonly each: number;
  readonly rankTolerance: number;
}

/**
 * Rows are the short side: U_c is short, so what lies outside it is Y = U_⊥ᵀ τ, `[r − c, L]`, with
 * U_⊥ the remaining eigenvectors.
 */
function outsideCommonShortSide(
  operand: Operand,
  sum: ShortSingular,
  { space, each, rankTolerance }: PartOptions,
): readonly Triples[] {
  const { algebra } = operand;
  const complement = columnsOf(sum.vectors, space.short.columns, shortSide(operand));
  if (complement.columns === 0) return [];
  return tasksOf(operand).map((task) => {
    const projected = new LongFactor(operand, [[{ source: task, right: complement }]]);
    const singular = singularFromGram(algebra, projected.gram(), rankTolerance, sum.values[0]);
    const count = Math.min(each, singular.rank);
    const right = columnsOf(singular.vectors, 0, count, singular.values);
    return {
      short: algebra.multiply(complement, columnsOf(singular.vectors, 0, count)),
      long: [{ source: task, right: algebra.multiply(complement, right) }],
      values: singular.values.slice(0, count),
    };
  });
}

/**
 * Rows are the long side: U_c = Στᵀ R is long, `[L, c]`. With B_m = τ_m U_c the Gram matrix outside it
 * is τ_m τ_mᵀ − B_m B_mᵀ. The B_m of all tasks sum to V_c Σ_c, which gives the last one for nothing.
 */
function outsideCommonLongSide(
  operand: Operand,
  sum: ShortSingular,
  { space, each, rankTolerance }: PartOptions,
): readonly Triples[] {
  const { algebra } = operand;
  const last = operand.taskVectors.count - 1;
  const rest = scaleColumns(space.short, space.values);
  return tasksOf(operand).map((task) => {
    const inside = task === last ? rest : space.long.timesLeft(task);
    if (task !== last) subtract(rest, inside);
    const gram = gramOf(operand, task);
    subtract(gram, algebra.gram(inside));
    const singular = singularFromGram(algebra, gram, rankTolerance, sum.values[0]);
    const count = Math.min(each, singular.rank);
    const right = columnsOf(singular.vectors, 0, count, singular.values);
    return {
      short: columnsOf(singular.vectors, 0, count),
      long: [
        { source: task, right },
        // −U_c B_mᵀ R: what the common space has of them.
        { factor: space.long, right: negative(algebra.multiply(inside, right, transposed)) },
      ],
      values: singular.values.slice(0, count),
    };
  });
}

const transposed = { transposeA: true } as const;

function negative(a: Matrix): Matrix {
  return { ...a, data: a.data.map((value) => -value) };
}

/**
 * Polar factors of both stacks, tasks first; that of the long one is put on the short one's side,
 * short · (PᵀP)^(−1/2) · Pᵀ. On the side where the common vectors live (the output side) the tasks'
 * vectors are orthogonal to them, so only the tasks' part needs work there.
 */
function orthonormalStacks(
  operand: Operand,
  parts: readonly Triples[],
  space: CommonSpace,
): [Matrix, LongFactor] {
  const { algebra } = operand;
  const both = sideBySide([...parts.map((part) => part.short), space.short]);
  const tasks = new LongFactor(
    operand,
    parts.map((part) => part.long),
  );
  const long = new LongFactor(operand, [[{ factor: tasks }], [{ factor: space.long }]]);
  if (!isTall(operand)) {
    const own = polarFactor(algebra, columnsOf(both, 0, tasks.columns));
    const short = sideBySide([own, space.short]);
    return [algebra.multiply(short, inverseRoot(algebra, long.gram())), long];
  }
  const polar = polarFactor(algebra, both);
  if (tasks.columns === 0) return [polar, long];
  const own = columnsOf(polar, 0, tasks.columns);
  const common = columnsOf(polar, tasks.columns, polar.columns);
  const root = inverseRoot(algebra, tasks.gram());
  return [sideBySide([algebra.multiply(own, root), common]), long];
}

function subtract(from: Matrix, what: Matrix): void {
  for (let i = 0; i < from.data.length; i++) from.data[i] -= what.data[i];
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

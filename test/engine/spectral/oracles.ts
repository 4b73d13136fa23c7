import { inMemory, type Operand } from '../../../server/engine/spectral/operand';
import type { Algebra, Matrix } from '../../../server/compute/linalg/matrix';
import { matrix } from '../../../server/compute/linalg/matrix';

/** The methods as their papers write them, by singular value decompositions in float64. */
export interface Problem {
  readonly rows: number;
  readonly columns: number;
  readonly taskVectors: readonly Float32Array[];
  readonly algebra: Algebra;
}

interface Triples {
  readonly u: Matrix;
  readonly s: Float64Array;
  readonly v: Matrix;
}

/** The problem as methods take it. */
export const operandOf = ({ taskVectors, ...rest }: Problem): Operand => ({
  ...rest,
  taskVectors: inMemory(taskVectors),
});

const matricesOf = ({ rows, columns, taskVectors }: Problem): Matrix[] =>
  taskVectors.map((values) => matrix(rows, columns, Float64Array.from(values)));

function sumOf(problem: Problem): Matrix {
  const total = matrix(problem.rows, problem.columns);
  for (const { data } of matricesOf(problem)) data.forEach((x, i) => (total.data[i] += x));
  return total;
}

function first(triples: Triples, count: number): Triples {
  const cut = (a: Matrix): Matrix => {
    const out = matrix(a.rows, count);
    for (let i = 0; i < a.rows; i++)
      for (let j = 0; j < count; j++) out.data[i * count + j] = a.data[i * a.columns + j];
    return out;
  };
  return { u: cut(triples.u), s: triples.s.slice(0, count), v: cut(triples.v) };
}

function aboveTolerance({ s }: Triples, tolerance: number, scale = 0): number {
  const floor = Math.max(s[0], scale) * Math.max(tolerance, 1e-6);
  return s.filter((value) => value > floor).length;
}

/** u · diag(s) · vᵀ. */
export function compose({ algebra }: Pick<Problem, 'algebra'>, { u, s, v }: Triples): Float64Array {
  const scaled = matrix(
    u.rows,
    u.columns,
    u.data.map((x, i) => x * s[i % u.columns]),
  );
  return algebra.multiply(scaled, v, { transposeB: true }).data;
}

export function isoCOracle(problem: Problem, tolerance = 0): Float64Array {
  const svd = problem.algebra.thinSvd(sumOf(problem));
  if (svd.s[0] === 0) return new Float64Array(problem.rows * problem.columns);
  const kept = first(svd, aboveTolerance(svd, tolerance));
  const mean = kept.s.reduce((a, b) => a + b, 0) / kept.s.length;
  return compose(problem, { ...kept, s: kept.s.map(() => mean) });
}

function beside(parts: readonly Matrix[]): Matrix {
  const rows = parts[0].rows;
  const out = matrix(
    rows,
    parts.reduce((sum, part) => sum + part.columns, 0),
  );
  let at = 0;
  for (const part of parts) {
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < part.columns; j++)
        out.data[i * out.columns + at + j] = part.data[i * part.columns + j];
    at += part.columns;
  }
  return out;
}

/** U Vᵀ of the decomposition, over the directions that are there. */
function polar(algebra: Algebra, a: Matrix): Matrix {
  const svd = algebra.thinSvd(a);
  const kept = first(svd, aboveTolerance(svd, 0));
  return algebra.multiply(kept.u, kept.v, { transposeB: true });
}

function orthonormal(problem: Problem, parts: readonly Triples[]): Triples {
  const s = Float64Array.from(parts.flatMap((part) => [...part.s]));
  const u = polar(problem.algebra, beside(parts.map((part) => part.u)));
  const v = polar(problem.algebra, beside(parts.map((part) => part.v)));
  return { u, s, v };
}

export function tsvOracle(problem: Problem): Float64Array {
  const { algebra, rows, columns, taskVectors } = problem;
  const each = Math.floor(Math.min(rows, columns) / taskVectors.length);
  const parts = matricesOf(problem).map((task) => {
    const svd = algebra.thinSvd(task);
    return first(svd, svd.s[0] === 0 ? 0 : Math.min(each, aboveTolerance(svd, 0)));
  });
  return compose(problem, orthonormal(problem, parts));
}

export function isoCtsOracle(problem: Problem, fraction = 0.8): Float64Array {
  const { algebra, rows, columns, taskVectors } = problem;
  const r = Math.min(rows, columns);
  const each = Math.round((r - Math.floor(fraction * r)) / taskVectors.length);
  const sum = algebra.thinSvd(sumOf(problem));
  const common = first(sum, Math.min(aboveTolerance(sum, 0), r - each * taskVectors.length));
  const parts = matricesOf(problem).map((task) => {
    const inside = algebra.multiply(common.u, task, { transposeA: true });
    const projected = algebra.multiply(common.u, inside);
    const svd = algebra.thinSvd({ ...task, data: task.data.map((x, i) => x - projected.data[i]) });
    return first(svd, Math.min(each, aboveTolerance(svd, 0, sum.s[0])));
  });
  const stacks = orthonormal(problem, [...parts, common]);
  const mean = stacks.s.reduce((a, b) => a + b, 0) / stacks.s.length;
  return compose(problem, { ...stacks, s: stacks.s.map(() => mean) });
}

/** U S Σ V_m, or U S merge(V_1, …) with `inner`. */
export function knotsOracle(
  problem: Problem,
  tolerance: number,
  inner?: (parts: readonly Float64Array[]) => Float64Array,
): Float64Array {
  const { algebra, columns } = problem;
  const svd = algebra.thinSvd(beside(matricesOf(problem)));
  const kept = first(svd, svd.s.filter((value) => value > tolerance).length);
  const k = kept.s.length;
  const parts = problem.taskVectors.map((_, m) => {
    // V_m as [k, columns].
    const part = new Float64Array(k * columns);
    for (let i = 0; i < k; i++)
      for (let j = 0; j < columns; j++)
        part[i * columns + j] = kept.v.data[(m * columns + j) * k + i];
    return part;
  });
  const merged =
    inner?.(parts) ??
    parts.reduce((a, b) => a.map((x, i) => x + b[i]), new Float64Array(k * columns));
  const scaled = matrix(
    k,
    columns,
    merged.map((x, i) => x * kept.s[Math.floor(i / columns)]),
  );
  return algebra.multiply(kept.u, scaled).data;
}

export function wudiOracle(problem: Problem, iterations: number, rate: number): Float64Array {
  const { algebra } = problem;
  const x = sumOf(problem);
  const first1 = new Float64Array(x.data.length);
  const second = new Float64Array(x.data.length);
  const tasks = matricesOf(problem);
  for (let step = 1; step <= iterations; step++) {
    const gradient = new Float64Array(x.data.length);
    for (const task of tasks) {
      const square = task.data.reduce((sum, value) => sum + value * value, 0);
      if (square === 0) continue;
      const away = { ...x, data: x.data.map((value, i) => value - task.data[i]) };
      const product = algebra.multiply(away, task, { transposeB: true });
      const own = algebra.multiply(product, task);
      own.data.forEach((value, i) => (gradient[i] += (2 * value) / square));
    }
    gradient.forEach((g, i) => {
      first1[i] = 0.9 * first1[i] + 0.1 * g;
      second[i] = 0.999 * second[i] + 0.001 * g * g;
      const m = first1[i] / (1 - 0.9 ** step);
      const v = second[i] / (1 - 0.999 ** step);
      x.data[i] -= (rate * m) / (Math.sqrt(v) + 1e-8);
    });
  }
  return x.data;
}

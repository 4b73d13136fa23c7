import type { Matrix } from '../../compute/linalg/matrix';
import { singularFromGram } from './factors';
import type { Operand } from './operand';
import { gramOf, tasksOf, wholeMatrix } from './operand';
import type { SpectralResult } from './result';

/** Floating-point operations of one matrix: `iterations` products X · H of `[rows, columns]²`. */
export function wudiOperations(rows: number, columns: number, iterations: number): number {
  return 2 * rows * columns * columns * iterations;
}

/**
 * WUDI: X starts at Στ and minimises Σ_m ‖(X − τ_m) τ_mᵀ‖²_F / ‖τ_m‖²_F by Adam without decay
 * (Cheng et al. 2025; merge-methods §13). With H = Σ τ_mᵀτ_m / ‖τ_m‖² and C = Σ τ_m τ_mᵀτ_m / ‖τ_m‖²
 * the gradient is 2 (X H − C): one product a step, whatever the number of tasks. A task that did not
 * change the matrix has no term. Float64 throughout, where the release runs in bfloat16.
 */
export function wudi(
  operand: Operand,
  options: { readonly iterations: number; readonly learningRate: number },
): SpectralResult {
  const { rows, columns, algebra } = operand;
  const { x, h, c } = startOf(operand);
  const adam = new Adam(x.data, options.learningRate);
  for (let step = 0; step < options.iterations; step++) {
    operand.signal?.throwIfAborted();
    const gradient = algebra.multiply(x, h);
    for (let i = 0; i < gradient.data.length; i++)
      gradient.data[i] = 2 * (gradient.data[i] - c.data[i]);
    adam.step(gradient.data);
  }
  const { values, rank } = singularFromGram(algebra, gramOf(operand, 'sum'), 0);
  return {
    merged: Float32Array.from(x.data),
    facts: {
      directions: Math.min(rows, columns),
      rank,
      singularValues: values,
      weakShare: null,
    },
  };
}

function startOf(operand: Operand): {
  x: Matrix;
  h: Matrix;
  c: Matrix;
} {
  const { rows, columns, algebra } = operand;
  const x = { rows, columns, data: new Float64Array(rows * columns) };
  const h = { rows: columns, columns, data: new Float64Array(columns * columns) };
  const c = { rows, columns, data: new Float64Array(rows * columns) };
  for (const task of tasksOf(operand)) {
    const t = wholeMatrix(operand, task);
    for (let i = 0; i < x.data.length; i++) x.data[i] += t.data[i];
    const square = t.data.reduce((sum, value) => sum + value * value, 0);
    if (square === 0) continue;
    const gram = algebra.gram(t, { transpose: true });
    for (let i = 0; i < h.data.length; i++) h.data[i] += gram.data[i] /= square;
    algebra.multiply(t, gram, { addTo: c });
  }
  return { x, h, c };
}

/** Adam (Kingma & Ba 2015) with β = (0.9, 0.999) and ε = 1e-8, changing `values` in place. */
class Adam {
  private readonly first: Float64Array;
  private readonly second: Float64Array;
  private steps = 0;

  constructor(
    private readonly values: Float64Array,
    private readonly learningRate: number,
  ) {
    this.first = new Float64Array(values.length);
    this.second = new Float64Array(values.length);
  }

  step(gradient: Float64Array): void {
    this.steps++;
    const { first, second, values } = this;
    const rate = this.learningRate / (1 - 0.9 ** this.steps);
    const correction = 1 / Math.sqrt(1 - 0.999 ** this.steps);
    for (let i = 0; i < values.length; i++) {
      const g = gradient[i];
      first[i] += 0.1 * (g - first[i]);
      second[i] += 0.001 * (g * g - second[i]);
      values[i] -= (rate * first[i]) / (Math.sqrt(second[i]) * correction + 1e-8);
    }
  }
}

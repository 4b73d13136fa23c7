import type { Pairing } from '../protocol/routing';
import { notFinite } from './errors';
import type { Energies, PairingScores } from './types';

/** The router basis of one task: P [rank, d] of each path, rows are right singular vectors. */
export interface RouterBasis {
  readonly rank: number;
  readonly width: number;
  /** From the task path's value projection `v_task`. */
  readonly task: Float32Array;
  /** From the action path's value projection `v_adapter`. */
  readonly action: Float32Array;
}

/**
 * Norms of every token's projection on both bases (reference: policy forward §10). `states` holds
 * T task rows, then Q action rows, of the hidden entry the router reads.
 */
export function routerEnergies(
  states: Float32Array,
  taskTokens: number,
  basis: RouterBasis,
): Energies {
  const cut = taskTokens * basis.width;
  const norms = (rows: Float32Array, matrix: Float32Array): Float64Array =>
    projectionNorms(rows, matrix, basis.width);
  const task = states.subarray(0, cut);
  const action = states.subarray(cut);
  return {
    taskInTask: norms(task, basis.task),
    taskInAction: norms(task, basis.action),
    actionInTask: norms(action, basis.task),
    actionInAction: norms(action, basis.action),
  };
}

/** ‖P·h‖₂ for each row h, summed in float64. */
function projectionNorms(rows: Float32Array, matrix: Float32Array, width: number): Float64Array {
  const rank = matrix.length / width;
  const norms = new Float64Array(rows.length / width);
  for (let row = 0; row < norms.length; row++) {
    let square = 0;
    for (let k = 0; k < rank; k++) {
      let dot = 0;
      for (let i = 0; i < width; i++)
        dot += (matrix[k * width + i] ?? 0) * (rows[row * width + i] ?? 0);
      square += dot * dot;
    }
    norms[row] = Math.sqrt(square);
  }
  return norms;
}

export interface ScoreSettings {
  readonly temperature: number;
  /** Divisors of the raw scores, one a task: the mean scores of stored first frames. */
  readonly offsets?: Readonly<Record<Pairing, readonly number[]>> | undefined;
}

/**
 * Scores of all tasks in one pairing. `same`: the task states on the task basis and the action states
 * on the action basis, as the released code does; `crossed`: as Algorithm 1 prints it. Mean over
 * tokens, mean of the two paths, softmax over tasks; ties go to the lowest index, NaN is an error.
 */
export function scorePairing(
  energies: readonly Energies[],
  pairing: Pairing,
  settings: ScoreSettings,
): PairingScores {
  const tokens = energies.map((energy) => ({
    task: pairing === 'same' ? energy.taskInTask : energy.taskInAction,
    action: pairing === 'same' ? energy.actionInAction : energy.actionInTask,
  }));
  const taskPath = tokens.map(({ task }) => mean(task));
  const actionPath = tokens.map(({ action }) => mean(action));
  const scores = taskPath.map(
    (part, m) => (part + (actionPath[m] ?? 0)) / 2 / (settings.offsets?.[pairing][m] ?? 1),
  );
  const bad = scores.findIndex((score) => !Number.isFinite(score));
  if (bad >= 0)
    throw notFinite(
      `the router score of task ${bad + 1} is ${scores[bad]}; its masked model gives values that are not numbers`,
    );
  const chosen = scores.indexOf(Math.max(...scores));
  const others = scores.filter((_, index) => index !== chosen);
  const best = scores[chosen] ?? 0;
  return {
    scores,
    taskPath,
    actionPath,
    softmax: softmax(scores.map((score) => score / settings.temperature)),
    chosen,
    margin: others.length === 0 ? 0 : best - Math.max(...others),
    tokens,
  };
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function softmax(values: readonly number[]): number[] {
  const top = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - top));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

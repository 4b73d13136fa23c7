import type { SpectralReport } from '../../protocol/report';

/** Directions with a singular value below this share of the largest count as weak. */
export const weakBelow = 1e-3;

/** What a spectral method did to one matrix, for the report. */
export interface SpectralFacts {
  /** Length of the short side: how many directions a full-rank result has. */
  readonly directions: number;
  /** Directions above the tolerance; only these are in the result. */
  readonly rank: number;
  /** Singular values of Στ (of the kept triples for TSV, of the concatenation for KnOTS), descending. */
  readonly singularValues: Float64Array;
  /** Share of the result's energy in weak directions; null where no spectrum makes the result (WUDI). */
  readonly weakShare: number | null;
}

export interface SpectralResult {
  /** τ_merge, `[rows, columns]` row-major, before α. */
  readonly merged: Float32Array;
  readonly facts: SpectralFacts;
}

/** A result of zeros: what every method gives when no task changed the matrix. */
export function zeroResult(elements: number, directions: number): SpectralResult {
  const singularValues = new Float64Array(directions);
  return {
    merged: new Float32Array(elements),
    facts: { directions, rank: 0, singularValues, weakShare: 0 },
  };
}

/**
 * Share of the result's energy in weak directions. `flat`: the result gives every direction the same
 * size, so that the share is a count; otherwise energies are the squared singular values.
 */
export function weakShare(singularValues: ArrayLike<number>, form: 'flat' | 'squared'): number {
  const values = Array.from(singularValues);
  const floor = weakBelow * values.reduce((largest, value) => Math.max(largest, value), 0);
  const energy = (value: number): number => (form === 'flat' ? 1 : value * value);
  const total = values.reduce((sum, value) => sum + energy(value), 0);
  if (total === 0) return 0;
  return values.reduce((sum, value) => sum + (value < floor ? energy(value) : 0), 0) / total;
}

/**
 * exp of the entropy of σ / Σσ (Roy & Vetterli 2007): n for n equal singular values, 1 for one
 * direction, 0 for a zero matrix.
 */
export function effectiveRank(singularValues: ArrayLike<number>): number {
  const values = Array.from(singularValues).filter((value) => value > 0);
  const total = values.reduce((sum, value) => sum + value, 0);
  if (total === 0) return 0;
  const entropy = values.reduce((sum, value) => sum - (value / total) * Math.log(value / total), 0);
  return Math.exp(entropy);
}

/** The facts as `report.json` has them. */
export function spectralReport(facts: SpectralFacts): SpectralReport {
  return {
    directions: facts.directions,
    rank: facts.rank,
    effective_rank: effectiveRank(facts.singularValues),
    weak_share: facts.weakShare,
  };
}

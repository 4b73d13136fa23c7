/** What a spectral method did to one matrix, for the report. */
export interface SpectralFacts {
  /** Length of the short side: how many directions a full-rank result has. */
  readonly directions: number;
  /** Directions above the tolerance; only these are in the result. */
  readonly rank: number;
  /** Singular values of Στ (of the concatenation for KnOTS), descending; empty for WUDI. */
  readonly singularValues: Float64Array;
}

export interface SpectralResult {
  /** τ_merge, `[rows, columns]` row-major, before α. */
  readonly merged: Float32Array;
  readonly facts: SpectralFacts;
}

/** A result of zeros: what every method gives when no task changed the matrix. */
export function zeroResult(elements: number, directions: number): SpectralResult {
  return {
    merged: new Float32Array(elements),
    facts: { directions, rank: 0, singularValues: new Float64Array(directions) },
  };
}

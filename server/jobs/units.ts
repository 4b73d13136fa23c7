import type { MetricSums } from '../engine/metrics';
import type { SpectralReport } from '../protocol/report';
import type { MatrixSpectrum } from '../protocol/spectrum';
import type { Cut, Window } from '../engine/stages';
import type { JobSlots } from './outputs';

/** A run of elements of one tensor: what a thread works on between two messages. */
export interface Unit {
  /** Place in the list of its pass. */
  readonly index: number;
  /** Index into the plan's jobs. */
  readonly job: number;
  readonly start: number;
  readonly end: number;
}

/** What earlier passes found, for one unit; `cuts` by task, `remaining` counted from the unit's start. */
export interface UnitFacts {
  readonly cuts: readonly (readonly Cut[])[];
  readonly signBalance: number;
  readonly sums: readonly number[];
  /** EMR's factor of each task. */
  readonly rescalers: readonly number[];
}

/** Plain data to a thread. */
export type Work =
  | { readonly kind: 'scan'; readonly unit: Unit }
  | { readonly kind: 'sample'; readonly unit: Unit }
  | {
      readonly kind: 'tally';
      readonly unit: Unit;
      /** By task, then rank; null where the threshold is known. */
      readonly windows: readonly (readonly (Window | null)[])[];
      /** By task the bits that a magnitude has to exceed to count for the sign balance. */
      readonly guess: readonly number[] | null;
    }
  | { readonly kind: 'cut'; readonly unit: Unit; readonly starts: readonly number[] }
  | { readonly kind: 'statistics'; readonly unit: Unit; readonly facts: UnitFacts }
  /** `k`: leading right singular vectors that overlaps are taken over. */
  | { readonly kind: 'spectrum'; readonly unit: Unit; readonly k: number }
  | {
      readonly kind: 'merge';
      readonly unit: Unit;
      readonly facts: UnitFacts;
      readonly slots: JobSlots | null;
    };

/** What a thread answers. `bytes`: read from the inputs. */
export type WorkResult =
  | { readonly kind: 'scan'; readonly changed: boolean; readonly baseSquares: number }
  | { readonly kind: 'sample'; readonly magnitudes: readonly Uint32Array[] }
  | {
      readonly kind: 'tally';
      readonly tallies: readonly (readonly (SparseTally | null)[])[];
      /** By the guess; 0 without one. */
      readonly signBalance: number;
    }
  | { readonly kind: 'cut'; readonly cuts: readonly (readonly (readonly Cut[])[])[] }
  | { readonly kind: 'statistics'; readonly sums: readonly number[] }
  /** Null for a matrix that no expert changed. */
  | { readonly kind: 'spectrum'; readonly spectrum: MatrixSpectrum | null }
  | MergeResult;

export interface SparseTally {
  readonly above: number;
  /** Bins that are not empty, rising, and their counts. */
  readonly bins: Uint32Array;
  readonly counts: Uint32Array;
}

export interface MergeResult {
  readonly kind: 'merge';
  readonly sums: UnitSums | null;
  /** Numbers that are not finite, by model (0 the base, then the tasks). */
  readonly nonfinite: readonly {
    readonly model: number;
    readonly nan: number;
    readonly infinite: number;
  }[];
  readonly overflow: boolean;
  /** Of elections: the sign that ties took, the exact sign balance, and how many ties there were. */
  readonly election?: {
    readonly isNegative: boolean;
    readonly balance: number;
    readonly ties: number;
  };
  /** Of a whole matrix, where a spectral method made it. */
  readonly spectral?: SpectralReport;
}

/** Sums of one unit, blocks added in order. */
export type UnitSums = Omit<MetricSums, 'elements'>;

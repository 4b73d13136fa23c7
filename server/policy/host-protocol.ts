import type { ActOptions, LoadOptions, Observation } from './types';

/** An observation that crosses to the host: sent once, then known by its number. */
export interface SentObservation {
  readonly id: number;
  /** Absent when the host has this observation already. */
  readonly value?: Observation;
}

/** What the parent asks of the process that runs the policy. */
export type HostCall =
  | { readonly verb: 'load'; readonly source: string; readonly options: HostLoadOptions }
  | { readonly verb: 'meanScores'; readonly observations: readonly Observation[] }
  | { readonly verb: 'route'; readonly observation: SentObservation }
  | {
      readonly verb: 'act' | 'stages';
      readonly observation: SentObservation;
      readonly task: string;
      readonly options: ActOptions;
    }
  | { readonly verb: 'close' };

export type HostLoadOptions = Omit<LoadOptions, 'signal'>;

export interface HostRequest {
  readonly id: number;
  readonly call: HostCall;
}

/** A failure as plain data: errors lose their fields when they cross processes. */
export interface SentError {
  readonly code?: string;
  readonly message: string;
  readonly fault?: 'data' | 'system' | 'usage';
}

export type HostReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: SentError };

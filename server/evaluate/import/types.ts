import type { ManualFacts } from '../../protocol/import-facts';

/** Which program wrote a result file. */
export type ResultFormat =
  | 'openvla'
  | 'openvla-oft'
  | 'mergevla'
  | 'openpi'
  | 'lerobot'
  | 'vla-eval'
  | 'robotwin'
  | 'simpler-env'
  | 'trials'
  | 'csv';

/** One rollout of a foreign evaluation. */
export interface ImportedEpisode {
  readonly policy: string;
  readonly suite?: string;
  readonly task: string;
  /** Number of the rollout within its task, from 0. */
  readonly episode: number;
  /** Seed, or number of the initial state, where the file tells it. */
  readonly seed?: number;
  readonly success: boolean;
  /** The rollout crashed: harnesses count it as a failure, tables count it apart. */
  readonly error?: string;
  readonly steps?: number;
  readonly seconds?: number;
  readonly routed?: string;
  /** Why it failed, and what a person wrote about it. */
  readonly reason?: string;
  readonly note?: string;
}

/** Only counts are known: no rollout can be paired or listed. */
export interface ImportedCounts {
  readonly policy: string;
  readonly suite?: string;
  readonly task: string;
  readonly successes: number;
  readonly trials: number;
}

export interface ImportedRun {
  readonly format: ResultFormat;
  /** Name of the file, without its folders. */
  readonly file: string;
  readonly episodes: readonly ImportedEpisode[];
  readonly counts: readonly ImportedCounts[];
  /** What is missing, in one sentence; absent when the evaluation is complete. */
  readonly partial?: string;
  /** MergeVLA logs: the suite that was evaluated and the expert that the router chose for it. */
  readonly routing?: {
    readonly expected: string;
    readonly routed: string;
    readonly index?: number;
  };
  /** Trials on a robot that a person judged. */
  readonly manual?: ManualFacts;
  readonly warnings: readonly string[];
}

/** A file's text, by name: reading is the caller's. */
export interface ResultFile {
  readonly name: string;
  readonly text: string;
}

export interface ImportOptions {
  /** Name of the policy where the file does not tell one. */
  readonly policy?: string;
  /** Rollouts a task, for files that hold only a rate. */
  readonly trials?: number;
}

/** What a reader found: a run, or one sentence why this file is not one. */
export type Imported =
  | { readonly run: ImportedRun; readonly refusal?: undefined }
  | { readonly refusal: string; readonly run?: undefined };

export const refuse = (refusal: string): Imported => ({ refusal });

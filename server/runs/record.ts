import type { RunState } from '../protocol/events';

/** One phase of a run (`merge`, `evaluate`, …) as `run.json` keeps it. */
export interface PhaseRecord {
  readonly name: string;
  readonly state: 'running' | 'done' | 'failed' | 'cancelled';
  readonly started: string;
  readonly ended?: string;
  readonly seconds?: number;
}

/** The content of `run.json`, rewritten atomically at every change. Times are ISO 8601 in UTC. */
export interface RunRecord {
  readonly version: 1;
  readonly id: string;
  readonly name: string;
  readonly state: RunState;
  readonly phases: readonly PhaseRecord[];
  readonly created: string;
  readonly updated: string;
  readonly finished?: string;
  /** The process that writes, and the machine it runs on: a reader tells `interrupted` by them. */
  readonly pid: number;
  readonly host: string;
  readonly command: readonly string[];
  readonly versions: { readonly mergevla: string; readonly node: string };
  readonly device: string;
  /** Seconds by name: `merge`, `router`, `total` … */
  readonly timings: Readonly<Record<string, number>>;
  readonly progress?: {
    readonly phase: string;
    readonly done: number;
    readonly total: number;
    readonly unit: string;
  };
  readonly error?: { readonly code: string; readonly message: string };
}

/** States after which nothing more is written, unless another phase is started. */
export function isFinal(state: RunState): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled' || state === 'interrupted';
}

/** A value that looks like a run record, or undefined; files of other programs are not ours. */
export function asRunRecord(value: unknown): RunRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const record = value as Partial<Record<keyof RunRecord, unknown>>;
  const whole =
    record.version === 1 &&
    typeof record.id === 'string' &&
    typeof record.state === 'string' &&
    typeof record.pid === 'number' &&
    typeof record.host === 'string' &&
    Array.isArray(record.phases);
  return whole ? (value as RunRecord) : undefined;
}

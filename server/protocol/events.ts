/** Lines of a run's `events.jsonl`. Append-only; a reader that meets an unknown `type` skips the line. */
export type RunEvent = { readonly time: string } & (
  | {
      readonly type: 'phase';
      readonly phase: string;
      readonly state: 'started' | 'done' | 'failed' | 'cancelled';
    }
  | {
      readonly type: 'progress';
      readonly phase: string;
      readonly done: number;
      readonly total: number;
      readonly unit: 'bytes' | 'tensors' | 'episodes' | 'candidates' | 'points';
      /** Units a second, smoothed; absent until it is known. */
      readonly rate?: number;
      readonly remainingSeconds?: number;
    }
  | { readonly type: 'warning'; readonly code: string; readonly message: string }
  | { readonly type: 'error'; readonly code: string; readonly message: string }
  | { readonly type: 'metric'; readonly name: string; readonly value: number }
  | {
      readonly type: 'episode';
      readonly policy: string;
      readonly task: string;
      readonly seed: number;
      readonly success: boolean;
      readonly steps: number;
      readonly routed?: string;
    }
);

/** States of a run as `run.json` and the Runs view name them. */
export type RunState =
  'queued' | 'running' | 'cancelling' | 'done' | 'failed' | 'cancelled' | 'interrupted';

/** A run keeps its identity when it loses `.partial`. */
export const runKey = (path: string): string => path.replace(/\.partial$/, '');

/** Whether a job is, or will be, at work on the run. */
export const isActive = ({ state }: { readonly state: RunState }): boolean =>
  state === 'queued' || state === 'running' || state === 'cancelling';

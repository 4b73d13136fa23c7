import type { EpisodeRecording } from '../episode';
import type { TrialOutcome } from '../trials';
import type { Banner, CommonFromPanel, CommonToPanel, Phase, Revised, RunName } from './shared';

export type IntervalName = 'wilson' | 'exact' | 'posterior';

/** Success of one policy on one task. `low` and `high` are the ends of the chosen 95 % interval. */
export interface RateCell {
  readonly successes: number;
  readonly trials: number;
  readonly low: number;
  readonly high: number;
  /** Crashed rollouts: counted neither as success nor as failure. */
  readonly errors: number;
  /** More rollouts are coming when this is above `trials`. */
  readonly planned?: number;
  /** Only a printed rate is known (papers): the counts above are then 0. */
  readonly printed?: number;
}

export interface RateRow {
  readonly id: string;
  readonly label: string;
  readonly detail: string;
  readonly cells: readonly (RateCell | null)[];
  /** Mean over tasks with its interval; for a paper as printed, never computed. */
  readonly mean?: { readonly value: number; readonly low?: number; readonly high?: number };
  /** Compact letters; absent where no test is allowed. */
  readonly letters?: string;
  readonly routed?: { readonly right: number; readonly known: number };
  readonly state: 'done' | 'running' | 'queued' | 'partial' | 'paper';
  /** Of a running row: finished and planned rollouts, time left; of a partial one: what is missing. */
  readonly progress?: { readonly done: number; readonly total: number; readonly seconds?: number };
  readonly note?: string;
}

export interface RateGroup {
  readonly title: string;
  readonly rows: readonly RateRow[];
}

export interface RateTable {
  readonly tasks: readonly string[];
  readonly groups: readonly RateGroup[];
  /** One line above the table: suite, shift, seeds, step limit. */
  readonly protocol: string;
  /** What belongs beside the numbers in print: names and values, by run. */
  readonly reporting: readonly {
    readonly title: string;
    readonly facts: readonly (readonly [string, string])[];
  }[];
  /** What the letters rest on. */
  readonly letterTest: string;
}

/** Two rows beside each other. */
export interface Comparison {
  readonly rows: readonly [string, string];
  readonly labels: readonly [string, string];
  /** Difference of the rates, first minus second, with its 95 % interval. */
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  readonly test: 'mcnemar' | 'barnard';
  /** Rollouts on shared seeds, and of those where only one succeeded. */
  readonly pairs?: { readonly shared: number; readonly first: number; readonly second: number };
  readonly p: number;
  readonly verdict: 'not told apart' | 'better' | 'worse';
  /** One of them is still running: nothing is decided before this many rollouts. */
  readonly after?: number;
}

/** Three or more rows beside each other: letters among these alone. */
export interface RowLetters {
  readonly letters: Readonly<Record<string, string>>;
  /** What the letters rest on. */
  readonly test: string;
  /** Names of selected rows that get none before their rollouts are done. */
  readonly waiting: readonly string[];
}

export interface EpisodeItem {
  readonly id: string;
  readonly seed: number;
  readonly success: boolean;
  readonly steps: number;
  readonly reason: string;
  readonly error?: string;
  /** What a person wrote about it. */
  readonly note?: string;
  /** The task that the router chose; absent where no router chose. */
  readonly routed?: string;
  /** Outcome of the policy that this one is compared with, on the same seed. */
  readonly other?: boolean;
  readonly replay: boolean;
}

export interface EpisodeList {
  readonly row: string;
  readonly task: string;
  readonly label: string;
  /** Name of the policy that this one is compared with. */
  readonly other?: string;
  readonly items: readonly EpisodeItem[];
}

export interface Replay {
  readonly id: string;
  readonly recording: EpisodeRecording;
  /** Named moments, by control step. */
  readonly events: readonly {
    readonly step: number;
    readonly name: string;
    readonly bad: boolean;
  }[];
  /** Pictures as the policy saw them, 8-bit RGB row-major, at the steps given; may be empty. */
  readonly frames: readonly {
    readonly camera: string;
    readonly size: number;
    readonly steps: readonly number[];
    readonly pixels: Uint8Array;
  }[];
}

/** Points of a study, and the paper's beside them. */
export interface Study {
  readonly kind: 'progressive' | 'components';
  readonly title: string;
  readonly points: readonly {
    readonly label: string;
    readonly x: number;
    readonly cell: RateCell | null;
    readonly run?: string;
    readonly paper?: number;
  }[];
  /** What the paper says in words about a range. */
  readonly statements: readonly {
    readonly text: string;
    readonly from: number;
    readonly to: number;
    readonly value: number;
  }[];
}

/** The manual-trials form: nothing of the results is told before the planned trials are done. */
export interface TrialForm {
  /** Of the series. */
  readonly name: string;
  readonly task: string;
  readonly criterion: string;
  readonly trial: number;
  readonly planned: number;
  /** Number of the start position, where all policies begin from the same ones. */
  readonly start?: number;
  /** Absent while the order is blind. */
  readonly policy?: string;
  readonly reasons: readonly string[];
  readonly voided: number;
  readonly canUndo: boolean;
  readonly done: boolean;
  /** Number of entries so far: an answer names it, so that a key pressed twice counts once. */
  readonly entry: number;
}

export interface SuccessSnapshot {
  readonly phase: Phase;
  readonly banners: readonly Banner[];
  readonly runs: readonly ({ readonly id: string; readonly shown: boolean } & RunName)[];
  readonly papers: readonly {
    readonly id: string;
    readonly label: string;
    readonly shown: boolean;
  }[];
  readonly interval: IntervalName;
  readonly table?: RateTable;
  readonly cross?: RateTable;
  /** Of the rows that are selected: two are compared, more get letters. */
  readonly comparison: Comparison | RowLetters | null;
  readonly episodes?: EpisodeList;
  readonly studies: readonly Study[];
  readonly trials?: TrialForm;
  readonly trusted: boolean;
}

export type ToSuccessPanel = Revised &
  (
    | CommonToPanel<SuccessSnapshot>
    | { readonly type: 'comparison'; readonly comparison: SuccessSnapshot['comparison'] }
    | { readonly type: 'episodes'; readonly episodes: EpisodeList }
    | { readonly type: 'replay'; readonly replay: Replay }
    | { readonly type: 'noReplay'; readonly id: string; readonly reason: string }
    | { readonly type: 'trials'; readonly trials: TrialForm }
  );

export type FromSuccessPanel =
  | CommonFromPanel
  | { readonly type: 'openCell'; readonly row: string; readonly task: string }
  | { readonly type: 'closeCell' }
  | { readonly type: 'replay'; readonly id: string }
  | { readonly type: 'compare'; readonly rows: readonly string[] }
  | { readonly type: 'setInterval'; readonly kind: IntervalName }
  | { readonly type: 'showRun'; readonly id: string; readonly shown: boolean }
  | { readonly type: 'showPaper'; readonly id: string }
  | { readonly type: 'evaluate' }
  | { readonly type: 'stop' }
  | { readonly type: 'import' }
  | { readonly type: 'openRun'; readonly id: string }
  | {
      readonly type: 'trial';
      readonly entry: number;
      readonly outcome: TrialOutcome;
      readonly reason: string;
      readonly note: string;
      readonly seconds: number;
    }
  | { readonly type: 'undoTrial'; readonly entry: number }
  | { readonly type: 'pauseTrials' }
  | { readonly type: 'finishTrials' };

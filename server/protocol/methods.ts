import type { RunEvent, RunState } from './events';
import type { Fix, Problem } from './problem';
import type {
  Curve,
  CurveRequest,
  LayerAnswer,
  LayerRequest,
  MaskRatioAnswer,
  MaskRatioReply,
  MaskRatioRequest,
  ParameterValue,
} from './panels/mask-ratios';

/**
 * Requests of ours between the editor and the language server: one entry a method, named
 * `mergevla/<noun>/<verb>`. All values are plain JSON. Paths are absolute paths on the server's machine.
 */
export interface Requests {
  /** Every problem of one recipe, with its file findings, as `mergevla check` prints them. */
  'mergevla/recipe/check': { params: RecipeParams; result: CheckResult };
  /** The text of a new recipe, with the checkpoints found below a folder filled in. */
  'mergevla/recipe/template': { params: { readonly folder?: string }; result: string };
  /** Recipes below the workspace folders, sorted by path. */
  'mergevla/recipe/list': { params: NoParams; result: readonly RecipeSummary[] };
  /** What the recipe's checkpoints are and whether they are there. */
  'mergevla/checkpoint/list': { params: RecipeParams; result: readonly CheckpointSummary[] };
  /** Runs below the output directories of the workspace's recipes, newest first. */
  'mergevla/run/list': { params: NoParams; result: readonly RunSummary[] };
  /** What jobs can compute with, or why not. */
  'mergevla/device/list': { params: NoParams; result: readonly DeviceSummary[] };
  /** Starts the command as a process of its own, which outlives the server and the window. */
  'mergevla/job/start': { params: JobStartParams; result: JobStarted };
  /** Keys of a recipe that say something else than when the run was made. */
  'mergevla/run/changes': { params: RunChangesParams; result: readonly string[] };
  /** First frames of the episodes in a file of demonstrations, or the one frame of another file. */
  'mergevla/frame/list': { params: { readonly path: string }; result: readonly FrameChoice[] };
  /** Asks a running job to end; it does within two seconds. False where nothing runs. */
  'mergevla/job/stop': { params: { readonly run: string }; result: boolean };
  /** Mask ratios of a recipe as it stands, or with parameters moved. */
  'mergevla/masks/answer': { params: MaskRatioRequest; result: MaskRatioReply };
  'mergevla/masks/curve': { params: CurveRequest; result: Curve | null };
  'mergevla/masks/layer': { params: LayerRequest; result: LayerAnswer };
  /** What the newest run measured that differs from the recipe in λ, α and density at most. */
  'mergevla/masks/yardstick': { params: RecipeParams; result: MaskRatioAnswer | null };
  /** Ends the reading of a sample; `again` begins it anew, also after a failure. */
  'mergevla/masks/stop': { params: RecipeParams; result: null };
  'mergevla/masks/again': { params: RecipeParams; result: null };
  /** Edits that write values, or leave a glob out of the merge, keeping all comments. */
  'mergevla/recipe/edit': { params: RecipeEditParams; result: Fix['edits'] };
}

/** Notifications of ours, in both directions. */
export interface Notifications {
  /** To the server: the user trusts the workspace now. */
  'mergevla/trust/granted': NoParams;
  /** To the server: read checkpoints, runs and settings again. */
  'mergevla/files/refresh': NoParams;
  /** To the editor: a run appeared, moved on, ended or went. Sent at most four times a second a run. */
  'mergevla/run/changed': { readonly run: RunSummary };
  'mergevla/run/removed': { readonly path: string };
  /** To the editor: new lines of a run's event log, in order. */
  'mergevla/run/events': { readonly path: string; readonly events: readonly RunEvent[] };
  /** To the editor: there are new numbers about some recipe. */
  'mergevla/masks/changed': NoParams;
  /** To the editor: watching files does not work here, so they are polled. */
  'mergevla/files/polling': { readonly reason: string };
}

export type NoParams = Readonly<Record<string, never>>;

export interface RecipeParams {
  readonly uri: string;
}

export interface RunChangesParams extends RecipeParams {
  readonly run: string;
}

export interface RecipeEditParams extends RecipeParams {
  readonly values: readonly ParameterValue[];
  readonly exclude?: string;
  /** Becomes `run.device`. */
  readonly device?: string;
}

export interface CheckResult {
  readonly problems: readonly Problem[];
}

export interface RecipeSummary {
  readonly uri: string;
  readonly path: string;
  /** Path relative to its workspace folder, with the folder's name when there are several. */
  readonly label: string;
}

export interface CheckpointSummary {
  /** `base`, or the task's name. */
  readonly role: string;
  /** Place among the tasks, from 0; absent for the base. */
  readonly task?: number;
  readonly path: string;
  /** As the recipe writes it. */
  readonly written: string;
  readonly state: 'found' | 'missing' | 'unreadable' | 'untrusted';
  readonly bytes?: number;
  readonly tensors?: number;
  readonly elements?: number;
  readonly dtype?: string;
  /** One sentence on what is wrong. */
  readonly reason?: string;
}

export interface PhaseSummary {
  readonly name: string;
  readonly state: 'started' | 'done' | 'failed' | 'cancelled';
  readonly seconds?: number;
}

export interface RunSummary {
  /** Absolute path of the run directory; ends in `.partial` until `merged/` is complete. */
  readonly path: string;
  readonly name: string;
  readonly recipe?: string;
  /** Of the recipe as it was merged. */
  readonly recipeHash?: string;
  readonly state: RunState;
  readonly phases: readonly PhaseSummary[];
  /** Tensors of a running merge whose exact numbers are there. */
  readonly measured?: number;
  /** The newest progress of a running job. */
  readonly progress?: {
    readonly phase: string;
    readonly done: number;
    readonly total: number;
    readonly unit: string;
    readonly rate?: number;
    readonly remainingSeconds?: number;
  };
  readonly device?: string;
  /** ISO times. */
  readonly started?: string;
  readonly ended?: string;
  /** Why it failed, in one sentence, with its code. */
  readonly error?: { readonly code: string; readonly message: string };
  /** One short text for the tree: `routed 84.7 %`, `39.9 % active`. */
  readonly headline?: string;
}

export interface DeviceSummary {
  readonly id: string;
  readonly usable: boolean;
  /** What it is, or one sentence why it cannot be used. */
  readonly detail: string;
}

/** Verbs of the command that write a run directory. */
export type JobAction = 'merge' | 'evaluate' | 'run';

export interface JobStartParams {
  readonly action: JobAction;
  /** The recipe to work on. */
  readonly uri: string;
  /** An existing run to go on with (`evaluate`), instead of the recipe. */
  readonly run?: string;
  /** In place of `run.device` of the recipe. */
  readonly device?: string;
}

/** One frame of a file that a person can choose. */
export interface FrameChoice {
  /** `FILE#N`, as the command's `--frame` takes it. */
  readonly id: string;
  readonly label: string;
}

export interface JobStarted {
  /** The run directory: watch `mergevla/run/changed` for it. */
  readonly run: string;
  readonly pid: number;
}

/** What the editor tells the server at the start. */
export interface InitializationOptions {
  readonly trusted: boolean;
  readonly job: {
    /** Path of the Node.js for jobs; empty: the server's own. */
    readonly node: string;
    readonly environment: Readonly<Record<string, string>>;
  };
  /** Absolute path of the `mergevla` command. */
  readonly cli: string;
  /** Folder for samples of checkpoints, which may be deleted at any time. */
  readonly storage?: string;
  /** Commands of this editor that lenses and hovers may name. */
  readonly commands: readonly string[];
}

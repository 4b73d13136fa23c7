import type { Pairing } from '../protocol/routing';
import type { PolicyConfig } from './config';

/** An upright picture: 8-bit RGB, row-major, three bytes a pixel. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** What the policy is asked with. */
export interface Observation {
  /** In the order of `config.cameras`. Any size; resized unless they have the policy's size. */
  readonly images: readonly Picture[];
  readonly instruction: string;
  /** The robot's state in its own units; needed to act, not to route. */
  readonly proprio?: ArrayLike<number>;
}

/** The scores of one pairing, in task order. */
export interface PairingScores {
  /** r_m, the mean of the two paths. */
  readonly scores: readonly number[];
  readonly taskPath: readonly number[];
  readonly actionPath: readonly number[];
  readonly softmax: readonly number[];
  /** Index of the largest score; ties go to the lowest. */
  readonly chosen: number;
  /** Largest minus second largest score; 0 with one task. */
  readonly margin: number;
  /** For each task the norm of every task-path token, then of every action-path token. */
  readonly tokens: readonly { readonly task: Float64Array; readonly action: Float64Array }[];
}

/** Norms of the hidden states' projections: `[path of the states][path of the basis]`, per token. */
export interface Energies {
  readonly taskInTask: Float64Array;
  readonly taskInAction: Float64Array;
  readonly actionInTask: Float64Array;
  readonly actionInAction: Float64Array;
}

export interface Routing {
  readonly tasks: readonly string[];
  /** Which of `pairings` decided. */
  readonly pairing: Pairing;
  readonly pairings: Readonly<Record<Pairing, PairingScores>>;
  readonly chosen: string;
  /** True when scores were divided by stored means: an addition of ours, outside the paper. */
  readonly calibrated: boolean;
  readonly seconds: number;
}

/** In task order. */
export type MeanScores = Readonly<Record<Pairing, readonly number[]>>;

export interface ActionChunk {
  /** `[chunk][action size]` in the robot's units. */
  readonly actions: readonly Float64Array[];
  /** The same before un-normalisation. */
  readonly normalized: readonly Float32Array[];
  readonly seconds: number;
}

export interface ActOptions {
  /** False leaves the masks out: the merged policy with the task's head. Default true. */
  readonly masked?: boolean;
}

/** A loaded policy. Calls run one after another; `close` frees the sessions. */
export interface Policy {
  readonly tasks: readonly string[];
  readonly config: PolicyConfig;
  /** The execution provider that runs it, e.g. `cpu`. */
  readonly device: string;
  readonly precision: 'float32';
  /** False where there is no router: one task, or `router: none`. */
  readonly routes: boolean;
  /** How often the task is chosen (recipe key `router.per`): once an episode or a suite. */
  readonly routesPer: 'episode' | 'suite';
  /**
   * Each task's mean raw score over observations, in task order: what `router.offset: stored` divides
   * by. Throws `MergeError` for a policy without a router.
   */
  meanScores(observations: readonly Observation[]): Promise<MeanScores>;
  /**
   * Scores of every task for one observation (reference: policy forward §10): one forward pass of
   * the masked model for each task. Throws `MergeError` for a policy without a router.
   */
  route(observation: Observation): Promise<Routing>;
  /** The action chunk of one task's policy. */
  act(observation: Observation, task: string, options?: ActOptions): Promise<ActionChunk>;
  /** Every stage of one forward pass by its name (reference: golden data, stages), float32. */
  stages(observation: Observation, task: string, options?: ActOptions): Promise<Stages>;
  close(): Promise<void>;
}

export type Stages = ReadonlyMap<
  string,
  { readonly shape: readonly number[]; readonly data: Float32Array }
>;

export interface LoadOptions {
  /** `auto` (default) takes the first usable of CUDA and CPU; a name takes that or fails. */
  readonly device?: string;
  /** Threads of one operator; default: what the runtime chooses. */
  readonly threads?: number;
  /** Where the base is, for a released merged directory, which does not say. */
  readonly base?: string;
  /** Name of a single expert's task; default: its folder's name. */
  readonly task?: string;
  /**
   * True composes each task's weights once and keeps them (fast steps, M times the memory); false
   * keeps base and vector and applies the mask in every pass. Default: true below 256 MB.
   */
  readonly compose?: boolean;
  readonly signal?: AbortSignal;
}

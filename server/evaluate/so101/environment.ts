import { encodePositions, encodeTargets, type EpisodeRecording } from '../../protocol/episode';
import { renderCamera } from './camera';
import { CAMERAS, CONTROL_HZ, JOINTS, type CameraName, type Task } from './scene';
import { describeScene } from './scene-description';
import { loadMujoco, Simulator, type Mujoco } from './simulator';
import { failureReason, fulfilled, INSTRUCTIONS, startEpisode, type Shift } from './tasks';

/** Control steps after which an episode counts as failed. */
export const STEP_LIMIT = 200;
/** Consecutive control steps for which the criterion must hold. */
const STEPS_FULFILLED = 6;

export interface EpisodeOptions {
  /** Default `colours`: a cube colour that no demonstration shows. */
  readonly shift?: Shift;
  readonly maxSteps?: number;
  /** Edge of the square pictures in pixels, default 64. */
  readonly imageSize?: number;
}

export interface Observation {
  /** RGB bytes, `[imageSize, imageSize, 3]`, upright, in camera order. */
  readonly images: Readonly<Record<CameraName, Uint8Array>>;
  readonly imageSize: number;
  /** Joint angles, radians, six. */
  readonly proprio: Float64Array;
}

export interface StepOutcome {
  readonly done: boolean;
  readonly success: boolean;
  /** Why the episode ended; empty while it runs. */
  readonly reason: string;
}

/** What a rollout needs of a simulator. */
export interface Environment {
  readonly suite: string;
  readonly tasks: readonly string[];
  reset(task: Task, seed: number, options?: EpisodeOptions): void;
  /** The instruction of the running episode, as the demonstrations have it. */
  readonly instruction: string;
  observe(): Observation;
  /** One control step (50 ms) with joint targets in radians, six. */
  step(action: ArrayLike<number>): StepOutcome;
  /** The episode so far; `success` and `reason` as of the last step. */
  recording(): EpisodeRecording;
  dispose(): void;
}

/** The built-in bench. One per thread: the engine has its own memory. */
export async function createSo101Environment(): Promise<Environment> {
  return new So101Environment(await loadMujoco());
}

class So101Environment implements Environment {
  readonly suite = 'so101-cubes';
  readonly tasks: readonly Task[] = ['pick_place', 'push_cube', 'stack_cube'];
  private simulator: Simulator | undefined;
  private options: Required<EpisodeOptions> = {
    shift: 'colours',
    maxSteps: STEP_LIMIT,
    imageSize: 64,
  };
  private seed = 0;
  private rows: Float64Array[] = [];
  private targets: Float64Array[] = [];
  private fulfilledSteps = 0;
  private outcome: StepOutcome = { done: false, success: false, reason: '' };

  constructor(private readonly mujoco: Mujoco) {}

  reset(task: Task, seed: number, options: EpisodeOptions = {}): void {
    if (this.simulator?.task !== task) {
      this.simulator?.dispose();
      this.simulator = new Simulator(this.mujoco, task);
    }
    this.options = { shift: 'colours', maxSteps: STEP_LIMIT, imageSize: 64, ...options };
    this.seed = seed;
    startEpisode(this.simulator, seed, { shift: this.options.shift });
    this.rows = [this.simulator.positions()];
    this.targets = [];
    this.fulfilledSteps = 0;
    this.outcome = { done: false, success: false, reason: '' };
  }

  get instruction(): string {
    return INSTRUCTIONS[this.running().task];
  }

  observe(): Observation {
    const simulator = this.running();
    const { imageSize } = this.options;
    const [top, wrist] = CAMERAS.map((camera) => renderCamera(simulator, camera, imageSize));
    if (top === undefined || wrist === undefined) throw new Error('a camera is missing');
    return { images: { top, wrist }, imageSize, proprio: simulator.joints() };
  }

  step(action: ArrayLike<number>): StepOutcome {
    const simulator = this.running();
    if (this.outcome.done) return this.outcome;
    simulator.step(action);
    this.targets.push(Float64Array.from(JOINTS, (_, joint) => action[joint] ?? 0));
    this.rows.push(simulator.positions());
    this.fulfilledSteps = fulfilled(simulator) ? this.fulfilledSteps + 1 : 0;
    const success = this.fulfilledSteps >= STEPS_FULFILLED;
    const exhausted = this.rows.length - 1 >= this.options.maxSteps;
    this.outcome = {
      done: success || exhausted,
      success,
      reason: success ? 'success' : exhausted ? failureReason(simulator) : '',
    };
    return this.outcome;
  }

  recording(): EpisodeRecording {
    const simulator = this.running();
    return {
      version: 1,
      suite: this.suite,
      task: simulator.task,
      seed: this.seed,
      instruction: this.instruction,
      success: this.outcome.success,
      reason: this.outcome.reason,
      controlHz: CONTROL_HZ,
      scene: describeScene(simulator),
      steps: this.rows.length - 1,
      qpos: encodePositions(this.rows, simulator.model.nq),
      targets: encodeTargets(this.targets, JOINTS.length),
    };
  }

  dispose(): void {
    this.simulator?.dispose();
    this.simulator = undefined;
  }

  private running(): Simulator {
    if (this.simulator === undefined) throw new Error('the environment was not reset');
    return this.simulator;
  }
}

import type { EpisodeRecording } from '../../protocol/episode';
import { throwIfCancelled } from '../../protocol/merge-error';
import type { Environment, EpisodeOptions, Observation } from './environment';
import { CAMERAS, type Task } from './scene';

/** What an actor is asked with: the pictures in camera order, the joints, the instruction. */
export interface ActorInput {
  readonly images: readonly {
    readonly width: number;
    readonly height: number;
    readonly data: Uint8Array;
  }[];
  readonly instruction: string;
  readonly proprio: Float64Array;
}

/** A policy under test. `start` is where a router looks at the first observation and chooses. */
export interface Actor {
  /** Called once an episode, before the first `act`; the answer is the chosen task, if it routes. */
  start(first: ActorInput, task: Task): Promise<{ readonly routed?: string }>;
  /** Joint targets in radians, one row a control step. */
  act(input: ActorInput): Promise<readonly ArrayLike<number>[]>;
}

export interface RolloutOptions extends EpisodeOptions {
  readonly task: Task;
  readonly seed: number;
  /** Actions executed of each chunk before the policy is asked again. */
  readonly execute: number;
  readonly signal?: AbortSignal;
}

export interface Rollout {
  readonly task: Task;
  readonly seed: number;
  readonly success: boolean;
  readonly reason: string;
  readonly steps: number;
  readonly routed?: string;
  readonly recording: EpisodeRecording;
}

/** Plays one episode to its end. The same actor, task and seed give the same steps, bit for bit. */
export async function rollOut(
  environment: Environment,
  actor: Actor,
  options: RolloutOptions,
): Promise<Rollout> {
  const { task, seed, execute, signal } = options;
  environment.reset(task, seed, options);
  let input = actorInput(environment.observe(), environment.instruction);
  const { routed } = await actor.start(input, task);
  const calls: number[] = [];
  for (let [step, done] = [0, false]; !done;) {
    throwIfCancelled(signal);
    calls.push(step);
    const chunk = (await actor.act(input)).slice(0, execute);
    done = playChunk(environment, chunk);
    step += chunk.length;
    if (!done) input = actorInput(environment.observe(), environment.instruction);
  }
  const recording = {
    ...environment.recording(),
    calls,
    ...(routed !== undefined && { routed }),
  };
  const { success, reason, steps } = recording;
  return { task, seed, success, reason, steps, ...(routed !== undefined && { routed }), recording };
}

function playChunk(environment: Environment, actions: readonly ArrayLike<number>[]): boolean {
  if (actions.length === 0) throw new Error('the policy answered with no action');
  for (const action of actions) {
    if (environment.step(action).done) return true;
  }
  return false;
}

function actorInput(observation: Observation, instruction: string): ActorInput {
  const { images, imageSize, proprio } = observation;
  return {
    images: CAMERAS.map((camera) => ({
      width: imageSize,
      height: imageSize,
      data: images[camera],
    })),
    instruction,
    proprio,
  };
}

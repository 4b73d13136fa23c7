import { gzipSync } from 'node:zlib';
import type { Policy, Routing } from '../policy/types';
import type { EpisodeLine } from '../protocol/episode-line';
import { MergeError } from '../protocol/merge-error';
import { blindActor, fixedActor, meanPictures, routedActor, type PolicyActor } from './actors';
import { lineOf, type EpisodeJob, type PlayedEpisode } from './episodes';
import { PolicySet, type PolicySources } from './policy-set';
import { createSo101Environment, type Environment, type EpisodeOptions } from './so101/environment';
import { rollOut, type ActorInput } from './so101/rollout';
import { CAMERAS, JOINTS, TASKS, type Task } from './so101/scene';

export interface PlayerSettings {
  readonly sources: PolicySources;
  readonly shift: 'none' | 'colours';
  /** Null: all actions of a chunk. */
  readonly execute: number | null;
  /** Null: the suite's limit. */
  readonly maxSteps: number | null;
  readonly routing: 'episode' | 'suite';
  /** The seed whose first observation decides for `suite`. */
  readonly firstSeed: number;
}

/** Plays episodes of the built-in bench one after another. One per process: it owns the simulator. */
export class Player {
  private readonly policies: PolicySet;
  private readonly means = new Map<string, ActorInput['images']>();
  private readonly decided = new Map<string, Routing>();
  private environment: Promise<Environment> | undefined;

  constructor(private readonly settings: PlayerSettings) {
    this.policies = new PolicySet(settings.sources);
  }

  /** Throws `MergeError` for what makes every episode impossible; one crash is in the line's `error`. */
  async play(job: EpisodeJob): Promise<PlayedEpisode> {
    const started = performance.now();
    const task = taskOf(job.task);
    this.environment ??= createSo101Environment();
    const environment = await this.environment;
    const policy = await this.policyFor(job);
    checkFits(policy.config);
    const options = this.options(policy);
    const actor = await this.actorFor(job, { policy, environment, task });
    const base = { ...lineOf(job), suite: environment.suite };
    const seconds = (): number => Math.round(performance.now() - started) / 1000;
    try {
      const { recording, ...outcome } = await rollOut(environment, actor, {
        ...options,
        task,
        seed: job.seed,
        execute: this.settings.execute ?? policy.config.execute,
      });
      const { success, steps, reason } = outcome;
      const line = { ...base, success, steps, seconds: seconds(), reason };
      return {
        line: { ...line, ...routingOf(actor.routing) },
        recording: gzipSync(
          JSON.stringify({ ...recording, policy: job.policy, imageSize: options.imageSize }),
          { level: 9 },
        ),
      };
    } catch (error) {
      if (!isOfEpisode(error)) throw error;
      const line = { ...base, success: false, steps: 0, seconds: seconds(), error: error.message };
      return { line: { ...line, ...routingOf(actor.routing) } };
    }
  }

  private policyFor({ policy, task, expert }: EpisodeJob): Promise<Policy> {
    switch (policy) {
      case 'blind':
      case 'experts':
      case 'cross':
        return this.policies.expert(expert ?? task);
      case 'merged':
      case 'masked':
      case 'routed':
        return this.policies.merged(task);
      case 'own_vlm':
        return this.policies.ownVlm(task);
      case 'own_action_expert':
        return this.policies.ownActionExpert(task);
    }
  }

  private async actorFor(job: EpisodeJob, stage: Stage): Promise<PolicyActor> {
    const { policy, environment, task } = stage;
    if (job.policy === 'merged') return fixedActor(policy, task, false);
    if (job.policy === 'routed') {
      const { routing } = this.settings;
      const decided = routing === 'suite' ? await this.decideFor(stage) : undefined;
      return routedActor(policy, decided);
    }
    const actor = fixedActor(policy, job.expert ?? task);
    if (job.policy !== 'blind') return actor;
    const size = policy.config.imageSize;
    const pictures = this.means.get(task) ?? meanPictures(environment, task, size);
    this.means.set(task, pictures);
    return blindActor(actor, pictures);
  }

  /** The routing of the task's first episode, which every worker finds the same. */
  private async decideFor({ policy, environment, task }: Stage): Promise<Routing> {
    const known = this.decided.get(task);
    if (known) return known;
    environment.reset(task, this.settings.firstSeed, this.options(policy));
    const { images, imageSize, proprio } = environment.observe();
    const routing = await policy.route({
      images: CAMERAS.map((camera) => ({
        width: imageSize,
        height: imageSize,
        data: images[camera],
      })),
      instruction: environment.instruction,
      proprio,
    });
    this.decided.set(task, routing);
    return routing;
  }

  private options(policy: Policy): EpisodeOptions {
    const { shift, maxSteps } = this.settings;
    const imageSize = policy.config.imageSize;
    return { shift, imageSize, ...(maxSteps !== null && { maxSteps }) };
  }
}

interface Stage {
  readonly policy: Policy;
  readonly environment: Environment;
  readonly task: Task;
}

export function taskOf(name: string): Task {
  const task = TASKS.find((known) => known === name);
  if (task !== undefined) return task;
  throw new MergeError(
    'MV553',
    `${name} is no task of so101-cubes, which has ${TASKS.join(', ')}; an evaluate.command rolls out others`,
  );
}

/** Numbers that a policy must share with the bench. Throws MV553. */
export function checkFits(config: Policy['config']): void {
  const { actionSize, proprioSize } = config.shape.head;
  const wrong = [
    actionSize === JOINTS.length ? '' : `gives ${actionSize} numbers an action`,
    proprioSize === JOINTS.length ? '' : `takes a state of ${proprioSize} numbers`,
    config.cameras.length === CAMERAS.length ? '' : `takes ${config.cameras.length} pictures`,
  ].filter((text) => text !== '');
  if (wrong.length === 0) return;
  throw new MergeError(
    'MV553',
    `the policy ${wrong.join(' and ')}, but so101-cubes has ${JOINTS.length} joints and ${CAMERAS.length} cameras`,
  );
}

/** A policy that computes no numbers in one episode may be well in the next. */
function isOfEpisode(error: unknown): error is MergeError {
  return error instanceof MergeError && error.code === 'MV577';
}

function routingOf(routing: Routing | undefined): Partial<EpisodeLine> {
  if (!routing) return {};
  const { tasks, pairing, pairings, chosen } = routing;
  const byTask = (values: readonly number[]): Record<string, number> =>
    Object.fromEntries(tasks.map((task, index) => [task, values[index] ?? 0]));
  return {
    routed: chosen,
    pairing,
    scores: byTask(pairings.same.scores),
    crossed: byTask(pairings.crossed.scores),
    softmax: byTask(pairings[pairing].softmax),
  };
}

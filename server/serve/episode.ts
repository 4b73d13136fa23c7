import { turnPicture } from '../policy/pictures';
import type { Observation, Policy, Routing } from '../policy/types';

/** How the server turns wire data into observations and actions into what the robot takes. */
export interface ServeSettings {
  /** Fixed task; absent: the router decides at the start of an episode. */
  readonly task?: string;
  readonly rotate: boolean;
  /**
   * `libero`: the last number, 0 … 1 with 1 closed, becomes −1 (open) or 1 (closed) as that simulator
   * takes it: g → −sign(2g − 1), after the released evaluation. `raw`: as the policy gives it.
   */
  readonly gripper: 'libero' | 'raw';
  /** Keys of pictures in camera order, of the state and of the instruction (openpi). */
  readonly imageKeys?: readonly string[];
  readonly stateKey: string;
  readonly promptKey: string;
}

export interface EpisodeAnswer {
  /** [chunk, action size], row-major. */
  readonly actions: Float32Array;
  readonly task: string;
  /** Present on the answer that routed. */
  readonly routing?: Routing;
  readonly seconds: number;
}

/** One client's episode: routes at its start and keeps the task until the next one. */
export class Episode {
  private task: string | undefined;
  private lastRouting: Routing | undefined;
  private suite: string | undefined;

  constructor(
    private readonly policy: Policy,
    private readonly settings: ServeSettings,
  ) {}

  /** The routing that decided this episode's task. */
  get routing(): Routing | undefined {
    return this.lastRouting;
  }

  /** The next observation is the first of an episode; with `per: suite` the route outlives it. */
  restart(suite?: string): void {
    const isSameSuite = this.policy.routesPer === 'suite' && suite === this.suite;
    this.suite = suite;
    if (!isSameSuite) this.forget();
  }

  async act(given: Observation): Promise<EpisodeAnswer> {
    const started = performance.now();
    const observation = this.settings.rotate
      ? { ...given, images: given.images.map(turnPicture) }
      : given;
    const isFirst = this.task === undefined;
    const task = this.task ?? (await this.chooseTask(observation));
    this.task = task;
    const chunk = await this.policy.act(observation, task);
    const size = this.policy.config.shape.head.actionSize;
    const actions = new Float32Array(chunk.actions.length * size);
    chunk.actions.forEach((row, index) => actions.set(this.forRobot(row), index * size));
    return {
      actions,
      task,
      ...(isFirst && this.lastRouting ? { routing: this.lastRouting } : {}),
      seconds: (performance.now() - started) / 1000,
    };
  }

  private forget(): void {
    this.task = undefined;
    this.lastRouting = undefined;
  }

  private async chooseTask(observation: Observation): Promise<string> {
    if (this.settings.task !== undefined) return this.settings.task;
    const [only] = this.policy.tasks;
    if (!this.policy.routes && this.policy.tasks.length === 1 && only !== undefined) return only;
    this.lastRouting = await this.policy.route(observation);
    return this.lastRouting.chosen;
  }

  private forRobot(row: Float64Array): Float64Array {
    if (this.settings.gripper === 'raw') return row;
    const last = row.length - 1;
    return row.map((value, i) => (i === last ? -Math.sign(2 * value - 1) : value));
  }
}

import type { Observation, Policy, Routing } from '../policy/types';
import { isRecord } from '../protocol/shape';
import { asNumbers, packArray } from './arrays';
import { Episode, type ServeSettings } from './episode';
import { pack, type Packable } from './msgpack';
import { sentence, type Peer, type Session } from './session';
import { wirePicture } from './wire-picture';

/** Set by a client to begin an episode without a new connection or another instruction. */
const resetKey = 'mergevla/reset';

/**
 * The openpi policy protocol (reference: evaluation §4.1): the server speaks first with its metadata,
 * then each observation map is answered by an action map. It knows no episodes, so one begins with
 * the connection, with another instruction, or with `mergevla/reset`.
 */
export class OpenpiSession implements Session {
  private readonly episode: Episode;
  private prompt: string | undefined;
  private previousMs: number | undefined;

  constructor(
    private readonly peer: Peer,
    private readonly policy: Policy,
    private readonly settings: ServeSettings,
  ) {
    this.episode = new Episode(policy, settings);
    peer.send(pack(this.metadata()));
  }

  async receive(message: unknown): Promise<void> {
    const started = performance.now();
    if (!isRecord(message)) throw new Error('an observation is a map of names');
    const observation = this.observation(message);
    if (observation.instruction !== this.prompt || message[resetKey] === true)
      this.episode.restart();
    this.prompt = observation.instruction;
    const { actions, task, seconds } = await this.episode.act(observation);
    const { chunk, shape } = this.policy.config;
    this.peer.send(
      pack({
        actions: packArray(actions, [chunk, shape.head.actionSize], 'bytes'),
        server_timing: { infer_ms: seconds * 1000, prev_total_ms: this.previousMs },
        // Plain maps only: clients index every array of the answer by the step.
        router: routerMap(task, this.episode.routing),
      }),
    );
    this.previousMs = performance.now() - started;
  }

  fail(error: unknown): void {
    this.peer.sendText(sentence(error));
    this.peer.close(1011, 'the observation could not be answered');
  }

  private metadata(): Packable {
    const { config, tasks, device } = this.policy;
    return {
      policy: 'mergevla',
      tasks,
      device,
      action_horizon: config.chunk,
      execute: config.execute,
      action_dim: config.shape.head.actionSize,
      state_dim: config.shape.head.proprioSize,
      image_size: config.imageSize,
      image_keys: this.imageKeys(),
      state_key: this.settings.stateKey,
      prompt_key: this.settings.promptKey,
      reset_key: resetKey,
    };
  }

  /** The names of openpi's LIBERO loop; further cameras by their own names. */
  private imageKeys(): readonly string[] {
    const usual = ['observation/image', 'observation/wrist_image'];
    return (
      this.settings.imageKeys ??
      this.policy.config.cameras.map((camera, index) => usual[index] ?? `observation/${camera}`)
    );
  }

  private observation(message: Readonly<Record<string, unknown>>): Observation {
    const { promptKey, stateKey } = this.settings;
    const present = `the observation has ${Object.keys(message).join(', ')}`;
    const images = this.imageKeys().map((key) => {
      if (!(key in message)) throw new Error(`there is no picture ${key}; ${present}`);
      return wirePicture(message[key], key);
    });
    const instruction = message[promptKey];
    if (typeof instruction !== 'string')
      throw new Error(`there is no text ${promptKey}; ${present}`);
    const proprio = asNumbers(message[stateKey]);
    if (!proprio) throw new Error(`there is no state ${stateKey}; ${present}`);
    return { images, instruction, proprio };
  }
}

function routerMap(task: string, routing: Routing | undefined): Packable {
  if (!routing) return { task };
  const { scores, softmax } = routing.pairings[routing.pairing];
  return { task, tasks: routing.tasks, scores, softmax };
}

import type { Observation, Picture, Policy } from '../policy/types';
import { isRecord } from '../protocol/shape';
import { asNumbers, packArray } from './arrays';
import { Episode, type ServeSettings } from './episode';
import { pack, type Packable } from './msgpack';
import { sentence, type Peer, type Session } from './session';
import { wirePicture } from './wire-picture';

/** What the harness tells about an episode that ended. */
export interface EpisodeOutcome {
  readonly suite: string;
  readonly task: string;
  readonly episode: number;
  readonly success: boolean | null;
  readonly steps: number | null;
  readonly routed: string | null;
}

type Fields = Readonly<Record<string, unknown>>;

/** True for a frame of the vla-eval protocol: `{type, payload, seq, timestamp}`. */
export function isVlaEvalFrame(message: unknown): boolean {
  return isRecord(message) && typeof message['type'] === 'string' && 'seq' in message;
}

/**
 * The vla-eval protocol, version 1 (reference: evaluation §4.2): the client says hello, episodes have
 * a start and an end, and every observation is answered by one action from the chunk.
 */
export class VlaEvalSession implements Session {
  private readonly episode: Episode;
  private readonly buffer: Float32Array[] = [];
  private current: Fields = {};
  private routed: string | null = null;

  constructor(
    private readonly peer: Peer,
    private readonly policy: Policy,
    private readonly settings: ServeSettings,
    private readonly onEpisode: (outcome: EpisodeOutcome) => void,
  ) {
    this.episode = new Episode(policy, settings);
  }

  async receive(message: unknown): Promise<void> {
    if (!isRecord(message) || !isVlaEvalFrame(message))
      throw new Error('a frame is a map with type, payload and seq');
    const payload = isRecord(message['payload']) ? message['payload'] : {};
    switch (message['type']) {
      case 'hello':
        return this.reply('hello', hello, message);
      case 'episode_start':
        return this.startEpisode(payload);
      case 'observation':
        return this.reply('action', await this.nextAction(payload), message);
      case 'episode_end':
        return this.endEpisode(payload);
      case 'error':
        return;
      default:
        throw new Error(`frames of type ${JSON.stringify(message['type'])} are not known`);
    }
  }

  fail(error: unknown, message: unknown): void {
    this.reply('error', { error: sentence(error), message: sentence(error) }, message);
  }

  private reply(type: string, payload: Packable, to: unknown): void {
    const seq = isRecord(to) && typeof to['seq'] === 'number' ? to['seq'] : 0;
    this.peer.send(pack({ type, payload, seq, timestamp: Date.now() / 1000 }));
  }

  private startEpisode(payload: Fields): void {
    this.buffer.length = 0;
    this.routed = null;
    this.current = isRecord(payload['task']) ? payload['task'] : {};
    const { suite } = this.current;
    this.episode.restart(typeof suite === 'string' ? suite : undefined);
  }

  private endEpisode(payload: Fields): void {
    const metrics = isRecord(payload['metrics']) ? payload['metrics'] : {};
    const { suite, name, episode_idx: episode } = this.current;
    this.onEpisode({
      suite: typeof suite === 'string' ? suite : '',
      task: typeof name === 'string' ? name : '',
      episode: typeof episode === 'number' ? episode : 0,
      success: typeof metrics['success'] === 'boolean' ? metrics['success'] : null,
      steps: typeof payload['steps'] === 'number' ? payload['steps'] : null,
      routed: this.routed,
    });
  }

  /** One action an observation: the model is asked when the executed part of its chunk is used up. */
  private async nextAction(payload: Fields): Promise<Packable> {
    if (this.buffer.length === 0) {
      const { actions, task } = await this.episode.act(this.observation(payload));
      const size = this.policy.config.shape.head.actionSize;
      for (let row = 0; row < this.policy.config.execute; row++)
        this.buffer.push(actions.slice(row * size, (row + 1) * size));
      this.routed = task;
    }
    const action = this.buffer.shift() ?? new Float32Array();
    return { actions: packArray(action, [action.length], 'text') };
  }

  private observation(payload: Fields): Observation {
    const instruction = payload['task_description'];
    if (typeof instruction !== 'string') throw new Error('the observation has no task_description');
    const proprio = asNumbers(payload['states']);
    if (!proprio)
      throw new Error('the observation has no states; the benchmark must be told to send them');
    return { images: this.pictures(payload['images']), instruction, proprio };
  }

  /** By the keys set, by the cameras' names, by LIBERO's names, or in the order sent. */
  private pictures(images: unknown): Picture[] {
    if (!isRecord(images)) throw new Error('the observation has no images');
    const present = Object.keys(images);
    const { cameras } = this.policy.config;
    const candidates = [
      this.settings.imageKeys ?? [],
      cameras,
      ['agentview', 'wrist'].slice(0, cameras.length),
      present,
    ];
    const keys = candidates.find(
      (names) => names.length === cameras.length && names.every((name) => name in images),
    );
    if (!keys)
      throw new Error(
        `the observation has ${present.length} pictures (${present.join(', ')}); this policy takes ${cameras.length} (${cameras.join(', ')})`,
      );
    return keys.map((key) => wirePicture(images[key], `images.${key}`));
  }
}

const hello: Packable = {
  harness_version: '0.8.0',
  protocol_version: 1,
  model_server: 'mergevla',
  capabilities: {},
  observation_params: { send_wrist_image: true, send_state: true },
};

import type { Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encode as encodePng } from 'fast-png';
import WebSocket from 'ws';
import { loadPolicy } from '../../server/policy/policy';
import type { Policy } from '../../server/policy/types';
import { asNumbers } from '../../server/serve/arrays';
import type { ServeSettings } from '../../server/serve/episode';
import { pack, unpack, type Packable } from '../../server/serve/msgpack';
import { startServer, type PolicyServer } from '../../server/serve/server';
import type { EpisodeOutcome } from '../../server/serve/vla-eval';
import { fixtures, golden, observation, relativeError } from '../policy/golden';

const settings: ServeSettings = {
  rotate: false,
  gripper: 'raw',
  stateKey: 'observation/state',
  promptKey: 'prompt',
};

let policy: Policy;
let server: PolicyServer;
const outcomes: EpisodeOutcome[] = [];

beforeAll(async () => {
  policy = await loadPolicy(join(fixtures, 'merged'), { base: join(fixtures, 'base') });
  server = await startServer({
    policy,
    settings,
    host: '127.0.0.1',
    port: 0,
    onEpisode: (outcome) => outcomes.push(outcome),
  });
});
afterAll(async () => {
  await server.stop();
  await policy.close();
});

/** Fields that the two protocols answer with. */
interface Reply {
  readonly policy: string;
  readonly type: string;
  readonly seq: number;
  readonly payload: { readonly message: string; readonly actions: unknown };
  readonly actions: { readonly shape: readonly number[] };
  readonly router: {
    readonly task: string;
    readonly softmax: readonly number[];
    readonly scores: readonly number[];
  };
  readonly server_timing: { readonly infer_ms: number; readonly prev_total_ms?: number };
}

/** A client that hands out the frames it gets one by one. */
class TestClient {
  private readonly frames: (string | Uint8Array)[] = [];
  private readonly waiting: ((frame: string | Uint8Array) => void)[] = [];
  readonly closed: Promise<number>;

  private constructor(readonly socket: WebSocket) {
    this.closed = new Promise((resolve) => socket.on('close', (code) => resolve(code)));
    socket.on('message', (data, isBinary) => {
      const frame = isBinary ? new Uint8Array(data as Buffer) : (data as Buffer).toString();
      const next = this.waiting.shift();
      if (next) next(frame);
      else this.frames.push(frame);
    });
  }

  static async open(port: number, path = '', options: WebSocket.ClientOptions = {}) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, options);
    const client = new TestClient(socket);
    await new Promise((resolve, reject) => {
      socket.on('open', resolve);
      socket.on('error', reject);
    });
    return client;
  }

  frame(): Promise<string | Uint8Array> {
    const known = this.frames.shift();
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  async message(): Promise<Reply> {
    return unpack((await this.frame()) as Uint8Array) as Reply;
  }

  ask(value: Packable): Promise<Reply> {
    this.socket.send(pack(value));
    return this.message();
  }
}

function array(data: Uint8Array, dtype: string, shape: number[], keys: 'bytes' | 'text'): Packable {
  const entries = { __ndarray__: true, data, dtype, shape };
  return keys === 'text' ? entries : new Map<string, Packable>(Object.entries(entries));
}

function picture(index: number, camera: number): Packable {
  const { width, height, data } = observation(index).images[camera];
  return array(data, '|u1', [height, width, 3], 'bytes');
}

function openpiObservation(index: number): Record<string, Packable> {
  const { instruction, state } = golden.observations[index];
  const numbers = Float64Array.from(state);
  return {
    'observation/image': picture(index, 0),
    'observation/wrist_image': picture(index, 1),
    'observation/state': array(new Uint8Array(numbers.buffer), '<f8', [8], 'bytes'),
    prompt: instruction,
  };
}

/** The reference's actions of the task that the router is known to choose. */
function expected(index: number): number[] {
  const { chosen } = golden.router.find(({ obs }) => obs === index)!.released;
  return golden.runs
    .find((r) => r.policy === `merged:${chosen}` && r.obs === index)!
    .actions.flat();
}

describe('openpi protocol', () => {
  it('speaks first, then answers observations with the routed chunk', async () => {
    const client = await TestClient.open(server.port);
    const metadata = await client.message();
    expect(metadata).toMatchObject({ policy: 'mergevla', action_horizon: 8, action_dim: 7 });
    const answer = await client.ask(openpiObservation(1));
    expect(relativeError(asNumbers(answer.actions)!, expected(1))).toBeLessThan(1e-4);
    expect(answer.actions.shape).toEqual([8, 7]);
    expect(answer.router.task).toBe('libero_object');
    expect(answer.router.softmax.reduce((sum, p) => sum + p)).toBeCloseTo(1);
    expect(answer.server_timing.infer_ms).toBeGreaterThan(0);
    expect(answer.server_timing.prev_total_ms).toBeUndefined();
    const second = await client.ask(openpiObservation(1));
    expect(second.server_timing.prev_total_ms).toBeGreaterThan(0);
    client.socket.close();
  });

  it('routes again for another prompt and on reset, and not otherwise', async () => {
    const client = await TestClient.open(server.port, '/openpi');
    await client.message();
    const first = await client.ask(openpiObservation(1));
    const other = { ...openpiObservation(2), prompt: golden.observations[1].instruction };
    const kept = await client.ask(other);
    expect(kept.router.task).toBe(first.router.task);
    expect(kept.router.scores).toEqual(first.router.scores);
    const reset = await client.ask({ ...other, 'mergevla/reset': true });
    expect(reset.router.scores).not.toEqual(first.router.scores);
    const changed = await client.ask(openpiObservation(2));
    expect(changed.router.task).toBe(golden.router[2].released.chosen);
    client.socket.close();
  });

  it('answers a bad observation with a text frame and closes, and serves others on', async () => {
    const bystander = await TestClient.open(server.port, '/openpi');
    await bystander.message();
    const { prompt: _, ...rest } = openpiObservation(0);
    void _;
    for (const [bad, words] of [
      [rest, 'no text prompt'],
      [{ ...openpiObservation(0), 'observation/image': 3 }, 'observation/image is not a picture'],
      [{ ...openpiObservation(0), prompt: '' }, 'the instruction is empty'],
      [{ ...openpiObservation(0), 'observation/state': [1, 2] }, 'the robot state has 2 numbers'],
      [{ ...openpiObservation(0), prompt: 'a '.repeat(40_000) }, 'tokens'],
    ] as const) {
      const client = await TestClient.open(server.port, '/openpi');
      await client.message();
      client.socket.send(pack(bad));
      expect(await client.frame()).toContain(words);
      expect(await client.closed).toBe(1011);
    }
    expect((await bystander.ask(openpiObservation(0))).router.task).toBe('libero_spatial');
    bystander.socket.close();
  });
});

describe('vla-eval protocol', () => {
  const say = (type: string, payload: Packable, seq: number): Packable => ({
    type,
    payload,
    seq,
    timestamp: 1.5,
  });
  const observe = (index: number, seq: number): Packable => {
    const [agentview, wrist] = observation(index).images.map(({ width, height, data }) => ({
      __image__: true,
      format: 'png',
      data: new Uint8Array(encodePng({ width, height, data, channels: 3, depth: 8 })),
      shape: [height, width, 3],
    }));
    const states = Float64Array.from(golden.observations[index].state);
    return say(
      'observation',
      {
        images: { agentview: agentview, wrist: wrist },
        task_description: golden.observations[index].instruction,
        states: array(new Uint8Array(states.buffer), '<f8', [8], 'text'),
      },
      seq,
    );
  };

  it('says hello, gives the chunk action by action and learns the outcome', async () => {
    const client = await TestClient.open(server.port);
    const hello = await client.ask(say('hello', { protocol_version: 1 }, 1));
    expect(hello).toMatchObject({ type: 'hello', seq: 1 });
    expect(hello.payload).toMatchObject({
      protocol_version: 1,
      observation_params: { send_wrist_image: true, send_state: true },
    });
    const task = { name: 'soup', suite: 'libero_object', task_id: 0, episode_idx: 4 };
    client.socket.send(pack(say('episode_start', { task }, 2)));
    const rows: number[] = [];
    for (let step = 0; step < 8; step++) {
      const answer = await client.ask(observe(1, 3 + step));
      expect(answer).toMatchObject({ type: 'action', seq: 3 + step });
      rows.push(...asNumbers(answer.payload.actions)!);
    }
    expect(relativeError(rows, expected(1))).toBeLessThan(1e-4);
    const end = { metrics: { success: true }, steps: 8, elapsed_sec: 1 };
    client.socket.send(pack(say('episode_end', end, 12)));
    // The same connection goes on with the next episode, which routes for itself.
    client.socket.send(pack(say('episode_start', { task }, 13)));
    const next = await client.ask(observe(2, 14));
    expect(relativeError(asNumbers(next.payload.actions)!, expected(2).slice(0, 7))).toBeLessThan(
      1e-4,
    );
    expect(outcomes.at(-1)).toEqual({
      suite: 'libero_object',
      task: 'soup',
      episode: 4,
      success: true,
      steps: 8,
      routed: 'libero_object',
    });
    client.socket.close();
  });

  it('answers what it cannot use with an error frame and goes on', async () => {
    const client = await TestClient.open(server.port, '/vla-eval');
    const bad = await client.ask(say('observation', { images: {} }, 5));
    expect(bad).toMatchObject({ type: 'error', seq: 5 });
    expect(bad.payload.message).toContain('task_description');
    const unknown = await client.ask(say('dance', {}, 6));
    expect(unknown.payload.message).toContain('"dance"');
    client.socket.send('text');
    expect((await client.message()).payload.message).toContain('text frame');
    client.socket.send(Uint8Array.of(0xc1));
    expect((await client.message()).payload.message).toContain('not msgpack');
    const truncated = observe(1, 7) as {
      readonly payload: { readonly images: { readonly wrist: { data: Uint8Array } } };
    };
    const { wrist } = truncated.payload.images;
    wrist.data = wrist.data.subarray(0, 200);
    const damaged = await client.ask(truncated);
    expect(damaged.payload.message).toMatch(/images\.wrist: is a damaged or truncated PNG/);
    expect((await client.ask(observe(1, 8))).type).toBe('action');
    client.socket.close();
  });
});

describe('the server', () => {
  it('answers both health checks', async () => {
    const base = `http://127.0.0.1:${server.port}`;
    expect(await (await fetch(`${base}/healthz`)).text()).toBe('OK\n');
    expect(await (await fetch(`${base}/health`)).json()).toEqual({ status: 'ok' });
    expect((await fetch(base)).status).toBe(426);
  });

  it('serves several clients at once, each with its own episode', async () => {
    const clients = await Promise.all([0, 1, 2].map(() => TestClient.open(server.port, '/openpi')));
    await Promise.all(clients.map((client) => client.message()));
    const answers = await Promise.all(clients.map((client, i) => client.ask(openpiObservation(i))));
    answers.forEach((answer, i) => {
      expect(answer.router.task).toBe(golden.router[i].released.chosen);
      expect(relativeError(asNumbers(answer.actions)!, expected(i))).toBeLessThan(1e-4);
    });
    for (const client of clients) client.socket.close();
  });

  it('survives a client that vanishes in the middle of a frame', async () => {
    const client = await TestClient.open(server.port, '/openpi');
    await client.message();
    const { _socket: raw } = client.socket as unknown as { readonly _socket: Socket };
    // The header promises a megabyte; the connection ends after a few bytes.
    raw.write(Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 16, 0, 0, 1, 2, 3, 4, 9, 9, 9]));
    raw.destroy();
    await client.closed;
    const other = await TestClient.open(server.port, '/openpi');
    expect((await other.message()).policy).toBe('mergevla');
    other.socket.close();
  });

  it('refuses pages of a browser and, with a token, whoever does not know it', async () => {
    await expect(
      TestClient.open(server.port, '', { headers: { origin: 'http://example.org' } }),
    ).rejects.toThrow('403');
    const guarded = await startServer({
      policy,
      settings,
      host: '0.0.0.0',
      port: 0,
      token: 'secret',
    });
    await expect(TestClient.open(guarded.port)).rejects.toThrow('401');
    await expect(TestClient.open(guarded.port, '/?token=guess')).rejects.toThrow('401');
    const header = { headers: { authorization: 'Api-Key secret' } };
    for (const client of [
      await TestClient.open(guarded.port, '/openpi', header),
      await TestClient.open(guarded.port, '/openpi?token=secret'),
    ])
      expect((await client.message()).policy).toBe('mergevla');
    await guarded.stop();
  });

  it('does not open itself to other machines without a token, nor a port twice', async () => {
    const options = { policy, settings, port: 0 };
    await expect(startServer({ ...options, host: '0.0.0.0' })).rejects.toMatchObject({
      code: 'MV591',
    });
    await expect(
      startServer({ ...options, host: '127.0.0.1', port: server.port }),
    ).rejects.toMatchObject({ code: 'MV590' });
  });

  it('tells its clients when it stops', async () => {
    const short = await startServer({ policy, settings, host: '127.0.0.1', port: 0 });
    const client = await TestClient.open(short.port, '/openpi');
    await client.message();
    await short.stop();
    expect(await client.closed).toBe(1001);
  });
});

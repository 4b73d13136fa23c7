import { fork, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Cancelled, MergeError, throwIfCancelled } from '../protocol/merge-error';
import type { PolicyConfig } from './config';
import type { HostCall, HostReply, SentObservation } from './host-protocol';
import type {
  ActionChunk,
  ActOptions,
  LoadOptions,
  MeanScores,
  Observation,
  Policy,
  Routing,
  Stages,
} from './types';

type Facts = Pick<Policy, 'tasks' | 'config' | 'device' | 'precision' | 'routes' | 'routesPer'>;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Loads a policy in a process of its own, so that this one stays responsive while a pass runs and
 * survives whatever native code does. Same errors as `loadPolicy`; MV584 when the process dies.
 * An abort ends the process at once.
 */
export async function loadRemotePolicy(source: string, options: LoadOptions = {}): Promise<Policy> {
  const { signal, ...rest } = options;
  throwIfCancelled(signal);
  const host = new PolicyProcess(signal);
  try {
    const facts = await host.call({ verb: 'load', source, options: rest });
    return new RemotePolicy(host, facts as Facts);
  } catch (error) {
    host.kill();
    throw error;
  }
}

class RemotePolicy implements Policy {
  readonly tasks: readonly string[];
  readonly config: PolicyConfig;
  readonly device: string;
  readonly precision: 'float32';
  readonly routes: boolean;
  readonly routesPer: 'episode' | 'suite';
  private readonly numbers = new WeakMap<Observation, number>();
  private count = 0;
  private sent = 0;

  constructor(
    private readonly host: PolicyProcess,
    facts: Facts,
  ) {
    ({
      tasks: this.tasks,
      config: this.config,
      device: this.device,
      precision: this.precision,
      routes: this.routes,
      routesPer: this.routesPer,
    } = facts);
  }

  meanScores(observations: readonly Observation[]): Promise<MeanScores> {
    return this.host.call({ verb: 'meanScores', observations }) as Promise<MeanScores>;
  }

  route(observation: Observation): Promise<Routing> {
    const call = { verb: 'route', observation: this.number(observation) } as const;
    return this.host.call(call) as Promise<Routing>;
  }

  act(observation: Observation, task: string, options: ActOptions = {}): Promise<ActionChunk> {
    const call = { verb: 'act', observation: this.number(observation), task, options } as const;
    return this.host.call(call) as Promise<ActionChunk>;
  }

  stages(observation: Observation, task: string, options: ActOptions = {}): Promise<Stages> {
    const call = { verb: 'stages', observation: this.number(observation), task, options } as const;
    return this.host.call(call) as Promise<Stages>;
  }

  async close(): Promise<void> {
    await this.host.call({ verb: 'close' }).catch(() => undefined);
    this.host.kill();
  }

  /** Calls arrive in order, so the host still has the observation that was sent last. */
  private number(observation: Observation): SentObservation {
    const id = this.numbers.get(observation) ?? ++this.count;
    this.numbers.set(observation, id);
    if (id === this.sent) return { id };
    this.sent = id;
    return { id, value: observation };
  }
}

/** The child process and the calls that wait for it. */
class PolicyProcess {
  private readonly child: ChildProcess;
  private readonly pending = new Map<number, Pending>();
  private calls = 0;
  private ended: Error | undefined;

  constructor(private readonly signal: AbortSignal | undefined) {
    // Its standard output is ours for results; what native code prints belongs with the diagnostics.
    this.child = fork(hostPath(), [], {
      serialization: 'advanced',
      stdio: ['ignore', 2, 2, 'ipc'],
      execArgv: [],
    });
    this.child.on('message', (message) => this.settle(message as HostReply));
    this.child.on('error', (error) => this.end(died(error.message)));
    this.child.on('exit', (code, killer) => this.end(died(killer ?? `status ${code ?? ''}`)));
    signal?.addEventListener('abort', this.cancel, { once: true });
  }

  call(call: HostCall): Promise<unknown> {
    if (this.ended) return Promise.reject(this.ended);
    const id = ++this.calls;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.child.send({ id, call }, (error) => {
        if (error) this.end(died(error.message));
      });
    });
  }

  kill(): void {
    this.end(new Cancelled());
  }

  private readonly cancel = (): void => {
    this.end(new Cancelled());
  };

  private settle(reply: HostReply): void {
    const waiting = this.pending.get(reply.id);
    this.pending.delete(reply.id);
    if (!('error' in reply)) return waiting?.resolve(reply.value);
    const { code, message, fault } = reply.error;
    waiting?.reject(
      code === undefined
        ? new Error(message)
        : new MergeError(code, message, fault === undefined ? {} : { fault }),
    );
  }

  private end(reason: Error): void {
    this.signal?.removeEventListener('abort', this.cancel);
    this.ended ??= reason;
    for (const { reject } of this.pending.values()) reject(this.ended);
    this.pending.clear();
    // A pass blocks the process's only thread, so it would not hear anything gentler.
    if (this.child.exitCode === null) this.child.kill('SIGKILL');
  }
}

function died(how: string): MergeError {
  return new MergeError(
    'MV584',
    `the process that runs the policy ended early (${how}); the system may have run out of memory`,
    { fault: 'system' },
  );
}

/** The bundle beside this one, or the built one when running from sources. */
function hostPath(): string {
  const name = 'policy-host.js';
  const places = [join(__dirname, name), join(__dirname, '../../dist', name)];
  const found = places.find((path) => existsSync(path));
  if (found === undefined)
    throw new MergeError(
      'MV584',
      `${name} is missing beside the command; install or build it again`,
      {
        fault: 'system',
      },
    );
  return found;
}

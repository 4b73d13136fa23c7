import { fork, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Cancelled, MergeError, throwIfCancelled } from '../protocol/merge-error';
import type { EpisodeJob, PlayedEpisode } from './episodes';
import type { PlayerSettings } from './player';

export type WorkerRequest =
  | { readonly kind: 'start'; readonly settings: PlayerSettings }
  | { readonly kind: 'play'; readonly job: EpisodeJob };

export type WorkerReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'played'; readonly episode: PlayedEpisode }
  | {
      readonly kind: 'error';
      readonly code: string | null;
      readonly fault: 'data' | 'system' | 'usage';
      readonly message: string;
    };

export interface RolloutOptions {
  readonly settings: PlayerSettings;
  /** Processes side by side. Episodes do not depend on it. */
  readonly workers: number;
  readonly signal?: AbortSignal | undefined;
  /** Called for each episode as it ends, in any order. */
  readonly onEpisode: (job: EpisodeJob, episode: PlayedEpisode) => void;
}

/** One process a core; more than eight would wait for memory. */
export function automaticWorkers(): number {
  return Math.max(1, Math.min(8, availableParallelism()));
}

/**
 * Plays all jobs on the built-in bench in processes of their own. An abort ends them at once and
 * throws `Cancelled`; episodes handed over before stay valid. Throws MV556 when a process dies.
 */
export async function playEpisodes(
  jobs: readonly EpisodeJob[],
  options: RolloutOptions,
): Promise<void> {
  throwIfCancelled(options.signal);
  const workers = Array.from({ length: Math.min(options.workers, jobs.length) }, () => {
    return new WorkerProcess();
  });
  const stop = (): void => workers.forEach((worker) => worker.end(new Cancelled()));
  options.signal?.addEventListener('abort', stop, { once: true });
  let next = 0;
  const serve = async (worker: WorkerProcess): Promise<void> => {
    await worker.ask({ kind: 'start', settings: options.settings });
    for (let job = jobs[next++]; job; job = jobs[next++]) {
      const reply = await worker.ask({ kind: 'play', job });
      if (reply.kind === 'played') options.onEpisode(job, reply.episode);
    }
  };
  try {
    await Promise.all(workers.map(serve));
  } finally {
    options.signal?.removeEventListener('abort', stop);
    workers.forEach((worker) => worker.end(new Cancelled()));
  }
}

/** A child and the one question it is answering. */
class WorkerProcess {
  private readonly child: ChildProcess;
  private waiting: {
    resolve: (reply: WorkerReply) => void;
    reject: (error: Error) => void;
  } | null = null;
  private ended: Error | undefined;

  constructor() {
    // Standard output belongs to the result; what native code prints goes with the diagnostics.
    this.child = fork(workerFile(), [], {
      serialization: 'advanced',
      stdio: ['ignore', 2, 2, 'ipc'],
      execArgv: [],
    });
    this.child.on('message', (message) => this.settle(message as WorkerReply));
    this.child.on('error', (error) => this.end(died(error.message)));
    this.child.on('exit', (code, killer) => this.end(died(killer ?? `status ${code ?? ''}`)));
  }

  ask(request: WorkerRequest): Promise<WorkerReply> {
    if (this.ended) return Promise.reject(this.ended);
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.child.send(request, (error) => {
        if (error) this.end(died(error.message));
      });
    });
  }

  end(reason: Error): void {
    this.ended ??= reason;
    this.waiting?.reject(this.ended);
    this.waiting = null;
    // A step of the simulator or the runtime blocks the process's only thread.
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
  }

  private settle(reply: WorkerReply): void {
    const { waiting } = this;
    this.waiting = null;
    if (reply.kind === 'error') waiting?.reject(failure(reply));
    else waiting?.resolve(reply);
  }
}

function failure({ code, fault, message }: Extract<WorkerReply, { kind: 'error' }>): Error {
  return code === null ? new Error(message) : new MergeError(code, message, { fault });
}

function died(how: string): MergeError {
  return new MergeError(
    'MV556',
    `a process that plays episodes ended early (${how}); the episodes played so far are kept`,
    { fault: 'system' },
  );
}

/** The bundle beside this one, or the built one when running from sources. */
function workerFile(): string {
  const name = 'rollout-worker.js';
  const places = [join(__dirname, name), join(__dirname, '../../dist', name)];
  const found = places.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new MergeError(
    'MV556',
    `${name} is missing beside the command; install or build it again`,
    {
      fault: 'system',
    },
  );
}

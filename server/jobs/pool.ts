import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Cancelled, MergeError, throwIfCancelled } from '../protocol/merge-error';
import { matrixNeeds } from '../engine/spectral/needs';
import { MemoryGate } from './memory-gate';
import { UnitRunner, type RunnerOptions } from './unit-runner';
import type { Work, WorkResult } from './units';

/** Runs works and hands back their results, in any order of completion. */
export interface Pool {
  readonly threads: number;
  /**
   * Calls `done` once for each work. Stops early when the signal fires (throws `Cancelled`). `memory`
   * bounds what runs at once beyond the threads' own buffers.
   */
  run(
    works: readonly Work[],
    done: (work: Work, result: WorkResult) => void,
    memory?: { readonly limit: number; readonly bytesOf: (work: Work) => number },
  ): Promise<void>;
  /** Checks that no input changed meanwhile, and ends. */
  finish(): Promise<void>;
  /** Ends at once. */
  close(): Promise<void>;
}

export interface PoolOptions extends RunnerOptions {
  /** 1 runs in this thread. */
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
  readonly workerFile?: string | undefined;
}

/** How many threads `auto` means: more than four wait for each other's memory and disk. */
export function automaticThreads(): number {
  return Math.max(1, Math.min(4, availableParallelism()));
}

/** The bundle of `worker.ts`, beside the running bundle; absent when sources run directly. */
function workerFile(): string | undefined {
  const file = join(__dirname, 'worker.js');
  return existsSync(file) ? file : undefined;
}

export function createPool(options: PoolOptions): Pool {
  const file = options.workerFile ?? workerFile();
  // Whole matrices take seconds to hours each: this thread has to stay free for signals.
  const isQuick = matrixNeeds(options.plan).length === 0;
  if (!file || (options.threads <= 1 && isQuick)) return inlinePool(options);
  return threadPool(options, file);
}

function inlinePool(options: PoolOptions): Pool {
  const runner = new UnitRunner(options);
  return {
    threads: 1,
    run: async (works, done) => {
      for (const work of works) {
        throwIfCancelled(options.signal);
        done(work, await runner.run(work));
        // Signals and timers of this thread get their turn between two units.
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
      }
      throwIfCancelled(options.signal);
    },
    finish: () => {
      runner.finish();
      return Promise.resolve();
    },
    close: () => {
      runner.close();
      return Promise.resolve();
    },
  };
}

/** What a thread sends back; errors keep their code and fault. */
export type ThreadMessage =
  | { readonly kind: 'result'; readonly result: WorkResult }
  | { readonly kind: 'finished' }
  | {
      readonly kind: 'error';
      readonly code: string | null;
      readonly fault: 'data' | 'system' | 'usage';
      readonly message: string;
    };

function threadPool(options: PoolOptions, file: string): Pool {
  const data: RunnerOptions = { plan: options.plan, pieceBytes: options.pieceBytes };
  const workers = Array.from(
    { length: options.threads },
    () => new Worker(file, { workerData: data, resourceLimits: { maxOldGenerationSizeMb: 512 } }),
  );
  const { signal } = options;
  const close = async (): Promise<void> => {
    await Promise.all(workers.map((worker) => worker.terminate()));
  };
  return {
    threads: options.threads,
    run: async (works, done, memory) => {
      const gate = new MemoryGate(memory?.limit ?? Infinity);
      let next = 0;
      const serve = async (worker: Worker): Promise<void> => {
        for (let work = works[next++]; work; work = works[next++]) {
          throwIfCancelled(options.signal);
          const bytes = memory?.bytesOf(work) ?? 0;
          await gate.enter(bytes);
          const answer = await ask(worker, work, signal).finally(() => {
            gate.leave(bytes);
          });
          if (answer.kind === 'error') {
            next = works.length;
            throw failure(answer);
          }
          if (answer.kind === 'result') done(work, answer.result);
        }
      };
      await Promise.all(workers.map(serve));
      throwIfCancelled(options.signal);
    },
    finish: async () => {
      for (const worker of workers) {
        const answer = await ask(worker, 'finish', signal);
        if (answer.kind === 'error') throw failure(answer);
      }
      await close();
    },
    close,
  };
}

/** One question, one answer; a fired signal ends the waiting. */
function ask(
  worker: Worker,
  message: Work | 'finish',
  signal: AbortSignal | undefined,
): Promise<ThreadMessage> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void): void => {
      worker.off('message', onMessage);
      worker.off('error', onError);
      signal?.removeEventListener('abort', onAbort);
      end();
    };
    const onMessage = (answer: ThreadMessage): void => {
      settle(() => {
        resolve(answer);
      });
    };
    const onError = (error: Error): void => {
      settle(() => {
        reject(error);
      });
    };
    const onAbort = (): void => {
      settle(() => {
        reject(new Cancelled());
      });
    };
    worker.on('message', onMessage);
    worker.on('error', onError);
    signal?.addEventListener('abort', onAbort);
    worker.postMessage(message);
  });
}

function failure({ code, fault, message }: Extract<ThreadMessage, { kind: 'error' }>): Error {
  return code === null ? new Error(message) : new MergeError(code, message, { fault });
}

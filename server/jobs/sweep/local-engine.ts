import { spawn, type ChildProcess } from 'node:child_process';
import { SweepStore, maxAttempts } from './store';
import type { PointStatus, SweepEngine, SweepHandle, SweepResources } from './types';

/** Time between asking to stop and stopping. */
const patienceMs = 1500;
/** Time between two looks at a point that another process computes. */
const lookMs = 250;

/** How points are started: the program and what stands before `run-point`. */
export interface LocalCommand {
  readonly program: string;
  readonly arguments: readonly string[];
  /** Options given to every point. */
  readonly pointArguments: readonly string[];
}

/**
 * Points as processes of this machine, so many at once. A process ends with its pool: its standard
 * input is a pipe that closes. Points that another pool computes are waited for.
 */
export function localEngine(command: LocalCommand): SweepEngine {
  return {
    name: 'local',
    probe: () => ({ available: true }),
    submit: (folder, indices, resources) =>
      new LocalPool(SweepStore.open(folder), command, indices, resources),
  };
}

class LocalPool implements SweepHandle {
  readonly ended: Promise<void>;
  private readonly queue: number[];
  private readonly running = new Map<number, ChildProcess>();
  private cancelled = false;
  private done = 0;

  constructor(
    private readonly store: SweepStore,
    private readonly command: LocalCommand,
    private readonly indices: readonly number[],
    private readonly resources: SweepResources,
  ) {
    this.queue = [...indices];
    const lanes = Math.max(1, Math.min(resources.parallel, indices.length));
    const work = Array.from({ length: lanes }, () => this.lane());
    this.ended = Promise.all(work).then(() => undefined);
  }

  status(): ReadonlyMap<number, PointStatus> {
    return new Map(
      this.indices.map((index) => {
        const status = this.store.status(this.store.point(index));
        const stopped = this.cancelled && status.state === 'queued';
        return [index, stopped ? { ...status, state: 'cancelled' as const } : status];
      }),
    );
  }

  cancel(): void {
    this.cancelled = true;
    for (const child of this.running.values()) stop(child);
  }

  private async lane(): Promise<void> {
    for (let index = this.queue.shift(); index !== undefined; index = this.queue.shift()) {
      await this.compute(index);
      this.resources.onProgress?.(++this.done);
    }
  }

  /** Attempts of one point until it is done, refused, given up or cancelled. */
  private async compute(index: number): Promise<void> {
    const point = this.store.point(index);
    for (let attempt = 0; attempt < maxAttempts && !this.cancelled;) {
      if (this.store.result(point)) return;
      if (this.store.status(point).state === 'running') {
        await new Promise((resolve) => setTimeout(resolve, lookMs));
        continue;
      }
      attempt++;
      await this.start(index);
      const failure = this.store.failure(point);
      if (failure && !failure.isTransient) return;
    }
  }

  private start(index: number): Promise<void> {
    const { program, arguments: before, pointArguments } = this.command;
    const own = ['--sweep', this.store.folder, '--index', String(index), '--tied', '--json'];
    return new Promise((resolve) => {
      const child = spawn(program, [...before, 'run-point', ...own, ...pointArguments], {
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      this.running.set(index, child);
      const end = (): void => {
        this.running.delete(index);
        resolve();
      };
      child.on('error', end);
      child.on('close', end);
    });
  }
}

function stop(child: ChildProcess): void {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  child.on('close', () => {
    clearTimeout(timer);
  });
}

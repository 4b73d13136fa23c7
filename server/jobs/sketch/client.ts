import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { SketchPlan, SketchReport } from '../../engine/sketch/evaluate';
import type { Detail, FromSketchThread, SketchProgress, ToSketchThread } from './messages';

/** A sample that could not be taken. */
export interface SketchFailure {
  readonly key: string;
  readonly code: string;
  readonly message: string;
}

export interface SketchListeners {
  readonly onRound: (progress: SketchProgress) => void;
  readonly onFailure: (failure: SketchFailure) => void;
}

/** The thread with the sketches, started at the first question. */
export class SketchClient {
  private worker: Worker | null = null;
  private readonly waiting = new Map<number, (report: SketchReport | null) => void>();
  private next = 0;

  constructor(private readonly listeners: SketchListeners) {}

  build(message: Omit<Extract<ToSketchThread, { kind: 'build' }>, 'kind'>): void {
    this.thread().postMessage({ kind: 'build', ...message } satisfies ToSketchThread);
  }

  stop(key: string): void {
    this.worker?.postMessage({ kind: 'stop', key } satisfies ToSketchThread);
  }

  /** Figures of a plan; null where nothing of the zoo has been read yet. */
  evaluate(
    key: string,
    plan: SketchPlan,
    options: { readonly detail: Detail; readonly quick: boolean },
  ): Promise<SketchReport | null> {
    const id = this.next++;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.thread().postMessage({
        kind: 'evaluate',
        id,
        key,
        plan,
        ...options,
      } satisfies ToSketchThread);
    });
  }

  dispose(): void {
    void this.worker?.terminate();
    this.abandon();
  }

  private thread(): Worker {
    if (this.worker) return this.worker;
    const worker = new Worker(join(__dirname, 'sketch.js'));
    worker.unref();
    worker.on('message', (message: FromSketchThread) => {
      this.receive(message);
    });
    // A thread that died answers nothing more; the next question starts another.
    worker.on('error', () => {
      this.abandon();
    });
    worker.on('exit', () => {
      this.abandon();
    });
    this.worker = worker;
    return worker;
  }

  private receive(message: FromSketchThread): void {
    switch (message.kind) {
      case 'round':
        this.listeners.onRound(message);
        return;
      case 'failed':
        this.listeners.onFailure(message);
        return;
      case 'report':
        this.waiting.get(message.id)?.(message.report);
        this.waiting.delete(message.id);
    }
  }

  private abandon(): void {
    this.worker = null;
    for (const resolve of this.waiting.values()) resolve(null);
    this.waiting.clear();
  }
}

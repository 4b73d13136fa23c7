import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { SketchReport } from '../../engine/sketch/evaluate';
import type { GroupFigures } from '../../engine/sketch/figures';
import type { SketchPlan } from '../../engine/sketch/plan';
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
  private readonly reports = new Waiting<SketchReport>();
  private readonly sweeps = new Waiting<readonly GroupFigures[]>();

  constructor(private readonly listeners: SketchListeners) {}

  build(message: Omit<Extract<ToSketchThread, { kind: 'build' }>, 'kind'>): void {
    this.send({ kind: 'build', ...message });
  }

  /** Ends reading; what was read can still be asked about. */
  stop(key: string): void {
    this.worker?.postMessage({ kind: 'stop', key } satisfies ToSketchThread);
  }

  forget(key: string): void {
    this.worker?.postMessage({ kind: 'forget', key } satisfies ToSketchThread);
  }

  /** Figures of a plan; null where nothing of the zoo has been read yet. */
  evaluate(
    key: string,
    plan: SketchPlan,
    options: { readonly detail: Detail; readonly quick: boolean },
  ): Promise<SketchReport | null> {
    return this.reports.ask((id) => {
      this.send({ kind: 'evaluate', id, key, plan, ...options });
    });
  }

  /** Totals of many plans; null where nothing of the zoo has been read yet. */
  sweep(key: string, plans: readonly SketchPlan[]): Promise<readonly GroupFigures[] | null> {
    return this.sweeps.ask((id) => {
      this.send({ kind: 'sweep', id, key, plans });
    });
  }

  dispose(): void {
    void this.worker?.terminate();
    this.abandon();
  }

  private send(message: ToSketchThread): void {
    this.thread().postMessage(message);
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
        this.reports.settle(message.id, message.report);
        return;
      case 'totals':
        this.sweeps.settle(message.id, message.totals);
    }
  }

  private abandon(): void {
    this.worker = null;
    this.reports.abandon();
    this.sweeps.abandon();
  }
}

/** Questions that wait for their answers, by number. */
class Waiting<Answer> {
  private readonly asked = new Map<number, (answer: Answer | null) => void>();
  private next = 0;

  ask(send: (id: number) => void): Promise<Answer | null> {
    const id = this.next++;
    return new Promise((resolve) => {
      this.asked.set(id, resolve);
      send(id);
    });
  }

  settle(id: number, answer: Answer | null): void {
    this.asked.get(id)?.(answer);
    this.asked.delete(id);
  }

  abandon(): void {
    for (const resolve of this.asked.values()) resolve(null);
    this.asked.clear();
  }
}

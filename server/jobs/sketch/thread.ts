import { setImmediate as nextTurn } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { createKernels } from '../../compute/kernels/wasm';
import { SketchEvaluation } from '../../engine/sketch/evaluate';
import type { GroupFigures } from '../../engine/sketch/figures';
import { roomBytes } from '../../engine/sketch/room';
import { firstRounds, type Sketch } from '../../engine/sketch/sketch';
import { Cancelled, MergeError } from '../../protocol/merge-error';
import { buildSketch, fromFiles, lastRound } from './build';
import type { Detail, FromSketchThread, ToSketchThread } from './messages';
import type { ReadCount } from './read-samples';
import { storedSamples } from './store';

/** One zoo: its newest sketch, and the evaluation of all of it and of its first round. */
interface Zoo {
  readonly reading: AbortController;
  whole?: SketchEvaluation;
  quick?: SketchEvaluation;
}

type Message<K extends ToSketchThread['kind']> = Extract<ToSketchThread, { kind: K }>;

/** Zoos that are held at once; the one asked for longest ago goes first. */
const maximumZoos = 3;

/** Holds sketches away from the thread that answers the editor: sampling, and every evaluation. */
class SketchThread {
  private readonly zoos = new Map<string, Zoo>();

  constructor(private readonly send: (message: FromSketchThread) => void) {}

  receive(message: ToSketchThread): void {
    switch (message.kind) {
      case 'build':
        void this.build(message);
        return;
      case 'stop':
        this.zoos.get(message.key)?.reading.abort();
        return;
      case 'forget':
        this.drop(message.key);
        return;
      case 'evaluate':
        this.send({ kind: 'report', id: message.id, report: this.evaluate(message) });
        return;
      case 'sweep':
        void this.sweep(message);
    }
  }

  private async build({ key, request, folder }: Message<'build'>): Promise<void> {
    this.drop(key);
    const zoo: Zoo = { reading: new AbortController() };
    this.zoos.set(key, zoo);
    this.dropOldest();
    const { signal } = zoo.reading;
    const count: ReadCount = { reads: 0, bytes: 0 };
    const files = fromFiles({ signal }, count);
    const read = folder === undefined ? files : storedSamples(folder, files);
    try {
      for (let round = 0; round <= lastRound; round++) {
        const sketch = await buildSketch({ ...request, signal }, round, read);
        if (signal.aborted) return;
        this.keep(zoo, sketch);
        this.send({ kind: 'round', key, round, bytesRead: count.bytes });
      }
    } catch (error) {
      if (!signal.aborted && !(error instanceof Cancelled)) this.send(failure(key, error));
    }
  }

  private keep(zoo: Zoo, sketch: Sketch): void {
    zoo.whole = evaluationOf(sketch);
    zoo.quick =
      sketch.round === 0 ? zoo.whole : (zoo.quick ?? evaluationOf(firstRounds(sketch, 0)));
  }

  private evaluate({
    key,
    plan,
    detail,
    quick,
  }: Message<'evaluate'>): ReturnType<SketchEvaluation['report']> | null {
    const zoo = this.zoos.get(key);
    const evaluation = quick ? zoo?.quick : zoo?.whole;
    if (!zoo || !evaluation) return null;
    this.zoos.delete(key);
    this.zoos.set(key, zoo);
    return evaluation.report(plan, selects(detail));
  }

  /** One point after the other, so that a slider's frame waits for one of them and not for all. */
  private async sweep({ id, key, plans }: Message<'sweep'>): Promise<void> {
    const totals: GroupFigures[] = [];
    for (const plan of plans) {
      const report = this.zoos.get(key)?.quick?.report(plan, () => false);
      if (!report) break;
      totals.push(report.total);
      await nextTurn();
    }
    this.send({ kind: 'totals', id, totals: totals.length === plans.length ? totals : null });
  }

  private drop(key: string): void {
    this.zoos.get(key)?.reading.abort();
    this.zoos.delete(key);
  }

  private dropOldest(): void {
    for (const key of this.zoos.keys()) {
      if (this.zoos.size <= maximumZoos) return;
      this.drop(key);
    }
  }
}

function evaluationOf(sketch: Sketch): SketchEvaluation {
  return new SketchEvaluation(sketch, createKernels(roomBytes(sketch)));
}

function selects(detail: Detail): (name: string) => boolean {
  if (detail === 'all') return () => true;
  const names = new Set(detail === 'none' ? [] : detail);
  return (name) => names.has(name);
}

function failure(key: string, error: unknown): FromSketchThread {
  if (error instanceof MergeError)
    return { kind: 'failed', key, code: error.code, message: error.message };
  return {
    kind: 'failed',
    key,
    code: 'MV424',
    message: `the sample could not be taken: ${String(error)}`,
  };
}

const port = parentPort;
if (port) {
  const thread = new SketchThread((message) => {
    port.postMessage(message);
  });
  port.on('message', (message: ToSketchThread) => {
    thread.receive(message);
  });
}

import type { RunEvent } from '../protocol/events';

type Body<Event> = Event extends unknown ? Omit<Event, 'time'> : never;

/** Progress events of a merge: bytes, smoothed rate and remaining time, at most ten a second. */
export class Progress {
  private name = '';
  private total = 0;
  private done = 0;
  private started = 0;
  private last = 0;

  constructor(private readonly onEvent: ((event: RunEvent) => void) | undefined) {}

  phase(phase: string, state: 'started' | 'done'): void {
    if (state === 'done' && phase === this.name) this.report();
    this.emit({ type: 'phase', phase, state });
  }

  begin(phase: string, total: number): void {
    this.name = phase;
    this.total = total;
    this.done = 0;
    this.started = performance.now();
    this.last = 0;
    this.phase(phase, 'started');
  }

  /** More to do than was thought. */
  extend(bytes: number): void {
    this.total += bytes;
  }

  add(bytes: number): void {
    this.done = Math.min(this.total, this.done + bytes);
    const now = performance.now();
    if (now - this.last < 100) return;
    this.last = now;
    this.report();
  }

  private report(): void {
    const seconds = (performance.now() - this.started) / 1000;
    const rate = seconds > 0 ? this.done / seconds : 0;
    const body = {
      type: 'progress',
      phase: this.name,
      done: this.done,
      total: this.total,
      unit: 'bytes',
    } as const;
    if (rate > 0) this.emit({ ...body, rate, remainingSeconds: (this.total - this.done) / rate });
    else this.emit(body);
  }

  private emit(body: Body<RunEvent>): void {
    this.onEvent?.({ time: new Date().toISOString(), ...body });
  }
}

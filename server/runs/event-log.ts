import { appendFileSync, closeSync, fsyncSync, openSync } from 'node:fs';
import type { RunEvent } from '../protocol/events';
import { guarded } from '../tensors/writer';

type WithoutTime<Event> = Event extends unknown ? Omit<Event, 'time'> : never;
/** An event as its maker names it; the log adds the time. */
export type NewRunEvent = WithoutTime<RunEvent>;

/** Progress lines closer together than this are left out, except the last of a phase. */
const progressIntervalMs = 200;

/** The append-only `events.jsonl`. One line is one write, so a reader never sees two mixed. */
export class EventLog {
  private handle: number;
  private lastProgress = 0;

  constructor(private readonly path: string) {
    this.handle = guarded(path, () => openSync(path, 'a'));
  }

  add(event: NewRunEvent, now = new Date()): void {
    if (event.type === 'progress' && event.done < event.total) {
      if (now.getTime() - this.lastProgress < progressIntervalMs) return;
      this.lastProgress = now.getTime();
    }
    const line = `${JSON.stringify({ time: now.toISOString(), ...event })}\n`;
    guarded(this.path, () => {
      appendFileSync(this.handle, line);
    });
  }

  close(): void {
    if (this.handle < 0) return;
    fsyncSync(this.handle);
    closeSync(this.handle);
    this.handle = -1;
  }
}

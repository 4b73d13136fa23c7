import { watch, type FSWatcher } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunEvent } from '../protocol/events';
import { readRun } from './read';
import { isFinal } from './record';

export interface FollowOptions {
  readonly signal?: AbortSignal;
  /** Longest time between two looks at the file; notifications of the system make it shorter. */
  readonly intervalMs?: number;
}

/** At most so many bytes are read at a time. */
const chunkBytes = 1 << 20;

/**
 * The events of a run from its beginning, in batches, until the run has ended and all were given.
 * Looks at the file at intervals, because notifications do not cross network file systems; follows
 * the run from `<path>.partial` to `<path>`. Lines that are not whole or not JSON are waited for or skipped.
 */
export async function* followEvents(
  path: string,
  options: FollowOptions = {},
): AsyncGenerator<readonly RunEvent[]> {
  const { signal } = options;
  const base = resolve(path).replace(/\.partial$/, '');
  const reader = new LineReader();
  while (!signal?.aborted) {
    // The state is read before the file, so that nothing written in between is lost at the end.
    const run = await readRun(base).catch(() => undefined);
    const events = run ? await reader.read(join(run.folder, 'events.jsonl')) : [];
    if (events.length > 0) yield events;
    if (!run || (isFinal(run.state) && events.length === 0)) return;
    if (events.length === 0) await nextChange(join(run.folder, 'events.jsonl'), options);
  }
}

class LineReader {
  private position = 0;
  private rest = Buffer.alloc(0);

  async read(path: string): Promise<RunEvent[]> {
    let file: FileHandle;
    try {
      file = await open(path, 'r');
    } catch {
      return [];
    }
    try {
      // A run that was started over writes its log anew.
      if ((await file.stat()).size < this.position) this.restart();
      const { bytesRead, buffer } = await file.read(
        Buffer.alloc(chunkBytes),
        0,
        chunkBytes,
        this.position,
      );
      this.position += bytesRead;
      return this.parse(Buffer.concat([this.rest, buffer.subarray(0, bytesRead)]));
    } finally {
      await file.close();
    }
  }

  private restart(): void {
    this.position = 0;
    this.rest = Buffer.alloc(0);
  }

  private parse(bytes: Buffer): RunEvent[] {
    const end = bytes.lastIndexOf(0x0a) + 1;
    this.rest = Buffer.from(bytes.subarray(end));
    return bytes
      .subarray(0, end)
      .toString('utf8')
      .split('\n')
      .flatMap((line) => parseEvent(line));
  }
}

function parseEvent(line: string): RunEvent[] {
  if (line.trim() === '') return [];
  try {
    const value = JSON.parse(line) as RunEvent;
    return typeof value.type === 'string' ? [value] : [];
  } catch {
    return [];
  }
}

/** Resolves at a change of the file, after the interval, or when the signal fires. */
async function nextChange(path: string, options: FollowOptions): Promise<void> {
  const { signal, intervalMs = 500 } = options;
  const stop = new AbortController();
  const end = (): void => stop.abort();
  signal?.addEventListener('abort', end, { once: true });
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(path, end);
    watcher.on('error', end);
  } catch {
    // Watching is a courtesy: the interval alone also works.
  }
  try {
    await sleep(intervalMs, undefined, { signal: stop.signal });
  } catch {
    // Woken early, which is what the watcher is for.
  } finally {
    watcher?.close();
    signal?.removeEventListener('abort', end);
  }
}

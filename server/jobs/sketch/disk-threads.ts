const variable = 'UV_THREADPOOL_SIZE';

/** Threads of a process that was told nothing. */
const usual = 4;

/** Gives the process 16 threads for its files; to be called before the first of them is touched. */
export function widenDiskThreads(): void {
  process.env[variable] ??= '16';
}

/**
 * How many reads are under way at once: half of the threads at most. A read from a mount that has gone never
 * gives its thread back, and the others are needed to answer everything else.
 */
export function readsAtOnce(): number {
  return Math.max(1, Math.floor(Number(process.env[variable] ?? usual) / 2));
}

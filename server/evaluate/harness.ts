import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { EpisodeLine } from '../protocol/episode-line';
import { Cancelled, MergeError, throwIfCancelled } from '../protocol/merge-error';
import { lineOf, type EpisodeJob } from './episodes';
import { LineSplitter, parseAnswer } from './harness-answers';

export interface HarnessOptions {
  /** A line for the shell, or a program with its arguments. */
  readonly command: string | readonly string[];
  /** Longest silence of a harness. */
  readonly timeoutSeconds: number;
  /** Harnesses at once. */
  readonly workers: number;
  /** Where the command is started: the recipe's folder. */
  readonly folder: string;
  /** Folder for what harnesses print. */
  readonly logs: string;
  readonly facts: HarnessFacts;
  readonly signal?: AbortSignal | undefined;
  readonly onEpisode: (job: EpisodeJob, line: EpisodeLine) => void;
}

/** What every job tells the harness. Absolute paths. */
export interface HarnessFacts {
  readonly run: string;
  readonly merged: string;
  readonly experts: Readonly<Record<string, string>>;
  readonly suite: string;
  readonly shift: string;
  readonly execute: number | null;
  readonly maxSteps: number | null;
}

/** A log is cut here: a harness that prints without end must not fill the disk. */
const largestLog = 10 * 2 ** 20;
/** What a harness may take to tidy up before it is ended for good. */
const graceMs = 600;

/**
 * Starts the command once for each policy and task with a JSON job on its input, and takes its JSON
 * lines (docs/harness.md). Other cells go on when one fails; at the end MV555 says what failed.
 * A cell that gave no result at all ends everything, since the next would fare no better.
 */
export async function playHarness(
  jobs: readonly EpisodeJob[],
  options: HarnessOptions,
): Promise<void> {
  throwIfCancelled(options.signal);
  mkdirSync(options.logs, { recursive: true });
  const cells = [...groupBy(jobs, cellName)];
  const failures: MergeError[] = [];
  let next = 0;
  const serve = async (): Promise<void> => {
    for (let cell = cells[next++]; cell; cell = cells[next++]) {
      const [name, own] = cell;
      const failure = await playCell(name, own, options);
      if (!failure) continue;
      failures.push(failure.error);
      if (failure.answered === 0) next = cells.length;
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.workers, cells.length) }, serve));
  const [first] = failures;
  if (first) throw first;
}

function cellName({ policy, task, expert }: EpisodeJob): string {
  return [policy, expert, task].filter((part) => part !== undefined).join('-');
}

function groupBy<T>(items: readonly T[], name: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(name(item), [...(groups.get(name(item)) ?? []), item]);
  return groups;
}

interface CellFailure {
  readonly error: MergeError;
  readonly answered: number;
}

async function playCell(
  name: string,
  jobs: readonly EpisodeJob[],
  options: HarnessOptions,
): Promise<CellFailure | undefined> {
  const waiting = new Map(jobs.map((job) => [job.index, job]));
  const take = (text: string): void => {
    const answer = parseAnswer(text);
    if (!answer) return;
    const job = waiting.get(answer.episode);
    // Answers nobody waits for: episodes the run has already, or the same one twice.
    if (!job) return;
    waiting.delete(answer.episode);
    options.onEpisode(job, { ...answer.outcome, ...lineOf(job), suite: options.facts.suite });
  };
  const answered = (): number => jobs.length - waiting.size;
  try {
    await runProcess({ name, input: jobText(jobs, options.facts), take }, options);
    if (waiting.size > 0)
      throw failed(name, options, `answered ${answered()} of ${jobs.length} episodes`);
    return undefined;
  } catch (error) {
    if (error instanceof MergeError) return { error, answered: answered() };
    throw error;
  }
}

function jobText(jobs: readonly EpisodeJob[], facts: HarnessFacts): string {
  const { execute, maxSteps, experts, ...rest } = facts;
  const [first] = jobs;
  const { policy = 'experts', task = '', expert } = first ?? {};
  const usesExpert = policy === 'experts' || policy === 'blind' || policy === 'cross';
  return `${JSON.stringify({
    version: 1,
    policy,
    task,
    ...(usesExpert ? { expert: expert ?? task, checkpoint: experts[expert ?? task] } : {}),
    ...rest,
    execute,
    max_steps: maxSteps,
    experts,
    episodes: jobs.length,
    indices: jobs.map(({ index }) => index),
    seeds: jobs.map(({ seed }) => seed),
  })}\n`;
}

interface Cell {
  readonly name: string;
  readonly input: string;
  /** Takes a line of standard output; throws `MergeError` for one that breaks the contract. */
  readonly take: (line: string) => void;
}

/** Resolves when the harness has ended well; everything it started has ended by then. */
function runProcess(cell: Cell, options: HarnessOptions): Promise<void> {
  const log = new Log(join(options.logs, `${cell.name}.log`));
  return new Promise<void>((resolve, reject) => {
    const child = start(options);
    const ender = new Ender(child, cell.name, options);
    const lines = new LineSplitter(cell.take);
    child.stdout?.on('data', (bytes: Buffer) => {
      log.add(bytes);
      ender.alive();
      ender.attempt(() => lines.add(bytes));
    });
    child.stderr?.on('data', (bytes: Buffer) => {
      log.add(bytes);
      ender.alive();
    });
    child.on('error', (error) => ender.fail(`cannot be started: ${error.message}`));
    child.on('close', (code, killer) => {
      ender.attempt(() => lines.end());
      ender.close();
      log.close();
      if (code !== 0) ender.reason ??= failed(cell.name, options, endOf(code, killer, log));
      if (ender.reason) reject(ender.reason);
      else resolve();
    });
    // A harness that does not read its job ends the pipe; what it answers decides.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(cell.input);
  });
}

function endOf(code: number | null, killer: NodeJS.Signals | null, log: Log): string {
  return `ended with ${killer ?? `status ${code ?? ''}`}${log.lastLine()}`;
}

/** Ends a harness: when it is silent, breaks the contract, or nobody wants its answers any more. */
class Ender {
  reason: Error | undefined;
  private silence: NodeJS.Timeout | undefined;
  private kill: NodeJS.Timeout | undefined;

  constructor(
    private readonly child: ChildProcess,
    private readonly name: string,
    private readonly options: HarnessOptions,
  ) {
    options.signal?.addEventListener('abort', this.cancel, { once: true });
    this.alive();
  }

  alive(): void {
    const { timeoutSeconds } = this.options;
    clearTimeout(this.silence);
    this.silence = setTimeout(
      () => this.fail(`was silent for ${timeoutSeconds} s`),
      timeoutSeconds * 1000,
    );
  }

  fail(what: string): void {
    this.end(failed(this.name, this.options, what));
  }

  attempt(work: () => void): void {
    if (this.reason) return;
    try {
      work();
    } catch (error) {
      if (error instanceof MergeError) this.fail(error.message);
      else this.end(error instanceof Error ? error : new Error(String(error)));
    }
  }

  close(): void {
    clearTimeout(this.silence);
    clearTimeout(this.kill);
    this.options.signal?.removeEventListener('abort', this.cancel);
    // Children of the harness may live on after it.
    killTree(this.child, 'SIGKILL');
  }

  private readonly cancel = (): void => this.end(new Cancelled());

  private end(reason: Error): void {
    this.reason ??= reason;
    killTree(this.child, 'SIGTERM');
    this.kill ??= setTimeout(() => killTree(this.child, 'SIGKILL'), graceMs);
  }
}

/** A group of its own, so that everything it starts can be ended with it. */
function start({ command, folder }: HarnessOptions): ChildProcess {
  const how = {
    cwd: folder,
    detached: process.platform !== 'win32',
    stdio: ['pipe', 'pipe', 'pipe'] as const,
    windowsHide: true,
  };
  if (typeof command === 'string')
    return spawn(command, { ...how, stdio: [...how.stdio], shell: true });
  const [program = '', ...args] = command;
  return spawn(program, args, { ...how, stdio: [...how.stdio] });
}

function killTree(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) return;
  if (process.platform === 'win32') {
    if (child.exitCode === null) spawn('taskkill', ['/pid', String(child.pid), '/T', '/F']);
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group has ended already.
  }
}

function failed(name: string, { logs }: HarnessOptions, what: string): MergeError {
  return new MergeError(
    'MV555',
    `the harness of ${name} ${what}; its output is in ${join(logs, `${name}.log`)}`,
    { fault: 'system' },
  );
}

/** What a harness prints, for people; the end of it goes into the error. */
class Log {
  private readonly handle: number;
  private written = 0;
  private tail = '';

  constructor(path: string) {
    this.handle = openSync(path, 'a');
  }

  add(bytes: Buffer): void {
    this.tail = (this.tail + bytes.toString('utf8')).slice(-2000);
    const room = largestLog - this.written;
    if (room <= 0) return;
    const part = bytes.subarray(0, room);
    writeSync(this.handle, part);
    this.written += part.length;
  }

  lastLine(): string {
    const line = this.tail.trim().split('\n').at(-1)?.trim() ?? '';
    return line === '' ? '' : ` (${line.slice(0, 200)})`;
  }

  close(): void {
    closeSync(this.handle);
  }
}

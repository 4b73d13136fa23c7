import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { arrayOf, isRecord, isString, object } from '../../server/protocol/shape';
import { failureOf, parseJson, type Asked } from '../commands/asked';

/** An observation as the command's `--follow` reads it. */
export interface RouterRequest {
  readonly images?: readonly string[];
  readonly frame?: string;
  readonly instruction?: string;
  readonly proprio?: readonly number[];
}

export interface LoadedPolicy {
  readonly device: string;
  readonly cameras: readonly string[];
}

const isLoaded = object<LoadedPolicy>({ device: isString, cameras: arrayOf(isString) });

/** How long a policy stays in memory after its last answer. */
const idleMs = 120_000;
/** What a process without an answer says last is enough for a sentence. */
const mostSaid = 20_000;

/** How the `mergevla` command is started. */
export interface RouterCommand {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  readonly cli: string;
}

export interface RouterEvents {
  /** The policy is loaded. */
  readonly ready: (policy: LoadedPolicy) => void;
  /** The process has gone, or is told to go. */
  readonly ended: () => void;
}

interface Question {
  readonly request: RouterRequest;
  readonly answer: (asked: Asked) => void;
}

/**
 * `mergevla route --follow`: a policy that stays loaded while observations are asked one after another.
 * Of the questions that wait only the newest is asked; the others end as cancelled.
 */
export class RouterProcess {
  private readonly child: ChildProcess;
  private said = '';
  private complained = '';
  private isReady = false;
  private asking: Question | undefined;
  private waiting: Question | undefined;
  private idle: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    { command, env, cli }: RouterCommand,
    args: readonly string[],
    private readonly events: RouterEvents,
  ) {
    this.child = spawn(command, [cli, 'route', ...args, '--detail', '--follow', '--json'], {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.complained = (this.complained + text).slice(-mostSaid);
    });
    // A process that has gone cannot be written to; its end is told by `close`.
    this.child.stdin?.on('error', () => undefined);
    if (this.child.stdout)
      createInterface({ input: this.child.stdout }).on('line', (line) => {
        this.hear(line);
      });
    this.child.on('error', (error) => {
      this.end(error.message);
    });
    this.child.on('close', () => {
      this.end();
    });
  }

  ask(request: RouterRequest): Promise<Asked> {
    return new Promise((answer) => {
      this.waiting?.answer({ state: 'cancelled' });
      this.waiting = { request, answer };
      this.next();
    });
  }

  /** Ends the process; open questions end as cancelled. */
  stop(): void {
    this.stopped = true;
    this.child.kill('SIGTERM');
    this.end();
  }

  private hear(line: string): void {
    const value = parseJson(line);
    if (!this.isReady) {
      const ready = isRecord(value) ? value['ready'] : undefined;
      if (!isLoaded(ready)) {
        this.said = `${this.said}${line}\n`.slice(-mostSaid);
        return;
      }
      this.isReady = true;
      this.events.ready(ready);
    } else {
      const failed = isRecord(value) && isRecord(value['error']);
      this.asking?.answer(
        failed ? { state: 'failed', failure: failureOf(value, '') } : { state: 'answered', value },
      );
      this.asking = undefined;
    }
    this.next();
  }

  private next(): void {
    clearTimeout(this.idle);
    if (!this.isReady || this.asking) return;
    if (!this.waiting) {
      this.idle = setTimeout(() => {
        this.stop();
      }, idleMs);
      return;
    }
    this.asking = this.waiting;
    this.waiting = undefined;
    this.child.stdin?.write(`${JSON.stringify(this.asking.request)}\n`);
  }

  private end(reason?: string): void {
    clearTimeout(this.idle);
    const asked: Asked = this.stopped
      ? { state: 'cancelled' }
      : { state: 'failed', failure: failureOf(parseJson(this.said), reason ?? this.complained) };
    for (const question of [this.asking, this.waiting]) question?.answer(asked);
    this.asking = this.waiting = undefined;
    this.events.ended();
  }
}

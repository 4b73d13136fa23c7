import { CancellationTokenSource, Uri, workspace } from 'vscode';
import type { SpectraDelta, SpectraView } from '../../server/protocol/panels/spectra';
import type { SpectrumLine } from '../../server/protocol/spectrum';
import { isSpectrumLine } from '../../server/protocol/spectrum';
import { runCommand, type CommandResult } from '../command-line';
import type { Parts } from '../commands/context';
import { saved } from '../recipes';

/** Leading singular vectors that are measured; the panel shows overlaps of any fewer. */
const directions = 32;
/** A page is told of new matrices this often. */
const tellMs = 300;

/** Matrices to measure. */
export interface SpectraChoice {
  readonly uri: string;
  readonly title: string;
  readonly globs: readonly string[];
  /** Nothing is measured: what the cache has is shown, and nothing where it has nothing. */
  readonly known: boolean;
}

/**
 * Measures singular spectra for one panel by `mergevla inspect --spectrum`, whose cache lives with the
 * extension: a matrix is decomposed once for as long as its checkpoints stay the same.
 */
export class SpectraSession {
  private current: SpectraView | undefined;
  /** What is known is looked up: nothing is told of it before it is whole. */
  private quiet = false;
  private running: CancellationTokenSource | undefined;
  private told = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly parts: Parts,
    private readonly send: (delta: SpectraDelta) => void,
  ) {}

  /** What the panel shows; nothing before the first measurement. */
  get view(): SpectraView | undefined {
    return this.quiet ? undefined : this.current;
  }

  async measure(choice: SpectraChoice): Promise<void> {
    const { uri, title, known } = choice;
    if (!workspace.isTrusted || (known && this.view)) return;
    if (!known && !(await saved(Uri.parse(uri)))) return;
    this.stop();
    const running = new CancellationTokenSource();
    this.running = running;
    this.told = 0;
    this.current = { state: 'measuring', title, done: 0, tensors: [] };
    this.quiet = known;
    this.tell();
    const result = await this.inspect(choice, running);
    running.dispose();
    if (this.running === running) this.end(result);
  }

  private inspect({ uri, globs, known }: SpectraChoice, running: CancellationTokenSource) {
    const { cli, context } = this.parts;
    const cache = Uri.joinPath(context.globalStorageUri, 'spectra').fsPath;
    const only = globs.flatMap((glob) => ['--only', glob]);
    const forms = ['--spectrum', '--lines', '--quiet', ...(known ? ['--known'] : [])];
    const args = ['inspect', Uri.parse(uri).fsPath, ...forms, ...only];
    return runCommand(cli, [...args, '--rank', String(directions), '--cache', cache], {
      token: running.token,
      onLine: (line) => {
        if (this.running === running) this.take(line);
      },
    });
  }

  private end({ cancelled, code, stderr }: CommandResult): void {
    const { current, quiet } = this;
    this.running = undefined;
    this.quiet = false;
    if (quiet && current?.tensors.length === 0) this.current = undefined;
    else if (current) {
      const state = cancelled ? 'stopped' : code === 0 ? 'done' : 'failed';
      const message = stderr.trim().split('\n').at(-1) ?? '';
      this.current = { ...current, state, ...(state === 'failed' ? { message } : {}) };
    }
    this.tell();
  }

  /** What was measured so far stays. */
  stop(): void {
    this.running?.cancel();
  }

  /** Another recipe is shown. */
  forget(): void {
    this.stop();
    this.running = undefined;
    this.current = undefined;
    this.quiet = false;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private take(line: string): void {
    const parsed = parseLine(line);
    if (!parsed || !this.current) return;
    if (parsed.type === 'scope') this.current = { ...this.current, scope: parsed.scope };
    else {
      const { done, tensors } = this.current;
      const more = parsed.tensor ? [...tensors, parsed.tensor] : tensors;
      this.current = { ...this.current, done: done + 1, tensors: more };
    }
    if (this.quiet) return;
    this.timer ??= setTimeout(() => {
      this.tell();
    }, tellMs);
  }

  private tell(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { view } = this;
    if (!view) return;
    const from = this.told;
    this.told = view.tensors.length;
    this.send({
      type: 'spectra',
      from,
      spectra: { ...view, tensors: view.tensors.slice(from) },
    });
  }
}

function parseLine(line: string): SpectrumLine | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isSpectrumLine(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

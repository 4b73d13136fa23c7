import { CancellationTokenSource, Uri, workspace } from 'vscode';
import type { SpectraDelta, SpectraView } from '../../server/protocol/panels/spectra';
import type { SpectrumLine } from '../../server/protocol/spectrum';
import { isSpectrumLine } from '../../server/protocol/spectrum';
import { runCommand } from '../command-line';
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
  /** What the panel shows; nothing before the first measurement. */
  view: SpectraView | undefined;
  private running: CancellationTokenSource | undefined;
  private told = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly parts: Parts,
    private readonly send: (delta: SpectraDelta) => void,
  ) {}

  async measure({ uri, title, globs, known }: SpectraChoice): Promise<void> {
    const recipe = Uri.parse(uri);
    if (!workspace.isTrusted || (known && this.view)) return;
    if (!known && !(await saved(recipe))) return;
    this.stop();
    const running = new CancellationTokenSource();
    this.running = running;
    this.told = 0;
    this.view = { state: 'measuring', title, done: 0, tensors: [] };
    if (!known) this.tell();
    const { cli, context } = this.parts;
    const cache = Uri.joinPath(context.globalStorageUri, 'spectra').fsPath;
    const only = globs.flatMap((glob) => ['--only', glob]);
    const forms = ['--spectrum', '--lines', '--quiet', ...(known ? ['--known'] : [])];
    const args = ['inspect', recipe.fsPath, ...forms, ...only];
    const result = await runCommand(
      cli,
      [...args, '--rank', String(directions), '--cache', cache],
      {
        token: running.token,
        onLine: (line) => {
          if (this.running === running) this.take(line, known);
        },
      },
    );
    running.dispose();
    if (this.running !== running || !this.view) return;
    this.running = undefined;
    if (known && this.view.tensors.length === 0) {
      this.view = undefined;
      return;
    }
    const state = result.cancelled ? 'stopped' : result.code === 0 ? 'done' : 'failed';
    const message = result.stderr.trim().split('\n').at(-1) ?? '';
    this.view = { ...this.view, state, ...(state === 'failed' ? { message } : {}) };
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
    this.view = undefined;
    clearTimeout(this.timer);
  }

  private take(line: string, quiet: boolean): void {
    const parsed = parseLine(line);
    if (!parsed || !this.view) return;
    if (parsed.type === 'scope') this.view = { ...this.view, scope: parsed.scope };
    else {
      const { done, tensors } = this.view;
      const more = parsed.tensor ? [...tensors, parsed.tensor] : tensors;
      this.view = { ...this.view, done: done + 1, tensors: more };
    }
    if (quiet) return;
    this.timer ??= setTimeout(() => {
      this.tell();
    }, tellMs);
  }

  private tell(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (!this.view) return;
    const from = this.told;
    this.told = this.view.tensors.length;
    this.send({
      type: 'spectra',
      from,
      spectra: { ...this.view, tensors: this.view.tensors.slice(from) },
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

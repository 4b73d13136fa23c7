import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PhaseSummary, RunSummary } from '../protocol/methods';
import { runKey, type RunEvent } from '../protocol/events';
import type { MeasuredParts, MergeReport } from '../protocol/report';
import { followEvents } from '../runs/follow';
import { recipeHash } from '../runs/header-hash';
import {
  listRuns,
  measuredAt,
  readMeasured,
  readReport,
  readResolvedRecipe,
  readRun,
  type RunSummary as StoredRun,
} from '../runs/read';
import type { Recipe } from '../recipe/schema';
import { isFinal } from '../runs/record';

/** A run is told about at most so often. */
const tellMs = 250;

/** One run as it was last seen. */
export interface WatchedRun {
  readonly summary: RunSummary;
  /** Of a finished merge. */
  readonly merge: WatchedMerge | undefined;
  /** Of a merge that is running: what it has measured so far. */
  readonly measuring: Measuring | undefined;
  /** Successes of evaluated episodes, by `<policy>/<task>`. */
  readonly rates: ReadonlyMap<string, Rate>;
}

/** What a run merged, and what it measured. */
export interface WatchedMerge<Report = MergeReport> {
  readonly report: Report;
  readonly recipe: Recipe;
  /** False where only some of the tensors were merged. */
  readonly whole: boolean;
  /** Its checkpoints with size, time and header hash, each as the text of its JSON. */
  readonly inputs: ReadonlySet<string>;
}

/** The policy that a run is told by: the first of these that was rolled out. */
export const judged = ['routed', 'masked', 'merged', 'experts'] as const;

interface Measuring extends WatchedMerge<MeasuredParts> {
  /** When it was written. */
  readonly when: number;
}

export interface Rate {
  readonly successes: number;
  readonly episodes: number;
}

export interface RunWatchEvents {
  changed(run: RunSummary): void;
  removed(path: string): void;
  events(path: string, events: readonly RunEvent[]): void;
}

/** The runs of the workspace's output directories: listed, followed while they work, kept in memory. */
export interface RunWatch {
  /** Newest first. */
  list(): readonly WatchedRun[];
  /** Looks at the given output directories, follows what works there, and answers the list. */
  scan(folders: readonly string[]): Promise<readonly WatchedRun[]>;
  /** Follows one run that is expected to appear. */
  watch(path: string): Promise<void>;
  find(path: string): WatchedRun | undefined;
  /** The numbers of a finished merge are there, or have gone with it. */
  onDidChangeNumbers(listener: () => void): void;
  dispose(): void;
}

export function createRunWatch(tell: RunWatchEvents): RunWatch {
  return new Watch(tell);
}

class Watch implements RunWatch {
  readonly #runs = new Map<string, WatchedRun>();
  readonly #followed = new Map<string, AbortController>();
  readonly #listeners: (() => void)[] = [];

  constructor(private readonly tell: RunWatchEvents) {}

  list(): readonly WatchedRun[] {
    return [...this.#runs.values()].sort((a, b) =>
      (b.summary.started ?? '').localeCompare(a.summary.started ?? ''),
    );
  }

  onDidChangeNumbers(listener: () => void): void {
    this.#listeners.push(listener);
  }

  find(path: string): WatchedRun | undefined {
    return this.#runs.get(runKey(path));
  }

  async scan(folders: readonly string[]): Promise<readonly WatchedRun[]> {
    const lists = await Promise.all([...new Set(folders)].map((folder) => listRuns(folder)));
    const stored = lists.flat();
    const there = new Set(stored.map(({ folder }) => runKey(folder)));
    for (const key of this.#runs.keys())
      if (!there.has(key) && !this.#followed.has(key)) this.#remove(key);
    await Promise.all(stored.map(({ folder }) => this.watch(folder)));
    return this.list();
  }

  async watch(path: string): Promise<void> {
    const key = runKey(path);
    if (this.#followed.has(key) || !(await this.#look(key)) || this.#followed.has(key)) return;
    const controller = new AbortController();
    this.#followed.set(key, controller);
    void this.#follow(key, controller.signal);
  }

  dispose(): void {
    for (const controller of this.#followed.values()) controller.abort();
  }

  /** Reads the run's state; false once nothing more will happen to it. */
  async #look(key: string, progress?: RunSummary['progress']): Promise<boolean> {
    const stored = await readRun(key).catch(() => undefined);
    if (!stored) {
      this.#remove(key);
      return false;
    }
    const before = this.#runs.get(key);
    const now = await watched(stored, before, progress);
    this.#runs.set(key, now);
    if (JSON.stringify(before?.summary) !== JSON.stringify(now.summary))
      this.tell.changed(now.summary);
    if (now.merge && !before?.merge) this.#tellNumbers();
    return !isFinal(now.summary.state);
  }

  async #follow(key: string, signal: AbortSignal): Promise<void> {
    let told = 0;
    let progress: RunSummary['progress'];
    // What comes too soon after a look is told later, also when nothing else follows.
    let late: NodeJS.Timeout | undefined;
    for await (const events of followEvents(key, { signal })) {
      this.tell.events(key, events);
      progress = newestProgress(events) ?? progress;
      clearTimeout(late);
      if (Date.now() - told < tellMs) {
        late = setTimeout(() => void this.#look(key, progress), tellMs);
        continue;
      }
      told = Date.now();
      await this.#look(key, progress);
    }
    clearTimeout(late);
    this.#followed.delete(key);
    await this.#look(key, progress);
  }

  #remove(key: string): void {
    const gone = this.#runs.get(key);
    if (!this.#runs.delete(key)) return;
    this.tell.removed(key);
    if (gone?.merge) this.#tellNumbers();
  }

  #tellNumbers(): void {
    for (const listener of this.#listeners) listener();
  }
}

function newestProgress(events: readonly RunEvent[]): RunSummary['progress'] {
  const event = events.findLast((candidate) => candidate.type === 'progress');
  if (event?.type !== 'progress') return undefined;
  const { phase, done, total, unit, rate, remainingSeconds } = event;
  return {
    ...{ phase, done, total, unit },
    ...(rate === undefined ? {} : { rate }),
    ...(remainingSeconds === undefined ? {} : { remainingSeconds }),
  };
}

async function watched(
  stored: StoredRun,
  before: WatchedRun | undefined,
  progress: RunSummary['progress'],
): Promise<WatchedRun> {
  const { record, folder, state } = stored;
  const { merge, measuring } = await numbersOf(stored, before);
  const rates = await ratesOf(stored, before);
  const current = isFinal(state)
    ? undefined
    : (progress ?? record.progress ?? before?.summary.progress);
  const summary: RunSummary = {
    path: folder,
    name: shortName(stored.id),
    state,
    phases: record.phases.map(toPhase),
    device: record.device,
    started: record.created,
    ...present({
      recipe: recipeOf(record.command, folder),
      recipeHash: await hashOfRecipe(folder, before),
      ended: record.finished,
      error: record.error,
      progress: current,
      headline: successText(rates) ?? (merge && activeText(merge.report)),
      measured: measuring?.report.tensors.length,
    }),
  };
  return { summary, merge, measuring, rates };
}

/** What the run has measured, as soon as it is there. */
async function numbersOf(
  stored: StoredRun,
  before: WatchedRun | undefined,
): Promise<Pick<WatchedRun, 'merge' | 'measuring'>> {
  if (!isFinal(stored.state))
    return { merge: before?.merge, measuring: await measuringOf(stored, before?.measuring) };
  const known = before?.merge;
  const merge = known ?? (stored.state === 'done' ? await mergeOf(stored, readReport) : undefined);
  return { merge, measuring: undefined };
}

/** The copy of the recipe in a run never changes, so it is read once. */
async function hashOfRecipe(
  folder: string,
  before: WatchedRun | undefined,
): Promise<string | undefined> {
  const known = before?.summary.recipeHash;
  if (known !== undefined) return known;
  const text = await readFile(join(folder, 'recipe.mergevla.yaml')).catch(() => undefined);
  return text && recipeHash(text);
}

/** Counts of `episodes.jsonl`, once the evaluation has ended; a line that is not whole is left out. */
async function ratesOf(
  { folder, record, state }: StoredRun,
  before: WatchedRun | undefined,
): Promise<ReadonlyMap<string, Rate>> {
  const evaluated = record.phases.some(
    ({ name, state: phase }) => name === 'evaluate' && phase === 'done',
  );
  if (!evaluated || state !== 'done') return new Map();
  if (before && before.rates.size > 0) return before.rates;
  const rates = new Map<string, Rate>();
  const text = await readFile(join(folder, 'episodes.jsonl'), 'utf8').catch(() => '');
  for (const line of text.split('\n')) {
    const episode = parseEpisode(line);
    if (!episode) continue;
    const key = `${episode.policy}/${episode.task}`;
    const { successes, episodes } = rates.get(key) ?? { successes: 0, episodes: 0 };
    rates.set(key, { successes: successes + Number(episode.success), episodes: episodes + 1 });
  }
  return rates;
}

function parseEpisode(
  line: string,
): { readonly policy: string; readonly task: string; readonly success: boolean } | undefined {
  try {
    const value = JSON.parse(line) as Partial<Record<string, unknown>>;
    const { policy, task, success } = value;
    return typeof policy === 'string' && typeof task === 'string' && typeof success === 'boolean'
      ? { policy, task, success }
      : undefined;
  } catch {
    return undefined;
  }
}

/** The members that are there: optional members are left out, not undefined. */
function present<T extends object>(members: T): { [Key in keyof T]?: NonNullable<T[Key]> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: NonNullable<T[Key]>;
  };
}

function toPhase(phase: StoredRun['record']['phases'][number]): PhaseSummary {
  return {
    name: phase.name,
    state: phase.state === 'running' ? 'started' : phase.state,
    ...(phase.seconds === undefined ? {} : { seconds: phase.seconds }),
  };
}

/** `cubes-3f9a` of `cubes-20260101-120000-3f9a`: lists are in the order of time anyway. */
const shortName = (id: string): string => id.replace(/-\d{8}-\d{6}(?=-[0-9a-f]{4}$)/, '');

/** The recipe that the command was given, where its record tells. */
function recipeOf(command: readonly string[], folder: string): string | undefined {
  const written = command.find((argument) => /\.mergevla\.ya?ml$/.test(argument));
  if (written === undefined) return undefined;
  return written.startsWith('/') || /^[A-Za-z]:/.test(written)
    ? written
    : join(dirname(folder), '..', written);
}

/** The mean over tasks of the success rate: the one number of an evaluation, `routed 84.7 %`. */
function successText(rates: ReadonlyMap<string, Rate>): string | undefined {
  for (const policy of judged) {
    const own = [...rates].filter(([key]) => key.startsWith(`${policy}/`));
    if (own.length === 0) continue;
    const sum = own.reduce((all, [, { successes, episodes }]) => all + successes / episodes, 0);
    return `${policy} ${((100 * sum) / own.length).toFixed(1)}\u00a0%`;
  }
  return undefined;
}

/** The mean share that tasks keep: the one number of a merge. */
function activeText(report: MergeReport): string {
  const { active, elements } = report.total;
  const counts = Object.values(active ?? {});
  if (counts.length === 0 || elements === 0) return `${String(report.tensors.length)} tensors`;
  const share = counts.reduce((sum, count) => sum + count / elements, 0) / counts.length;
  return `${(100 * share).toFixed(1)}\u00a0% active`;
}

/** What is newer than before; between the last part and the finished run the parts stay. */
async function measuringOf(
  run: StoredRun,
  before: Measuring | undefined,
): Promise<Measuring | undefined> {
  const when = await measuredAt(run);
  if (when === undefined || when === before?.when) return before;
  const merge = await mergeOf(run, readMeasured);
  return merge && { ...merge, when };
}

/** Numbers and parameters of a merge; the files were written by us and are compared as text only. */
async function mergeOf<Report>(
  run: StoredRun,
  read: (run: StoredRun) => Promise<Report | undefined>,
): Promise<WatchedMerge<Report> | undefined> {
  const report = await read(run);
  if (report === undefined) return undefined;
  const resolved = (await readResolvedRecipe(run)) as
    | { readonly recipe?: Recipe; readonly only?: string | null; readonly inputs?: unknown[] }
    | undefined;
  if (!resolved?.recipe) return undefined;
  const inputs = new Set((resolved.inputs ?? []).map((input) => JSON.stringify(input)));
  const whole = (resolved.only ?? null) === null;
  return { report, recipe: resolved.recipe, whole, inputs };
}

import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, rmdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { RunState } from '../protocol/events';
import { MergeError } from '../protocol/merge-error';
import { EventLog, type NewRunEvent } from './event-log';
import { renameFolder, syncTree, writeFileAtomic, writeJsonAtomic } from './files';
import { lockFolder, lockName, type Lock } from './lock';
import { asRunRecord, type PhaseRecord, type RunRecord } from './record';

export interface NewRun {
  /** Absolute path of the finished run directory; it is made as `<path>.partial`. */
  readonly path: string;
  readonly name: string;
  readonly command: readonly string[];
  readonly version: string;
  readonly device: string;
  /** Bytes of the recipe, copied as they are. */
  readonly recipe: Uint8Array;
}

interface Held {
  readonly lock: Lock;
  /** Folders that were made for this run and are empty without it, innermost first. */
  readonly madeFolders: readonly string[];
  readonly resumes: boolean;
}

const progressIntervalMs = 1000;

/**
 * A run while it is written: `<path>.partial`, locked, with `run.json` and `events.jsonl` from the
 * first second. `publish` gives it its own name; until then nobody can take it for a finished one.
 */
export class RunDirectory {
  private lastWrite = 0;
  private readonly events: EventLog;

  private constructor(
    readonly path: string,
    private record: RunRecord,
    private readonly held: Held,
    private published = false,
  ) {
    this.events = new EventLog(join(this.folder, 'events.jsonl'));
  }

  /** True when an interrupted run of the same recipe was found at the same place, with its files. */
  get resumes(): boolean {
    return this.held.resumes;
  }

  /** Throws MV530 when `path` is taken, MV531 when another process writes it, MV532 for the system's refusals. */
  static create(run: NewRun): RunDirectory {
    refuseTakenPath(run.path);
    const partial = `${run.path}.partial`;
    const madeFolders = makeFolders(partial);
    let lock: Lock | undefined;
    try {
      lock = lockFolder(partial);
      const resumes = readPrevious(partial) !== undefined && hasRecipe(partial, run.recipe);
      const record = newRecord(run);
      writeJsonAtomic(join(partial, 'run.json'), record);
      rmSync(join(partial, 'events.jsonl'), { force: true });
      writeFileAtomic(join(partial, 'recipe.mergevla.yaml'), run.recipe);
      return new RunDirectory(run.path, record, { lock, madeFolders, resumes });
    } catch (error) {
      lock?.release();
      removeEmpty(madeFolders);
      throw error;
    }
  }

  /**
   * Opens a finished run for a later phase, which appends to it. Throws MV533 when there is none,
   * MV531 when another process writes it.
   */
  static open(path: string, work: Pick<NewRun, 'command' | 'version'>): RunDirectory {
    const previous = readRecord(path);
    if (!previous)
      throw new MergeError('MV533', `${path} is not a run: it has no readable run.json`);
    const lock = lockFolder(path);
    const { version, id, name, phases, created, timings, device } = previous;
    const record: RunRecord = {
      ...{ version, id, name, phases, created, timings, device },
      state: 'running',
      updated: created,
      pid: process.pid,
      host: hostname(),
      command: work.command,
      versions: { mergevla: work.version, node: process.versions.node },
    };
    const held = { lock, madeFolders: [], resumes: true };
    const run = new RunDirectory(path, record, held, true);
    run.update({});
    return run;
  }

  /** Where files of the run go now. */
  get folder(): string {
    return this.published ? this.path : `${this.path}.partial`;
  }

  get id(): string {
    return this.record.id;
  }

  /** Seconds of the phases that have ended. */
  get timings(): Readonly<Record<string, number>> {
    return this.record.timings;
  }

  file(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  emit(event: NewRunEvent): void {
    this.events.add(event);
    if (event.type !== 'progress') return;
    if (event.done < event.total && Date.now() - this.lastWrite < progressIntervalMs) return;
    const { phase, done, total, unit } = event;
    this.update({ progress: { phase, done, total, unit } });
  }

  startPhase(name: string): void {
    const phase: PhaseRecord = { name, state: 'running', started: new Date().toISOString() };
    this.update({
      state: 'running',
      phases: [...this.record.phases.filter((p) => p.name !== name), phase],
    });
    this.events.add({ type: 'phase', phase: name, state: 'started' });
  }

  endPhase(name: string, state: 'done' | 'failed' | 'cancelled'): void {
    const ended = new Date();
    const phases = this.record.phases.map((phase) =>
      phase.name === name && phase.state === 'running'
        ? { ...phase, state, ended: ended.toISOString(), seconds: secondsSince(phase, ended) }
        : phase,
    );
    const seconds = phases.find((phase) => phase.name === name)?.seconds;
    const timings = { ...this.record.timings, ...(seconds !== undefined && { [name]: seconds }) };
    this.update({ phases, timings });
    this.events.add({ type: 'phase', phase: name, state });
  }

  /** Removes what an interrupted run left, so that this one starts over. */
  clear(): void {
    const keep = new Set(['run.json', 'events.jsonl', 'recipe.mergevla.yaml', lockName]);
    for (const name of readdirSync(this.folder))
      if (!keep.has(name)) rmSync(this.file(name), { recursive: true, force: true });
  }

  /** Everything to the disk, then the final name. The state in `run.json` is `done` unless told otherwise. */
  publish(state: RunState = 'done'): void {
    this.finishRecord(state);
    this.events.close();
    syncTree(this.folder);
    if (existsSync(this.path)) rmdirSync(this.path);
    renameFolder(this.folder, this.path);
    this.published = true;
    // The lock has moved with its folder.
    rmSync(this.file(lockName), { force: true });
  }

  /** A later phase has ended well. */
  finish(): void {
    this.finishRecord('done');
    this.close();
  }

  /**
   * The run ended without a result: a half-written merge goes, its record and events stay for the
   * reader. What was published stays as it is.
   */
  fail(error: { readonly code: string; readonly message: string }): void {
    if (!this.published) rmSync(this.file('merged'), { recursive: true, force: true });
    this.tryToWrite(() => {
      this.events.add({ type: 'error', ...error });
      this.update({ error });
      this.finishRecord('failed');
    });
    this.close();
  }

  /** The user stopped it: what is written stays, for a resume at the same path. */
  cancel(): void {
    this.tryToWrite(() => this.finishRecord('cancelled'));
    this.close();
  }

  /** Refused data: nothing of the run stays, nor folders that were made for it. */
  discard(): void {
    this.close();
    if (this.published) return;
    rmSync(this.folder, { recursive: true, force: true });
    removeEmpty(this.held.madeFolders);
  }

  private finishRecord(state: RunState): void {
    const open = this.record.phases.filter((phase) => phase.state === 'running');
    const phaseState = state === 'done' || state === 'cancelled' ? state : 'failed';
    for (const phase of open) this.endPhase(phase.name, phaseState);
    const finished = new Date();
    // Days may lie between the merge and a later phase: then only work counts.
    const worked = this.record.phases.reduce((sum, { seconds = 0 }) => sum + seconds, 0);
    const sinceStart = (finished.getTime() - Date.parse(this.record.created)) / 1000;
    const total = this.published ? worked : sinceStart;
    this.update({
      state,
      finished: finished.toISOString(),
      timings: { ...this.record.timings, total },
    });
  }

  private update(change: Partial<RunRecord>): void {
    this.lastWrite = Date.now();
    this.record = { ...this.record, ...change, updated: new Date().toISOString() };
    writeJsonAtomic(this.file('run.json'), this.record);
  }

  /** A full disk must not hide the failure that is being recorded. */
  private tryToWrite(write: () => void): void {
    try {
      write();
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error)) throw error;
    }
  }

  private close(): void {
    this.tryToWrite(() => this.events.close());
    this.held.lock.release();
  }
}

function newRecord(run: NewRun): RunRecord {
  const now = new Date().toISOString();
  return {
    version: 1,
    id: basename(run.path),
    name: run.name,
    state: 'running',
    phases: [],
    created: now,
    updated: now,
    pid: process.pid,
    host: hostname(),
    command: run.command,
    versions: { mergevla: run.version, node: process.versions.node },
    device: run.device,
    timings: {},
  };
}

function secondsSince(phase: PhaseRecord, now: Date): number {
  return (now.getTime() - Date.parse(phase.started)) / 1000;
}

function refuseTakenPath(path: string): void {
  if (!existsSync(path)) return;
  let names: string[];
  try {
    names = readdirSync(path);
  } catch (cause) {
    throw new MergeError('MV530', `${path} exists and is not a folder`, { cause });
  }
  if (names.length > 0)
    throw new MergeError('MV530', `${path} exists and is not empty, so no run is written there`);
}

function readRecord(folder: string): RunRecord | undefined {
  try {
    return asRunRecord(JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')));
  } catch {
    return undefined;
  }
}

/** The record a killed run left; throws MV530 for a folder that is not a run's. */
function readPrevious(partial: string): RunRecord | undefined {
  const names = readdirSync(partial).filter((name) => name !== '.lock' && !name.endsWith('.tmp'));
  if (names.length === 0) return undefined;
  const record = readRecord(partial);
  if (record) return record;
  // No record, or one that cannot be read: the folder is not known to be a run's.
  throw new MergeError(
    'MV530',
    `${partial} exists and was not made by a run, so it is left alone; move it or choose another --out`,
  );
}

function hasRecipe(partial: string, recipe: Uint8Array): boolean {
  try {
    return readFileSync(join(partial, 'recipe.mergevla.yaml')).equals(recipe);
  } catch {
    return false;
  }
}

/** Makes `folder` with its parents and says which did not exist, innermost first. */
function makeFolders(folder: string): string[] {
  const missing: string[] = [];
  for (let path = folder; !existsSync(path); path = dirname(path)) missing.push(path);
  mkdirSync(folder, { recursive: true });
  return missing;
}

function removeEmpty(folders: readonly string[]): void {
  for (const folder of folders) {
    try {
      if (existsSync(folder)) rmdirSync(folder);
    } catch {
      // Another run has put something there meanwhile.
      return;
    }
  }
}

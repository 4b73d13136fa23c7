import { readFile, readdir, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { RunState } from '../protocol/events';
import { MergeError } from '../protocol/merge-error';
import {
  isMeasuredParts,
  isMergeReport,
  type MeasuredParts,
  type MergeReport,
} from '../protocol/report';
import type { Manifest } from './manifest';
import { isAlive } from './process-identity';
import { asRunRecord, isFinal, type RunRecord } from './record';

/** A run on another machine that has been silent for so long counts as interrupted. */
const remoteSilenceMs = 15 * 60_000;

/** One run as lists show it. */
export interface RunSummary {
  /** Absolute path of the folder that is there now: the run's own or `<run>.partial`. */
  readonly folder: string;
  readonly id: string;
  readonly name: string;
  /** As in `run.json`, but `interrupted` when its process has gone. */
  readonly state: RunState;
  readonly partial: boolean;
  readonly record: RunRecord;
}

/** All runs in `folder`, newest first. A folder that is not there has none. */
export async function listRuns(folder: string): Promise<RunSummary[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch {
    return [];
  }
  const runs = await Promise.all(names.map((name) => summarize(join(folder, name))));
  return runs
    .filter((run) => run !== undefined)
    .sort((a, b) => b.record.created.localeCompare(a.record.created) || b.id.localeCompare(a.id));
}

/**
 * One run by its path, with or without `.partial`.
 * Throws MV533 when there is none.
 */
export async function readRun(path: string): Promise<RunSummary> {
  const folder = resolve(path);
  const found = (await summarize(folder)) ?? (await summarize(`${folder}.partial`));
  if (!found) throw new MergeError('MV533', `${path} is not a run: it has no readable run.json`);
  return found;
}

/** The run's `report.json`, or undefined when it has none yet, or none that is whole. */
export async function readReport(run: RunSummary): Promise<MergeReport | undefined> {
  const report = await readJson(join(run.folder, 'report.json'));
  return isMergeReport(report) ? report : undefined;
}

/** Beside the report of a merge that is still running: the parts of it that are final. */
export const measuredName = 'measured.json';

/** What a running merge has measured so far, or undefined when it has told nothing yet. */
export async function readMeasured({ folder }: RunSummary): Promise<MeasuredParts | undefined> {
  const parts = await readJson(join(folder, measuredName));
  return isMeasuredParts(parts) ? parts : undefined;
}

/** When that was written. */
export async function measuredAt({ folder }: RunSummary): Promise<number | undefined> {
  return stat(join(folder, measuredName)).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
}

/** The run's `merged/manifest.json`, or undefined when it has none. */
export async function readManifest(run: RunSummary): Promise<Manifest | undefined> {
  return (await readJson(join(run.folder, 'merged', 'manifest.json'))) as Manifest | undefined;
}

/** `recipe.resolved.json`: defaults filled in, inputs with size, mtime and header hash. */
export async function readResolvedRecipe(run: RunSummary): Promise<unknown> {
  return readJson(join(run.folder, 'recipe.resolved.json'));
}

async function summarize(folder: string): Promise<RunSummary | undefined> {
  const record = asRunRecord(await readJson(join(folder, 'run.json')));
  if (!record) return undefined;
  return {
    folder,
    id: record.id,
    name: record.name,
    state: await stateNow(folder, record),
    partial: folder.endsWith('.partial'),
    record,
  };
}

async function stateNow(folder: string, record: RunRecord): Promise<RunState> {
  if (isFinal(record.state)) return record.state;
  if (record.host === hostname()) {
    const started = (await readJson(join(folder, '.lock'))) as { started?: string } | undefined;
    const identity = { pid: record.pid, host: record.host, started: started?.started ?? null };
    return isAlive(identity) ? record.state : 'interrupted';
  }
  return (await silenceMs(folder)) < remoteSilenceMs ? record.state : 'interrupted';
}

async function silenceMs(folder: string): Promise<number> {
  try {
    return Date.now() - (await stat(join(folder, 'events.jsonl'))).mtimeMs;
  } catch {
    return Infinity;
  }
}

/** The value of a JSON file; undefined when it is missing or cannot be parsed. */
async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch {
    return undefined;
  }
}

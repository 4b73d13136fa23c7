import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { Cancelled, MergeError } from '../../protocol/merge-error';
import { parseRecipe } from '../../recipe/parse';
import { resolveRecipe } from '../../recipe/resolve';
import { writeJsonAtomic } from '../../runs/files';
import { runEvaluation } from '../evaluate-job';
import { runMerge } from '../merge-job';
import { readJson, type SweepStore } from './store';
import type { PointFailure, PointRecord, PointResult } from './types';

export interface PointRequest {
  readonly command: readonly string[];
  readonly version: string;
  readonly acceptHours?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Computes one point unless its result is there: merges, and rolls out where the recipe has `evaluate`. What a killed attempt wrote is gone on with. Throws
 * MV531 while another process computes the same point, and what a merge throws.
 */
export async function runPoint(
  store: SweepStore,
  point: PointRecord,
  request: PointRequest,
): Promise<{ readonly result: PointResult; readonly isNew: boolean }> {
  const known = store.result(point);
  if (known) return { result: known, isNew: false };
  mkdirSync(store.file(point), { recursive: true });
  try {
    await mergeOnce(store, point, request);
    if (evaluates(point)) await evaluate(store, point, request);
    return { result: writeResult(store, point, request.version), isNew: true };
  } catch (error) {
    noteFailure(store, point, error);
    throw error;
  }
}

/** A run is renamed to its name when it is whole; the kill may have come between that and the result. */
function isMerged(store: SweepStore, point: PointRecord): boolean {
  return existsSync(store.file(point, 'run', 'run.json'));
}

function evaluates(point: PointRecord): boolean {
  return resolveRecipe(parseRecipe(point.recipe).value).evaluate !== null;
}

/** Episodes that an earlier attempt played are not played again. */
async function evaluate(
  store: SweepStore,
  point: PointRecord,
  { command, version, signal }: PointRequest,
): Promise<void> {
  await runEvaluation({ run: store.file(point, 'run'), command, version, signal });
}

/** Leaves the point merged, by this process or by another that was quicker: then the place is taken, as it should be. */
async function mergeOnce(
  store: SweepStore,
  point: PointRecord,
  request: PointRequest,
): Promise<void> {
  if (isMerged(store, point)) return;
  try {
    await merge(store, point, request);
  } catch (error) {
    const isTaken = error instanceof MergeError && error.code === 'MV530';
    if (!isTaken || !isMerged(store, point)) throw error;
  }
}

async function merge(
  store: SweepStore,
  point: PointRecord,
  { command, version, acceptHours, signal }: PointRequest,
): Promise<void> {
  const outcome = await runMerge({
    recipePath: store.record.recipePath,
    text: new TextEncoder().encode(point.recipe),
    out: store.file(point, 'run'),
    acceptHours,
    command,
    version,
    signal,
  });
  if (outcome.kind === 'done') return;
  const first = outcome.checked.problems.find(({ severity }) => severity === 'error');
  throw new MergeError(
    first?.code ?? 'MV545',
    first?.message ?? 'the recipe of the point is refused',
  );
}

function writeResult(store: SweepStore, point: PointRecord, version: string): PointResult {
  const metrics = readMetrics(store.file(point, 'run', 'metrics.json'));
  const result: PointResult = {
    schema: 'mergevla.point/1',
    id: point.id,
    values: point.values,
    metrics,
    run: 'run',
    seconds: metrics['seconds.merge'] ?? 0,
    host: hostname(),
    version,
  };
  writeJsonAtomic(store.file(point, 'result.json'), result);
  rmSync(store.file(point, 'failure.json'), { force: true });
  return result;
}

function readMetrics(path: string): Record<string, number> {
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, number>;
}

/** Stopping is no failure, nor is meeting another process at the same point. */
function noteFailure(store: SweepStore, point: PointRecord, error: unknown): void {
  if (error instanceof Cancelled) return;
  if (error instanceof MergeError && error.code === 'MV531') return;
  const path = store.file(point, 'failure.json');
  const before = readJson(path) as PointFailure | undefined;
  const failure: PointFailure = {
    code: error instanceof MergeError ? error.code : 'MV532',
    message: error instanceof Error ? error.message : String(error),
    isTransient: !(error instanceof MergeError) || error.fault === 'system',
    attempts: (before?.attempts ?? 0) + 1,
  };
  writeJsonAtomic(path, failure);
}

/** Which points one array task computes: `perTask` of them, behind an offset. */
export function indicesOfTask(
  store: SweepStore,
  task: { readonly index: number; readonly offset: number; readonly perTask: number },
): readonly number[] {
  const first = task.offset + task.index * task.perTask;
  const end = Math.min(first + task.perTask, store.points.length);
  store.point(first);
  return Array.from({ length: end - first }, (_, i) => first + i);
}

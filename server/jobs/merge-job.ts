import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RunEvent } from '../protocol/events';
import { Cancelled, MergeError, throwIfCancelled } from '../protocol/merge-error';
import type { Problem } from '../protocol/problem';
import type { MergeReport } from '../protocol/report';
import type { Recipe } from '../recipe/schema';
import { runId } from '../runs/names';
import { RunDirectory } from '../runs/run-directory';
import { checkRecipeFile, checkRecipeText, outputFolder, type CheckedRecipe } from './check-recipe';
import { executeMerge } from './execute';
import { finishMerged, planFor } from './merge-output';
import { calibrationFrames, checkCalibration, storeOffsets } from './router-offsets';
import { writeMeasured, writeQuestion, writeRunFiles } from './run-files';

export interface MergeRequest {
  readonly recipePath: string;
  /** Merged instead of the file's own text; paths in it are still relative to the file. */
  readonly text?: Uint8Array | undefined;
  /** Makes this folder the run itself; without it one is made under `output.directory`. */
  readonly out?: string | undefined;
  readonly only?: string | undefined;
  readonly allowNonfinite?: boolean | undefined;
  /** Hours of iterations agreed to; see `ExecuteOptions`. */
  readonly acceptHours?: number | undefined;
  /** Runs the policy where means of the router's scores are stored; merging itself is the processor's. */
  readonly device?: string | undefined;
  /** Changes to the resolved recipe, such as another form of output for an export. */
  readonly adapt?: ((recipe: Recipe) => Recipe) | undefined;
  /** A later phase follows in this process, so the run stays `running`. */
  readonly continues?: boolean | undefined;
  readonly command: readonly string[];
  readonly version: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ProgressEvent) => void) | undefined;
  /** Called once the run directory is there, with its final path. */
  readonly onStart?: ((path: string, problems: readonly Problem[]) => void) | undefined;
}

export type ProgressEvent = Extract<RunEvent, { type: 'progress' }>;

/** The engine's note of what is written, which a merge after a kill goes on from. */
const journalName = 'merge.journal.jsonl';

export type MergeOutcome =
  | { readonly kind: 'refused'; readonly checked: CheckedRecipe }
  | {
      readonly kind: 'done';
      /** Absolute path of the run. */
      readonly path: string;
      readonly report: MergeReport;
      readonly checked: CheckedRecipe;
    };

/**
 * Checks a recipe and merges it into a run directory (product §5). A recipe with errors gives
 * `refused` and leaves nothing; bad data found while reading throws and leaves nothing either;
 * failures of the system keep the record of the run without its half-written result.
 */
export async function runMerge(request: MergeRequest): Promise<MergeOutcome> {
  const { recipePath, signal, only, adapt, out } = request;
  const options = { signal, only, adapt, out };
  const checked = request.text
    ? await checkRecipeText(request.text, resolve(recipePath), options)
    : await checkRecipeFile(recipePath, options);
  if (!checked.plan || !checked.inputs) return { kind: 'refused', checked };
  const run = startRun(request, checked);
  request.onStart?.(run.path, checked.problems);
  try {
    const report = await mergeInto(run, request, checked);
    throwIfCancelled(request.signal);
    run.publish(request.continues === true ? 'running' : 'done');
    return { kind: 'done', path: run.path, report, checked };
  } catch (error) {
    abandon(run, error);
    throw error;
  }
}

function startRun({ out, command, version }: MergeRequest, checked: CheckedRecipe): RunDirectory {
  const { recipe, path } = checked;
  return RunDirectory.create({
    path: out === undefined ? join(outputFolder(recipe, path), runId(recipe.name)) : resolve(out),
    name: recipe.name,
    command,
    version,
    device: 'cpu',
    recipe: checked.bytes,
  });
}

async function mergeInto(
  run: RunDirectory,
  request: MergeRequest,
  checked: CheckedRecipe,
): Promise<MergeReport> {
  const { recipe, inputs, plan } = checked;
  const { signal } = request;
  if (!plan || !inputs) throw new RangeError('a refused recipe cannot be merged');
  for (const { code, message, severity } of checked.problems)
    if (severity === 'warning') run.emit({ type: 'warning', code, message });
  await checkCalibration(recipe, checked.path);
  run.startPhase('merge');
  const output = planFor(plan, run.folder);
  const canResume = run.resumes && existsSync(join(output.directory, journalName));
  if (!canResume) run.clear();
  const { only, version } = request;
  writeQuestion(run, { checked, only });
  const report = await executeMerge(output.plan, {
    directory: output.directory,
    threads: recipe.run.threads,
    memory: recipe.run.memory,
    allowNonfinite: request.allowNonfinite ?? false,
    acceptHours: request.acceptHours,
    resume: canResume,
    onEvent: (event) => forward(event, run, request),
    onMeasured: (parts) => {
      writeMeasured(run, parts);
    },
    ...(signal && { signal }),
  });
  const manifest = await storeOffsets({
    manifest: await finishMerged({ recipe, inputs, plan, output, signal }),
    run: run.folder,
    frames: calibrationFrames(recipe, checked.path),
    device: request.device ?? recipe.run.device,
    signal,
  });
  run.endPhase('merge', 'done');
  writeRunFiles(run, { checked, manifest, report, version });
  return report;
}

/** Events of the engine go to the log and to the caller; the phase of the run itself is told by the run. */
function forward(event: RunEvent, run: RunDirectory, { onProgress }: MergeRequest): void {
  if (event.type === 'phase' && event.phase === 'merge') return;
  run.emit(event);
  if (event.type === 'progress') onProgress?.(event);
}

/** What stays of a run that did not end well depends on whose fault it was. */
function abandon(run: RunDirectory, error: unknown): void {
  if (error instanceof Cancelled) run.cancel();
  else if (error instanceof MergeError && error.fault !== 'system') run.discard();
  else
    try {
      run.fail(describe(error));
    } catch {
      // A disk that took no weights may take no record either; the first failure is the one to tell.
    }
}

function describe(error: unknown): { code: string; message: string } {
  if (error instanceof MergeError) return { code: error.code, message: error.message };
  return { code: 'MV532', message: error instanceof Error ? error.message : String(error) };
}

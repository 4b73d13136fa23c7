import { dirname, join, resolve } from 'node:path';
import { Cancelled, MergeError } from '../protocol/merge-error';
import type { Problem } from '../protocol/problem';
import type { MergeReport } from '../protocol/report';
import type { Recipe } from '../recipe/schema';
import { runId } from '../runs/names';
import { RunDirectory } from '../runs/run-directory';
import { checkRecipeFile, type CheckedRecipe } from './check-recipe';
import { executeMerge } from './execute';
import { finishMerged, planFor } from './merge-output';
import { writeRunFiles } from './run-files';

export interface MergeRequest {
  readonly recipePath: string;
  /** Makes this folder the run itself; without it one is made under `output.directory`. */
  readonly out?: string | undefined;
  readonly only?: string | undefined;
  readonly allowNonfinite?: boolean | undefined;
  /** Changes to the resolved recipe, such as another form of output for an export. */
  readonly adapt?: ((recipe: Recipe) => Recipe) | undefined;
  readonly command: readonly string[];
  readonly version: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: MergeProgress) => void) | undefined;
  /** Called once the run directory is there, with its final path. */
  readonly onStart?: ((path: string, problems: readonly Problem[]) => void) | undefined;
}

export interface MergeProgress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  readonly unit: 'bytes' | 'tensors';
}

export type MergeOutcome =
  | { readonly kind: 'refused'; readonly checked: CheckedRecipe }
  | {
      readonly kind: 'done';
      /** Absolute path of the run. */
      readonly path: string;
      readonly report: MergeReport;
      readonly checked: CheckedRecipe;
      readonly warnings: readonly string[];
    };

/**
 * Checks a recipe and merges it into a run directory (product §5). A recipe with errors gives
 * `refused` and leaves nothing; bad data found while reading throws and leaves nothing either;
 * failures of the system keep the record of the run without its half-written result.
 */
export async function runMerge(request: MergeRequest): Promise<MergeOutcome> {
  const { recipePath, signal, only, adapt } = request;
  const checked = await checkRecipeFile(recipePath, { signal, only, adapt });
  if (!checked.plan || !checked.inputs) return { kind: 'refused', checked };
  const run = startRun(request, checked);
  request.onStart?.(run.path, checked.problems);
  try {
    const { report, warnings } = await mergeInto(run, request, checked);
    run.publish();
    return { kind: 'done', path: run.path, report, checked, warnings };
  } catch (error) {
    abandon(run, error);
    throw error;
  }
}

function startRun({ out, command, version }: MergeRequest, checked: CheckedRecipe): RunDirectory {
  const { recipe, path } = checked;
  const folder = resolve(dirname(path), recipe.output.directory);
  return RunDirectory.create({
    path: out === undefined ? join(folder, runId(recipe.name)) : resolve(out),
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
): Promise<{ report: MergeReport; warnings: readonly string[] }> {
  const { recipe, inputs, plan } = checked;
  if (!plan || !inputs) throw new RangeError('a refused recipe cannot be merged');
  for (const { code, message, severity } of checked.problems)
    if (severity === 'warning') run.emit({ type: 'warning', code, message });
  run.startPhase('merge');
  run.clear();
  const output = planFor(plan, run.file('merged'));
  const { report, warnings } = await executeMerge(output.plan, {
    folder: output.folder,
    recipe,
    allowNonfinite: request.allowNonfinite ?? false,
    signal: request.signal,
    onProgress: (progress) => {
      run.emit({ type: 'progress', ...progress });
      request.onProgress?.(progress);
    },
  });
  for (const message of warnings) run.emit({ type: 'warning', code: 'MV413', message });
  const manifest = await finishMerged({ recipe, inputs, plan, output, signal: request.signal });
  run.endPhase('merge', 'done');
  writeRunFiles(run, { checked, manifest, report, version: request.version });
  return { report, warnings };
}

/** What stays of a run that did not end well depends on whose fault it was. */
function abandon(run: RunDirectory, error: unknown): void {
  if (error instanceof Cancelled) run.cancel();
  else if (error instanceof MergeError && error.fault !== 'system') run.discard();
  else run.fail(describe(error));
}

function describe(error: unknown): { code: string; message: string } {
  if (error instanceof MergeError) return { code: error.code, message: error.message };
  return { code: 'MV532', message: error instanceof Error ? error.message : String(error) };
}

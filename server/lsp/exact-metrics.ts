import { describeInputs } from '../jobs/run-files';
import type { MeasuredParts } from '../protocol/report';
import type { Recipe } from '../recipe/schema';
import type { MetricsAnswer, ReportDetail } from './conflict-metrics';
import { resolvedRecipe, type Analysis } from './documents';
import type { RecipeFiles } from './files';
import type { LoadedFiles } from './load-files';
import type { RunWatch, WatchedMerge, WatchedRun } from './run-watch';

type Measured = WatchedRun & { readonly merge: WatchedMerge };

/** What finished runs measured, for recipes whose checkpoints are still those that were merged. */
export class ExactMetrics {
  constructor(
    private readonly runs: RunWatch,
    private readonly files: RecipeFiles,
  ) {}

  /** Numbers of the newest run that merged what the text says now. */
  report(analysis: Analysis, how?: ReportDetail): MetricsAnswer {
    const now = resolvedRecipe(analysis);
    const wanted = mergeKey(how?.change?.(now) ?? now);
    const run = this.#find(analysis, ({ recipe }) => mergeKey(recipe) === wanted);
    if (!run) return { state: 'none' };
    const { path, name } = run.summary;
    return { state: 'ready', report: run.merge.report, source: { kind: 'exact', run: path, name } };
  }

  /** What a running merge of what the text says now has measured so far. */
  measuring(analysis: Analysis, how?: ReportDetail): MeasuredParts | undefined {
    const now = resolvedRecipe(analysis);
    const wanted = mergeKey(how?.change?.(now) ?? now);
    return this.runs
      .list()
      .filter(({ summary }) => summary.recipe === analysis.path)
      .map(({ measuring }) => measuring)
      .find((one) => one && this.#isOf(analysis, one) && mergeKey(one.recipe) === wanted)?.report;
  }

  /** The newest run that differs in λ, α and density at most: a yardstick for estimates. */
  yardstick(analysis: Analysis): Measured | undefined {
    const wanted = methodKey(resolvedRecipe(analysis));
    return this.#find(analysis, ({ recipe }) => methodKey(recipe) === wanted);
  }

  /** The newest run of the same tensors of the same checkpoints, whatever its method. */
  sameInputs(analysis: Analysis): Measured | undefined {
    const wanted = inputsKey(resolvedRecipe(analysis));
    return this.#find(analysis, ({ recipe }) => inputsKey(recipe) === wanted);
  }

  #find(analysis: Analysis, matches: (merge: WatchedMerge) => boolean): Measured | undefined {
    return this.runs
      .list()
      .find(
        (run): run is Measured =>
          run.merge !== undefined &&
          run.summary.recipe === analysis.path &&
          this.#isOf(analysis, run.merge) &&
          matches(run.merge),
      );
  }

  /** A merge of everything, from the checkpoints as they are now. */
  #isOf(analysis: Analysis, merge: WatchedMerge<unknown>): boolean {
    const loaded = this.files.loaded(analysis);
    return merge.whole && (loaded === undefined || isUnchanged(merge, loaded));
  }
}

const described = new WeakMap<LoadedFiles, readonly string[]>();

/** The checkpoints of now, as runs keep theirs. */
function inputsOf(loaded: LoadedFiles): readonly string[] {
  const known =
    described.get(loaded) ?? describeInputs(loaded.inputs).map((input) => JSON.stringify(input));
  described.set(loaded, known);
  return known;
}

/** True when every checkpoint that is there is the one that was merged; where none may be read, all are. */
function isUnchanged({ inputs }: WatchedMerge<unknown>, loaded: LoadedFiles): boolean {
  return inputsOf(loaded).every((input) => inputs.has(input));
}

/** Equal for recipes that merge the same things in the same way. */
function mergeKey({ base, experts, merge, masks }: Recipe): string {
  return JSON.stringify([base, experts, merge, masks]);
}

function methodKey(recipe: Recipe): string {
  const { merge, masks } = recipe;
  return mergeKey({
    ...recipe,
    merge: { ...merge, alpha: 1, density: 1 },
    masks: masks === 'none' || masks.rule !== 'tall' ? masks : { ...masks, lambda: {} },
  });
}

function inputsKey({ base, experts, merge, heads }: Recipe): string {
  const paths = experts.map(({ task, path, adapter }) => [task, path, adapter]);
  return JSON.stringify([base, paths, merge.scope, heads, merge.method === 'wudi']);
}

import { planMerge } from '../engine/plan';
import type { TensorJob } from '../engine/plan-types';
import type { SketchReport } from '../engine/sketch/evaluate';
import type { GroupFigures } from '../engine/sketch/figures';
import { sketchPlan } from '../engine/sketch/plan';
import { SketchClient } from '../jobs/sketch/client';
import type { SketchProgress, ToSketchThread } from '../jobs/sketch/messages';
import { isMethodName, parametersOf } from '../recipe/methods';
import { hasErrors } from '../recipe/problems';
import type { Recipe } from '../recipe/schema';
import { Answers } from './answers';
import type {
  ConflictMetrics,
  CurveQuestion,
  MetricsAnswer,
  MetricsCurve,
  ReportDetail,
  Yardstick,
} from './conflict-metrics';
import { resolvedRecipe, type Analysis } from './documents';
import type { ExactMetrics } from './exact-metrics';
import type { RecipeFiles } from './files';
import { withExactInputs, withMeasuredParts } from './known-inputs';
import type { LoadedFiles } from './load-files';
import { waitFor } from './patience';

/** A quick answer that takes longer is told to everybody: whoever asked has stopped waiting. */
const quickPatienceMs = 1000;

/** Answers that are remembered for one recipe. */
const mostReports = 48;
const mostCurves = 12;

export interface SketchMetricsOptions {
  readonly files: RecipeFiles;
  /** Numbers of finished runs, which replace estimates of the same merge. */
  readonly exact: ExactMetrics;
  /** Folder for samples; undefined while the editor has named none. */
  readonly folder: () => string | undefined;
  readonly warn: (message: string) => void;
}

/** What is known of one open recipe's zoo. */
interface Zoo {
  readonly key: string;
  readonly loaded: LoadedFiles;
  /** Tasks whose checkpoints can be read, and every tensor of theirs. */
  readonly tasks: readonly string[];
  readonly jobs: readonly TensorJob[];
  readonly started: number;
  readonly seconds?: number;
  readonly progress?: SketchProgress;
  readonly failure?: string;
  /** Resolves with the first round. */
  readonly begun: Promise<void>;
  readonly reports: Answers<SketchReport>;
  readonly curves: Answers<readonly GroupFigures[]>;
}

/** Estimates from a sample of the checkpoints, taken and evaluated on a thread of its own. */
export class SketchMetrics implements ConflictMetrics {
  readonly #zoos = new Map<string, Zoo>();
  /** Recipes that are not read because somebody said so before there was a first round. */
  readonly #stopped = new Set<string>();
  readonly #listeners: ((uri: string) => void)[] = [];
  /** Ends the wait for a zoo's first round. */
  readonly #firstRounds = new Map<string, () => void>();
  readonly #client: SketchClient;

  constructor(private readonly options: SketchMetricsOptions) {
    this.#client = new SketchClient({
      onRound: (progress) => this.#update(progress.key, (zoo) => nextRound(zoo, progress)),
      onFailure: ({ key, message }) => {
        options.warn(message);
        this.#update(key, (zoo) => ({ ...zoo, failure: message }));
      },
    });
  }

  report(analysis: Analysis, how: ReportDetail = { detail: 'all', quick: false }): MetricsAnswer {
    const exact = this.options.exact.report(analysis, how);
    if (exact.state === 'ready') return exact;
    if (this.#stopped.has(analysis.uri))
      return { state: 'none', reason: 'reading the sample was stopped' };
    const zoo = this.#zooOf(analysis);
    if (!zoo) return this.#withoutZoo(analysis);
    if (zoo.failure !== undefined) return { state: 'none', reason: zoo.failure };
    const now = resolvedRecipe(analysis);
    const report = this.#ask(analysis, zoo, how.change?.(now) ?? now, how);
    if (!report) return reading(zoo);
    return {
      state: 'ready',
      report: this.#withKnown(analysis, report, how),
      source: { kind: 'estimate', share: report.share, seconds: zoo.seconds ?? 0 },
      merged: report.merged,
    };
  }

  curve(analysis: Analysis, { grid, at }: CurveQuestion): MetricsCurve | undefined {
    const zoo = this.#zooOf(analysis);
    if (!zoo?.progress) return undefined;
    const recipes = grid.map((value) => present(at(value)(resolvedRecipe(analysis)), zoo));
    const plans = () => recipes.map((recipe) => sketchPlan(zoo.jobs, recipe));
    const totals = zoo.curves.get(
      recipes.map(questionOf).join('\n'),
      () => this.#client.sweep(zoo.key, plans()),
      (ms) => {
        if (ms > quickPatienceMs) this.#tell(analysis.uri);
      },
    );
    if (!totals) return undefined;
    const active = (task: string): number[] =>
      totals.map((total) => perElement(total.active?.[task], total.elements));
    return {
      grid,
      active: Object.fromEntries(zoo.tasks.map((task) => [task, active(task)])),
      selfish: totals.map((total) => total.selfish_of_retained ?? 0),
    };
  }

  withMethod(analysis: Analysis, method: string): SketchReport | undefined {
    const zoo = this.#zooOf(analysis);
    if (!zoo || !isMethodName(method)) return undefined;
    const now = resolvedRecipe(analysis);
    const merge = { ...now.merge, ...parametersOf(method), method };
    const changed = method === now.merge.method ? now : { ...now, merge };
    return this.#ask(analysis, zoo, changed, { detail: 'none', quick: true });
  }

  /** Resolves when nothing is being computed for a recipe, or after `milliseconds`. */
  async settled(analysis: Analysis, milliseconds: number): Promise<void> {
    const zoo = this.#zoos.get(analysis.uri);
    if (!zoo) return;
    const coming = zoo.progress ? [...zoo.reports.coming, ...zoo.curves.coming] : [zoo.begun];
    await waitFor(Promise.all(coming), milliseconds);
  }

  yardstick(analysis: Analysis): Yardstick | undefined {
    const run = this.options.exact.yardstick(analysis);
    return run && { name: run.summary.name, recipe: run.merge.recipe, report: run.merge.report };
  }

  /** What was read stays; nothing more is read before `again`. */
  stop(uri: string): void {
    const zoo = this.#zoos.get(uri);
    if (zoo) this.#client.stop(zoo.key);
    if (zoo?.progress) return;
    this.#stopped.add(uri);
    this.#tell(uri);
  }

  again(uri: string): void {
    this.forget(uri);
    this.options.files.refresh();
    this.#tell(uri);
  }

  forget(uri: string): void {
    const zoo = this.#zoos.get(uri);
    if (zoo) this.#client.forget(zoo.key);
    this.#zoos.delete(uri);
    this.#stopped.delete(uri);
  }

  onDidChange(listener: (uri: string) => void): void {
    this.#listeners.push(listener);
  }

  dispose(): void {
    this.#client.dispose();
  }

  /** What keeps a recipe from having a zoo. */
  #withoutZoo(analysis: Analysis): MetricsAnswer {
    const { files } = this.options;
    if (files.reading(analysis)) return noBytesYet;
    const fault = files.loaded(analysis)?.findings.find(({ severity }) => severity === 'error');
    return fault && !hasErrors(analysis.problems)
      ? { state: 'none', reason: fault.message }
      : { state: 'none' };
  }

  /** The zoo of a recipe without errors. */
  #zooOf(analysis: Analysis): Zoo | undefined {
    const { files } = this.options;
    const loaded = files.loaded(analysis);
    const known = this.#zoos.get(analysis.uri);
    if (!loaded || hasErrors(analysis.problems)) return undefined;
    if (known?.loaded === loaded) return known;
    // Headers of other files are on their way: what is known of the same tasks holds until then.
    if (files.reading(analysis)) return known && sameTasks(analysis, known) ? known : undefined;
    return this.#open(analysis, loaded, known);
  }

  /** Starts sampling, when the files are others than before. */
  #open(analysis: Analysis, loaded: LoadedFiles, known: Zoo | undefined): Zoo | undefined {
    const { uri } = analysis;
    const found = zooIn(resolvedRecipe(analysis), loaded);
    if (!found) return undefined;
    const { request, ...parts } = found;
    const key = `${uri}\u0000${JSON.stringify([parts.tasks, request.files.map(({ path, size, mtimeMs, headerHash }) => [path, size, mtimeMs, headerHash])])}`;
    if (known?.key === key) {
      const same = { ...known, ...parts, loaded };
      this.#zoos.set(uri, same);
      return same;
    }
    if (known) this.#client.forget(known.key);
    const begun = new Promise<void>((resolve) => this.#firstRounds.set(key, resolve));
    const reports = new Answers<SketchReport>(mostReports);
    const curves = new Answers<readonly GroupFigures[]>(mostCurves);
    const zoo: Zoo = { key, loaded, ...parts, started: Date.now(), begun, reports, curves };
    this.#zoos.set(uri, zoo);
    this.#client.build({ key, request, folder: this.options.folder() });
    return zoo;
  }

  /** What runs have measured, of these checkpoints or of this very recipe, in place of estimates. */
  #withKnown(analysis: Analysis, report: SketchReport, how: ReportDetail): SketchReport {
    const { exact } = this.options;
    const measured = exact.sameInputs(analysis)?.merge.report;
    const known = measured ? withExactInputs(report, measured) : report;
    const parts = exact.measuring(analysis, how);
    return parts ? withMeasuredParts(known, parts) : known;
  }

  #ask(
    { uri }: Analysis,
    zoo: Zoo,
    recipe: Recipe,
    { detail, quick }: Pick<ReportDetail, 'detail' | 'quick'>,
  ): SketchReport | undefined {
    if (!zoo.progress) return undefined;
    const asked = present(recipe, zoo);
    return zoo.reports.get(
      JSON.stringify([questionOf(asked), detail, quick]),
      () => this.#client.evaluate(zoo.key, sketchPlan(zoo.jobs, asked), { detail, quick }),
      (ms) => {
        // Who asks quickly waits for the answer; telling everybody would draw all hints again each time.
        if (!quick || ms > quickPatienceMs) this.#tell(uri);
      },
    );
  }

  #update(key: string, change: (zoo: Zoo) => Zoo): void {
    this.#firstRounds.get(key)?.();
    this.#firstRounds.delete(key);
    for (const [uri, zoo] of this.#zoos) {
      if (zoo.key !== key) continue;
      this.#zoos.set(uri, change(zoo));
      this.#tell(uri);
    }
  }

  #tell(uri: string): void {
    for (const listener of this.#listeners) listener(uri);
  }
}

const noBytesYet = { state: 'reading', bytesRead: 0, bytesTotal: 0 } as const;

type BuildRequest = Extract<ToSketchThread, { kind: 'build' }>['request'];

/**
 * The tasks that can be read, and every tensor that any scope could name, so that editing the scope reads
 * nothing. An expert that is missing or does not fit is left out; without a layout there is nothing.
 */
function zooIn(
  recipe: Recipe,
  { layout, findings, inputs }: LoadedFiles,
): (Pick<Zoo, 'tasks' | 'jobs'> & { request: BuildRequest }) | undefined {
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (layout === undefined || errors.some(({ recipePath }) => recipePath[0] !== 'experts'))
    return undefined;
  const failed = new Set(errors.map(({ recipePath }) => recipePath[1]));
  const experts = inputs.experts.filter(({ task }) => !failed.has(task));
  const tasks = experts.map(({ task }) => task);
  if (tasks.length === 0) return undefined;
  const scope = { components: null, blocks: null, include: null, exclude: [] };
  const method = 'task_arithmetic';
  const merge = { ...recipe.merge, ...parametersOf(method), method, scope } as const;
  const whole = present({ ...recipe, merge }, { tasks });
  const { jobs, files } = planMerge(whole, { ...inputs, experts }).value;
  const merged = jobs.filter(({ rule }) => rule.kind === 'merge');
  return { tasks, jobs, request: { tasks, jobs: merged, files } };
}

const sameTasks = ({ recipe }: Analysis, { tasks }: Zoo): boolean =>
  recipe.tasks.length === tasks.length && recipe.tasks.every((task, i) => task === tasks[i]);

/** The recipe without the experts that cannot be read. */
function present(recipe: Recipe, { tasks }: Pick<Zoo, 'tasks'>): Recipe {
  const experts = recipe.experts.filter(({ task }) => tasks.includes(task));
  return { ...recipe, experts };
}

/** What of a recipe decides its numbers, its files being the same. */
function questionOf({ merge, masks, experts, heads, router, base }: Recipe): string {
  return JSON.stringify([merge, masks, experts, heads, router, base]);
}

function nextRound(zoo: Zoo, progress: SketchProgress): Zoo {
  zoo.reports.clear();
  zoo.curves.clear();
  return { ...zoo, progress, seconds: (Date.now() - zoo.started) / 1000 };
}

function perElement(
  figure: SketchReport['total']['norm'][string] | undefined,
  elements: number,
): number {
  if (figure === undefined || elements === 0) return 0;
  return (typeof figure === 'number' ? figure : figure.value) / elements;
}

function reading({ jobs, tasks, progress }: Zoo): MetricsAnswer {
  const bytes = jobs.reduce((sum, { elements }) => sum + 2 * elements * (tasks.length + 1), 0);
  const bytesTotal = Math.min(bytes, 0.01 * bytes + 64 * 1024 * 1024);
  return { state: 'reading', bytesRead: progress?.bytesRead ?? 0, bytesTotal };
}

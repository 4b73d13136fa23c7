import { planMerge } from '../engine/plan';
import type { MergePlan } from '../engine/plan-types';
import type { SketchPlan, SketchReport } from '../engine/sketch/evaluate';
import { SketchClient } from '../jobs/sketch/client';
import type { Detail, SketchProgress } from '../jobs/sketch/messages';
import { isMethodName, parametersOf } from '../recipe/methods';
import { resolveRecipe } from '../recipe/resolve';
import type { Recipe } from '../recipe/schema';
import type {
  ConflictMetrics,
  ReportDetail,
  CurveParameter,
  MetricsAnswer,
  MetricsCurve,
} from './conflict-metrics';
import type { Analysis } from './documents';
import type { RecipeFiles } from './files';
import type { LoadedFiles } from './load-files';
import { planOf } from './plan';

/** A quick answer that takes longer is told to everybody: whoever asked has stopped waiting. */
const quickPatienceMs = 1000;

/** Answers that are remembered for one recipe. */
const maximumAnswers = 48;

export interface SketchMetricsOptions {
  readonly files: RecipeFiles;
  /** Numbers of finished runs, which replace estimates of the same merge. */
  readonly exact: ConflictMetrics;
  /** Folder for samples; undefined while the editor has named none. */
  readonly folder: () => string | undefined;
  readonly warn: (message: string) => void;
}

/** What is known of one open recipe's zoo. */
interface Zoo {
  readonly key: string;
  readonly loaded: LoadedFiles;
  readonly started: number;
  readonly seconds?: number;
  readonly progress?: SketchProgress;
  readonly failure?: string;
  /** Reports by what was asked; the newest last. */
  readonly answers: Map<string, SketchReport>;
  readonly pending: Map<string, Promise<void>>;
}

/** A recipe with some of its merge changed, as the same zoo would give it. */
export type RecipeChange = (recipe: Recipe) => Recipe;

/** Estimates from a sample of the checkpoints, taken and evaluated on a thread of its own. */
export class SketchMetrics implements ConflictMetrics {
  readonly #zoos = new Map<string, Zoo>();
  readonly #listeners: ((uri: string) => void)[] = [];
  /** Ends the wait for a zoo's first round. */
  readonly #firstRounds = new Map<string, () => void>();
  readonly #client: SketchClient;

  constructor(private readonly options: SketchMetricsOptions) {
    this.#client = new SketchClient({
      onRound: (progress) => this.#update(progress.key, (zoo) => this.#nextRound(zoo, progress)),
      onFailure: ({ key, message }) => {
        options.warn(message);
        this.#update(key, (zoo) => ({ ...zoo, failure: message }));
      },
    });
  }

  report(recipe: Analysis, how: ReportDetail = { detail: 'all', quick: false }): MetricsAnswer {
    const exact = this.options.exact.report(recipe);
    if (exact.state === 'ready') return exact;
    const zoo = this.#zooOf(recipe);
    const plan = zoo && planOf(recipe, zoo.loaded)?.value;
    return zoo && plan ? this.#estimate(recipe, zoo, { plan, ...how }) : { state: 'none' };
  }

  curve(
    recipe: Analysis,
    parameter: CurveParameter,
    grid: readonly number[],
  ): MetricsCurve | undefined {
    const reports = grid.map((value) =>
      this.variant(recipe, (now) => withParameter(now, parameter, value), {
        detail: 'none',
        quick: true,
      }),
    );
    if (reports.some((report) => report === undefined)) return undefined;
    const known = reports.flatMap((report) => report ?? []);
    const tasks = known[0]?.tasks ?? [];
    return {
      grid,
      active: Object.fromEntries(
        tasks.map((task) => [
          task,
          known.map(({ total }) => perElement(total.active?.[task], total.elements)),
        ]),
      ),
      selfish: known.map(({ total }) => total.selfish_of_retained ?? 0),
    };
  }

  withMethod(recipe: Analysis, method: string): SketchReport | undefined {
    if (!isMethodName(method)) return undefined;
    const change: RecipeChange = (now) => ({
      ...now,
      merge: { ...now.merge, ...parametersOf(method), method },
    });
    return this.variant(
      recipe,
      method === resolveRecipe(recipe.recipe).merge.method ? (now) => now : change,
      { detail: 'none', quick: true },
    );
  }

  /** The report of a changed recipe; undefined until it is known, when listeners are told. */
  variant(
    recipe: Analysis,
    change: RecipeChange,
    how: { readonly detail: Detail; readonly quick: boolean },
  ): SketchReport | undefined {
    const zoo = this.#zooOf(recipe);
    if (!zoo || planOf(recipe, zoo.loaded) === undefined) return undefined;
    const changed = change(resolveRecipe(recipe.recipe));
    const { value: plan, problems } = planMerge(changed, zoo.loaded.inputs);
    if (problems.some(({ severity }) => severity === 'error')) return undefined;
    return this.#ask(recipe.uri, zoo, { plan, ...how });
  }

  /** Resolves when nothing is being computed for a recipe, or after `milliseconds`. */
  async settled(recipe: Analysis, milliseconds: number): Promise<void> {
    const pending = [...(this.#zoos.get(recipe.uri)?.pending.values() ?? [])];
    if (pending.length === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds);
    });
    await Promise.race([Promise.all(pending), late]);
    clearTimeout(timer);
  }

  stop(uri: string): void {
    const zoo = this.#zoos.get(uri);
    if (zoo) this.#client.stop(zoo.key);
    this.#zoos.delete(uri);
  }

  onDidChange(listener: (uri: string) => void): void {
    this.#listeners.push(listener);
  }

  dispose(): void {
    this.#client.dispose();
  }

  /** Starts sampling when the recipe names other files than before. */
  #zooOf(recipe: Analysis): Zoo | undefined {
    const { uri } = recipe;
    const loaded = this.options.files.loaded(recipe);
    const known = this.#zoos.get(uri);
    if (!loaded || known?.loaded === loaded) return known;
    const request = samplingRequest(recipe, loaded);
    if (!request) return known;
    const key = `${uri}\u0000${JSON.stringify(request.files.map(({ path, size, mtimeMs, headerHash }) => [path, size, mtimeMs, headerHash]))}`;
    if (known?.key === key) {
      const same = { ...known, loaded };
      this.#zoos.set(uri, same);
      return same;
    }
    if (known) this.#client.stop(known.key);
    const zoo: Zoo = { key, loaded, started: Date.now(), answers: new Map(), pending: new Map() };
    this.#zoos.set(uri, zoo);
    zoo.pending.set('', new Promise((resolve) => this.#firstRounds.set(key, resolve)));
    this.#client.build({ key, request, folder: this.options.folder() });
    return zoo;
  }

  #estimate(
    { uri }: Analysis,
    zoo: Zoo,
    question: { plan: MergePlan } & ReportDetail,
  ): MetricsAnswer {
    if (zoo.failure !== undefined) return { state: 'none', reason: zoo.failure };
    const report = this.#ask(uri, zoo, question);
    if (!report || !zoo.progress) return reading(question.plan, zoo);
    const share = zoo.progress.positionsRead / Math.max(1, zoo.progress.positions);
    const source = { kind: 'estimate', share, seconds: zoo.seconds ?? 0 } as const;
    return { state: 'ready', report, source };
  }

  #ask(
    uri: string,
    zoo: Zoo,
    question: { plan: MergePlan; detail: Detail; quick: boolean },
  ): SketchReport | undefined {
    const plan = slim(question.plan);
    const key = JSON.stringify([plan, question.detail, question.quick]);
    const known = zoo.answers.get(key);
    if (known ?? zoo.pending.has(key)) return known;
    if (!zoo.progress) return undefined;
    const began = Date.now();
    const asked = this.#client.evaluate(zoo.key, plan, question).then((report) => {
      zoo.pending.delete(key);
      if (!report) return;
      remember(zoo.answers, key, report);
      // Who asks quickly waits for the answer; telling everybody would draw all hints again each time.
      if (!question.quick || Date.now() - began > quickPatienceMs) this.#tell(uri);
    });
    zoo.pending.set(key, asked);
    return undefined;
  }

  #nextRound(zoo: Zoo, progress: SketchProgress): Zoo {
    // Answers of an earlier round stay until the new ones are there, except that they are asked for again.
    zoo.answers.clear();
    return { ...zoo, progress, seconds: (Date.now() - zoo.started) / 1000 };
  }

  #update(key: string, change: (zoo: Zoo) => Zoo): void {
    this.#firstRounds.get(key)?.();
    this.#firstRounds.delete(key);
    for (const [uri, zoo] of this.#zoos) {
      if (zoo.key !== key) continue;
      zoo.pending.delete('');
      this.#zoos.set(uri, change(zoo));
      this.#tell(uri);
    }
  }

  #tell(uri: string): void {
    for (const listener of this.#listeners) listener(uri);
  }
}

/** Every tensor that any scope could name, so that editing the scope reads nothing. */
function samplingRequest(
  { recipe }: Analysis,
  loaded: LoadedFiles,
): { tasks: readonly string[]; jobs: MergePlan['jobs']; files: MergePlan['files'] } | undefined {
  if (loaded.layout === undefined || loaded.findings.some(({ severity }) => severity === 'error'))
    return undefined;
  const resolved = resolveRecipe(recipe);
  const scope = { components: null, blocks: null, include: null, exclude: [] };
  const merge = {
    ...resolved.merge,
    ...parametersOf('task_arithmetic'),
    method: 'task_arithmetic' as const,
    scope,
  };
  const { tasks, jobs, files } = planMerge({ ...resolved, merge }, loaded.inputs).value;
  return { tasks, jobs: jobs.filter(({ rule }) => rule.kind === 'merge'), files };
}

function slim({ settings, masks, jobs }: MergePlan): SketchPlan {
  return {
    settings,
    masks,
    jobs: jobs.flatMap(({ name, rule }) => (rule.kind === 'merge' ? [{ name, rule }] : [])),
  };
}

function withParameter(recipe: Recipe, parameter: CurveParameter, value: number): Recipe {
  if (parameter !== 'lambda') return { ...recipe, merge: { ...recipe.merge, [parameter]: value } };
  if (recipe.masks === 'none' || recipe.masks.rule !== 'tall') return recipe;
  const lambda = Object.fromEntries(Object.keys(recipe.masks.lambda).map((task) => [task, value]));
  return { ...recipe, masks: { ...recipe.masks, lambda } };
}

function perElement(
  figure: SketchReport['total']['norm'][string] | undefined,
  elements: number,
): number {
  if (figure === undefined || elements === 0) return 0;
  return (typeof figure === 'number' ? figure : figure.value) / elements;
}

function reading(plan: MergePlan, { progress }: Zoo): MetricsAnswer {
  const bytesTotal = Math.min(plan.bytesToRead, 0.01 * plan.bytesToRead + 64 * 1024 * 1024);
  return { state: 'reading', bytesRead: progress?.bytesRead ?? 0, bytesTotal };
}

function remember(answers: Map<string, SketchReport>, key: string, report: SketchReport): void {
  answers.set(key, report);
  for (const oldest of answers.keys()) {
    if (answers.size <= maximumAnswers) return;
    answers.delete(oldest);
  }
}

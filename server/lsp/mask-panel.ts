import type { MergePlan } from '../engine/plan-types';
import type { RecipeEditParams } from '../protocol/methods';
import type {
  Curve,
  CurveRequest,
  LayerAnswer,
  LayerRequest,
  MaskRatioAnswer,
  MaskRatioReply,
  MaskRatioRequest,
  RecipeFacts,
} from '../protocol/panels/mask-ratios';
import { isInside } from '../protocol/panels/mask-ratios';
import type { Fix } from '../protocol/problem';
import { setValue } from '../recipe/edit';
import { splitGlob } from '../recipe/globs';
import { hasErrors } from '../recipe/problems';
import type { Recipe } from '../recipe/schema';
import { recipeHash } from '../runs/header-hash';
import { actionExpertNote } from './action-expert';
import type { MetricsAnswer } from './conflict-metrics';
import type { ServerContext } from './context';
import type { Analysis } from './documents';
import { analyse, resolvedRecipe } from './documents';
import {
  alongAxis,
  movedTo,
  parameterEdits,
  parametersFrom,
  savedParameters,
  usedParameters,
} from './parameters';
import { waitFor } from './patience';
import { planOf } from './plan';
import { readText } from './read-text';
import { unrelatedActive, unrelatedMerge, unrelatedTasks } from './unrelated';

/** Numbers for the mask-ratio panel: of the recipe as it stands, or with parameters moved. */
export async function maskAnswer(
  context: ServerContext,
  request: MaskRatioRequest,
): Promise<MaskRatioReply> {
  const analysis = await analysisOf(context, request.uri);
  const { parameters, change } = movedTo(analysis, request.parameters);
  const how = { detail: 'none' as const, quick: request.quick ?? false, change };
  const found = await answered(context, analysis, () => context.metrics.report(analysis, how));
  const facts = factsOf(context, analysis, found);
  if (found.state === 'reading')
    return {
      state: 'reading',
      bytesRead: found.bytesRead,
      bytesTotal: found.bytesTotal,
      recipe: facts,
    };
  if (found.state === 'none') {
    const otherwise = hasErrors(analysis.problems)
      ? 'the recipe has errors'
      : 'nothing has been read yet';
    return { state: 'none', reason: found.reason ?? otherwise, recipe: facts };
  }
  const unrelated = unrelatedMerge(change(resolvedRecipe(analysis)), found.report.tasks);
  return {
    state: 'ready',
    answer: {
      n: request.n,
      recipe: facts,
      parameters,
      source: sourceOf(found),
      report: { ...found.report, tensors: [] },
      ...(unrelated ? { unrelated: unrelatedTasks(unrelated) } : {}),
    },
  };
}

/** How long a panel waits for one answer before it is told that a sample is being read. */
const patienceMs = 2000;

/** What is being computed is waited for; a sample that is still being read is not. */
async function answered(
  { metrics, files }: ServerContext,
  analysis: Analysis,
  ask: () => MetricsAnswer,
): Promise<MetricsAnswer> {
  const end = Date.now() + patienceMs;
  const left = () => Math.max(0, end - Date.now());
  let answer = ask();
  while (answer.state === 'reading' && left() > 0) {
    await waitFor(files.settled(analysis), left());
    await metrics.settled(analysis, left());
    answer = ask();
  }
  return answer;
}

/** Active ratio over one parameter, or null where the numbers cannot follow it. */
export async function maskCurve(
  context: ServerContext,
  request: CurveRequest,
): Promise<Curve | null> {
  const analysis = await analysisOf(context, request.uri);
  const { parameter, grid } = request;
  const { parameters } = movedTo(analysis, request.parameters);
  const at = (value: number) => movedTo(analysis, alongAxis(parameters, parameter, value)).change;
  const ask = () => context.metrics.curve(analysis, { grid, at });
  if (!ask()) await context.metrics.settled(analysis, patienceMs);
  const curve = ask();
  if (!curve) return null;
  const { tasks } = analysis.recipe;
  const present = Object.keys(curve.active);
  const values = tasks.flatMap((task) =>
    grid.map((_, i) => {
      const figure = curve.active[task]?.[i];
      return typeof figure === 'number' ? figure : (figure?.value ?? null);
    }),
  );
  const unrelated = grid.map((value) =>
    unrelatedActive(unrelatedMerge(at(value)(resolvedRecipe(analysis)), present)),
  );
  return {
    parameter,
    grid,
    values,
    ...(unrelated.every((share) => share !== undefined) ? { unrelated } : {}),
    ...(joint(resolvedRecipe(analysis)) ? { joint: true } : {}),
  };
}

const joint = ({ masks }: Recipe): boolean =>
  masks !== 'none' && masks.rule === 'tall' && masks.consensus > 0;

/** The tensors of a component that are in a block, in a range, or in none. */
export async function maskLayer(
  context: ServerContext,
  request: LayerRequest,
): Promise<LayerAnswer> {
  const analysis = await analysisOf(context, request.uri);
  const { change } = movedTo(analysis, request.parameters);
  const how = { detail: 'all' as const, quick: false, change };
  const found = await answered(context, analysis, () => context.metrics.report(analysis, how));
  if (found.state !== 'ready') return { n: request.n, tensors: [] };
  const tensors = found.report.tensors.filter((tensor) => isInside(tensor, request));
  return { n: request.n, tensors };
}

/** Exact numbers of a run at its own λ, α and density, to read estimates against. */
export async function maskYardstick(
  context: ServerContext,
  uri: string,
): Promise<MaskRatioAnswer | null> {
  const analysis = await analysisOf(context, uri);
  const found = context.metrics.yardstick(analysis);
  if (!found) return null;
  const { report, name, recipe } = found;
  const { merge, masks } = recipe;
  const lambdas = masks !== 'none' && masks.rule === 'tall' ? masks.lambda : {};
  const parameters = parametersFrom(lambdas, merge);
  return {
    n: 0,
    recipe: factsOf(context, analysis, { state: 'none' }),
    parameters,
    source: { kind: 'exact', run: name },
    report: { ...report, tensors: [] },
  };
}

/** Edits that write values, or leave a glob out of the merge. */
export async function recipeEdits(
  context: ServerContext,
  { uri, values, exclude, device }: RecipeEditParams,
): Promise<Fix['edits']> {
  const recipe = await analysisOf(context, uri);
  const saved = savedParameters(recipe);
  const wanted = values.flatMap((value) => parameterEdits(recipe, value, saved));
  const before = recipe.recipe.recipe.merge?.scope?.exclude ?? [];
  const left = exclude
    ? setValue(recipe.recipe, ['merge', 'scope', 'exclude'], [...before, ...splitGlob(exclude)])
    : [];
  const run = device === undefined ? [] : setValue(recipe.recipe, ['run', 'device'], device);
  return [...wanted, ...left, ...run];
}

async function analysisOf(context: ServerContext, uri: string): Promise<Analysis> {
  return context.documents.get(uri) ?? analyse(uri, await readText(uri));
}

function factsOf(context: ServerContext, recipe: Analysis, found: MetricsAnswer): RecipeFacts {
  const { recipe: parsed, tasks } = recipe.recipe;
  const method = parsed.merge?.method ?? 'task_arithmetic';
  const plan = planOf(recipe, context.files.loaded(recipe))?.value;
  const actionExpert = plan && actionExpertNote(plan);
  return {
    name: parsed.name ?? nameOf(recipe),
    hash: recipeHash(recipe.recipe.text),
    method,
    tasks,
    ...sizeOf(found, tasks),
    tensors: mergedTensors(plan, found),
    saved: savedParameters(recipe),
    uses: usedParameters(recipe),
    ...(actionExpert === undefined ? {} : { actionExpert }),
  };
}

/** What the numbers are about; nothing before there are any. */
function sizeOf(found: MetricsAnswer, tasks: readonly string[]) {
  if (found.state !== 'ready') return { missing: [], elements: 0 };
  const { report } = found;
  return {
    missing: tasks.filter((task) => !report.tasks.includes(task)),
    elements: report.total.elements,
  };
}

/** Tensors of the plan, or of the sample where a missing expert leaves no plan. */
function mergedTensors(plan: MergePlan | undefined, found: MetricsAnswer): number {
  if (plan) return plan.jobs.filter(({ rule }) => rule.kind === 'merge').length;
  return found.state === 'ready' ? (found.merged ?? 0) : 0;
}

function nameOf({ uri }: Analysis): string {
  const file = decodeURIComponent(uri.split('/').at(-1) ?? '');
  return file.replace(/\.mergevla\.ya?ml$/, '');
}

function sourceOf(found: Extract<MetricsAnswer, { state: 'ready' }>) {
  const { source, report } = found;
  return source.kind === 'exact'
    ? { kind: 'exact' as const, run: source.name }
    : {
        kind: 'estimate' as const,
        fractionRead: source.share,
        positionsRead: Math.round(source.share * report.total.elements),
      };
}

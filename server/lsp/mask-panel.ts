import { TextDocument } from 'vscode-languageserver-textdocument';
import type { RecipeEditParams } from '../protocol/methods';
import type {
  Curve,
  CurveRequest,
  LayerAnswer,
  LayerRequest,
  MaskRatioReply,
  MaskRatioRequest,
  MergeParameters,
  ParameterName,
  RecipeFacts,
} from '../protocol/panels/mask-ratios';
import type { Fix } from '../protocol/problem';
import { setValue } from '../recipe/edit';
import { methodsUsing } from '../recipe/methods';
import type { MetricsAnswer } from './conflict-metrics';
import type { ServerContext } from './context';
import { toEdits } from './convert';
import type { Analysis } from './documents';
import { analyse } from './documents';
import { planOf } from './plan';
import { readText } from './read-text';
import { unrelatedActive, unrelatedTasks } from './unrelated';

const paths: Readonly<Record<ParameterName, readonly string[]>> = {
  lambda: ['masks', 'lambda'],
  alpha: ['merge', 'alpha'],
  density: ['merge', 'density'],
};
const names = ['lambda', 'alpha', 'density'] as const;

/** Numbers for the mask-ratio panel: of the recipe as it stands, or with parameters moved. */
export async function maskAnswer(
  context: ServerContext,
  request: MaskRatioRequest,
): Promise<MaskRatioReply> {
  const recipe = await analysisOf(context, request.uri);
  const saved = savedParameters(recipe);
  const parameters = { ...saved, ...request.parameters };
  const now = moved(recipe, parameters);
  const how = { detail: 'none' as const, quick: now !== recipe };
  const found = await answered(context, now, () => context.metrics.report(now, how));
  const facts = factsOf(context, recipe, found);
  if (found.state === 'reading')
    return {
      state: 'reading',
      bytesRead: found.bytesRead,
      bytesTotal: found.bytesTotal,
      recipe: facts,
    };
  if (found.state === 'none')
    return { state: 'none', reason: found.reason ?? 'nothing has been read yet', recipe: facts };
  // A run's numbers belong to the run's own parameters.
  if (found.source.kind === 'exact' && names.some((name) => parameters[name] !== saved[name]))
    return { state: 'none', reason: 'only the finished run is known', recipe: facts };
  const plain = facts.method === 'task_arithmetic';
  return {
    state: 'ready',
    answer: {
      n: request.n,
      recipe: facts,
      parameters,
      source: sourceOf(found),
      report: { ...found.report, tensors: [] },
      ...(plain
        ? { unrelated: unrelatedTasks(facts.tasks.length, parameters.lambda, parameters.alpha) }
        : {}),
    },
  };
}

/** How long a panel waits for one answer before it is told that a sample is being read. */
const patienceMs = 2000;

/** What is being computed is waited for; a sample that is still being read is not. */
async function answered(
  { metrics }: ServerContext,
  recipe: Analysis,
  ask: () => MetricsAnswer,
): Promise<MetricsAnswer> {
  const first = ask();
  if (first.state !== 'reading') return first;
  await metrics.settled(recipe, patienceMs);
  return ask();
}

/** Active ratio over one parameter, or null where the numbers cannot follow it. */
export async function maskCurve(
  context: ServerContext,
  request: CurveRequest,
): Promise<Curve | null> {
  const recipe = await analysisOf(context, request.uri);
  const parameters = { ...savedParameters(recipe), ...request.parameters };
  const { parameter, grid } = request;
  const now = moved(recipe, parameters);
  const known = context.metrics.curve(now, parameter, grid);
  if (!known) await context.metrics.settled(now, patienceMs);
  const curve = known ?? context.metrics.curve(now, parameter, grid);
  if (!curve) return null;
  const tasks = recipe.recipe.tasks;
  const values = tasks.flatMap((task) =>
    curve.grid.map((_, i) => {
      const figure = curve.active[task]?.[i];
      return typeof figure === 'number' ? figure : (figure?.value ?? 0);
    }),
  );
  const plain = recipe.recipe.recipe.merge?.method ?? 'task_arithmetic';
  const unrelated =
    plain === 'task_arithmetic' && parameter === 'lambda'
      ? { unrelated: curve.grid.map((x) => unrelatedActive(tasks.length, x, parameters.alpha)) }
      : {};
  return { parameter, grid: curve.grid, values, ...unrelated };
}

/** The tensors of one block, of a range, or of a component without blocks. */
export async function maskLayer(
  context: ServerContext,
  request: LayerRequest,
): Promise<LayerAnswer> {
  const recipe = await analysisOf(context, request.uri);
  const parameters = { ...savedParameters(recipe), ...request.parameters };
  const now = moved(recipe, parameters);
  const found = await answered(context, now, () => context.metrics.report(now));
  if (found.state !== 'ready') return { n: request.n, tensors: [] };
  const { component, from, to } = request;
  const tensors = found.report.tensors.filter(
    (tensor) =>
      tensor.component === component &&
      (from === null || (tensor.block !== null && tensor.block >= from)) &&
      (to === null || (tensor.block !== null && tensor.block <= to)),
  );
  return { n: request.n, tensors };
}

/** Edits that write values, or leave a glob out of the merge. */
export async function recipeEdits(
  context: ServerContext,
  { uri, values, exclude, device }: RecipeEditParams,
): Promise<Fix['edits']> {
  const recipe = await analysisOf(context, uri);
  const parameters = { ...savedParameters(recipe) };
  const wanted = values.flatMap(({ parameter, value }) =>
    setParameter(recipe, parameter, [value, parameters[parameter]]),
  );
  const before = recipe.recipe.recipe.merge?.scope?.exclude ?? [];
  const left = exclude
    ? setValue(recipe.recipe, ['merge', 'scope', 'exclude'], [...before, exclude])
    : [];
  const run = device === undefined ? [] : setValue(recipe.recipe, ['run', 'device'], device);
  return [...wanted, ...left, ...run];
}

async function analysisOf(context: ServerContext, uri: string): Promise<Analysis> {
  return context.documents.get(uri) ?? analyse(uri, await readText(uri));
}

/** The recipe with other values, read again from its edited text, so that all defaults and rules hold. */
function moved(recipe: Analysis, parameters: MergeParameters): Analysis {
  const saved = savedParameters(recipe);
  let { text } = recipe.recipe;
  for (const name of names) {
    if (parameters[name] === saved[name]) continue;
    const current = analyse(recipe.uri, text, recipe.version);
    const edits = setParameter(current, name, [parameters[name], saved[name]]);
    const document = TextDocument.create(recipe.uri, 'mergevla', recipe.version, text);
    text = TextDocument.applyEdits(document, toEdits(edits));
  }
  return text === recipe.recipe.text ? recipe : analyse(recipe.uri, text, recipe.version);
}

/** A λ for each task moves by the same factor. */
function setParameter(
  recipe: Analysis,
  name: ParameterName,
  [value, saved]: readonly [number, number],
): Fix['edits'] {
  const lambda = lambdaOf(recipe);
  if (name !== 'lambda' || typeof lambda !== 'object')
    return setValue(recipe.recipe, [...paths[name]], value);
  const scaled = Object.entries(lambda).map(([task, own]) => [task, (own * value) / (saved || 1)]);
  return setValue(recipe.recipe, [...paths.lambda], Object.fromEntries(scaled));
}

function lambdaOf(recipe: Analysis): number | Readonly<Record<string, number>> | undefined {
  const masks = recipe.recipe.recipe.masks;
  return typeof masks === 'object' ? masks.lambda : undefined;
}

function savedParameters(recipe: Analysis): MergeParameters {
  const merge = recipe.recipe.recipe.merge;
  const lambda = lambdaOf(recipe) ?? 0.6;
  const all = typeof lambda === 'number' ? [lambda] : Object.values(lambda);
  const plain = (value: unknown, otherwise: number) =>
    typeof value === 'number' ? value : otherwise;
  return {
    lambda: all.reduce((sum, value) => sum + value, 0) / Math.max(1, all.length),
    alpha: plain(merge?.alpha, 1),
    density: plain(merge?.density, 1),
  };
}

function factsOf(context: ServerContext, recipe: Analysis, found: MetricsAnswer): RecipeFacts {
  const { recipe: parsed, tasks } = recipe.recipe;
  const method = parsed.merge?.method ?? 'task_arithmetic';
  return {
    name: parsed.name ?? nameOf(recipe),
    method,
    tasks,
    ...sizeOf(found, tasks),
    tensors: mergedTensors(context, recipe),
    saved: savedParameters(recipe),
    uses: {
      lambda: parsed.masks !== 'none' && method !== 'emr',
      alpha: method !== 'emr',
      density: methodsUsing('density').includes(method),
    },
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

function mergedTensors({ files }: ServerContext, recipe: Analysis): number {
  const plan = planOf(recipe, files.loaded(recipe))?.value;
  return plan?.jobs.filter(({ rule }) => rule.kind === 'merge').length ?? 0;
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

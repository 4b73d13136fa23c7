import { InlayHintKind, type InlayHint, type Range } from 'vscode-languageserver';
import { routerFacts } from '../jobs/router-bases';
import type { TextRange } from '../protocol/problem';
import { describeKey } from '../recipe/describe';
import { keyRange, valueRange } from '../recipe/locate';
import { find, type RecipePath } from '../recipe/located';
import { isParameterName, parametersOf } from '../recipe/methods';
import type { RecipeDocument } from '../recipe/parse';
import { resolveRecipe } from '../recipe/resolve';
import { globsOf, inScope } from '../recipe/validate-tensors';
import { numbers } from './checkpoints';
import type { ServerContext } from './context';
import { overlaps, toPosition, toRange } from './convert';
import { resolvedRecipe, type Analysis } from './documents';
import type { LoadedFiles } from './load-files';
import { selfishShare } from './hover-metrics';
import { planOf } from './plan';
import { byGlob, matched } from './tensor-facts';
import { bytes, count, per, percent, plural, valueOf, workedOut } from './text';

/** A hint longer than this would push the text away that it explains. */
const longest = 32;

interface Note {
  readonly path: RecipePath;
  readonly text: string;
  readonly tooltip: string;
}

/** Numbers that follow the text: sizes, matched tensors, resolved defaults, what tasks keep. */
export function inlayHints(context: ServerContext, analysis: Analysis, range: Range): InlayHint[] {
  const notes = [
    ...checkpointNotes(context, analysis),
    ...globNotes(context, analysis),
    ...sizeNotes(context, analysis),
    ...defaultNotes(context, analysis),
    ...idleNotes(analysis),
    ...metricNotes(context, analysis),
  ];
  return notes.flatMap((note) => {
    const place = placeOf(analysis, note.path);
    if (!place || !overlaps(toRange(place), range)) return [];
    return [
      {
        position: toPosition(place.end),
        label: note.text.length > longest ? `${note.text.slice(0, longest - 1)}…` : note.text,
        kind: InlayHintKind.Type,
        paddingLeft: true,
        tooltip: note.tooltip,
      },
    ];
  });
}

/** Behind the value; behind the key of a block; behind the bracket for the only item of a list on one line. */
function placeOf({ recipe }: Analysis, path: RecipePath): TextRange | undefined {
  const own = find(recipe.root, path)?.value;
  if (own && own.kind !== 'scalar' && !own.flow) return lineOf(recipe, path);
  const parent = path.slice(0, -1);
  const list = find(recipe.root, parent)?.value;
  const isOnly = list?.kind === 'list' && list.flow && list.items.length === 1;
  return valueRange(recipe, isOnly ? parent : path);
}

/** From a key to the colon behind it, where a block's own lines begin. */
function lineOf(recipe: RecipeDocument, path: RecipePath): TextRange | undefined {
  const key = keyRange(recipe, path);
  if (!key) return undefined;
  const { line, column } = key.end;
  return { start: key.start, end: { line, column: column + 1 } };
}

function checkpointNotes({ files }: ServerContext, analysis: Analysis): Note[] {
  const base = files.loaded(analysis)?.checkpoints.find(({ role }) => role === 'base');
  if (!base?.checkpoint) return [];
  const { elements, dtype, bytes: size, tensors } = numbers(base.checkpoint);
  return [
    {
      path: ['base'],
      text: `${count(elements)} parameters · ${dtype}`,
      tooltip: `${plural(tensors, 'tensor')}, ${bytes(size)}, from the headers of ${base.written}`,
    },
  ];
}

function globNotes({ files }: ServerContext, analysis: Analysis): Note[] {
  const tensors = files.tensors(analysis) ?? [];
  const checkpoints = files.loaded(analysis)?.checkpoints ?? [];
  if (tensors.length === 0) return [];
  const globs = globsOf(analysis.recipe).map(({ path, glob }) => {
    const { names, elements } = matched(tensors, checkpoints, byGlob(glob));
    return {
      path,
      text: `${plural(names.length, 'tensor')} · ${count(elements)}`,
      tooltip: names.slice(0, 12).join('\n'),
    };
  });
  const { scope } = analysis.recipe.recipe.merge ?? {};
  if (!scope?.blocks || !find(analysis.recipe.root, ['merge', 'scope', 'blocks'])) return globs;
  const inside = matched(tensors, checkpoints, inScope(analysis.recipe));
  const text = `${plural(inside.names.length, 'tensor')} · ${count(inside.elements)}`;
  const tooltip = 'in the whole scope, from headers';
  return [...globs, { path: ['merge', 'scope', 'blocks'], text, tooltip }];
}

/** The size of the result, at the key that decides it most: the form, else the method. */
function sizeNotes({ files }: ServerContext, analysis: Analysis): Note[] {
  const plan = planOf(analysis, files.loaded(analysis))?.value;
  if (!plan) return [];
  const path = ['output.form', 'output', 'merge.method']
    .map((dotted) => dotted.split('.'))
    .find((each) => find(analysis.recipe.root, each)?.value.kind === 'scalar');
  const text = `≤\u00a0${bytes(plan.bytesToWrite)} ${plan.form}`;
  const tooltip = `A merge reads ${bytes(plan.bytesToRead)} and writes at most ${bytes(plan.bytesToWrite)}; tensors that turn out equal to the base are not written.`;
  return path ? [{ path, text, tooltip }] : [];
}

/** What a section means that names only a part of its keys. */
function defaultNotes({ files }: ServerContext, analysis: Analysis): Note[] {
  const { recipe } = analysis;
  const { router, evaluate } = resolveRecipe(recipe);
  const written = recipe.recipe;
  const layout = files.loaded(analysis)?.layout;
  const notes: (Note | false | undefined)[] = [
    router !== 'none' && {
      path: ['router'],
      text: `pairing ${router.pairing}${blockText(analysis, files.loaded(analysis))}`,
      tooltip: `rank ${String(router.rank)}, chosen once ${router.per === 'episode' ? 'an episode' : 'a suite'}; bases from the value projections of that block of the action expert`,
    },
    written.layout === 'auto' &&
      layout !== undefined && {
        path: ['layout'],
        text: layout,
        tooltip: 'decided from names and config.json',
      },
    evaluate !== null &&
      written.evaluate?.seed === undefined && {
        path: ['evaluate', 'episodes'],
        text: `seed ${String(evaluate.seed)}`,
        tooltip: 'the default seed',
      },
  ];
  return notes.filter((note) => typeof note === 'object');
}

/** Which block of the action expert gives the router's bases; a block that is not there has its own finding. */
function blockText(analysis: Analysis, loaded: LoadedFiles | undefined): string {
  try {
    const facts = loaded && routerFacts(resolvedRecipe(analysis), loaded.inputs);
    return facts ? ` · block ${String(facts.valueBlock)}` : '';
  } catch {
    return '';
  }
}

function idleNotes({ recipe }: Analysis): Note[] {
  const merge = recipe.recipe.merge ?? {};
  const method = merge.method ?? 'task_arithmetic';
  const used = parametersOf(method, merge.inner);
  return Object.keys(merge)
    .filter((key) => isParameterName(key) && !(key in used))
    .map((key) => ({
      path: ['merge', key],
      text: `${method} does not use it`,
      tooltip: describeKey(['merge', key])?.doc ?? '',
    }));
}

/** Mean of the tasks' active ratios, and of what is kept the share that one task keeps alone. */
function metricNotes({ metrics }: ServerContext, analysis: Analysis): Note[] {
  const answer = metrics.report(analysis);
  if (answer.state !== 'ready') return [];
  const { total } = answer.report;
  const { active, elements } = total;
  if (!active || elements === 0) return [];
  const source =
    answer.source.kind === 'exact'
      ? `exact, run ${answer.source.name}`
      : `read from ${(100 * answer.source.share).toFixed(1)} % of the positions in ${answer.source.seconds.toFixed(1)} s, 95 % interval`;
  const tasks = Object.entries(active).map(([task, figure]) => ({
    path: ['experts', task],
    text: `${percent(per(figure, elements), { short: true })} active`,
    tooltip: `${percent(per(figure, elements))} of ${count(elements)} weights · ${source}`,
  }));
  const figures = Object.values(active);
  const kept = figures.reduce<number>((sum, figure) => sum + valueOf(figure), 0);
  const mean = workedOut(kept / figures.length / elements, figures);
  const selfish = selfishShare(total);
  const share =
    selfish === undefined ? '' : ` · ${percent(valueOf(selfish), { short: true })} selfish`;
  return [
    ...tasks,
    {
      path: ['masks', 'lambda'],
      text: `${percent(mean, { short: true })} kept${share}`,
      tooltip: `mean over tasks, and the share of it that one task keeps alone · ${source}`,
    },
  ];
}

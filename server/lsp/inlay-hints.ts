import { InlayHintKind, type InlayHint, type Range } from 'vscode-languageserver';
import type { TextRange } from '../protocol/problem';
import { describeKey } from '../recipe/describe';
import { valueRange } from '../recipe/locate';
import { find, type RecipePath } from '../recipe/located';
import { isParameterName, parametersOf } from '../recipe/methods';
import { resolveRecipe } from '../recipe/resolve';
import { globsOf, inScope } from '../recipe/validate-tensors';
import { numbers } from './checkpoints';
import type { ServerContext } from './context';
import { overlaps, toPosition, toRange } from './convert';
import type { Analysis } from './documents';
import { planOf } from './plan';
import { byGlob, matched } from './tensor-facts';
import { bytes, count, per, percent, plural, valueOf, type Figure } from './text';

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

/** Behind the value; behind the bracket for the only item of a list on one line. */
function placeOf({ recipe }: Analysis, path: RecipePath): TextRange | undefined {
  const parent = path.slice(0, -1);
  const list = find(recipe.root, parent)?.value;
  const isOnly = list?.kind === 'list' && list.flow && list.items.length === 1;
  return valueRange(recipe, isOnly ? parent : path);
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
  const base = files.loaded(analysis)?.checkpoints[0];
  if (tensors.length === 0) return [];
  const globs = globsOf(analysis.recipe).map(({ path, glob }) => {
    const { names, elements } = matched(tensors, base, byGlob(glob));
    return {
      path,
      text: `${plural(names.length, 'tensor')} · ${count(elements)}`,
      tooltip: names.slice(0, 12).join('\n'),
    };
  });
  const { scope } = analysis.recipe.recipe.merge ?? {};
  if (!scope?.blocks || !find(analysis.recipe.root, ['merge', 'scope', 'blocks'])) return globs;
  const inside = matched(tensors, base, inScope(analysis.recipe));
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
    router !== 'none' &&
      isShort(analysis, 'router') && {
        path: ['router'],
        text: `pairing ${router.pairing} · per ${router.per}`,
        tooltip: 'resolved defaults of the router',
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

/** Sections in flow form leave room on their line. */
function isShort({ recipe }: Analysis, key: string): boolean {
  const node = find(recipe.root, [key])?.value;
  return node?.kind === 'map' && node.flow;
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
  const { active, coverage, elements } = answer.report.total;
  if (!active || elements === 0) return [];
  const source =
    answer.source.kind === 'exact'
      ? `exact, run ${answer.source.name}`
      : `read from ${(100 * answer.source.share).toFixed(1)} % of the positions, 95 % interval`;
  const tasks = Object.entries(active).map(([task, figure]) => ({
    path: ['experts', task],
    text: `${percent(per(figure, elements), { short: true })} active`,
    tooltip: `${percent(per(figure, elements))} of ${count(elements)} weights · ${source}`,
  }));
  const kept = Object.values(active).reduce<number>((sum, figure) => sum + valueOf(figure), 0);
  const mean: Figure = kept / Object.keys(active).length / elements;
  const selfish = coverage?.[1];
  const retained = coverage?.slice(1).reduce<number>((sum, each) => sum + valueOf(each), 0) ?? 0;
  const about = answer.source.kind === 'estimate' ? '≈\u00a0' : '';
  const share =
    selfish === undefined
      ? ''
      : ` · ${percent(valueOf(selfish) / retained, { short: true })} selfish`;
  return [
    ...tasks,
    {
      path: ['masks', 'lambda'],
      text: `${about}${percent(mean, { short: true })} kept${share}`,
      tooltip: `mean over tasks, and the share of it that one task keeps alone · ${source}`,
    },
  ];
}

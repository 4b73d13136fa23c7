import type { PairView, TensorView } from '../../server/protocol/panels/mask-details';
import type {
  BlockRange,
  DrawerRow,
  DrawerView,
  MaskRatioAnswer,
  MaskView,
  SectionView,
} from '../../server/protocol/panels/mask-ratios';
import type { Figure } from '../../server/protocol/panels/shared';
import type { BlockReport, Metrics, TensorReport } from '../../server/protocol/report';

/**
 * Turns a report's counts into what the panel draws: shares, sections, tracks and sentences. Pure; a
 * number that the report does not have becomes null, or NaN in a track.
 */
export function maskView(answer: MaskRatioAnswer): MaskView {
  const { report, recipe } = answer;
  const { tasks } = recipe;
  const sections = maskSections(answer);
  const blocks = orderedBlocks(answer, sections);
  const totals = componentOrder(answer).map((name) => ({
    label: componentLabel(name),
    active: tasks.map((task) => activeShare(report.components[name], task)),
  }));
  const whole = coverageShares(report.total);
  return {
    n: answer.n,
    parameters: answer.parameters,
    source: answer.source,
    totals,
    coverage: [
      { label: 'All', shares: whole },
      ...componentOrder(answer).map((name) => ({
        label: componentLabel(name),
        shares: coverageShares(report.components[name]),
      })),
    ].filter(({ shares }) => shares.length > 0),
    ...selfishOfRetained(report.total, whole),
    ...(answer.unrelated ? { unrelated: answer.unrelated } : {}),
    ...pairMatrices(report.total, tasks),
    norms: tasks.map((task) => relativeNorm(report.total, task)),
    active: tasks.flatMap((task) => blocks.flatMap((block) => triple(activeShare(block, task)))),
    coverageTrack: whole
      .map((_, level) => blocks.map((block) => valueOf(coverageShares(block)[level] ?? null)))
      .flat(),
    conflictTrack: blocks.flatMap((block) => triple(meanOfPairs(block.sign_conflict))),
    sentences: {
      totals: totalsSentence(totals, tasks),
      pairs: pairsSentence(report.total),
      layers: totalsSentence(totals.slice(-1), tasks),
    },
  };
}

/** Sections in network order: components that have blocks column by column, others as one column. */
export function maskSections({ report }: MaskRatioAnswer): readonly SectionView[] {
  const byComponent = new Map<string, BlockReport<Figure>[]>();
  for (const block of report.blocks) {
    const list = byComponent.get(block.component) ?? [];
    list.push(block);
    byComponent.set(block.component, list);
  }
  return [...byComponent].map(([component, blocks]) => ({
    component,
    label: componentLabel(component),
    blocks: [...blocks]
      .sort((a, b) => (a.block ?? -1) - (b.block ?? -1))
      .map(({ block }) => ({ label: blockName(block, ''), block })),
  }));
}

/** What is in no block is the rest of its component. */
const blockName = (block: number | null, kind = 'block '): string =>
  block === null ? 'rest' : `${kind}${String(block)}`;

/** `Language model · blocks 2 to 5`, or the component alone where it has no blocks. */
export function selectionTitle(
  { component, from, to }: BlockRange,
  { report }: MaskRatioAnswer,
): string {
  const label = componentLabel(component);
  const has = report.blocks.some((one) => one.component === component && one.block !== null);
  if (!has) return label;
  if (from === to) return `${label} · ${blockName(from)}`;
  return from === null
    ? `${label} · rest and blocks up to ${String(to)}`
    : `${label} · blocks ${String(from)} to ${String(to)}`;
}

function orderedBlocks(
  { report }: MaskRatioAnswer,
  sections: readonly SectionView[],
): readonly BlockReport<Figure>[] {
  const byKey = new Map(report.blocks.map((b) => [`${b.component} ${String(b.block)}`, b]));
  return sections.flatMap(({ component, blocks }) =>
    blocks.flatMap(({ block }) => byKey.get(`${component} ${String(block)}`) ?? []),
  );
}

/** Components that were merged, in the order of the report. */
function componentOrder({ report }: MaskRatioAnswer): readonly string[] {
  const present = new Set(report.blocks.map(({ component }) => component));
  return Object.keys(report.components).filter((name) => present.has(name));
}

const labels: Readonly<Record<string, string>> = {
  vision_backbone: 'Vision backbone',
  projector: 'Projector',
  language_model: 'Language model',
  lm_head: 'Output head',
  action_expert: 'Action expert',
};

export function componentLabel(component: string): string {
  const words = component.replace(/[_.]/g, ' ');
  return labels[component] ?? words.charAt(0).toUpperCase() + words.slice(1);
}

function valueOf(figure: Figure | null): number {
  if (figure === null) return Number.NaN;
  return typeof figure === 'number' ? figure : figure.value;
}

function scaled(figure: Figure, factor: number): Figure {
  if (typeof figure === 'number') return figure * factor;
  const end = (value: number | null) => (value === null ? null : value * factor);
  return { value: figure.value * factor, low: end(figure.low), high: end(figure.high) };
}

function triple(figure: Figure | null): readonly [number, number, number] {
  const value = valueOf(figure);
  if (figure === null || typeof figure === 'number') return [value, value, value];
  return [value, figure.low ?? Number.NaN, figure.high ?? Number.NaN];
}

function activeShare(metrics: Metrics<Figure> | undefined, task: string): Figure | null {
  const count = metrics?.active?.[task];
  if (count === undefined || !metrics || metrics.elements === 0) return null;
  return scaled(count, 1 / metrics.elements);
}

function coverageShares(metrics: Metrics<Figure> | undefined): readonly Figure[] {
  if (!metrics?.coverage || metrics.elements === 0) return [];
  return metrics.coverage.map((count) => scaled(count, 1 / metrics.elements));
}

/** Share of the retained positions that only one task keeps; a sample knows its interval. */
function selfishOfRetained(
  { selfish_of_retained: known }: Metrics<Figure>,
  [unused, selfish]: readonly Figure[],
): { selfishOfRetained?: Figure } {
  if (known !== undefined) return known === null ? {} : { selfishOfRetained: known };
  if (unused === undefined || selfish === undefined) return {};
  const retained = 1 - valueOf(unused);
  return retained > 0 ? { selfishOfRetained: valueOf(selfish) / retained } : {};
}

function pairMatrices(metrics: Metrics<Figure>, tasks: readonly string[]) {
  const pick = (table: Readonly<Record<string, Figure>>) =>
    tasks.flatMap((a, i) =>
      tasks.map((b, j) => {
        if (i === j) return null;
        return table[i < j ? `${a}|${b}` : `${b}|${a}`] ?? null;
      }),
    );
  return { cosine: pick(metrics.cosine), conflict: pick(metrics.sign_conflict) };
}

function relativeNorm(metrics: Metrics<Figure>, task: string): Figure | null {
  const [own, base] = [metrics.norm[task], metrics.norm['base']];
  if (own === undefined || base === undefined || valueOf(base) === 0) return null;
  return scaled(own, 1 / valueOf(base));
}

/** Mean over the pairs of tasks; the ends are averaged too, which is never too narrow. */
function meanOfPairs(table: Readonly<Record<string, Figure>>): Figure | null {
  const all = Object.values(table);
  if (all.length === 0) return null;
  const mean = (pick: (figure: Figure) => number) =>
    all.reduce<number>((sum, figure) => sum + pick(figure), 0) / all.length;
  if (all.every((figure) => typeof figure === 'number')) return mean(valueOf);
  const end = (figure: Figure, name: 'low' | 'high') =>
    typeof figure === 'number' ? figure : (figure[name] ?? figure.value);
  return {
    value: mean(valueOf),
    low: mean((f) => end(f, 'low')),
    high: mean((f) => end(f, 'high')),
  };
}

function totalsSentence(totals: MaskView['totals'], tasks: readonly string[]): string {
  return totals
    .map(({ label, active }) => {
      const known = active.flatMap((figure, i) =>
        figure === null ? [] : [{ task: tasks[i] ?? '', share: valueOf(figure) }],
      );
      const sorted = known.sort((a, b) => b.share - a.share);
      const [most, least] = [sorted[0], sorted.at(-1)];
      if (!most || !least) return `${label}: no masks`;
      const text = ({ task, share }: typeof most) => `${task} keeps ${(share * 100).toFixed(0)} %`;
      return most === least ? `${label}: ${text(most)}` : `${label}: ${text(most)}, ${text(least)}`;
    })
    .join('; ');
}

/** Names the closest pair, and the most opposed one when it is beyond its interval from 50 %. */
function pairsSentence({ sign_conflict: conflict, cosine }: Metrics<Figure>): string {
  const name = (pair: string) => pair.replace('|', ' and ');
  const closest = Object.entries(cosine).sort((a, b) => valueOf(b[1]) - valueOf(a[1]))[0];
  const opposed = Object.entries(conflict).sort((a, b) => valueOf(b[1]) - valueOf(a[1]))[0];
  const beyond = opposed && lowEnd(opposed[1]) > 0.5 ? ` Most opposed: ${name(opposed[0])}.` : '';
  return closest ? `Closest: ${name(closest[0])}.${beyond}` : '';
}

function lowEnd(figure: Figure): number {
  return typeof figure === 'number' ? figure : (figure.low ?? 0);
}

/** A pair of tasks by block: first and second by their places in the recipe. */
export function pairView(
  answer: MaskRatioAnswer,
  [first, second]: readonly [number, number],
): PairView {
  const { tasks } = answer.recipe;
  const key = `${tasks[first] ?? ''}|${tasks[second] ?? ''}`;
  const blocks = orderedBlocks(answer, maskSections(answer));
  return {
    first,
    second,
    conflict: blocks.flatMap((block) => triple(block.sign_conflict[key] ?? null)),
    cosine: blocks.map((block) => valueOf(block.cosine[key] ?? null)),
  };
}

/** Everything that is known of one tensor. */
export function tensorView(tensor: TensorReport<Figure>, tasks: readonly string[]): TensorView {
  return {
    name: tensor.name,
    shape: tensor.shape.join(' × '),
    rule: tensor.rule,
    active: tasks.map((task) => activeShare(tensor, task)),
    distance: tasks.map((task) => tensor.distance?.[task] ?? null),
    ...pairMatrices(tensor, tasks),
    norms: tasks.map((task) => relativeNorm(tensor, task)),
  };
}

/** A glob for tensors: the common beginning of each block's names, and every name of what is in no block. */
export function globOf(tensors: readonly Pick<TensorReport<Figure>, 'name' | 'block'>[]): string {
  const byBlock = new Map<number, string[]>();
  const globs: string[] = [];
  for (const { name, block } of tensors)
    if (block === null) globs.push(name);
    else byBlock.set(block, [...(byBlock.get(block) ?? []), name]);
  globs.push(...[...byBlock.values()].map(commonGlob));
  const [first] = globs;
  if (first === undefined) return '**';
  if (globs.length === 1) return first;
  const start = commonStart(globs);
  const before = start.slice(0, start.lastIndexOf('.') + 1);
  const parts = globs.map((glob) => glob.slice(before.length));
  if (parts.some((part) => !/^[^.]+\.\*\*$/.test(part))) return `${before}{${parts.join(',')}}`;
  return `${before}{${parts.map((part) => part.slice(0, -3)).join(',')}}.**`;
}

function commonGlob(names: readonly string[]): string {
  const [first = '**'] = names;
  if (names.length === 1) return first;
  const start = commonStart(names);
  return `${start.slice(0, start.lastIndexOf('.') + 1)}**`;
}

function commonStart(names: readonly string[]): string {
  const [first = ''] = names;
  let end = first.length;
  for (const name of names) while (!name.startsWith(first.slice(0, end))) end -= 1;
  return first.slice(0, end);
}

type Row = Metrics<Figure> &
  Pick<DrawerRow, 'glob'> &
  Partial<Pick<TensorReport<Figure>, 'name' | 'shape'>> &
  Pick<BlockReport<Figure>, 'block'>;

/** The drawer of a selection, by tensor or by block. `fractionRead` is undefined when exact. */
export function drawerView(
  rows: readonly Row[],
  selection: {
    readonly title: string;
    readonly glob: string;
    readonly tasks: readonly string[];
    readonly fractionRead: number | undefined;
  },
): DrawerView {
  const { title, glob, tasks, fractionRead } = selection;
  const positions = rows.reduce((sum, { elements }) => sum + elements, 0);
  return {
    title,
    glob,
    positions,
    by: rows.some(({ name }) => name !== undefined) ? 'tensor' : 'block',
    ...(fractionRead === undefined || fractionRead >= 1
      ? {}
      : { positionsRead: Math.round(positions * fractionRead) }),
    rows: rows.map((row) => drawerRow(row, tasks)),
  };
}

function drawerRow(row: Row, tasks: readonly string[]): DrawerRow {
  const norms = tasks.flatMap((task) => relativeNorm(row, task) ?? []);
  return {
    name: row.name ?? blockName(row.block),
    glob: row.glob,
    shape: row.shape ? row.shape.join(' × ') : `${(row.elements / 1e6).toFixed(1)}\u00a0M`,
    active: tasks.map((task) => activeShare(row, task)),
    coverage: coverageShares(row),
    conflict: meanOfPairs(row.sign_conflict),
    cosine: meanOfPairs(row.cosine),
    norm:
      norms.length === 0
        ? null
        : norms.reduce((sum: number, f) => sum + valueOf(f), 0) / norms.length,
  };
}

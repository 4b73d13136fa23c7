import type { BlockReport, Estimate, MergeReport, Metrics } from '../protocol/report';
import type { ParameterName } from '../protocol/panels/mask-ratios';
import type { MetricsAnswer, MetricsCurve, MetricsSource } from './conflict-metrics';
import type { ServerContext } from './context';
import type { Analysis } from './documents';
import { movedTo, savedParameters, usedParameters } from './parameters';
import {
  bytes,
  commandLink,
  escape,
  per,
  percent,
  plain,
  plural,
  isEstimate,
  signed,
  sparkline,
  valueOf,
  workedOut,
  type Figure,
} from './text';

export type Report = MergeReport<Estimate | number>;
type Ready = Extract<MetricsAnswer, { state: 'ready' }>;

/** Rows a hover's height allows. */
const maxRows = 8;

/** What the numbers come from, in words. */
export function sourceText(source: MetricsSource): string {
  if (source.kind === 'exact') return `exact, run ${escape(source.name)}`;
  return source.share >= 1
    ? 'exact, every position was read'
    : `≈ read from ${(100 * source.share).toFixed(1)}\u00a0% of the positions, 95\u00a0% intervals`;
}

/** Links that exist in this editor, for the first line of a hover. */
export function metricsLinks({ session, metrics }: ServerContext, analysis: Analysis): string {
  const answer = metrics.report(analysis);
  const links = [
    ['$(graph-line) Mask ratios', 'mergevla.showMaskRatios', true],
    [
      '$(play) Compute exactly',
      'mergevla.merge',
      answer.state !== 'ready' || answer.source.kind === 'estimate',
    ],
  ] as const;
  return links
    .filter(([, command, useful]) => useful && session.commands.includes(command))
    .map(([title, command]) => commandLink(title, command, analysis.uri))
    .join('\u2002');
}

/** One sentence while nothing can be told. */
export function waitingText(answer: MetricsAnswer): string {
  if (answer.state === 'reading') {
    const rest =
      answer.remainingSeconds === undefined
        ? ''
        : `, about ${answer.remainingSeconds.toFixed(0)} s`;
    return `$(loading~spin) Reading a sample: ${bytes(answer.bytesRead)} of ${bytes(answer.bytesTotal)}${rest}. Move on and come back.`;
  }
  return answer.state === 'none' ? (answer.reason ?? '') : '';
}

/** Two tables for a task: against every other task, and by component; then the worst block. */
export function taskTables({ report, source }: Ready, task: string): string {
  return [
    againstOthers(report, task),
    byComponent(report, task),
    extreme(report, task),
    sourceText(source),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function pairKey(report: Report, a: string, b: string): string {
  return report.tasks.indexOf(a) < report.tasks.indexOf(b) ? `${a}|${b}` : `${b}|${a}`;
}

const languageBlocks = (report: Report): readonly BlockReport<Figure>[] => {
  const blocks = report.blocks.filter(({ block }) => block !== null);
  const language = blocks.filter(({ component }) => component.startsWith('lm'));
  return language.length > 0 ? language : blocks;
};

function againstOthers(report: Report, task: string): string {
  const others = report.tasks.filter((other) => other !== task).slice(0, maxRows);
  if (others.length === 0) return '';
  const blocks = languageBlocks(report);
  const furthest = furthestFrom(report, task);
  const rows = others.map((other) => {
    const pair = pairKey(report, task, other);
    const values = blocks.map(({ sign_conflict }) => share(sign_conflict[pair]));
    return [
      emphasis(escape(other), other === furthest),
      emphasis(percent(report.total.sign_conflict[pair]), other === furthest),
      signed(report.total.cosine[pair]),
      `\`${sparkline(values, [0.4, 0.6])}\``,
    ];
  });
  return table(['against', 'sign conflict', 'cosine', 'by block'], rows);
}

const share = (figure: Figure | undefined): number | undefined =>
  figure === undefined ? undefined : valueOf(figure);

function byComponent(report: Report, task: string): string {
  const components = Object.entries(report.components)
    .filter(([, { active }]) => active?.[task] !== undefined)
    .slice(0, maxRows);
  if (components.length === 0) return '';
  const ratios = (name: string): (number | undefined)[] =>
    report.blocks
      .filter(({ component, block }) => component === name && block !== null)
      .map((block) => share(activeRatio(block, task)));
  const highest = Math.max(
    ...components.flatMap(([name]) => ratios(name)).map((v) => v ?? 0),
    0.01,
  );
  const rows = components.map(([name, metrics]) => [
    escape(name),
    percent(activeRatio(metrics, task)),
    plain(metrics.distance?.[task]),
    ratios(name).length === 0 ? '' : `\`${sparkline(ratios(name), [0, highest])}\``,
  ]);
  return table(['in the', 'active', 'distance', 'active, by block'], rows);
}

export function activeRatio(metrics: Metrics<Figure>, task: string): Figure | undefined {
  const active = metrics.active?.[task];
  return active === undefined || metrics.elements === 0 ? undefined : per(active, metrics.elements);
}

/** The other task whose sign conflict lies furthest from the middle of unrelated tasks, by more than its interval. */
function furthestFrom(report: Report, task: string): string | undefined {
  const beyond = (other: string): number => {
    const conflict = report.total.sign_conflict[pairKey(report, task, other)];
    if (conflict === undefined) return 0;
    if (!isEstimate(conflict) || conflict.low === null || conflict.high === null)
      return Math.abs(valueOf(conflict) - 0.5);
    return Math.max(conflict.low - 0.5, 0.5 - conflict.high);
  };
  const [found] = report.tasks
    .filter((other) => other !== task && beyond(other) > 0)
    .sort((a, b) => beyond(b) - beyond(a));
  return found;
}

/** Names that pair, and its block furthest in the same direction. */
function extreme(report: Report, task: string): string {
  const other = furthestFrom(report, task);
  if (other === undefined)
    return report.tasks.length > 1 ? 'No pair differs from unrelated tasks, 50\u00a0%.' : '';
  const pair = pairKey(report, task, other);
  const opposed = (share(report.total.sign_conflict[pair]) ?? 0) > 0.5;
  const rank = (block: BlockReport<Figure>): number =>
    (opposed ? 1 : -1) * (share(block.sign_conflict[pair]) ?? 0.5);
  const [block] = [...languageBlocks(report)].sort((a, b) => rank(b) - rank(a));
  if (!block) return '';
  const where = `block ${String(block.block)} of ${escape(block.component)}`;
  const what = opposed ? 'Most opposed' : 'Agrees most';
  return `${what}: **${escape(other)}**, ${percent(block.sign_conflict[pair], { short: true })} in ${where}. Unrelated tasks: 50\u00a0%.`;
}

interface Axis {
  readonly symbol: string;
  readonly grid: readonly number[];
  /** What is known about good values. */
  readonly note?: string;
}

const axes: Readonly<Record<ParameterName, Axis>> = {
  lambda: {
    symbol: 'λ',
    grid: [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
    note: 'Paper: success above 70\u00a0% for 0.6 to 0.9, drops at 0.2.',
  },
  alpha: { symbol: 'α', grid: [0.3, 0.5, 0.7, 1, 1.3, 1.6, 2] },
  density: { symbol: 'density', grid: [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1] },
};

/** What a method has none of, in words. */
function unusedText(analysis: Analysis, name: ParameterName): string {
  const { masks, merge } = analysis.recipe.recipe;
  if (masks === 'none') return 'Without masks there are no active ratios to compare.';
  return `${merge?.method ?? 'task_arithmetic'} does not use ${axes[name].symbol}.`;
}

/** Active ratio of every task over a parameter, the present value pointed at; only what is known by now. */
export function parameterTable(
  { metrics }: ServerContext,
  analysis: Analysis,
  name: ParameterName,
): string | undefined {
  if (analysis.recipe.recipe.masks === 'none' || !usedParameters(analysis)[name])
    return unusedText(analysis, name);
  const answer = metrics.report(analysis);
  if (answer.state !== 'ready') return waitingText(answer) || undefined;
  const axis = axes[name];
  const now = savedParameters(analysis)[name];
  const grid = [...new Set([...axis.grid, now])].sort((a, b) => a - b);
  const at = (value: number) => movedTo(analysis, { [name]: value }).change;
  const curve = metrics.curve(analysis, { grid, at });
  const note = axis.note === undefined ? [] : [axis.note];
  if (!curve)
    return [
      presentRatios(answer.report),
      [`${sourceText(answer.source)}.`, ...note].join(' '),
    ].join('\n\n');
  const end = [`Active ratio in\u00a0%, ${curveSource(answer)}.`, ...note].join(' ');
  return `${curveTable(curve, axis.symbol, now)}\n\n${end}`;
}

/** A curve is always worked out from the sample; its interval is about that of the present value. */
function curveSource({ source, report }: Ready): string {
  if (source.kind === 'exact') return 'from a sample';
  const halves = report.tasks.flatMap((task) => {
    const ratio = activeRatio(report.total, task);
    if (ratio === undefined || !isEstimate(ratio) || ratio.low === null || ratio.high === null)
      return [];
    return (100 * (ratio.high - ratio.low)) / 2;
  });
  const interval = halves.length === 0 ? '' : `, ±\u00a0${Math.max(...halves).toFixed(1)}`;
  return `${sourceText(source)}${interval}`;
}

function curveTable({ grid, active, selfish }: MetricsCurve, symbol: string, now: number): string {
  const values = grid.map((value) => String(Math.round(value * 1e4) / 1e4));
  const head = [symbol, ...values.map((v, i) => (grid[i] === now ? `▸\u00a0${v}` : v)), ''];
  const cells = (figures: readonly Figure[]) =>
    figures.map((figure, i) => emphasis((100 * valueOf(figure)).toFixed(1), grid[i] === now));
  const curves = Object.entries(active).slice(0, maxRows);
  const highest = Math.max(...curves.flatMap(([, figures]) => figures.map(valueOf)), 0.01);
  const drawn = (figures: readonly Figure[]) =>
    `\`${sparkline(figures.map(valueOf), [0, highest])}\``;
  return table(head, [
    ...curves.map(([task, figures]) => [escape(task), ...cells(figures), drawn(figures)]),
    ...(selfish && curves.length > 1 ? [['_selfish_', ...cells(selfish), '_of retained_']] : []),
  ]);
}

const emphasis = (text: string, strong: boolean): string => (strong ? `**${text}**` : text);

function presentRatios(report: Report): string {
  const rows = report.tasks
    .slice(0, maxRows)
    .map((task) => [escape(task), percent(activeRatio(report.total, task))]);
  return table(['task', 'active'], rows);
}

/** This method and natural alternatives on the same inputs. */
export function methodTable(
  { metrics }: ServerContext,
  analysis: Analysis,
  method: string,
): string | undefined {
  const others = ['ties', 'task_arithmetic', 'dare_ties'].filter((name) => name !== method);
  const rows = [method, ...others.slice(0, 2)].flatMap((name) => {
    const report = metrics.withMethod(analysis, name);
    return report ? [[name === method ? `▸\u00a0**${name}**` : name, ...methodRow(report)]] : [];
  });
  if (rows.length === 0) return undefined;
  return table(['same inputs', 'mean active', 'selfish', 'distance to expert'], rows);
}

function methodRow({ tasks, total }: Report): string[] {
  const mean = (figures: readonly Figure[]): number =>
    figures.reduce<number>((sum, figure) => sum + valueOf(figure), 0) / figures.length;
  const active = tasks.flatMap((task) => activeRatio(total, task) ?? []);
  const distance = Object.values(total.distance ?? {});
  return [
    percent(workedOut(mean(active), active)),
    percent(selfishShare(total), { short: true }),
    distance.length === 0 ? '–' : mean(distance).toFixed(2),
  ];
}

/** The share of the retained positions that one task keeps alone; a sample may not be able to tell. */
export function selfishShare(metrics: Metrics<Figure>): Figure | undefined {
  const { coverage = [], selfish_of_retained: told } = metrics;
  if (told !== undefined) return told ?? undefined;
  const retained = coverage.slice(1).reduce<number>((sum, each) => sum + valueOf(each), 0);
  const [, alone] = coverage;
  return alone === undefined || retained === 0 ? undefined : per(alone, retained);
}

/**
 * A Markdown table; the first column is text, drawings stand left, the others are numbers. The editor sets
 * columns two pixels apart, so each but the first begins with a space that Markdown keeps.
 */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]): string => `| ${cells.join(' | &ensp;')} |`;
  const isDrawing = (text: string): boolean => text === '' || text.endsWith('block');
  const rule = head.map((text, index) => (index === 0 || isDrawing(text) ? ':--' : '--:'));
  return [line(head), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}

export const tensorsText = (number: number): string => plural(number, 'tensor');

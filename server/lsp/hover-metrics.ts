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
  signed,
  sparkline,
  valueOf,
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
    ['$(graph-line) Merge Lab', 'mergevla.showMaskRatios', true],
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
  const rows = others.map((other) => {
    const pair = pairKey(report, task, other);
    const values = blocks.map(({ sign_conflict }) => share(sign_conflict[pair]));
    return [
      escape(other),
      percent(report.total.sign_conflict[pair]),
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

/** The pair furthest from the middle of unrelated tasks, and its worst block. */
function extreme(report: Report, task: string): string {
  const pairs = report.tasks.filter((other) => other !== task);
  const worst = pairs
    .map((other) => ({
      other,
      conflict: share(report.total.sign_conflict[pairKey(report, task, other)]),
    }))
    .filter(({ conflict }) => conflict !== undefined)
    .sort((a, b) => (b.conflict ?? 0) - (a.conflict ?? 0))[0];
  if (!worst) return '';
  const pair = pairKey(report, task, worst.other);
  const [block] = [...languageBlocks(report)].sort(
    (a, b) => (share(b.sign_conflict[pair]) ?? 0) - (share(a.sign_conflict[pair]) ?? 0),
  );
  if (!block) return '';
  const where = `block ${String(block.block)} of ${escape(block.component)}`;
  return `Most opposed: **${escape(worst.other)}**, ${percent(block.sign_conflict[pair], { short: true })} in ${where}. Unrelated tasks: 50\u00a0%.`;
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
  const end = [`${sourceText(answer.source)}.`, ...(axis.note ? [axis.note] : [])].join(' ');
  if (!curve) return `${presentRatios(answer.report)}\n\n${end}`;
  return `${curveTable(curve, axis.symbol, now)}\n\n${end}`;
}

function curveTable({ grid, active, selfish }: MetricsCurve, symbol: string, now: number): string {
  const values = grid.map((value) => String(Math.round(value * 1e4) / 1e4));
  const head = [symbol, ...values.map((v, i) => (grid[i] === now ? `▸\u00a0${v}` : v))];
  const row = (title: string, figures: readonly Figure[]) => [
    title,
    ...figures.map((figure, i) => emphasis((100 * valueOf(figure)).toFixed(1), grid[i] === now)),
  ];
  const tasks = Object.entries(active).map(([task, figures]) => row(escape(task), figures));
  return table(head, [
    ...tasks.slice(0, maxRows),
    ...(selfish && tasks.length > 1 ? [row('_selfish, of retained_', selfish)] : []),
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
  return table(['same inputs', 'mean active', 'distance to expert'], rows);
}

function methodRow(report: Report): string[] {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const active = report.tasks.flatMap((task) => share(activeRatio(report.total, task)) ?? []);
  const distance = Object.values(report.total.distance ?? {}).map(valueOf);
  return [percent(mean(active)), distance.length === 0 ? '–' : mean(distance).toFixed(2)];
}

/** A Markdown table; the first column is text, drawings `by block` stand left, the others are numbers. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = head.map((text, index) => (index === 0 || text.endsWith('block') ? ':--' : '--:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

export const tensorsText = (number: number): string => plural(number, 'tensor');

import type { Estimate, MergeReport, Metrics } from '../../protocol/report';
import type { RunSummary } from '../../runs/read';
import { comparedRates, rateTables, type ReportedRates } from './success';

/** A number with its form, a text, or nothing known. */
export type Cell =
  | string
  | { readonly share: number; readonly margin?: number | undefined }
  | { readonly count: number }
  | null;

type Figure = number | Estimate;

export interface ReportTable {
  readonly title: string;
  readonly columns: readonly { readonly title: string; readonly numeric: boolean }[];
  readonly rows: readonly (readonly Cell[])[];
}

/** What a report says, before it is set in any format. */
export interface ReportDocument {
  readonly title: string;
  readonly facts: readonly (readonly [string, string])[];
  readonly tables: readonly ReportTable[];
}

export interface ReportedRun {
  readonly run: RunSummary;
  /** Absent for a run that merged nothing, such as an import. */
  readonly report?: MergeReport | undefined;
  /** Method, λ and the like, as `params.yaml` names them. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Absent where nothing was rolled out. */
  readonly rates?: ReportedRates | undefined;
}

/** One run gives its components and blocks; several give one row each. */
export function makeDocument(runs: readonly ReportedRun[]): ReportDocument {
  const [first, ...others] = runs;
  if (!first || others.length > 0) return compare(runs);
  return {
    title: first.run.name,
    facts: factsOf(first),
    tables: [
      ...(first.rates ? rateTables(first.rates) : []),
      ...(first.report ? [componentTable(first.report), blockTable(first.report)] : []),
    ],
  };
}

function compare(runs: readonly ReportedRun[]): ReportDocument {
  const merged = runs.flatMap(({ run, report, parameters }) =>
    report ? [{ id: run.id, report, parameters }] : [],
  );
  return {
    title: `${runs.length} runs`,
    facts: [],
    tables: [
      ...comparedRates(runs.map(({ run, rates }) => ({ id: run.id, rates }))),
      ...(merged.length > 0 ? [parameterTable(merged)] : []),
    ],
  };
}

function parameterTable(
  runs: readonly {
    readonly id: string;
    readonly report: MergeReport;
    readonly parameters: ReportedRun['parameters'];
  }[],
): ReportTable {
  const tasks = [...new Set(runs.flatMap(({ report }) => report.tasks))];
  return {
    title: 'Merged parameters',
    columns: [
      ...['run', 'method', 'alpha', 'lambda'].map((title) => ({ title, numeric: false })),
      ...metricColumns(tasks),
    ],
    rows: runs.map(({ id, report, parameters }) => [
      id,
      textOf(parameters['merge.method']),
      textOf(parameters['merge.alpha']),
      lambdaOf(parameters),
      ...metricCells(report.total, tasks),
    ]),
  };
}

function factsOf({ run, report, rates, parameters }: ReportedRun): [string, string][] {
  const seconds = run.record.timings['total'];
  const facts: [string, string][] = [
    ['run', run.id],
    ['state', run.state],
    ['tasks', (report?.tasks ?? rates?.table.tasks ?? []).join(', ')],
    ['method', textOf(parameters['merge.method'])],
    ['alpha', textOf(parameters['merge.alpha'])],
    ['lambda', lambdaOf(parameters)],
    ['figures', report ? (report.exact ? 'exact' : 'sampled') : ''],
    ['seconds', seconds === undefined ? '' : seconds.toFixed(2)],
  ];
  return facts.filter(([, value]) => value !== '');
}

/** The parts of a report, exact or sampled, that tables are made of. */
type Report = Pick<MergeReport<Figure>, 'tasks' | 'blocks' | 'components' | 'total'>;

/** `brief` leaves out what does not fit a terminal's width. */
export function componentTable(report: Report, brief = false): ReportTable {
  const { tasks, components, total } = report;
  const all = [{ title: 'component', numeric: false }, ...metricColumns(tasks)];
  const columns = brief ? all.slice(0, -tasks.length) : all;
  const rows = [...Object.entries(components), ['total', total] as const].map(
    ([name, metrics]): Cell[] => [name, ...metricCells(metrics, tasks)],
  );
  return { title: 'Components', columns, rows: rows.map((row) => row.slice(0, columns.length)) };
}

export function blockTable(report: Report): ReportTable {
  return {
    title: 'Blocks',
    columns: [
      { title: 'component', numeric: false },
      { title: 'block', numeric: true },
      ...metricColumns(report.tasks),
    ],
    rows: report.blocks
      .filter((block) => block.block !== null)
      .map((block) => [
        block.component,
        { count: block.block ?? 0 },
        ...metricCells(block, report.tasks),
      ]),
  };
}

function metricColumns(tasks: readonly string[]): { title: string; numeric: boolean }[] {
  const titles = [
    'elements',
    ...tasks.map((task) => `active ${task}`),
    'unused',
    'selfish',
    'universal',
    'sign conflict',
    ...tasks.map((task) => `distance ${task}`),
  ];
  return titles.map((title) => ({ title, numeric: true }));
}

/** Shares of the merged elements; the mean over pairs for sign conflict. */
function metricCells(metrics: Metrics<Figure>, tasks: readonly string[]): Cell[] {
  const { elements, active, coverage, distance } = metrics;
  const share = (count: Figure | undefined): Cell =>
    count === undefined || elements === 0 ? null : shareCell(count, elements);
  return [
    { count: elements },
    ...tasks.map((task) => share(active?.[task])),
    share(coverage?.[0]),
    share(coverage?.[1]),
    share(coverage?.at(-1)),
    meanCell(Object.values(metrics.sign_conflict)),
    ...tasks.map((task): Cell => {
      const value = distance?.[task];
      return value === undefined ? null : shareCell(value, 1);
    }),
  ];
}

/** A figure as a share of `whole`, with half its interval where it has one. */
export function shareCell(figure: Figure, whole: number): Cell {
  if (typeof figure === 'number') return { share: figure / whole };
  const { value, low, high } = figure;
  const margin = low === null || high === null ? undefined : (high - low) / 2 / whole;
  return { share: value / whole, margin };
}

function meanCell(figures: readonly Figure[]): Cell {
  if (figures.length === 0) return null;
  const values = figures.map((figure) => (typeof figure === 'number' ? figure : figure.value));
  return { share: values.reduce((sum, value) => sum + value, 0) / values.length };
}

/** One number where all tasks share it, else each with its task. */
function lambdaOf(parameters: Readonly<Record<string, unknown>>): string {
  const prefix = 'masks.lambda.';
  const each = Object.entries(parameters).filter(([key]) => key.startsWith(prefix));
  if (new Set(each.map(([, value]) => value)).size === 1) return textOf(each[0]?.[1]);
  return each.map(([key, value]) => `${key.slice(prefix.length)} ${textOf(value)}`).join(', ');
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

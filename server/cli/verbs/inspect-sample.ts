import { createKernels } from '../../compute/kernels/wasm';
import type { MergePlan } from '../../engine/plan-types';
import { SketchEvaluation, type SketchReport } from '../../engine/sketch/evaluate';
import type { Figure } from '../../engine/sketch/figures';
import { roomBytes } from '../../engine/sketch/room';
import { sampledElements } from '../../engine/sketch/sketch';
import { buildSketch, fromFiles, lastRound } from '../../jobs/sketch/build';
import type { Estimate, Metrics } from '../../protocol/report';
import { usage } from '../arguments';
import { blockTable, componentTable, shareCell, type ReportTable } from '../report/document';
import { toText } from '../report/formats';
import { formatBytes, formatShare } from '../units';
import { exitCodes, type Call, type Outcome } from '../verb';

/** λ values in one sweep. */
const maximumGrid = 1000;

interface SampleRequest {
  readonly path: string;
  readonly layout: string;
  readonly plan: MergePlan;
  /** λ values to follow besides the recipe's own. */
  readonly grid: readonly number[] | undefined;
}

/** `0.2:0.9:0.1` as its values, both ends included. */
export function lambdaGrid(text: string | undefined): readonly number[] | undefined {
  if (text === undefined) return undefined;
  const [from, to, step, ...rest] = text.split(':').map(Number);
  const wrong = usage(
    `--lambda needs FROM:TO:STEP with 0 ≤ FROM ≤ TO and STEP > 0, such as 0.2:0.9:0.1, not ${text}`,
  );
  if (from === undefined || to === undefined || step === undefined || rest.length > 0) throw wrong;
  if (!(from >= 0 && to >= from && step > 0)) throw wrong;
  const count = Math.floor((to - from) / step + 1e-9) + 1;
  if (count > maximumGrid) throw wrong;
  return Array.from({ length: count }, (_, i) => Number((from + i * step).toPrecision(12)));
}

/** Estimates from a sample of every tensor, with 95 % intervals where a sample can give them. */
export async function inspectSample(
  { path, layout, plan, grid }: SampleRequest,
  { signal, terminal }: Call,
): Promise<Outcome> {
  const count = { reads: 0, bytes: 0 };
  const { tasks, jobs, files } = plan;
  const sketch = await buildSketch(
    { tasks, jobs, files, signal },
    lastRound,
    fromFiles({ signal }, count),
  );
  const evaluation = new SketchEvaluation(sketch, createKernels(roomBytes(sketch)));
  const report = evaluation.report(plan);
  const curve = grid?.map((lambda) => ({
    lambda,
    report: evaluation.report(withLambda(plan, lambda), () => false),
  }));
  const positions = sketch.tensors.reduce((sum, { elements }) => sum + elements, 0);
  const read = sketch.tensors.reduce((sum, tensor) => sum + sampledElements(tensor), 0);
  const document = {
    title: path,
    facts: [
      ['layout', layout],
      ['tasks', tasks.join(', ')],
      [
        'figures',
        report.exact
          ? 'exact: every position was read'
          : 'sampled: 95 % intervals; distances are approximate',
      ],
      [
        'read',
        `${formatShare(read / Math.max(1, positions))} of the positions, ${formatBytes(count.bytes)} in ${String(count.reads)} reads`,
      ],
      ...leftOut(report),
    ] as const,
    tables: [
      componentTable(report),
      blockTable(report),
      ...(curve ? [lambdaTable(tasks, curve)] : []),
    ],
  };
  return {
    code: exitCodes.done,
    json: {
      layout,
      ...asEstimates(report),
      read: { positions: read, of: positions, bytes: count.bytes, reads: count.reads },
      ...(curve
        ? { lambda: curve.map(({ lambda, report: at }) => ({ lambda, ...estimates(at.total) })) }
        : {}),
    },
    text: toText(document, terminal.style),
  };
}

/** Tensors without figures, and why. */
function leftOut({
  exact,
  unchanged,
  nonfinite,
  withoutMerge,
}: SketchReport): (readonly [string, string])[] {
  const few = (names: readonly string[]): string =>
    names.length > 3
      ? `${names.slice(0, 3).join(', ')} and ${String(names.length - 3)} more`
      : names.join(', ');
  const facts: (readonly [string, readonly string[]])[] = [
    [exact ? 'unchanged' : 'no change in the sample', unchanged],
    ['NaN or infinity', nonfinite],
    ['needs whole matrices', withoutMerge],
  ];
  return facts.flatMap(([name, names]) => (names.length > 0 ? [[name, few(names)] as const] : []));
}

function withLambda(plan: MergePlan, value: number): MergePlan {
  const lambda = plan.tasks.map(() => value);
  const jobs = plan.jobs.map((job) =>
    job.rule.kind === 'merge'
      ? { ...job, rule: { ...job.rule, parameters: { ...job.rule.parameters, lambda } } }
      : job,
  );
  return { ...plan, jobs };
}

function lambdaTable(
  tasks: readonly string[],
  curve: readonly { lambda: number; report: SketchReport }[],
): ReportTable {
  const titles = ['λ', ...tasks.map((task) => `active ${task}`), 'selfish of retained'];
  return {
    title: 'Active ratio over λ',
    columns: titles.map((title) => ({ title, numeric: true })),
    rows: curve.map(({ lambda, report: { total } }) => [
      String(lambda),
      ...tasks.map((task) => {
        const active = total.active?.[task];
        return active === undefined ? null : shareCell(active, total.elements);
      }),
      total.selfish_of_retained == null ? null : shareCell(total.selfish_of_retained, 1),
    ]),
  };
}

/** The report with every figure as an estimate: an exact one has its value as both bounds. */
function asEstimates(report: SketchReport): Record<string, unknown> {
  return {
    ...report,
    tensors: report.tensors.map((tensor) => ({ ...tensor, ...estimates(tensor) })),
    blocks: report.blocks.map((block) => ({ ...block, ...estimates(block) })),
    components: Object.fromEntries(
      Object.entries(report.components).map(([name, metrics]) => [name, estimates(metrics)]),
    ),
    total: estimates(report.total),
  };
}

type GroupFigures = Metrics<Figure> & { readonly selfish_of_retained?: Figure | null };

function estimates({
  elements,
  active,
  coverage,
  norm,
  cosine,
  sign_conflict,
  distance,
  selfish_of_retained,
}: GroupFigures): Record<string, unknown> {
  const each = (
    record: Readonly<Record<string, Figure>> | undefined,
  ): Record<string, Estimate> | undefined =>
    record &&
    Object.fromEntries(Object.entries(record).map(([key, figure]) => [key, estimate(figure)]));
  return {
    elements,
    active: each(active),
    coverage: coverage?.map(estimate),
    norm: each(norm),
    cosine: each(cosine),
    sign_conflict: each(sign_conflict),
    distance: each(distance),
    selfish_of_retained: selfish_of_retained == null ? undefined : estimate(selfish_of_retained),
  };
}

function estimate(figure: Figure): Estimate {
  return typeof figure === 'number' ? { value: figure, low: figure, high: figure } : figure;
}

import type { MergePlan, TensorJob } from '../../engine/plan-types';
import { checkRecipeFile, type CheckedRecipe } from '../../jobs/check-recipe';
import { ruleName } from '../../jobs/merge-manifest';
import { automaticThreads } from '../../jobs/pool';
import { processBytes } from '../../jobs/space';
import { matrixNeeds } from '../../engine/spectral/needs';
import { elementBytes } from '../../tensors/dtypes';
import { problemJson, problemLines } from '../problems';
import { refused } from '../refused';
import { formatPairs, formatTable } from '../table';
import { formatBytes, formatCount } from '../units';
import { exitCodes, type Call, type Outcome } from '../verb';

export async function run(call: Call): Promise<Outcome> {
  const { operands, options, signal, terminal } = call;
  const only = options.text('only');
  const checked = await checkRecipeFile(operands[0] ?? '', { signal, only });
  const { plan, problems, path } = checked;
  if (!plan) return refused(checked, call);
  if (problems.length > 0) terminal.note(problemLines(problems, path, terminal.noteStyle));
  return { code: exitCodes.done, json: asJson(plan, checked), text: asText(plan, checked, call) };
}

interface PlanRow {
  readonly component: string;
  readonly rule: string;
  readonly tensors: number;
  readonly elements: number;
  readonly blocks: number[];
}

/** One row for each component and rule in it. */
function rowsOf(plan: MergePlan): PlanRow[] {
  const rows = new Map<string, TensorJob[]>();
  for (const job of plan.jobs) {
    const key = JSON.stringify([job.place.component, ruleName(plan, job)]);
    rows.set(key, [...(rows.get(key) ?? []), job]);
  }
  return [...rows].map(([key, jobs]) => {
    const [component, rule] = JSON.parse(key) as [string, string];
    const blocks = new Set(jobs.flatMap(({ place }) => place.block ?? []));
    const elements = jobs.reduce((sum, job) => sum + job.elements, 0);
    return {
      component,
      rule,
      tensors: jobs.length,
      elements,
      blocks: [...blocks].sort((a, b) => a - b),
    };
  });
}

function threadsOf({ recipe }: CheckedRecipe): number {
  return recipe.run.threads === 'auto' ? automaticThreads() : recipe.run.threads;
}

function peakMemory(plan: MergePlan, checked: CheckedRecipe): number {
  const threads = threadsOf(checked);
  const largest = matrixNeeds(plan).reduce((most, { bytes }) => Math.max(most, bytes), 0);
  return processBytes + threads * (plan.memoryPerThread + largest);
}

/** Whole matrices of a spectral method: what the largest takes, and CPU hours where it iterates. */
function matricesOf(plan: MergePlan): { count: number; largest: number; hours: number } | null {
  const needs = matrixNeeds(plan);
  if (needs.length === 0) return null;
  const largest = Math.max(...needs.map(({ bytes }) => bytes));
  return { count: needs.length, largest, hours: needs.reduce((sum, { hours }) => sum + hours, 0) };
}

function matrixText(plan: MergePlan): readonly (readonly [string, string])[] {
  const found = matricesOf(plan);
  if (!found) return [];
  const hours = found.hours > 0.05 ? `, ${found.hours.toFixed(1)} CPU hours` : '';
  return [['matrices', `${found.count} whole, at most ${formatBytes(found.largest)} each${hours}`]];
}

function asJson(plan: MergePlan, checked: CheckedRecipe): object {
  const { inputs, path, problems } = checked;
  return {
    tasks: plan.tasks,
    layout: inputs?.layout,
    method: plan.settings.method,
    form: plan.form,
    precision: plan.precision,
    masks: plan.masks,
    passes: plan.passes,
    device: 'cpu',
    threads: threadsOf(checked),
    bytes: { read: plan.bytesToRead, write: plan.bytesToWrite },
    memory: peakMemory(plan, checked),
    disk: plan.diskBytes,
    matrices: matricesOf(plan),
    components: rowsOf(plan),
    tensors: plan.jobs.map((job) => ({
      name: job.name,
      ...job.place,
      shape: job.shape,
      elements: job.elements,
      dtype: job.dtype,
      output_dtype: job.outputDtype,
      rule: ruleName(plan, job),
      bytes: job.elements * elementBytes(job.outputDtype),
    })),
    problems: problems.map((problem) => problemJson(problem, path)),
  };
}

function asText(plan: MergePlan, checked: CheckedRecipe, { terminal }: Call): string {
  const columns = [
    { title: 'component' },
    { title: 'blocks' },
    { title: 'rule' },
    { title: 'tensors', align: 'right' },
    { title: 'elements', align: 'right' },
  ] as const;
  const rows = rowsOf(plan).map((row) => [
    row.component,
    blockText(row.blocks),
    row.rule,
    String(row.tensors),
    formatCount(row.elements),
  ]);
  const facts = formatPairs(
    [
      ['tasks', plan.tasks.join(', ')],
      ['layout', checked.inputs?.layout ?? ''],
      ['method', plan.settings.method],
      ['form', plan.form],
      ['passes', plan.passes.join(', ')],
      ['reads', `at most ${formatBytes(plan.bytesToRead)}`],
      ['writes', `at most ${formatBytes(plan.bytesToWrite)}`],
      ['memory', `about ${formatBytes(peakMemory(plan, checked))}`],
      ...matrixText(plan),
      ['device', `cpu, ${threadsOf(checked)} threads`],
    ],
    terminal.style,
  );
  return `${facts}\n\n${formatTable(columns, rows, terminal.style)}`;
}

/** `0–23`, or the numbers where some are missing. */
function blockText(blocks: readonly number[]): string {
  const first = blocks[0];
  const last = blocks.at(-1);
  if (first === undefined || last === undefined) return '';
  if (first === last) return String(first);
  return last - first + 1 === blocks.length ? `${first}–${last}` : blocks.join(' ');
}

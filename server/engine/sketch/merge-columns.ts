import { methodFor } from '../merge/methods';
import type { ColumnInput, ColumnMethod, Facts, MutableCut, RowMethod } from '../merge/method';
import { weightedColumns } from '../merge/weighted';
import type { MergeParameters, MethodSettings } from '../plan-types';
import { randomKey } from '../random';
import { binsOf, refine, type Selection, startSelection, type Threshold } from '../select';
import { column, type Stages } from '../stages';
import { clusterElements } from './positions';
import { expansionOf, sampledElements, type SketchTensor } from './sketch';

/** One tensor with the numbers the recipe gives it. */
export interface SketchJob {
  readonly tensor: SketchTensor;
  readonly parameters: MergeParameters;
}

/** What the columns of a whole model are merged with. */
export interface SketchMethod {
  readonly settings: MethodSettings;
  readonly tasks: readonly string[];
  readonly stages: Stages;
}

type SampledMethod = ColumnMethod | RowMethod;

/** A tensor on its way through a method. */
interface Work {
  readonly job: SketchJob;
  readonly method: SampledMethod;
  readonly input: ColumnInput;
  readonly cuts: MutableCut[][];
  readonly sums: number[];
}

/** Columns of bins that a selection counts in; small, since every tensor has its own. */
const bins = 4096;

/**
 * τ_merge before α at every sampled position, in the order of `jobs` (sketch design §7). The method's
 * own code runs on the sample: cuts and sums over a tensor or the model are those of the sample, with
 * every position weighted by how many it stands for. Null where a method needs whole matrices.
 */
export function mergeColumns(
  jobs: readonly SketchJob[],
  options: SketchMethod,
): (Float32Array | null)[] {
  const works = jobs.map((job) => start(job, options));
  const known = works.filter((work) => work !== null);
  cutColumns(known, options);
  const signBalance = balanceAndSums(known, options);
  return works.map((work) => (work ? combine(work, signBalance, options) : null));
}

function start(job: SketchJob, { settings, tasks, stages }: SketchMethod): Work | null {
  const { tensor, parameters } = job;
  const { method } = methodFor(settings, tensor.shape, tasks.length);
  if (method.kind === 'matrix') return null;
  const { data, stride, count } = tensor.columns;
  const inWeights = method.space === 'weights';
  const columns = inWeights ? { data: Float32Array.from(data), stride, count } : tensor.columns;
  if (inWeights)
    for (let m = 0; m < count; m++)
      stages.add(column(columns, m), tensor.base, column(columns, m), stride);
  const cuts: MutableCut[][] = Array.from({ length: count }, () => []);
  const sums: number[] = [];
  const facts: Facts = { cuts, sums, signBalance: 0 };
  const input: ColumnInput = {
    stages,
    columns,
    base: tensor.base,
    hasBase: true,
    scratch: { data: new Float32Array(data.length), stride, count },
    divisors: new Float32Array(count),
    merged: new Float32Array(stride),
    n: stride,
    positions: positionsOf(tensor),
    parameters,
    settings,
    facts,
    keys: tasks.map((task) => randomKey(settings.seed, tensor.name, task)),
  };
  return { job, method, input, cuts, sums };
}

function positionsOf({ clusters }: SketchTensor): Float64Array {
  const positions = new Float64Array(clusters.length * clusterElements);
  clusters.forEach(({ start: first }, c) => {
    for (let i = 0; i < clusterElements; i++) positions[c * clusterElements + i] = first + i;
  });
  return positions;
}

/** Fills the cuts of every tensor, over the tensor or over the model as the method asks. */
function cutColumns(works: readonly Work[], { settings, tasks }: SketchMethod): void {
  const overModel = settings.trim_scope === 'model' && settings.method === 'ties';
  const groups = overModel ? [works] : works.map((work) => [work]);
  for (const group of groups) {
    const total = group.reduce((sum, { job }) => sum + job.tensor.elements, 0);
    if (group.length === 0) continue;
    const first = group[0];
    const ranksOf = first.method.kind === 'columns' ? first.method.ranks : undefined;
    if (!ranksOf) continue;
    tasks.forEach((_, task) => {
      for (const keep of ranksOf(first.job.parameters, task, total)) cutGroup(group, task, keep);
    });
  }
}

/** One cut of one task over a group: the k-th largest, counting each position by what it stands for. */
function cutGroup(group: readonly Work[], task: number, keep: number): void {
  const members = group.map(({ job, input, cuts }) => ({
    values: Float32Array.from(column(weightedColumns(input), task)),
    weight: expansionOf(job.tensor),
    padding: input.n - sampledElements(job.tensor),
    cuts: cuts[task],
  }));
  const total = group.reduce((sum, { job }) => sum + job.tensor.elements, 0);
  let selection: Selection = startSelection(keep, total, bins);
  while (!selection.found) selection = refine(selection, tallyMembers(members, selection), bins);
  spendCut(members, selection.found);
}

interface Member {
  readonly values: Float32Array;
  readonly weight: number;
  readonly padding: number;
  readonly cuts: MutableCut[];
}

function tallyMembers(
  members: readonly Member[],
  { window }: Selection,
): { above: number; histogram: Float64Array } {
  const histogram = new Float64Array(binsOf(window));
  let above = 0;
  for (const { values, weight, padding } of members) {
    const bits = new Uint32Array(values.buffer);
    for (const pattern of bits) {
      const magnitude = pattern & 0x7fffffff;
      if (magnitude >= window.high) above += weight;
      else if (magnitude >= window.low)
        histogram[(magnitude - window.low) >>> window.shift] += weight;
    }
    if (window.low === 0) histogram[0] -= padding * weight;
  }
  return { above, histogram };
}

/** Of the magnitudes that equal the threshold the first ones in order are kept, as in a merge. */
function spendCut(members: readonly Member[], { bits, remaining }: Threshold): void {
  let left = remaining;
  for (const { values, weight, cuts } of members) {
    let equal = 0;
    for (const pattern of new Uint32Array(values.buffer))
      if ((pattern & 0x7fffffff) === bits) equal++;
    const kept = Math.min(equal, Math.round(left / weight));
    left = Math.max(0, left - kept * weight);
    cuts.push({ threshold: bits, remaining: kept });
  }
}

/** Runs the methods' statistics; returns the balance of elected signs over the model. */
function balanceAndSums(works: readonly Work[], options: SketchMethod): number {
  let balance = 0;
  for (const work of works) {
    const { method, input, job } = work;
    const length = method.statisticsLength?.(options.settings, options.tasks.length) ?? 0;
    if (length === 0) continue;
    const sums = new Float64Array(length);
    runStatistics(work, input, sums);
    if (method.needsSignBalance?.(options.settings))
      balance += sums[length - 1] * expansionOf(job.tensor);
    work.sums.push(...sums);
  }
  return balance;
}

function runStatistics({ method, cuts }: Work, input: ColumnInput, sums: Float64Array): void {
  // Cuts count down as they are used; the merge itself needs them fresh.
  const fresh = cuts.map((list) => list.map((cut) => ({ ...cut })));
  const withFresh = { ...input, facts: { ...input.facts, cuts: fresh } };
  if (method.kind === 'rows')
    method.statistics?.({ ...withFresh, rowLength: clusterElements }, sums);
  else method.statistics?.(withFresh, sums);
}

function combine(
  { method, input, job }: Work,
  signBalance: number,
  { stages }: SketchMethod,
): Float32Array {
  const ready = { ...input, facts: { ...input.facts, signBalance } };
  // A cluster stands for its row where a method ranks within rows.
  if (method.kind === 'rows') method.combine({ ...ready, rowLength: clusterElements });
  else method.combine(ready);
  if (method.space === 'weights')
    stages.subtract(input.merged, job.tensor.base, input.merged, input.n);
  return input.merged;
}

import type { ColumnInput, ColumnMethod, MutableCut, RowInput, RowMethod } from '../merge/method';
import { rowLengthOf } from '../merge/method';
import { methodFor } from '../merge/methods';
import { cutsOverModel } from '../merge/ties';
import { weightedColumns } from '../merge/weighted';
import type { MergeParameters, MethodSettings } from '../plan-types';
import { randomKey } from '../random';
import { binsOf, refine, type Selection, startSelection, type Threshold } from '../select';
import { column, type Columns } from '../stages';
import { clusterElements } from './positions';
import { columnsIn, type Room } from './room';
import { expansionOf, sampledElements, type SketchTensor } from './sketch';

/** One tensor with the numbers the recipe gives it. */
export interface SketchJob {
  readonly tensor: SketchTensor;
  readonly parameters: MergeParameters;
  /** Where τ_merge goes. */
  readonly merged: Float32Array;
}

/** What the columns of a whole model are merged with. */
export interface SketchMethod {
  readonly settings: MethodSettings;
  readonly tasks: readonly string[];
  readonly room: Room;
}

type SampledMethod = ColumnMethod | RowMethod;

/** A tensor on its way through a method. */
interface Work {
  readonly job: SketchJob;
  readonly method: SampledMethod;
  readonly cuts: MutableCut[][];
  readonly sums: number[];
}

/** Bins that a selection counts in at once. */
const bins = 4096;
const drawing: ReadonlySet<string> = new Set(['dare_linear', 'dare_ties', 'della', 'della_linear']);

/**
 * Fills τ_merge before α at every sampled position of each job (sketch design §7). The method's own
 * code runs on the sample: cuts and sums over a tensor or the model are those of the sample, with every
 * position weighted by how many it stands for. Returns for each job whether a sample was enough:
 * methods that need whole matrices have no sketch.
 */
export function mergeColumns(jobs: readonly SketchJob[], options: SketchMethod): boolean[] {
  const works = jobs.map((job) => start(job, options));
  const known = works.filter((work) => work !== null);
  cutColumns(known, options);
  const signBalance = balanceAndSums(known, options);
  for (const work of known) combine(work, signBalance, options);
  return works.map((work) => work !== null);
}

function start(job: SketchJob, { settings, tasks }: SketchMethod): Work | null {
  const { method } = methodFor(settings, job.tensor.shape, tasks.length);
  if (method.kind === 'matrix') return null;
  return { job, method, cuts: tasks.map(() => []), sums: [] };
}

/** What the method sees of one tensor; arrays are shared, so one tensor at a time. */
function inputOf(
  { job, method, cuts, sums }: Work,
  options: SketchMethod,
  signBalance = 0,
): ColumnInput {
  const { settings, tasks, room } = options;
  const { tensor, parameters, merged } = job;
  return {
    stages: room.stages,
    columns: method.space === 'weights' ? weightsOf(tensor, room) : tensor.columns,
    base: tensor.base,
    hasBase: true,
    scratch: columnsIn(room.scratch, tensor.columns),
    divisors: room.divisors,
    merged,
    n: tensor.columns.stride,
    positions: drawing.has(settings.method) ? positionsOf(tensor) : 0,
    parameters,
    settings,
    facts: { cuts, sums, signBalance },
    keys: tasks.map((task) => randomKey(settings.seed, tensor.name, task)),
  };
}

/** θ_m = θ_0 + τ_m. */
function weightsOf({ columns, base }: SketchTensor, room: Room): Columns {
  const weights = columnsIn(room.weights, columns);
  for (let m = 0; m < columns.count; m++)
    room.stages.add(column(columns, m), base, column(weights, m), columns.stride);
  return weights;
}

function positionsOf({ clusters }: SketchTensor): Float64Array {
  const positions = new Float64Array(clusters.length * clusterElements);
  clusters.forEach(({ start: first }, c) => {
    for (let i = 0; i < clusterElements; i++) positions[c * clusterElements + i] = first + i;
  });
  return positions;
}

/** Fills the cuts of every tensor, over the tensor or over the model as the method asks. */
function cutColumns(works: readonly Work[], options: SketchMethod): void {
  const { settings, tasks } = options;
  const groups = cutsOverModel(settings) ? [works] : works.map((work) => [work]);
  for (const group of groups) {
    if (group.length === 0) continue;
    const { method, job } = group[0];
    if (method.kind !== 'columns' || !method.ranks) continue;
    const total = elementsOf(group);
    for (let task = 0; task < tasks.length; task++)
      for (const keep of method.ranks(job.parameters, task, total))
        cutGroup(group, { task, keep, options });
  }
}

function elementsOf(group: readonly Work[]): number {
  return group.reduce((sum, { job }) => sum + job.tensor.elements, 0);
}

interface CutRequest {
  readonly task: number;
  readonly keep: number;
  readonly options: SketchMethod;
}

/** One cut of one task over a group: the k-th largest, counting each position by what it stands for. */
function cutGroup(group: readonly Work[], { task, keep, options }: CutRequest): void {
  const members = group.map((work) => {
    const input = inputOf(work, options);
    const own = column(weightedColumns(input), task);
    const { tensor } = work.job;
    return {
      // Weighted columns are in shared memory; unweighted ones are the sketch's own.
      values: own.buffer === tensor.columns.data.buffer && weightsAreOne(work) ? own : own.slice(),
      weight: expansionOf(tensor),
      padding: input.n - sampledElements(tensor),
      cuts: work.cuts[task],
    };
  });
  let selection: Selection = startSelection(keep, elementsOf(group), bins);
  while (!selection.found) selection = refine(selection, tallyMembers(members, selection), bins);
  spendCut(members, selection.found);
}

function weightsAreOne({ job }: Work): boolean {
  return job.parameters.weights.every((weight) => weight === 1);
}

interface Member {
  readonly values: Float32Array;
  readonly weight: number;
  readonly padding: number;
  readonly cuts: MutableCut[];
}

function bitsOf({ values }: Member): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

function tallyMembers(
  members: readonly Member[],
  { window: { low, high, shift } }: Selection,
): { above: number; histogram: Float64Array } {
  const histogram = new Float64Array(binsOf({ low, high, shift }));
  const counts = new Uint32Array(histogram.length);
  let above = 0;
  for (const member of members) {
    const bits = bitsOf(member);
    counts.fill(0);
    let larger = 0;
    for (let i = 0; i < bits.length; i++) {
      const magnitude = bits[i] & 0x7fffffff;
      if (magnitude >= high) larger++;
      else if (magnitude >= low) counts[(magnitude - low) >>> shift]++;
    }
    if (low === 0) counts[0] -= member.padding;
    above += larger * member.weight;
    for (let bin = 0; bin < counts.length; bin++) histogram[bin] += counts[bin] * member.weight;
  }
  return { above, histogram };
}

/** Of the magnitudes that equal the threshold the first ones in order are kept, as in a merge. */
function spendCut(members: readonly Member[], { bits, remaining }: Threshold): void {
  let left = remaining;
  for (const member of members) {
    let equal = 0;
    for (const pattern of bitsOf(member)) if ((pattern & 0x7fffffff) === bits) equal++;
    const kept = Math.min(equal, Math.round(left / member.weight));
    left = Math.max(0, left - kept * member.weight);
    member.cuts.push({ threshold: bits, remaining: kept });
  }
}

/** Runs the methods' statistics; returns the balance of elected signs over the model. */
function balanceAndSums(works: readonly Work[], options: SketchMethod): number {
  const { settings, tasks } = options;
  let balance = 0;
  for (const work of works) {
    const { method, job } = work;
    const length = method.statisticsLength?.(settings, tasks.length) ?? 0;
    if (length === 0) continue;
    const sums = new Float64Array(length);
    // Cuts count down as they are used; the merge itself needs them fresh.
    const cuts = work.cuts.map((list) => list.map((cut) => ({ ...cut })));
    const input = inputOf({ ...work, cuts }, options);
    if (method.kind === 'rows') method.statistics?.({ ...input, ...rowsOf(job.tensor) }, sums);
    else method.statistics?.(input, sums);
    if (method.needsSignBalance?.(settings)) balance += sums[length - 1] * expansionOf(job.tensor);
    work.sums.push(...sums);
  }
  return balance;
}

function combine(work: Work, signBalance: number, options: SketchMethod): void {
  const { method, job } = work;
  const input = inputOf(work, options, signBalance);
  if (method.kind === 'rows') method.combine({ ...input, ...rowsOf(job.tensor) });
  else method.combine(input);
  if (method.space === 'weights')
    options.room.stages.subtract(job.merged, job.tensor.base, job.merged, input.n);
}

/** The rows that a method ranks within: those of a tensor that was read whole; a cluster stands for its row else. */
function rowsOf(tensor: SketchTensor): Pick<RowInput, 'rowLength' | 'n'> {
  return tensor.whole
    ? { rowLength: Math.max(1, rowLengthOf(tensor)), n: tensor.elements }
    : { rowLength: clusterElements, n: tensor.columns.stride };
}

import type { Kernels } from '../compute/kernels/wasm';
import { createAlgebra } from '../compute/linalg/algebra';
import type { Algebra } from '../compute/linalg/matrix';
import type {
  ColumnInput,
  ColumnMethod,
  Facts,
  MatrixMethod,
  Method,
  RandomKey,
  RowMethod,
} from '../engine/merge/method';
import { rowLengthOf } from '../engine/merge/method';
import { methodFor } from '../engine/merge/methods';
import { weightedColumns } from '../engine/merge/weighted';
import { nativeSum, roundingOf, type Rounding } from '../engine/native';
import { plainStages } from '../engine/plain-stages';
import { blockElements } from '../engine/plan-cost';
import type { MergeParameters, MergePlan, TensorJob } from '../engine/plan-types';
import { randomKey } from '../engine/random';
import { areHeld } from '../engine/spectral/needs';
import type { TaskVectors } from '../engine/spectral/operand';
import { spectralReport } from '../engine/spectral/result';
import { matrixSpectrum } from '../engine/spectral/spectrum';
import type { SpectralReport } from '../protocol/report';
import type { MatrixSpectrum } from '../protocol/spectrum';
import { column, makeColumns, type Columns } from '../engine/stages';
import type { Block, BlockReader } from './block-reader';
import { readOnDemand } from './matrix-reader';

/** Facts with cuts that count down; each unit has its own copy. */
export function unitFacts(facts: Facts): Facts {
  return { ...facts, cuts: facts.cuts.map((own) => own.map((cut) => ({ ...cut }))) };
}

/** The result of a method that works on whole rows or matrices, over the elements of a unit. */
export interface WholeResult {
  readonly values: Float32Array;
  readonly start: number;
  readonly spectral?: SpectralReport;
}

/** Calls methods on the blocks of a tensor. */
export class Combiner {
  /** τ_merge after α of the block that `combine` was last called for. */
  readonly merged: Float32Array;
  /** θ_merge of that block, where the method makes whole weights and nothing changes them after. */
  weights: Float32Array | null = null;
  /** τ of each task; the reader's own columns, or made from whole weights. */
  readonly taskVectors: Columns;
  private readonly whole: Float32Array;
  private readonly scratch: Columns;
  private readonly divisors: Float32Array;
  /** What the elections since it was last cleared added up to; see `Election`. */
  readonly signs: Int32Array;
  /** Made for the first matrix: most merges need none. */
  private algebra: Algebra | undefined;
  private keys: { readonly job: TensorJob; readonly keys: readonly RandomKey[] } | undefined;

  constructor(
    readonly plan: MergePlan,
    readonly kernels: Kernels,
    readonly blocks: BlockReader,
  ) {
    const count = plan.tasks.length;
    const columns = (): Columns =>
      makeColumns(kernels.floats(count * blockElements), blockElements, count);
    this.merged = kernels.floats(blockElements);
    this.whole = kernels.floats(blockElements);
    this.scratch = columns();
    this.taskVectors = columns();
    this.divisors = kernels.floats(Math.max(count, 4));
    this.signs = kernels.integers(2);
  }

  /** The weighted columns of the current block: what cuts are taken over. */
  weighted(job: TensorJob, n: number): Columns {
    this.roundColumns(this.blocks.columns, n);
    return weightedColumns(this.input(job, { position: 0, n: n }, noFacts));
  }

  /** Adds the method's sums over a run of elements. */
  statistics(
    job: TensorJob,
    range: { readonly start: number; readonly end: number },
    facts: Facts,
    sums: Float64Array,
  ): void {
    const { method } = methodFor(this.plan.settings, job.shape, this.plan.tasks.length);
    if (method.kind === 'matrix') return;
    const own = unitFacts(facts);
    this.blocks.open(job, method.space);
    if (method.kind === 'rows') {
      const input = this.rowInput(job, range, own);
      method.statistics?.(input, sums);
      return;
    }
    this.blocks.forEachBlock(range, (block) => {
      if (method.space === 'task_vectors') this.roundColumns(this.blocks.columns, block.padded);
      const input = this.input(job, { position: block.position, n: block.padded }, own);
      method.statistics?.(input, sums);
    });
  }

  /**
   * Fills `merged` and gives the task vectors of the block. `whole`: the unit's result where the
   * method works on rows or matrices, from `wholeUnit`.
   */
  combine(
    job: TensorJob,
    block: Block,
    facts: Facts,
    whole: { readonly values: Float32Array; readonly start: number } | null,
  ): Columns {
    const { method } = methodFor(this.plan.settings, job.shape, this.plan.tasks.length);
    const { stages } = this.kernels;
    const { padded } = block;
    const taskVectors = this.vectorsOf(method, padded);
    const rounding = this.plan.precision === 'native' ? roundingOf(job.dtype) : null;
    if (whole) {
      this.merged.fill(0, 0, padded);
      const from = block.position - whole.start;
      this.merged.set(whole.values.subarray(from, from + block.n));
    } else if (method.kind === 'columns') {
      const input = this.input(job, { position: block.position, n: padded }, facts);
      if (rounding) nativeCombine(method, input, rounding);
      else method.combine(input);
    }
    const alpha = parametersOf(job).alpha;
    this.weights = null;
    if (method.space === 'weights' && job.base) {
      if (alpha === 1) this.keepWeights(padded);
      stages.subtract(this.merged, this.blocks.base, this.merged, padded);
    }
    if (alpha !== 1) stages.scale(this.merged, alpha, this.merged, padded);
    if (rounding) rounding(this.merged, padded);
    return taskVectors;
  }

  /** Base + (θ_merge − base) would round twice. */
  private keepWeights(padded: number): void {
    if (this.plan.precision === 'native') return;
    this.whole.set(this.merged.subarray(0, padded));
    this.weights = this.whole;
  }

  /** The result of a method that needs whole rows or the whole matrix; null for the others. */
  async wholeUnit(
    job: TensorJob,
    range: { readonly start: number; readonly end: number },
    facts: Facts,
  ): Promise<WholeResult | null> {
    const { method } = methodFor(this.plan.settings, job.shape, this.plan.tasks.length);
    if (method.kind === 'columns') return null;
    this.blocks.open(job, 'task_vectors');
    if (method.kind === 'rows') {
      const input = this.rowInput(job, range, unitFacts(facts));
      method.combine(input);
      return { values: input.merged, start: range.start };
    }
    return { ...(await this.wholeMatrix(job, method)), start: range.start };
  }

  private async wholeMatrix(
    job: TensorJob,
    method: MatrixMethod,
  ): Promise<Omit<WholeResult, 'start'>> {
    this.algebra ??= await createAlgebra();
    const { merged, facts } = method.combine({
      rows: job.shape[0] ?? 1,
      columns: job.shape[1] ?? 1,
      taskVectors: this.taskVectorsOf(job),
      settings: this.plan.settings,
      parameters: parametersOf(job),
      algebra: this.algebra,
    });
    return { values: merged, spectral: spectralReport(facts) };
  }

  /** Spectra of the task vectors of a whole matrix, without weights; null where all are zero. */
  async spectrum(job: TensorJob, k: number): Promise<MatrixSpectrum | null> {
    this.blocks.open(job, 'task_vectors');
    this.algebra ??= await createAlgebra();
    const [rows = 1, columns = 1] = job.shape;
    const taskVectors = this.taskVectorsOf(job);
    return matrixSpectrum({ rows, columns, taskVectors, algebra: this.algebra }, k);
  }

  private taskVectorsOf({ elements }: TensorJob): TaskVectors {
    const tasks = this.plan.tasks.length;
    const keep = areHeld(elements, tasks) ? 'all' : 'last';
    return readOnDemand(tasks, (range) => this.gather(range), keep);
  }

  private vectorsOf(method: Method, padded: number): Columns {
    const { stages } = this.kernels;
    const { columns, base } = this.blocks;
    if (method.space === 'task_vectors') {
      this.roundColumns(columns, padded);
      return columns;
    }
    for (let m = 0; m < columns.count; m++)
      stages.subtract(column(columns, m), base, column(this.taskVectors, m), padded);
    this.roundColumns(this.taskVectors, padded);
    return this.taskVectors;
  }

  /** The released code forms task vectors in the stored dtype. */
  private roundColumns(columns: Columns, n: number): void {
    if (this.plan.precision !== 'native') return;
    const rounding = roundingOf(this.blocks.dtype());
    if (rounding) for (let m = 0; m < columns.count; m++) rounding(column(columns, m), n);
  }

  private rowInput(
    job: TensorJob,
    range: { readonly start: number; readonly end: number },
    facts: Facts,
  ): ColumnInput & { readonly rowLength: number } {
    const columns = this.gather(range);
    const n = columns.stride;
    const scratch = makeColumns(new Float32Array(columns.data.length), n, columns.count);
    return {
      ...this.input(job, { position: range.start, n }, facts),
      stages: plainStages,
      columns,
      scratch,
      divisors: new Float32Array(columns.count),
      merged: new Float32Array(n),
      rowLength: rowLengthOf(job),
    };
  }

  /** Every task vector over a run of elements, outside the kernels' memory. */
  private gather(range: { readonly start: number; readonly end: number }): Columns {
    const { columns } = this.blocks;
    const stride = range.end - range.start;
    const data = new Float32Array(stride * columns.count);
    this.blocks.forEachBlock(range, ({ position, n }) => {
      for (let m = 0; m < columns.count; m++) {
        const values = column(columns, m).subarray(0, n);
        data.set(values, m * stride + position - range.start);
      }
    });
    return makeColumns(data, stride, columns.count);
  }

  private keysOf(job: TensorJob): readonly RandomKey[] {
    if (this.keys?.job !== job) {
      const { settings, tasks } = this.plan;
      const keys = tasks.map((task) => randomKey(settings.seed, job.name, task));
      this.keys = { job, keys };
    }
    return this.keys.keys;
  }

  private input(
    job: TensorJob,
    at: { readonly position: number; readonly n: number },
    facts: Facts,
  ): ColumnInput {
    const { settings } = this.plan;
    return {
      stages: this.kernels.stages,
      columns: this.blocks.columns,
      base: this.blocks.base,
      hasBase: job.base !== null,
      scratch: this.scratch,
      divisors: this.divisors,
      signs: this.signs,
      merged: this.merged,
      n: at.n,
      positions: at.position,
      parameters: parametersOf(job),
      settings,
      facts,
      keys: this.keysOf(job),
    };
  }
}

const noFacts: Facts = { cuts: [], signBalance: 0, sums: [] };

export function parametersOf(job: TensorJob): MergeParameters {
  if (job.rule.kind !== 'merge') throw new Error(`${job.name} is not merged`);
  return job.rule.parameters;
}

/** The released arithmetic: sums rounded after every step, TIES' sum once from a float32 accumulator. */
function nativeCombine(
  method: ColumnMethod | RowMethod,
  input: ColumnInput,
  round: Rounding,
): void {
  const { weights } = input.parameters;
  const merged = input.merged.subarray(0, input.n);
  if (input.settings.method === 'ties') {
    method.combine({ ...input, rowLength: input.n });
    round(merged, input.n);
    return;
  }
  const total = input.settings.normalize ? weights.reduce((sum, w) => sum + w, 0) : 1;
  nativeSum(
    input.columns,
    weights.map((w) => w / total),
    round,
    merged,
  );
}

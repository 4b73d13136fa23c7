import { createKernels, type Kernels } from '../compute/kernels/wasm';
import type { Facts } from '../engine/merge/method';
import { methodFor } from '../engine/merge/methods';
import { binsOf, joined } from '../engine/select';
import { tallyBytes, threadBytes } from '../engine/plan-cost';
import type { MergePlan, TensorJob } from '../engine/plan-types';
import { column, type Window } from '../engine/stages';
import { elementBytes } from '../tensors/dtypes';
import type { TensorInfo } from '../tensors/types';
import { TensorReader } from '../tensors/reader';
import { TensorWriter } from '../tensors/writer';
import { BlockReader, sameData, type Block } from './block-reader';
import { Combiner } from './combiner';
import { cutTensor } from './cut-tensor';
import { mergeUnit } from './merge-unit';
import { OutputBuffers } from './output-buffers';
import { restUnit } from './rest-unit';
import { SumGatherer } from './unit-sums';
import type { SparseTally, Unit, Work, WorkResult } from './units';

/** What a thread needs to know once. */
export interface RunnerOptions {
  readonly plan: MergePlan;
  /** Bytes read at once from each model. */
  readonly pieceBytes: number;
}

/** Runs units of work: one in each thread, with its own files and kernel memory. */
export class UnitRunner {
  readonly plan: MergePlan;
  readonly kernels: Kernels;
  readonly reader: TensorReader;
  readonly writer = new TensorWriter();
  readonly blocks: BlockReader;
  readonly combiner: Combiner;
  readonly sums: SumGatherer;
  readonly outputs: OutputBuffers;
  private readonly tallyWords: Uint32Array;
  private readonly guess: Int32Array;

  constructor({ plan, pieceBytes }: RunnerOptions) {
    this.plan = plan;
    const tasks = plan.tasks.length;
    const outputBytes = OutputBuffers.size(plan, pieceBytes);
    this.kernels = createKernels(threadBytes(tasks, pieceBytes / 4) + outputBytes);
    this.reader = new TensorReader(plan.files);
    this.blocks = new BlockReader(plan, this.kernels, this.reader, { pieceBytes });
    this.combiner = new Combiner(plan, this.kernels, this.blocks);
    this.sums = new SumGatherer(plan, this.kernels);
    this.outputs = new OutputBuffers(plan, this.kernels, pieceBytes);
    this.tallyWords = this.kernels.words(tallyBytes / 4);
    this.guess = this.kernels.integers(tasks);
  }

  async run(work: Work): Promise<WorkResult> {
    switch (work.kind) {
      case 'scan':
        return this.scan(work.unit);
      case 'sample':
        return this.sample(work.unit);
      case 'tally':
        return { kind: 'tally', ...this.tally(work.unit, work.windows, work.guess) };
      case 'cut':
        return { kind: 'cut', cuts: cutTensor(this, this.jobOf(work.unit), work.starts) };
      case 'statistics':
        return this.statistics(work.unit, work.facts);
      case 'spectrum': {
        const spectrum = await this.combiner.spectrum(this.jobOf(work.unit), work.k);
        return { kind: 'spectrum', spectrum };
      }
      case 'merge': {
        const job = this.jobOf(work.unit);
        return job.rule.kind === 'merge' ? mergeUnit(this, job, work) : restUnit(this, job, work);
      }
    }
  }

  /** Ends the thread's use of its files; throws when one was written to meanwhile. */
  finish(): void {
    this.reader.checkUnchanged();
    this.close();
  }

  close(): void {
    this.reader.close();
    this.writer.close();
  }

  jobOf(unit: { readonly job: number }): TensorJob {
    const job = this.plan.jobs[unit.job];
    if (!job) throw new RangeError(`no tensor ${String(unit.job)}`);
    return job;
  }

  /** Finds out whether an expert differs from the base; stops at the first difference. */
  private scan(unit: Unit): WorkResult {
    const job = this.jobOf(unit);
    if (this.differs(job)) return { kind: 'scan', changed: true, baseSquares: 0 };
    let baseSquares = 0;
    if (job.rule.kind === 'merge') {
      this.blocks.open({ ...job, experts: [] }, 'task_vectors');
      this.blocks.forEachBlock({ start: 0, end: job.elements }, ({ padded }) => {
        baseSquares += this.kernels.stages.sumSquares(this.blocks.base, padded);
      });
    }
    return { kind: 'scan', changed: false, baseSquares };
  }

  private differs(job: TensorJob): boolean {
    const base = job.base?.stored ?? job.experts[0]?.stored;
    if (!base || job.experts.some(({ delta }) => delta)) return true;
    const others = job.experts.flatMap(({ stored }) =>
      stored && !sameData(stored, base) ? [stored] : [],
    );
    if (others.some(({ dtype }) => dtype !== base.dtype)) return true;
    return others.length > 0 && this.differ(base, others);
  }

  /** Compares bytes, in short pieces first, because most experts differ at once. */
  private differ(base: TensorInfo, others: readonly TensorInfo[]): boolean {
    const size = elementBytes(base.dtype);
    let step = 1 << 14;
    for (let at = 0; at < base.elements; at += step / size, step = 1 << 20) {
      const n = Math.min(step / size, base.elements - at);
      const expected = Buffer.allocUnsafe(n * size);
      const found = Buffer.allocUnsafe(n * size);
      this.reader.readBytes(base, at, expected);
      for (const other of others) {
        this.reader.readBytes(other, at, found);
        if (!found.equals(expected)) return true;
      }
    }
    return false;
  }

  /** Magnitude bits of some weighted positions of a unit, for the first window of a cut. */
  private sample(unit: Unit): WorkResult {
    const job = this.jobOf(unit);
    const magnitudes = this.plan.tasks.map(() => [] as Uint32Array[]);
    this.blocks.open(job, 'task_vectors');
    for (let start = unit.start; start < unit.end; start += 1 << 20) {
      // A thousandth of every stretch, so that short tensors have no more say than they have elements.
      const stretch = Math.min(1 << 20, unit.end - start);
      const end = start + Math.ceil(stretch / 1024);
      this.blocks.forEachBlock({ start, end }, ({ n }) => {
        const columns = this.combiner.weighted(job, n);
        magnitudes.forEach((parts, m) => {
          const values = column(columns, m);
          const bits = new Uint32Array(values.buffer, values.byteOffset, n);
          parts.push(bits.map((b) => b & 0x7fffffff));
        });
      });
    }
    return { kind: 'sample', magnitudes: magnitudes.map(joined) };
  }

  /** Counts magnitudes by windows over a run of elements, and signs by guessed cuts. */
  tally(
    unit: Pick<Unit, 'job' | 'start' | 'end'>,
    windows: readonly (readonly (Window | null)[])[],
    guess: readonly number[] | null = null,
  ): { readonly tallies: (SparseTally | null)[][]; readonly signBalance: number } {
    let signBalance = 0;
    if (guess) this.guess.set(guess);
    const job = this.jobOf(unit);
    const histograms = this.histograms(windows);
    const above = windows.map((own) => own.map(() => 0));
    this.blocks.open(job, 'task_vectors');
    this.blocks.forEachBlock(unit, (block) => {
      const columns = this.combiner.weighted(job, block.padded);
      if (guess) signBalance += this.kernels.stages.signBalance(columns, block.padded, this.guess);
      windows.forEach((own, m) => {
        own.forEach((window, rank) => {
          const histogram = histograms[m]?.[rank];
          const row = above[m];
          if (!window || !histogram || !row) return;
          const found = this.tallyBlock(column(columns, m), window, histogram, block);
          row[rank] = (row[rank] ?? 0) + found;
        });
      });
    });
    const tallies = windows.map((own, m) =>
      own.map((window, rank) => {
        const histogram = histograms[m]?.[rank];
        return window && histogram ? sparse(above[m]?.[rank] ?? 0, histogram) : null;
      }),
    );
    return { tallies, signBalance };
  }

  private tallyBlock(
    values: Float32Array,
    window: Window,
    histogram: Uint32Array,
    { n, padded }: Block,
  ): number {
    const found = this.kernels.stages.tally(values, window, histogram, padded);
    // Zeros behind the end are no magnitudes of the tensor.
    if (window.low === 0) histogram[0] = (histogram[0] ?? 0) - (padded - n);
    return found;
  }

  private histograms(
    windows: readonly (readonly (Window | null)[])[],
  ): readonly (readonly (Uint32Array | null)[])[] {
    let next = 0;
    return windows.map((own) =>
      own.map((window) => {
        if (!window) return null;
        const bins = binsOf(window);
        const words = this.tallyWords.subarray(next, next + bins);
        if (words.length < bins) throw new RangeError('windows are too wide');
        next += bins;
        return words.fill(0);
      }),
    );
  }

  private statistics(unit: Unit, facts: Facts): WorkResult {
    const job = this.jobOf(unit);
    const { method } = methodFor(this.plan.settings, job.shape, this.plan.tasks.length);
    const length =
      method.kind === 'matrix'
        ? 0
        : (method.statisticsLength?.(this.plan.settings, this.plan.tasks.length) ?? 0);
    const sums = new Float64Array(length);
    if (length > 0) this.combiner.statistics(job, unit, facts, sums);
    return { kind: 'statistics', sums: Array.from(sums) };
  }
}

function sparse(above: number, histogram: Uint32Array): SparseTally {
  const bins: number[] = [];
  for (let i = 0; i < histogram.length; i++) if (histogram[i] !== 0) bins.push(i);
  return {
    above,
    bins: Uint32Array.from(bins),
    counts: Uint32Array.from(bins, (bin) => histogram[bin] ?? 0),
  };
}

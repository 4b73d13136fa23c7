import type { Kernels } from '../compute/kernels/wasm';
import type { MergePlan } from '../engine/plan-types';
import { column, type Columns } from '../engine/stages';
import type { UnitSums } from './units';

/** What the sums of one block are taken over. */
export interface SummedBlock {
  readonly base: Float32Array;
  readonly taskVectors: Columns;
  readonly merged: Float32Array;
  readonly padded: number;
  /** Masks whose distances are still to be taken; null when there are none or the mask rule gave them. */
  readonly masks: readonly Uint8Array[] | null;
}

/** Gathers the metrics of one unit, block by block, in float64 and in a fixed order. */
export class SumGatherer {
  private base = 0;
  private merged = 0;
  private readonly tasks: Float64Array;
  private readonly dots: Float64Array;
  private readonly conflicts: Float64Array;
  private readonly compared: Float64Array;
  private readonly distances: Float64Array;
  private readonly active: Float64Array;
  private readonly coverage: Float64Array;
  private readonly signs: Float64Array;
  private readonly gram: Float64Array;

  constructor(
    readonly plan: MergePlan,
    readonly kernels: Kernels,
  ) {
    const count = plan.tasks.length;
    const pairs = (count * (count - 1)) / 2;
    this.tasks = new Float64Array(count);
    this.dots = new Float64Array(pairs);
    this.conflicts = new Float64Array(pairs);
    this.compared = new Float64Array(pairs);
    this.distances = new Float64Array(plan.masks ? count : 0);
    this.active = new Float64Array(plan.masks ? count : 0);
    this.coverage = new Float64Array(plan.masks ? count + 1 : 0);
    this.signs = kernels.doubles(2);
    this.gram = kernels.doubles(12);
  }

  reset(): void {
    this.base = 0;
    this.merged = 0;
    for (const sums of [this.tasks, this.dots, this.conflicts, this.compared]) sums.fill(0);
    for (const sums of [this.distances, this.active, this.coverage]) sums.fill(0);
  }

  addBlock(block: SummedBlock): void {
    const { stages } = this.kernels;
    const { taskVectors, padded } = block;
    this.base += stages.sumSquares(block.base, padded);
    this.merged += stages.sumSquares(block.merged, padded);
    if (taskVectors.count === 3) this.addThree(taskVectors, padded);
    else this.addPairs(taskVectors, padded);
    if (block.masks) this.addDistances(block, block.masks);
  }

  private addThree(taskVectors: Columns, padded: number): void {
    this.kernels.stages.gram3(taskVectors, this.gram, padded);
    for (let i = 0; i < 3; i++) {
      add(this.tasks, i, this.gram[i] ?? 0);
      add(this.dots, i, this.gram[3 + i] ?? 0);
      add(this.conflicts, i, this.gram[6 + i] ?? 0);
      add(this.compared, i, this.gram[9 + i] ?? 0);
    }
  }

  private addPairs(taskVectors: Columns, padded: number): void {
    const { stages } = this.kernels;
    let pair = 0;
    for (let a = 0; a < taskVectors.count; a++) {
      const first = column(taskVectors, a);
      add(this.tasks, a, stages.sumSquares(first, padded));
      for (let b = a + 1; b < taskVectors.count; b++, pair++) {
        this.signs.fill(0);
        add(this.dots, pair, stages.dot(first, column(taskVectors, b), this.signs, padded));
        add(this.conflicts, pair, this.signs[0] ?? 0);
        add(this.compared, pair, this.signs[1] ?? 0);
      }
    }
  }

  private addDistances(block: SummedBlock, masks: readonly Uint8Array[]): void {
    masks.forEach((bits, m) => {
      const taskVector = column(block.taskVectors, m);
      const pair = { taskVector, merged: block.merged, lambda: 0 };
      add(this.distances, m, this.kernels.stages.distance(pair, bits, block.padded));
    });
  }

  /** Adds a block's coverage (counted over `padded` positions) and, from it or from `counts`, the actives. */
  addMasks(
    histogram: Uint32Array,
    counts: readonly number[],
    distances: readonly number[] | null,
    block: { readonly n: number; readonly padded: number },
  ): void {
    // Positions behind the end are active in no mask.
    histogram.forEach((count, k) => {
      add(this.coverage, k, k === 0 ? count - (block.padded - block.n) : count);
    });
    counts.forEach((count, m) => {
      add(this.active, m, count);
    });
    distances?.forEach((distance, m) => {
      add(this.distances, m, distance);
    });
  }

  /** True when every number read so far, and every merged one, was finite. */
  isFinite(): boolean {
    return [this.base, this.merged, ...this.tasks].every((sum) => Number.isFinite(sum));
  }

  result(): UnitSums {
    return {
      base: this.base,
      merged: this.merged,
      tasks: Array.from(this.tasks),
      dots: Array.from(this.dots),
      conflicts: Array.from(this.conflicts),
      compared: Array.from(this.compared),
      distances: Array.from(this.distances),
      active: Array.from(this.active),
      coverage: Array.from(this.coverage),
    };
  }
}

function add(sums: Float64Array, index: number, value: number): void {
  sums[index] = (sums[index] ?? 0) + value;
}

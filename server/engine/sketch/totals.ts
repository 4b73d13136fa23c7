import { emrMask } from '../merge/emr';
import type { MaskPlan } from '../plan-types';
import { column } from '../stages';
import type { Strata } from './moments';
import { emptyStrata, fillStrata } from './moments';
import { clusterElements } from './positions';
import type { Room } from './room';
import { expansionOf, type SketchTensor } from './sketch';

/** Figures of one tensor that depend on its task vectors alone. Pairs are in the order of `pairsOf`. */
export interface InputTotals {
  /** For each pair: opposite signs among positions where both are non-zero. */
  readonly conflict: readonly Strata[];
  /** Σ τ_a·τ_b for each pair, Σ τ_m² for each task, Σ θ_0²: expanded to the whole tensor. */
  readonly dots: readonly number[];
  readonly squares: readonly number[];
  readonly baseSquare: number;
}

/** Figures of one tensor under one method, α and λ; filled again each time one of them moves. */
export interface MergeTotals {
  mergedSquare: number;
  /** For each task: active positions among all. */
  readonly active: readonly Strata[];
  /** For c = 0 … M: positions active in exactly c masks, among all. */
  readonly coverage: readonly Strata[];
  /** Positions active in one mask among those active in any. */
  readonly selfish: Strata;
  /** Σ ((bit ? τ_merge : 0) − τ_m)² for each task, expanded. */
  readonly distances: Float64Array;
}

/** Index pairs a < b in the order that reports name them. */
export function pairsOf(count: number): readonly (readonly [number, number])[] {
  return Array.from({ length: count }, (_, a) => a).flatMap((a) =>
    Array.from({ length: count - a - 1 }, (_, i) => [a, a + i + 1] as const),
  );
}

/** Totals that no slider changes. */
export function inputTotals(tensor: SketchTensor, { stages, signs }: Room): InputTotals {
  const { columns, base } = tensor;
  const expansion = expansionOf(tensor);
  const squares = Array.from(
    { length: columns.count },
    (_, m) => stages.sumSquares(column(columns, m), columns.stride) * expansion,
  );
  const dots: number[] = [];
  const conflict = pairsOf(columns.count).map(([a, b]) => {
    const [first, second] = [column(columns, a), column(columns, b)];
    dots.push(stages.dot(first, second, signs, columns.stride) * expansion);
    const opposite = new Float64Array(tensor.clusters.length);
    const both = new Float64Array(tensor.clusters.length);
    countSigns(first, second, opposite, both);
    return fillStrata(emptyStrata(tensor.bands), tensor.bands, opposite, both);
  });
  return {
    conflict,
    dots,
    squares,
    baseSquare: stages.sumSquares(base, columns.stride) * expansion,
  };
}

function countSigns(
  a: Float32Array,
  b: Float32Array,
  opposite: Float64Array,
  both: Float64Array,
): void {
  for (let c = 0; c < both.length; c++) {
    const end = (c + 1) * clusterElements;
    let negative = 0;
    let positive = 0;
    for (let i = end - clusterElements; i < end; i++) {
      const product = Math.sign(a[i]) * Math.sign(b[i]);
      negative += Number(product < 0);
      positive += Number(product > 0);
    }
    opposite[c] = negative;
    both[c] = negative + positive;
  }
}

/** Places for the figures of one tensor. */
export function emptyMergeTotals({ bands, columns: { count } }: SketchTensor): MergeTotals {
  const list = (length: number) => Array.from({ length }, () => emptyStrata(bands));
  return {
    mergedSquare: 0,
    active: list(count),
    coverage: list(count + 1),
    selfish: emptyStrata(bands),
    distances: new Float64Array(count),
  };
}

/** What the mask rule is applied with. */
export interface MaskSettings {
  readonly masks: MaskPlan;
  /** λ of each task. */
  readonly lambda: readonly number[];
  readonly room: Room;
}

/** Fills `into` with what the mask rule makes of `merged` = α · R(τ) at the sampled positions. */
export function fillMaskTotals(
  into: MergeTotals,
  tensor: SketchTensor,
  merged: Float32Array,
  settings: MaskSettings,
): void {
  const { bands, columns } = tensor;
  const { counts } = settings.room;
  for (let m = 0; m < columns.count; m++) fillMask(into, tensor, merged, { settings, task: m });
  countCoverage(tensor, settings);
  if (settings.masks.consensus > 0) agree(into, tensor, merged, settings);
  for (let c = 0; c < tensor.clusters.length; c++) {
    counts.all[c] = tensor.clusters[c].length;
    counts.retained[c] = counts.all[c] - counts.coverage[0][c];
  }
  into.active.forEach((strata, m) => fillStrata(strata, bands, counts.active[m], counts.all));
  into.coverage.forEach((strata, k) => fillStrata(strata, bands, counts.coverage[k], counts.all));
  fillStrata(into.selfish, bands, counts.coverage[1], counts.retained);
}

/** Writes one task's mask, its active positions by cluster and its distance; padding is active nowhere. */
function fillMask(
  into: MergeTotals,
  tensor: SketchTensor,
  merged: Float32Array,
  { settings, task }: { readonly settings: MaskSettings; readonly task: number },
): void {
  const { room, masks, lambda } = settings;
  const pair = { taskVector: column(tensor.columns, task), merged, lambda: lambda[task] };
  const first = (task * merged.length) / 8;
  const bits = room.masks.subarray(first, first + merged.length / 8);
  if (masks.rule === 'emr') {
    emrMask(pair.taskVector, merged, bits, merged.length);
    into.distances[task] = room.stages.distance(pair, bits, merged.length) * expansionOf(tensor);
  } else {
    room.distance[0] = 0;
    room.stages.taskMask(pair, bits, merged.length, room.distance);
    into.distances[task] = room.distance[0] * expansionOf(tensor);
  }
  const words = clusterElements / 32;
  for (let c = 0; c < tensor.clusters.length; c++)
    room.counts.active[task][c] = countBits(room.maskWords, first / 4 + c * words, words);
}

/** Set bits of `count` words. */
function countBits(words: Uint32Array, from: number, count: number): number {
  let sum = 0;
  for (let i = from; i < from + count; i++) {
    let v = words[i];
    v -= (v >>> 1) & 0x55555555;
    v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
    sum += Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return sum;
}

/** Positions active in 0 … M masks, by cluster; applies the consensus to the bits. */
function countCoverage(
  { clusters, columns: { count, stride } }: SketchTensor,
  { room, masks }: MaskSettings,
): void {
  const set = { stride: stride / 8, count, atLeast: masks.consensus };
  for (let c = 0; c < clusters.length; c++) {
    room.histogram.fill(0);
    room.stages.coverage({ ...set, bits: room.clusterMasks[c] }, room.histogram, clusterElements);
    room.histogram[0] -= clusterElements - clusters[c].length;
    for (let k = 0; k <= count; k++) room.counts.coverage[k][c] = room.histogram[k];
  }
}

/** Every task has the positions that enough of them have. */
function agree(
  into: MergeTotals,
  tensor: SketchTensor,
  merged: Float32Array,
  { room, masks }: MaskSettings,
): void {
  const { counts, stages } = room;
  const bytes = merged.length / 8;
  for (let m = 0; m < tensor.columns.count; m++) {
    const pair = { taskVector: column(tensor.columns, m), merged, lambda: 0 };
    const bits = room.masks.subarray(m * bytes, (m + 1) * bytes);
    into.distances[m] = stages.distance(pair, bits, merged.length) * expansionOf(tensor);
    for (let c = 0; c < tensor.clusters.length; c++)
      counts.active[m][c] = counts.coverage
        .slice(masks.consensus)
        .reduce((sum, covered) => sum + covered[c], 0);
  }
}

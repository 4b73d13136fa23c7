import { emrMask } from '../merge/emr';
import type { MaskPlan } from '../plan-types';
import { column } from '../stages';
import type { BandMoments } from './moments';
import { bandMoments } from './moments';
import { clusterElements } from './positions';
import type { Room } from './room';
import { expansionOf, type SketchTensor } from './sketch';

/** Figures of one tensor that depend on its task vectors alone. Pairs are in the order of `pairsOf`. */
export interface InputTotals {
  /** For each pair, by band: opposite signs among positions where both are non-zero. */
  readonly conflict: readonly (readonly BandMoments[])[];
  /** Σ τ_a·τ_b for each pair, Σ τ_m² for each task, Σ θ_0²: expanded to the whole tensor. */
  readonly dots: readonly number[];
  readonly squares: readonly number[];
  readonly baseSquare: number;
}

/** Figures of one tensor under one method, α and λ. */
export interface MergeTotals {
  readonly mergedSquare: number;
  /** Null when nothing is masked. */
  readonly masks: {
    /** For each task, by band: active positions among all. */
    readonly active: readonly (readonly BandMoments[])[];
    /** For c = 0 … M, by band: positions active in exactly c masks, among all. */
    readonly coverage: readonly (readonly BandMoments[])[];
    /** By band: positions active in one mask among those active in any. */
    readonly selfish: readonly BandMoments[];
    /** Σ ((bit ? τ_merge : 0) − τ_m)² for each task, expanded. */
    readonly distances: readonly number[];
  } | null;
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
    return byBand(tensor, opposite, both);
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

/** What the mask rule is applied with. */
export interface MaskSettings {
  readonly masks: MaskPlan | null;
  /** λ of each task. */
  readonly lambda: readonly number[];
  readonly room: Room;
}

/** Totals under a merged vector, `merged` = α · R(τ) at the sampled positions. */
export function mergeTotals(
  tensor: SketchTensor,
  merged: Float32Array,
  settings: MaskSettings,
): MergeTotals {
  const { stages } = settings.room;
  const expansion = expansionOf(tensor);
  const mergedSquare = stages.sumSquares(merged, merged.length) * expansion;
  if (!settings.masks) return { mergedSquare, masks: null };
  const { active, coverage, distances } = maskCounts(tensor, merged, settings);
  const lengths = Float64Array.from(tensor.clusters, ({ length }) => length);
  const retained = lengths.map((length, c) => length - coverage[0][c]);
  return {
    mergedSquare,
    masks: {
      active: active.map((values) => byBand(tensor, values, lengths)),
      coverage: coverage.map((values) => byBand(tensor, values, lengths)),
      selfish: byBand(tensor, coverage[1], retained),
      distances: distances.map((square) => square * expansion),
    },
  };
}

interface MaskCounts {
  /** By task and cluster. */
  readonly active: readonly Float64Array[];
  /** By number of tasks and cluster. */
  readonly coverage: readonly Float64Array[];
  readonly distances: readonly number[];
}

function maskCounts(
  tensor: SketchTensor,
  merged: Float32Array,
  settings: MaskSettings,
): MaskCounts {
  const { stages, masks: bits } = settings.room;
  const { count } = tensor.columns;
  const stride = merged.length / 8;
  const active = Array.from({ length: count }, (_, m) =>
    fillMask(tensor, merged, { settings, task: m }),
  );
  const coverage = countCoverage(tensor, stride, settings);
  const atLeast = settings.masks?.consensus ?? 0;
  if (atLeast > 0)
    for (const counts of active)
      counts.forEach(
        (_, c) => (counts[c] = coverage.slice(atLeast).reduce((sum, k) => sum + k[c], 0)),
      );
  const distances = active.map((_, m) => {
    const pair = { taskVector: column(tensor.columns, m), merged, lambda: 0 };
    return stages.distance(pair, bits.subarray(m * stride, (m + 1) * stride), merged.length);
  });
  return { active, coverage, distances };
}

/** Writes one task's mask and returns its active positions by cluster; padding is active nowhere. */
function fillMask(
  tensor: SketchTensor,
  merged: Float32Array,
  { settings, task }: { readonly settings: MaskSettings; readonly task: number },
): Float64Array {
  const { room, masks, lambda } = settings;
  const taskVector = column(tensor.columns, task);
  const first = (task * merged.length) / 8;
  const active = new Float64Array(tensor.clusters.length);
  for (let c = 0; c < active.length; c++) {
    const from = c * clusterElements;
    const pair = {
      taskVector: taskVector.subarray(from, from + clusterElements),
      merged: merged.subarray(from, from + clusterElements),
      lambda: lambda[task],
    };
    const bits = room.masks.subarray(first + from / 8, first + (from + clusterElements) / 8);
    active[c] =
      masks?.rule === 'emr'
        ? emrMask(pair.taskVector, pair.merged, bits, clusterElements)
        : room.stages.taskMask(pair, bits, clusterElements);
  }
  return active;
}

/** Positions active in 0 … M masks, by cluster; applies the consensus to the bits. */
function countCoverage(
  tensor: SketchTensor,
  stride: number,
  { room, masks }: MaskSettings,
): Float64Array[] {
  const { count } = tensor.columns;
  const clusters = tensor.clusters.length;
  const coverage = Array.from({ length: count + 1 }, () => new Float64Array(clusters));
  const bytes = clusterElements / 8;
  const all = room.masks.subarray(0, stride * count);
  for (let c = 0; c < clusters; c++) {
    room.histogram.fill(0);
    const set = { bits: all.subarray(c * bytes), stride, count, atLeast: masks?.consensus ?? 0 };
    room.stages.coverage(set, room.histogram, clusterElements);
    room.histogram[0] -= clusterElements - tensor.clusters[c].length;
    for (let k = 0; k <= count; k++) coverage[k][c] = room.histogram[k];
  }
  return coverage;
}

/** Moments of y / x in each band of a tensor, from cluster totals. */
function byBand(tensor: SketchTensor, y: Float64Array, x: Float64Array): BandMoments[] {
  return tensor.bands.map(({ from, to, population }) =>
    bandMoments(y.subarray(from, to), x.subarray(from, to), population),
  );
}

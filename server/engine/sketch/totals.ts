import { emrMask } from '../merge/emr';
import type { MaskPlan } from '../plan-types';
import { column, type Stages } from '../stages';
import type { BandMoments } from './moments';
import { bandMoments } from './moments';
import { clusterElements } from './positions';
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
export function inputTotals(tensor: SketchTensor, stages: Stages): InputTotals {
  const { columns, base } = tensor;
  const expansion = expansionOf(tensor);
  const squares = Array.from(
    { length: columns.count },
    (_, m) => stages.sumSquares(column(columns, m), columns.stride) * expansion,
  );
  const dots: number[] = [];
  const conflict = pairsOf(columns.count).map(([a, b]) => {
    const [first, second] = [column(columns, a), column(columns, b)];
    dots.push(stages.dot(first, second, new Float64Array(1), columns.stride) * expansion);
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
  readonly stages: Stages;
}

/** Totals under a merged vector, `merged` = α · R(τ) at the sampled positions. */
export function mergeTotals(
  tensor: SketchTensor,
  merged: Float32Array,
  settings: MaskSettings,
): MergeTotals {
  const { stages, masks } = settings;
  const expansion = expansionOf(tensor);
  const mergedSquare = stages.sumSquares(merged, merged.length) * expansion;
  if (!masks) return { mergedSquare, masks: null };
  const bits = taskMasks(tensor, merged, settings);
  const counts = countBits(tensor, bits, settings);
  const lengths = Float64Array.from(tensor.clusters, ({ length }) => length);
  const retained = lengths.map((length, c) => length - counts.coverage[0][c]);
  const distances = bits.map((mask, m) => {
    const pair = { taskVector: column(tensor.columns, m), merged, lambda: 0 };
    return stages.distance(pair, mask, merged.length) * expansion;
  });
  return {
    mergedSquare,
    masks: {
      active: counts.active.map((values) => byBand(tensor, values, lengths)),
      coverage: counts.coverage.map((values) => byBand(tensor, values, lengths)),
      selfish: byBand(tensor, counts.coverage[1], retained),
      distances,
    },
  };
}

function taskMasks(
  tensor: SketchTensor,
  merged: Float32Array,
  settings: MaskSettings,
): Uint8Array[] {
  const { columns } = tensor;
  const stride = merged.length / 8;
  const all = new Uint8Array(stride * columns.count);
  return Array.from({ length: columns.count }, (_, m) => {
    const bits = all.subarray(m * stride, (m + 1) * stride);
    const taskVector = column(columns, m);
    if (settings.masks?.rule === 'emr') emrMask(taskVector, merged, bits, merged.length);
    else
      settings.stages.taskMask(
        { taskVector, merged, lambda: settings.lambda[m] },
        bits,
        merged.length,
      );
    return bits;
  });
}

/** Counts by cluster; padding is active nowhere and is taken out of the zero count. */
function countBits(
  tensor: SketchTensor,
  bits: readonly Uint8Array[],
  { stages, masks }: MaskSettings,
): { readonly active: Float64Array[]; readonly coverage: Float64Array[] } {
  const clusters = tensor.clusters.length;
  const coverage = Array.from({ length: bits.length + 1 }, () => new Float64Array(clusters));
  const active = bits.map(() => new Float64Array(clusters));
  const bytes = clusterElements / 8;
  const atLeast = masks?.consensus ?? 0;
  const stride = bits.length > 1 ? bits[1].byteOffset - bits[0].byteOffset : bits[0].length;
  const whole = new Uint8Array(bits[0].buffer, bits[0].byteOffset, stride * bits.length);
  for (let c = 0; c < clusters; c++) {
    const histogram = new Uint32Array(bits.length + 1);
    const set = { bits: whole.subarray(c * bytes), stride, count: bits.length, atLeast };
    stages.coverage(set, histogram, clusterElements);
    histogram[0] -= clusterElements - tensor.clusters[c].length;
    histogram.forEach((count, k) => (coverage[k][c] = count));
    bits.forEach((mask, m) => (active[m][c] = popcount(mask.subarray(c * bytes, (c + 1) * bytes))));
  }
  return { active, coverage };
}

function popcount(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) {
    let x = byte - ((byte >>> 1) & 0x55);
    x = (x & 0x33) + ((x >>> 2) & 0x33);
    count += (x + (x >>> 4)) & 0x0f;
  }
  return count;
}

/** Moments of y / x in each band of a tensor, from cluster totals. */
function byBand(tensor: SketchTensor, y: Float64Array, x: Float64Array): BandMoments[] {
  return tensor.populations.flatMap((population, band) => {
    const drawn = tensor.clusters.flatMap((cluster, c) => (cluster.band === band ? [c] : []));
    if (drawn.length === 0) return [];
    return [
      bandMoments(
        drawn.map((c) => y[c]),
        drawn.map((c) => x[c]),
        population,
      ),
    ];
  });
}

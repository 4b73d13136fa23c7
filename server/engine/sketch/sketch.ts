import type { ModulePlace } from '../../tensors/types';
import { column, type Columns } from '../stages';
import type { Cluster, TensorSample } from './positions';
import { clusterElements } from './positions';

/** Sampled columns of one tensor: every cluster takes `clusterElements` places, padded with zeros. */
export interface SketchTensor {
  readonly name: string;
  readonly place: ModulePlace;
  readonly shape: readonly number[];
  readonly elements: number;
  /** True when every position is in it: its figures are exact. */
  readonly whole: boolean;
  readonly clusters: readonly Cluster[];
  readonly bands: readonly Band[];
  /** τ_1 … τ_M. */
  readonly columns: Columns;
  /** θ_0, zeros where there is none. */
  readonly base: Float32Array;
  /** Set when NaN or infinity was seen: no figure is given for it. */
  readonly nonfinite: boolean;
}

/** A stratum: clusters `from … to` of the sample, drawn from `population`. */
export interface Band {
  readonly from: number;
  readonly to: number;
  readonly population: number;
}

/** Clusters are in order of position, so those of a band stand together. */
export function bandsOf(
  clusters: readonly Cluster[],
  populations: readonly number[],
): readonly Band[] {
  let to = 0;
  return populations.flatMap((population, band) => {
    const from = to;
    while (to < clusters.length && clusters[to].band === band) to++;
    return to > from ? [{ from, to, population }] : [];
  });
}

/** A sample of a zoo: independent of method, α, λ and density. */
export interface Sketch {
  readonly tasks: readonly string[];
  /** Last round in it: 0, 1 or 2. */
  readonly round: number;
  readonly tensors: readonly SketchTensor[];
}

/** The clusters of one tensor that belong to the rounds up to `round`. */
export function clustersUpTo(sample: TensorSample, round: number): readonly Cluster[] {
  return sample.whole
    ? sample.clusters
    : sample.clusters.filter((cluster) => cluster.round <= round);
}

/** The same sketch with only the clusters of earlier rounds, for answers while a slider moves. */
export function firstRounds(sketch: Sketch, round: number): Sketch {
  if (round >= sketch.round) return sketch;
  return {
    tasks: sketch.tasks,
    round,
    tensors: sketch.tensors.map((tensor) => prefix(tensor, round)),
  };
}

function prefix(tensor: SketchTensor, round: number): SketchTensor {
  if (tensor.whole) return tensor;
  const kept = tensor.clusters.flatMap((cluster, at) => (cluster.round <= round ? [at] : []));
  const stride = kept.length * clusterElements;
  const gather = (from: Float32Array, into: Float32Array): void => {
    kept.forEach((at, i) => {
      const start = at * clusterElements;
      into.set(from.subarray(start, start + clusterElements), i * clusterElements);
    });
  };
  const columns = {
    data: new Float32Array(stride * tensor.columns.count),
    stride,
    count: tensor.columns.count,
  };
  for (let m = 0; m < columns.count; m++) gather(column(tensor.columns, m), column(columns, m));
  const base = new Float32Array(stride);
  gather(tensor.base, base);
  const clusters = kept.map((at) => tensor.clusters[at]);
  const populations = tensor.bands.map(({ population }) => population);
  return { ...tensor, clusters, bands: bandsOf(clusters, populations), columns, base };
}

/** True when no sampled position of any task differs from the base. */
export function looksUnchanged({ columns }: SketchTensor): boolean {
  return columns.data.every((value) => value === 0);
}

/** Positions of a sampled tensor that are real, without padding. */
export function sampledElements({ clusters }: SketchTensor): number {
  return clusters.reduce((sum, cluster) => sum + cluster.length, 0);
}

/** Share of all positions that were read. */
export function sampledShare({ tensors }: Sketch): number {
  const read = tensors.reduce((sum, tensor) => sum + sampledElements(tensor), 0);
  return (
    read /
    Math.max(
      1,
      tensors.reduce((sum, { elements }) => sum + elements, 0),
    )
  );
}

/** How many positions of the tensor one sampled position stands for. */
export function expansionOf(tensor: SketchTensor): number {
  return tensor.whole ? 1 : tensor.elements / sampledElements(tensor);
}

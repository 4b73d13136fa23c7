import { clusterElements, type TensorSample } from '../../engine/sketch/positions';
import { clustersUpTo } from '../../engine/sketch/sketch';
import { adapterDeltaRows } from '../../tensors/adapter-delta';
import { elementBytes, isFloat, widen } from '../../tensors/dtypes';
import type { AdapterDelta, CheckpointFile, TensorInfo } from '../../tensors/types';
import { readSamples, type ReadCount, type ReadOptions, type TensorRequest } from './read-samples';

/** One tensor of one model, with the positions to take of it. */
export interface SampleRequest {
  readonly name: string;
  readonly shape: readonly number[];
  readonly sample: TensorSample;
  /** Null where the model stores nothing of its own: absent, or the base's very bytes. */
  readonly stored: TensorInfo | null;
  readonly delta: AdapterDelta | null;
}

/** Sampled values of one tensor, in cluster order with padding. */
export interface SampledTensor {
  /** Weights θ. */
  readonly stored: Float32Array | null;
  /** What an adapter adds, s·BA. */
  readonly delta: Float32Array | null;
}

/** Sampled values of one model, by tensor name. */
export type ModelSamples = ReadonlyMap<string, SampledTensor>;

/** Reads one model's samples of the rounds up to `round`. */
export async function sampleModel(
  requests: readonly SampleRequest[],
  files: readonly CheckpointFile[],
  options: ReadOptions & { readonly round: number },
): Promise<{ readonly samples: ModelSamples; readonly count: ReadCount }> {
  const reads: TensorRequest[] = [];
  const later = requests.map((request) => {
    const clusters = clustersUpTo(request.sample, options.round);
    const stored = request.stored && storedValues(request.stored, clusters, reads);
    const delta =
      request.delta && deltaValues(request.delta, { shape: request.shape, clusters }, reads);
    return { name: request.name, stored, delta };
  });
  const count = await readSamples(reads, files, options);
  const samples = later.map(
    ({ name, stored, delta }) =>
      [name, { stored: stored?.() ?? null, delta: delta?.() ?? null }] as const,
  );
  return { samples: new Map(samples), count };
}

/** Values that are there once the reads are done. */
type Later = () => Float32Array;

function storedValues(
  info: TensorInfo,
  clusters: TensorSample['clusters'],
  reads: TensorRequest[],
): Later {
  const elements = clusters.length * clusterElements;
  const bytes = new Uint8Array(elements * elementBytes(info.dtype));
  reads.push({ info, clusters, clusterStride: clusterElements, bytes });
  return () => widened(info, bytes, elements);
}

interface DeltaPlace {
  readonly shape: readonly number[];
  readonly clusters: TensorSample['clusters'];
}

/** Asks for both factors whole, which are small, and computes the rows that clusters touch. */
function deltaValues(
  delta: AdapterDelta,
  { shape, clusters }: DeltaPlace,
  reads: TensorRequest[],
): Later {
  const a = wholeTensor(delta.a, reads);
  const b = wholeTensor(delta.b, reads);
  const columns = shape.slice(1).reduce((product, n) => product * n, 1);
  return () => {
    const values = new Float32Array(clusters.length * clusterElements);
    const factors = { a: a(), b: b() };
    clusters.forEach(({ start, length }, at) => {
      const from = Math.floor(start / columns);
      const to = Math.ceil((start + length) / columns);
      const rows = new Float32Array((to - from) * columns);
      adapterDeltaRows(delta, factors, { from, to }, rows);
      const first = start - from * columns;
      values.set(rows.subarray(first, first + length), at * clusterElements);
    });
    return values;
  };
}

function wholeTensor(info: TensorInfo, reads: TensorRequest[]): Later {
  const bytes = new Uint8Array(info.elements * elementBytes(info.dtype));
  const clusters = [{ start: 0, length: info.elements, band: 0, round: 0 }];
  reads.push({ info, clusters, clusterStride: info.elements, bytes });
  return () => widened(info, bytes, info.elements);
}

function widened(info: TensorInfo, bytes: Uint8Array, elements: number): Float32Array {
  const values = new Float32Array(elements);
  if (isFloat(info.dtype)) widen(info.dtype, bytes, values);
  return values;
}

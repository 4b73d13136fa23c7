import type { TensorJob } from '../../engine/plan-types';
import {
  samplePositions,
  type TensorSample,
  roundSizes,
  wholeZooElements,
  clusterElements,
} from '../../engine/sketch/positions';
import { bandsOf, clustersUpTo, type Sketch, type SketchTensor } from '../../engine/sketch/sketch';
import { isFloat } from '../../tensors/dtypes';
import type { CheckpointFile, TensorInfo } from '../../tensors/types';
import {
  sampleModel,
  type ModelSamples,
  type SampledTensor,
  type SampleRequest,
} from './model-samples';
import type { ReadCount, ReadOptions } from './read-samples';

/** The last round of a sample. */
export const lastRound = roundSizes.length - 1;

/** Columns × tasks that a sketch holds at most; more tasks mean fewer clusters (sketch design §8). */
const maximumNumbers = 24_000_000;

export interface SketchRequest extends ReadOptions {
  readonly tasks: readonly string[];
  /** Tensors to sample: what a plan merges. */
  readonly jobs: readonly TensorJob[];
  readonly files: readonly CheckpointFile[];
  readonly seed?: number;
}

/** A tensor of a zoo and its positions: the same for every model. */
interface Sampled {
  readonly job: TensorJob;
  readonly sample: TensorSample;
}

/** Samples of one model, from a store or from its files. */
export type ModelReader = (
  model: {
    readonly index: number;
    readonly requests: readonly SampleRequest[];
    readonly files: readonly CheckpointFile[];
  },
  round: number,
) => Promise<ModelSamples>;

/**
 * Samples a zoo up to one round: base and experts at the same positions of every tensor. `count` adds
 * up what was asked of the disk.
 */
export async function buildSketch(
  request: SketchRequest,
  round: number,
  readModel: ModelReader = fromFiles(request),
): Promise<Sketch> {
  const sampled = choosePositions(request);
  const models: ModelSamples[] = [];
  for (let index = 0; index <= request.tasks.length; index++) {
    const requests = sampled.map((item) => modelRequest(item, index));
    models.push(
      await readModel({ index, requests, files: filesOf(requests, request.files) }, round),
    );
  }
  return {
    tasks: request.tasks,
    round,
    tensors: sampled.map((item) => joinModels(item, models, round)),
  };
}

/** Reads models from their files, adding to `count` when given. */
export function fromFiles(options: ReadOptions, count?: ReadCount): ModelReader {
  return async ({ requests, files }, round) => {
    const read = await sampleModel(requests, files, { ...options, round });
    if (count) {
      count.reads += read.count.reads;
      count.bytes += read.count.bytes;
    }
    return read.samples;
  };
}

function choosePositions({ jobs, tasks, seed = 0 }: SketchRequest): Sampled[] {
  const merged = jobs.filter(
    ({ rule, dtype, base }) => rule.kind === 'merge' && isFloat(dtype) && base?.stored,
  );
  const elements = merged.reduce((sum, job) => sum + job.elements, 0);
  const whole = elements <= wholeZooElements && elements * tasks.length <= maximumNumbers;
  const budget = Math.floor(
    maximumNumbers / (tasks.length * clusterElements * Math.max(1, merged.length)),
  );
  return merged.map((job) => ({ job, sample: samplePositions(job, { seed, whole, budget }) }));
}

/** Model 0 is the base; an expert whose tensor is the base's very bytes has nothing of its own to read. */
function modelRequest({ job, sample }: Sampled, index: number): SampleRequest {
  const { name, shape, base } = job;
  const common = { name, shape, sample };
  const start = base?.stored ?? null;
  if (index === 0) return { ...common, stored: start, delta: null };
  const source = job.experts[index - 1];
  const stored = source?.stored && !sameBytes(source.stored, start) ? source.stored : null;
  return { ...common, stored, delta: source?.delta ?? null };
}

function sameBytes(a: TensorInfo, b: TensorInfo | null): boolean {
  return a.file === b?.file && a.offset === b.offset;
}

/** The files that hold the tensors of one model. */
function filesOf(
  requests: readonly SampleRequest[],
  files: readonly CheckpointFile[],
): CheckpointFile[] {
  const used = new Set<string>();
  for (const { stored, delta } of requests) {
    if (stored) used.add(stored.file);
    if (delta) used.add(delta.a.file).add(delta.b.file);
  }
  return files.filter((file) => used.has(file.path));
}

function joinModels(
  { job, sample }: Sampled,
  models: readonly ModelSamples[],
  round: number,
): SketchTensor {
  const clusters = clustersUpTo(sample, round);
  const stride = clusters.length * clusterElements;
  const base = models[0]?.get(job.name)?.stored ?? new Float32Array(stride);
  const data = new Float32Array(stride * (models.length - 1));
  models.slice(1).forEach((model, m) => {
    fillTaskVector(model.get(job.name), base, data.subarray(m * stride, (m + 1) * stride));
  });
  const { name, place, shape, elements } = job;
  const columns = { data, stride, count: models.length - 1 };
  const nonfinite = !allFinite(data) || !allFinite(base);
  return {
    name,
    place,
    shape,
    elements,
    whole: sample.whole,
    clusters,
    bands: bandsOf(clusters, sample.populations),
    columns,
    base,
    nonfinite,
  };
}

function fillTaskVector(
  model: SampledTensor | undefined,
  base: Float32Array,
  into: Float32Array,
): void {
  const { stored = null, delta = null } = model ?? {};
  for (let i = 0; i < into.length; i++) {
    const changed = stored ? Math.fround((stored[i] ?? 0) - (base[i] ?? 0)) : 0;
    into[i] = changed + (delta?.[i] ?? 0);
  }
}

/** Zero times anything finite is zero: one sum tells whether any value is not. */
function allFinite(values: Float32Array): boolean {
  let sum = 0;
  for (const value of values) sum += value * 0;
  return sum === 0;
}

import type {
  MergePlan,
  MergeParameters,
  MethodSettings,
  TensorJob,
} from '../../../server/engine/plan-types';
import { createKernels } from '../../../server/compute/kernels/wasm';
import { roomBytes } from '../../../server/engine/sketch/room';
import { SketchEvaluation } from '../../../server/engine/sketch/evaluate';
import type { SketchPlan } from '../../../server/engine/sketch/plan';
import { clusterElements, samplePositions } from '../../../server/engine/sketch/positions';
import { bandsOf, type Sketch, type SketchTensor } from '../../../server/engine/sketch/sketch';

/** A generator with a seed, good enough to draw test data from. */
export function generator(seed: number): { uniform(): number; normal(): number } {
  let state = seed >>> 0 || 1;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

export interface TestTensor {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** τ_m, whole. */
  readonly taskVectors: readonly Float32Array[];
}

export const settings: MethodSettings = {
  method: 'task_arithmetic',
  normalize: false,
  trim_scope: 'model',
  agree: 'sum',
  elect_tie: 'global',
  rescale: 'keep_probability',
  seed: 0,
} as MethodSettings;

export function parametersFor(
  tasks: number,
  changes: Partial<{ alpha: number; lambda: number; density: number }> = {},
): MergeParameters {
  const { alpha = 1, lambda = 0.6, density = 1 } = changes;
  const each = (value: number): number[] => Array.from({ length: tasks }, () => value);
  return {
    weights: each(1),
    alpha,
    density: each(density),
    gamma: each(0.01),
    epsilon: each(0.15),
    t: 0.5,
    lambda: each(lambda),
  };
}

/** A sketch of tensors in memory: sampled as usual, or whole. */
export function sketchOf(
  tensors: readonly TestTensor[],
  tasks: readonly string[],
  options: { seed: number; whole: boolean },
): Sketch {
  return { tasks, round: 2, tensors: tensors.map((tensor) => sketchTensor(tensor, options)) };
}

function sketchTensor(
  { name, rows, columns, taskVectors }: TestTensor,
  options: { seed: number; whole: boolean },
): SketchTensor {
  const elements = rows * columns;
  const sample = samplePositions({ name, elements }, options);
  const stride = sample.clusters.length * clusterElements;
  const data = new Float32Array(stride * taskVectors.length);
  taskVectors.forEach((values, m) => {
    sample.clusters.forEach(({ start, length }, c) => {
      data.set(values.subarray(start, start + length), m * stride + c * clusterElements);
    });
  });
  return {
    name,
    place: { component: 'lm.block', block: 0, kind: 'mlp.up' },
    shape: [rows, columns],
    elements,
    whole: sample.whole,
    clusters: sample.clusters,
    bands: bandsOf(sample.clusters, sample.populations),
    columns: { data, stride, count: taskVectors.length },
    base: new Float32Array(stride),
    nonfinite: false,
  };
}

export function planOf(
  tensors: readonly TestTensor[],
  parameters: MergeParameters,
  changes: Partial<MergePlan['settings']> = {},
): SketchPlan {
  const jobs = tensors.map(({ name, rows, columns }) => ({
    name,
    shape: [rows, columns],
    elements: rows * columns,
    rule: { kind: 'merge', parameters },
  }));
  return {
    settings: { ...settings, ...changes },
    masks: { rule: 'tall', consensus: 0 },
    jobs: jobs as unknown as TensorJob[],
  };
}

export function evaluationOf(sketch: Sketch): SketchEvaluation {
  return new SketchEvaluation(sketch, createKernels(roomBytes(sketch)));
}

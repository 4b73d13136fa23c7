import type { Tensor } from '../compute/onnx-session';
import type { PolicyConfig } from './config';
import type { Stages } from './types';

type Outputs = Readonly<Record<string, Tensor>>;
type Stage = Stages extends ReadonlyMap<string, infer S> ? S : never;

export interface StageContext {
  readonly pixels: Float32Array;
  readonly state: Float64Array;
  readonly config: PolicyConfig;
  /** Normalised actions to the robot's units. */
  readonly restore: (flat: Float32Array) => readonly Float64Array[];
}

/**
 * Outputs of the tapped models under the names that parity data use: a batch axis in front, towers'
 * stages one for each picture (`#1` marks the second), the state and the actions without batch axis.
 */
export function namedStages(outputs: readonly Outputs[], context: StageContext): Stages {
  const stages = new Map<string, Stage>();
  const { config } = context;
  const size = config.imageSize;
  const channels = context.pixels.length / size ** 2;
  stages.set('pixel_values', { shape: [1, channels, size, size], data: context.pixels });
  for (const output of outputs)
    for (const [name, tensor] of Object.entries(output)) {
      if (!(tensor.data instanceof Float32Array) || name === 'hidden') continue;
      const stage = { shape: tensor.dims, data: tensor.data };
      if (name === 'actions') addActions(stages, stage.data, context);
      else if (name.startsWith('vision.') && name !== 'vision.features')
        addPictures(stages, name, stage);
      else stages.set(name, withBatch(name, stage));
    }
  const [first] = [...stages].filter(([name]) => name === 'lm.inputs_embeds');
  const length = first?.[1].shape[1] ?? 0;
  stages.set('lm.attention_mask', { shape: [1, length], data: new Float32Array(length).fill(1) });
  stages.set('proprio_normalized', {
    shape: [context.state.length],
    data: Float32Array.from(context.state),
  });
  return stages;
}

/** The state's features are a batch of one already. */
function withBatch(name: string, stage: Stage): Stage {
  if (name === 'proprio_features') return stage;
  return { shape: [1, ...stage.shape], data: stage.data };
}

function addPictures(stages: Map<string, Stage>, name: string, stage: Stage): void {
  const [cameras = 1, ...rest] = stage.shape;
  const step = stage.data.length / cameras;
  for (let camera = 0; camera < cameras; camera++)
    stages.set(camera === 0 ? name : `${name}#${camera}`, {
      shape: [1, ...rest],
      data: stage.data.subarray(camera * step, (camera + 1) * step),
    });
}

function addActions(stages: Map<string, Stage>, flat: Float32Array, context: StageContext): void {
  const { chunk, shape } = context.config;
  const rows = context.restore(flat);
  const size = shape.head.actionSize;
  const data = new Float32Array(flat.length);
  rows.forEach((row, index) => data.set(row, index * size));
  stages.set('actions_normalized', { shape: [chunk, size], data: flat });
  stages.set('actions', { shape: [chunk, size], data });
}

import { OnnxGraph } from '../compute/onnx-graph';
import { externalRoot } from '../compute/onnx-session';
import { TensorReader } from '../tensors/reader';
import type { TensorInfo } from '../tensors/types';
import type { PolicyConfig } from './config';
import { headGraph } from './graph/head';
import { languageGraph } from './graph/language';
import type { Net } from './graph/layers';
import { visionGraph } from './graph/vision';
import { GraphWeights, type MaskSlot, type Weight } from './graph/weights';
import type { PolicyParts, Tensors } from './parts';

/** Model bytes and the folder its external weights are relative to. */
export interface Model {
  readonly bytes: Uint8Array;
  readonly folder: string;
}

export interface ModelOptions {
  /** Makes every stage an output. */
  readonly stages: boolean;
  /** For providers without bit operations and bfloat16 casts. */
  readonly arithmetic: boolean;
}

/** How a masked model gets its weights: by the graph from a mask input, or composed before. */
export type VisionLanguageWeights =
  | { readonly kind: 'plain' }
  | { readonly kind: 'masked'; readonly layout: MaskLayout }
  | { readonly kind: 'composed'; readonly values: ReadonlyMap<string, Weight> };

/** Places of all masks of a task in one buffer. */
export interface MaskLayout {
  readonly slots: ReadonlyMap<string, MaskSlot>;
  readonly bytes: number;
  /** True where vectors are scaled per task (EMR). */
  readonly scaled: boolean;
}

export function maskLayout(parts: PolicyParts): MaskLayout {
  const slots = new Map<string, MaskSlot>();
  let bytes = 0;
  for (const [name, info] of parts.vector ?? []) {
    const size = Math.ceil(info.elements / 8);
    slots.set(name, { offset: bytes, bytes: size });
    bytes += size;
  }
  return {
    slots,
    bytes,
    scaled: [...parts.tasks.values()].some((task) => task.scale !== undefined),
  };
}

/**
 * The vision-language model: inputs `pixels`, `ids`, `cos`, `sin`, `causal`, `positions`, `queries`
 * (and `mask`, `scale`), output `hidden` [N + 1, T + Q, width].
 */
export function visionLanguageModel(
  parts: PolicyParts,
  config: PolicyConfig,
  source: VisionLanguageWeights,
  options: ModelOptions,
): Model {
  const tensors = new Map<string, Weight>(parts.model);
  if (source.kind === 'composed')
    for (const [name, weight] of source.values) tensors.set(name, weight);
  const isMasked = source.kind === 'masked';
  const vector = isMasked ? (parts.vector ?? new Map<string, TensorInfo>()) : undefined;
  const { net, folder } = makeNet(parts, options, {
    tensors,
    ...(vector ? { vector } : {}),
    ...(isMasked ? { masks: source.layout.slots } : {}),
  });
  const { graph } = net;
  if (isMasked) net.weights.declareMask(source.layout.bytes, source.layout.scaled);
  const { language, shape, imageSize } = config;
  const channels = 3 * shape.towers.length * config.cameras.length;
  const pixels = graph.input('pixels', 'float', [1, channels, imageSize, imageSize]);
  const patches = visionGraph(net, pixels, config);
  const hidden = languageGraph(
    net,
    patches,
    {
      ids: graph.input('ids', 'int64', ['prompt']),
      cos: graph.input('cos', 'float', ['length', language.headDim]),
      sin: graph.input('sin', 'float', ['length', language.headDim]),
      causal: graph.input('causal', 'float', ['length', 'length']),
      actionPositions: graph.input('positions', 'int64', [shape.queries]),
      queries: graph.input('queries', 'float', [shape.queries, language.width]),
    },
    config,
  );
  graph.output('hidden', hidden);
  return { bytes: graph.encode(), folder };
}

/** The action head: inputs `hidden` and `state` [1, p], output `actions` [chunk, action size]. */
export function headModel(
  parts: PolicyParts,
  config: PolicyConfig,
  head: Tensors,
  options: ModelOptions,
): Model {
  const { net, folder } = makeNet(parts, options, { tensors: head });
  const { shape, language } = config;
  const slots = config.taskTokens + shape.queries;
  const hidden = net.graph.input('hidden', 'float', [language.layers + 1, slots, language.width]);
  const state = net.graph.input('state', 'float', [1, shape.head.proprioSize]);
  net.graph.output('actions', headGraph(net, hidden, state, config));
  return { bytes: net.graph.encode(), folder };
}

interface NetWeights {
  readonly tensors: ReadonlyMap<string, Weight>;
  readonly vector?: Tensors;
  readonly masks?: ReadonlyMap<string, MaskSlot>;
}

function makeNet(
  parts: PolicyParts,
  options: ModelOptions,
  weights: NetWeights,
): { readonly net: Net; readonly folder: string } {
  const graph = new OnnxGraph();
  const files = new Set<string>();
  for (const tensor of [...weights.tensors.values(), ...(weights.vector?.values() ?? [])])
    if ('file' in tensor) files.add(tensor.file);
  const { folder, locate } = externalRoot([...files]);
  const reader = new TensorReader(parts.files);
  const net: Net = {
    graph,
    weights: new GraphWeights({
      graph,
      where: parts.where,
      ...weights,
      arithmeticUnpack: options.arithmetic,
      locate,
      read: (info) => {
        const bytes = new Uint8Array(info.elements * (info.dtype === 'F32' ? 4 : 2));
        reader.readBytes(info, 0, bytes);
        return bytes;
      },
    }),
    tap: (name, value) => {
      if (options.stages) graph.output(name, value);
    },
  };
  return { net, folder };
}

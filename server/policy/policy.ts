import { loadOnnx } from '../compute/onnx-session';
import { chooseProvider } from '../compute/providers';
import type { TensorInfo } from '../tensors/types';
import { parseFileConfig, parseNormalization, type PolicyConfig } from './config';
import { badConfig, noPolicy } from './errors';
import { OnnxPolicy } from './onnx-policy';
import { join } from 'node:path';
import type { PolicyParts, Tensors } from './parts';
import { Preprocessor } from './preprocess';
import { PromptTokenizer } from './prompt';
import { PolicyRunner } from './runner';
import { readShape } from './shape';
import { openPolicyParts } from './source';
import type { LoadOptions, Policy } from './types';

/** Above this many bytes of float32 weights a policy masks in the graph and keeps weights as stored. */
const composeLimit = 256 * 2 ** 20;

/**
 * Loads a policy from a run directory, a released merged directory (its base in `options.base`), or
 * one expert's checkpoint directory. Weights stay where they are and are read when a call needs them.
 * Throws `MergeError` (MV56x, MV57x) in one sentence where something is missing or does not fit.
 */
export async function loadPolicy(source: string, options: LoadOptions = {}): Promise<Policy> {
  return policyOf(await openPolicyParts(source, options), options);
}

/** A policy of parts that were put together by other means. */
export async function policyOf(parts: PolicyParts, options: LoadOptions = {}): Promise<Policy> {
  const config = policyConfig(parts);
  const isSmall = floatBytes(parts.model) <= composeLimit;
  const onnx = await loadOnnx();
  const device = await chooseProvider(options.device ?? 'auto', { signal: options.signal });
  const runner = new PolicyRunner(parts, config, {
    onnx,
    device,
    deviceId: cardOf(options.device),
    // One thread beats several on small models, where waking the others costs more than they do.
    threads: options.threads ?? (isSmall ? 1 : undefined),
    compose: options.compose ?? isSmall,
    lean: !isSmall,
  });
  const [vocabulary = 0] = parts.model.get('language_model.model.embed_tokens.weight')?.shape ?? [];
  const occupied = config.cameras.length * config.shape.patches + config.shape.queries + 1;
  const tokenizer = PromptTokenizer.load(parts.folder, config.entry, {
    vocabulary,
    tokens: config.language.context - occupied,
  });
  const preprocessor = new Preprocessor(config);
  return new OnnxPolicy({ parts, config, runner, tokenizer, preprocessor, device });
}

/** Everything but weights. Throws when the files do not describe a MergeVLA policy. */
export function policyConfig(parts: PolicyParts): PolicyConfig {
  const file = parseFileConfig(parts.config, join(parts.folder, 'config.json'));
  const [first] = parts.tasks.values();
  if (!first) throw noPolicy(parts.where, 'has no task');
  const shape = readShape(file, { model: parts.model, ...splitHead(first.head) }, parts.where);
  const { entry, language, imageSize } = file;
  checkWidths(file.file, language, shape.head.width, entry.head_heads);
  const patches = entry.cameras.length * shape.patches;
  return {
    imageSize,
    cameras: entry.cameras,
    language,
    shape,
    entry,
    taskTokens: entry.task_tokens ?? patches,
    chunk: entry.chunk,
    execute: entry.execute ?? entry.chunk,
    normalization: parseNormalization(
      parts.preprocessor,
      shape.towers.length,
      join(parts.folder, 'preprocessor_config.json'),
    ),
  };
}

function checkWidths(
  file: string,
  language: PolicyConfig['language'],
  headWidth: number,
  heads: number,
): void {
  if (headWidth !== language.width)
    throw badConfig(
      file,
      `text_config.hidden_size is ${language.width} but the action head is ${headWidth} wide`,
    );
  if (headWidth % (2 * heads) !== 0)
    throw badConfig(
      file,
      `mergevla.head_heads is ${heads}, which does not split the head's width ${headWidth} into even parts`,
    );
}

/** The state projector's tensors under their own names. */
function splitHead(head: Tensors): { readonly head: Tensors; readonly proprio: Tensors } {
  const proprio = new Map<string, TensorInfo>();
  for (const [name, info] of head)
    if (name.startsWith('proprio.')) proprio.set(name.slice('proprio.'.length), info);
  return { head, proprio };
}

/** The number of a card in `cuda:1`; undefined for devices without one. */
function cardOf(device: string | undefined): number | undefined {
  const card = /:(\d+)$/.exec(device ?? '')?.[1];
  return card === undefined ? undefined : Number(card);
}

function floatBytes(model: Tensors): number {
  let bytes = 0;
  for (const info of model.values()) bytes += info.elements * 4;
  return bytes;
}

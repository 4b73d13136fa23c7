import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { MergeError, throwIfCancelled } from '../protocol/merge-error';
import { unreadable } from './file-errors';
import { readHeader, type FileHeader, type OpenOptions } from './headers';
import { isObject, readJsonObject } from './json-file';
import { embeddingName, headName } from './names';
import { readShards } from './shards';
import type { Checkpoint, Part, TensorInfo } from './types';

/**
 * Reads the headers of a checkpoint: a directory, a `.safetensors`, an `.index.json`, or a torch zip
 * (`.pt`, `.bin`). A directory may be that of a MergeVLA or OpenVLA-OFT run with its action head and
 * proprio projector beside the model, of openpi, or of a LeRobot policy (`pretrained_model` is found
 * by itself). Throws `MergeError` (MV4xx) naming the file or tensor, or `Cancelled`.
 */
export async function openCheckpoint(path: string, options: OpenOptions = {}): Promise<Checkpoint> {
  throwIfCancelled(options.signal);
  const absolute = resolve(path);
  const place = await stat(absolute).catch((cause: unknown) => {
    throw unreadable(absolute, cause);
  });
  if (place.isDirectory()) return openFolder(absolute, options);
  const headers = await readWeights(absolute, options);
  const names = await list(dirname(absolute));
  return assemble(absolute, { headers, names, folder: dirname(absolute) });
}

/** Weight files of a directory, the first that exists. `transformers` looks in the same order. */
const weightFiles = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
] as const;

/** Files that mark a directory whose weights are a merged task vector. */
const mergedMarkerNames = ['tall_masks.pt', 'task2idx.pt'] as const;

async function openFolder(path: string, options: OpenOptions): Promise<Checkpoint> {
  const names = await list(path);
  const weights = findWeights(names);
  if (weights === undefined) {
    if (names.includes('pretrained_model'))
      return { ...(await openFolder(join(path, 'pretrained_model'), options)), path };
    throw noWeights(path, names);
  }
  const headers = await readWeights(join(path, weights), options);
  for (const part of ['action_head', 'proprio_projector'] as const)
    headers.push(...(await readCompanion(path, { names, part }, options)));
  refuseUnknownCompanions(path, names);
  return assemble(path, { headers, names, folder: path });
}

function findWeights(names: readonly string[]): string | undefined {
  const known = weightFiles.find((name) => names.includes(name));
  if (known !== undefined) return known;
  const indices = names.filter((name) => name.endsWith('.safetensors.index.json'));
  if (indices.length === 1) return indices[0];
  const single = names.filter(
    (name) => name.endsWith('.safetensors') && !/^(adapter_model|policy_(pre|post))/.test(name),
  );
  return single.length === 1 ? single[0] : undefined;
}

async function readWeights(path: string, options: OpenOptions): Promise<FileHeader[]> {
  if (path.endsWith('.index.json')) return readShards(path, options);
  return [await readHeader(path, options)];
}

/** The released loaders search for exactly one file that names the part and "checkpoint". */
async function readCompanion(
  path: string,
  search: { readonly names: readonly string[]; readonly part: Exclude<Part, 'model'> },
  options: OpenOptions,
): Promise<FileHeader[]> {
  const { part } = search;
  const found = search.names.filter(
    (name) => name.startsWith(`${part}--`) && name.endsWith('checkpoint.pt'),
  );
  const [name] = found;
  if (name === undefined) return [];
  if (found.length > 1)
    throw new MergeError(
      'MV420',
      `${path} holds ${found.length} files for the ${part.replace('_', ' ')} (${found.sort().join(', ')}); leave one`,
    );
  const { file, tensors } = await readHeader(join(path, name), options);
  return [{ file, tensors: tensors.map((t) => ({ ...t, name: `${part}.${t.name}`, part })) }];
}

/** Both replace or extend the model in ways that a merge of the other files would get wrong. */
function refuseUnknownCompanions(path: string, names: readonly string[]): void {
  const name = names.find((n) =>
    /^(vision_backbone|noisy_action_projector)--.*checkpoint\.pt$/.test(n),
  );
  if (name !== undefined)
    throw new MergeError(
      'MV412',
      `${path} holds ${name}; OpenVLA-OFT models with FiLM or diffusion are not supported`,
    );
}

interface FolderContent {
  readonly headers: readonly FileHeader[];
  /** Names in the folder of the weights. */
  readonly names: readonly string[];
  readonly folder: string;
}

async function assemble(path: string, content: FolderContent): Promise<Checkpoint> {
  const { headers, names, folder } = content;
  const tensors = new Map<string, TensorInfo>();
  for (const header of headers)
    for (const tensor of header.tensors) {
      if (tensors.has(tensor.name))
        throw new MergeError('MV417', `tensor ${tensor.name} is stored twice in ${path}`);
      tensors.set(tensor.name, tensor);
    }
  const config = names.includes('config.json')
    ? await readJsonObject(join(folder, 'config.json'), 'MV421')
    : undefined;
  if (saysTied(config)) foldTiedCopy(tensors);
  return {
    path,
    files: headers.map((header) => header.file),
    tensors,
    config,
    tiedEmbeddings: isTied(config, [...tensors.keys()]),
    mergedMarkers: mergedMarkerNames.filter((name) => names.includes(name)),
  };
}

/** Loaders tie what the configuration ties, whatever a second copy in the file says. */
function foldTiedCopy(tensors: Map<string, TensorInfo>): void {
  const names = [...tensors.keys()];
  const head = names.find((name) => headName.test(name));
  if (head !== undefined && names.some((name) => embeddingName.test(name))) tensors.delete(head);
}

/** PaliGemma always ties, and its π0 files say nothing about it in their configuration. */
function isTied(config: unknown, names: readonly string[]): boolean {
  const embeddings = names.some((name) => embeddingName.test(name));
  const heads = names.some((name) => headName.test(name));
  if (embeddings === heads) return false;
  return saysTied(config) || names.some((name) => name.includes('paligemma_with_expert.'));
}

/** True when `config.json` or its `text_config` sets `tie_word_embeddings`. */
export function saysTied(config: unknown): boolean {
  if (!isObject(config)) return false;
  const text = config['text_config'];
  const inner = isObject(text) ? text['tie_word_embeddings'] : undefined;
  return (inner ?? config['tie_word_embeddings']) === true;
}

async function list(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((cause: unknown) => {
    throw unreadable(folder, cause);
  });
}

function noWeights(path: string, names: readonly string[]): MergeError {
  const sentence = names.includes('adapter_config.json')
    ? `${path} is a LoRA adapter, not a checkpoint; name it as \`adapter:\``
    : names.includes('params')
      ? `${path} is an openpi JAX checkpoint; convert it to PyTorch first`
      : names.includes('checkpoints') && names.includes('config.json')
        ? `${path} is a Prismatic run; convert it to the Hugging Face form first`
        : `${path} holds no weights (model.safetensors, model.safetensors.index.json or pytorch_model.bin)`;
  return new MergeError('MV412', sentence, { data: { folder: basename(path) } });
}

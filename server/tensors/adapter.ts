import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { MergeError } from '../protocol/merge-error';
import { adapterScale, doraRefused, readAdapterConfig, type AdapterConfig } from './adapter-config';
import { isFloat } from './dtypes';
import { readHeader, type OpenOptions } from './headers';
import { nameIndex } from './names';
import type { Adapter, AdapterDelta, Checkpoint, TensorInfo } from './types';

/**
 * Reads the headers of a PEFT LoRA directory (`adapter_config.json` beside
 * `adapter_model.safetensors`, or the older `.bin`) and ties each delta to a tensor of `base`.
 * Throws `MergeError` MV440 for anything but LoRA, MV441 for DoRA, MV442 for another base's adapter.
 */
export async function openAdapter(
  path: string,
  base: Checkpoint,
  options: OpenOptions = {},
): Promise<Adapter> {
  const absolute = resolve(path);
  const config = await readAdapterConfig(join(absolute, 'adapter_config.json'));
  const weights = await findWeights(absolute);
  const { file, tensors } = await readHeader(weights, options);
  const stored = sortTensors(tensors, config);
  const target = new TargetFinder(base, file.path);
  const deltas = new Map<string, AdapterDelta>();
  for (const [module, pair] of stored.pairs) {
    const name = target.find(`${module}.weight`);
    deltas.set(name, target.delta(name, module, { pair, config }));
  }
  const replacements = new Map<string, TensorInfo>();
  for (const tensor of stored.replacements) {
    const name = target.find(tensor.name);
    target.sameShape(name, tensor);
    replacements.set(name, { ...tensor, name });
  }
  if (deltas.size + replacements.size === 0)
    throw new MergeError('MV440', `${file.path} holds no LoRA tensors`);
  return { path: absolute, files: [file], deltas, replacements };
}

/** The released layout keeps the adapter in `lora_adapter` beside the model. */
async function findWeights(path: string): Promise<string> {
  for (const name of ['adapter_model.safetensors', 'adapter_model.bin']) {
    const file = join(path, name);
    if (await stat(file).catch(() => undefined)) return file;
  }
  throw new MergeError('MV440', `${path} holds no adapter_model.safetensors`);
}

interface Pair {
  readonly kind: 'plain' | 'embedding';
  a?: TensorInfo;
  b?: TensorInfo;
}

interface Stored {
  /** By module path in the base model. */
  readonly pairs: ReadonlyMap<string, Pair>;
  /** With the base's names. */
  readonly replacements: readonly TensorInfo[];
}

/** `default` is the adapter's name, which live state dicts carry and saved files do not. */
const factorName = /^(.+)\.lora_(embedding_)?([AB])(?:\.default)?(?:\.weight)?$/;

function sortTensors(tensors: readonly TensorInfo[], config: AdapterConfig): Stored {
  const pairs = new Map<string, Pair>();
  const replacements: TensorInfo[] = [];
  for (const tensor of tensors) {
    const name = tensor.name.replace(/^base_model\.model\./, '');
    if (name.includes('.lora_magnitude_vector')) throw doraRefused(tensor.file);
    const match = factorName.exec(name);
    if (match) {
      const [, module = '', embedding, side] = match;
      const pair = pairs.get(module) ?? { kind: embedding ? 'embedding' : 'plain' };
      pair[side === 'A' ? 'a' : 'b'] = tensor;
      pairs.set(module, pair);
    } else if (name.includes('.lora_')) {
      throw new MergeError('MV440', `${tensor.file} holds ${tensor.name}, which is not supported`);
    } else {
      const whole = replacedName(name, config);
      if (whole !== undefined) replacements.push({ ...tensor, name: whole });
    }
  }
  return { pairs, replacements };
}

/**
 * The base tensor that a whole tensor replaces (reference: merge methods §14). A whole weight that
 * is neither saved on purpose nor under `base_layer` is PEFT's copy of an untouched output layer.
 */
function replacedName(name: string, config: AdapterConfig): string | undefined {
  if (name.includes('.base_layer.')) return name.replace('.base_layer.', '.');
  const saved = /^(.*)\.modules_to_save(?:\.default)?\.(\w+)$/.exec(name);
  if (saved) return `${saved[1] ?? ''}.${saved[2] ?? ''}`;
  if (name.endsWith('.bias')) return name;
  const module = name.replace(/\.\w+$/, '');
  const listed = config.modulesToSave.some((m) => module === m || module.endsWith(`.${m}`));
  return listed ? name : undefined;
}

/** Finds the base tensors that an adapter's tensors belong to. */
class TargetFinder {
  private readonly lookUp: (name: string) => string | undefined;

  constructor(
    private readonly base: Checkpoint,
    private readonly file: string,
  ) {
    this.lookUp = nameIndex(base);
  }

  find(name: string): string {
    const found = this.lookUp(name);
    if (found !== undefined) return found;
    throw this.otherBase(`it changes ${name}, which the base does not have`);
  }

  sameShape(name: string, tensor: TensorInfo): void {
    const shape = this.base.tensors.get(name)?.shape ?? [];
    if (shape.join() !== tensor.shape.join())
      throw this.otherBase(
        `${name} is [${tensor.shape.join(', ')}] there and [${shape.join(', ')}] in the base`,
      );
  }

  delta(
    name: string,
    module: string,
    stored: { readonly pair: Pair; readonly config: AdapterConfig },
  ): AdapterDelta {
    const { pair, config } = stored;
    const { a, b } = this.factors(pair, module);
    const kind = kindOf(pair, a);
    const transpose = kind === 'embedding' || (kind === 'linear' && config.fanInFanOut);
    const [rank = 0, ...inner] = a.shape;
    const [outer = 0] = b.shape;
    this.sameShape(name, { ...a, shape: transpose ? [...inner, outer] : [outer, ...inner] });
    const dtype = kind === 'embedding' ? this.base.tensors.get(name)?.dtype : undefined;
    const roundProduct = dtype === 'BF16' || dtype === 'F16' ? dtype : null;
    return { kind, a, b, scale: adapterScale(config, module, rank), transpose, roundProduct };
  }

  /** A [r, …] and B [out, r, 1 …] of one module, of floats and of one rank. */
  private factors(pair: Pair, module: string): { readonly a: TensorInfo; readonly b: TensorInfo } {
    const { a, b } = pair;
    if (!a || !b || !isFloat(a.dtype) || !isFloat(b.dtype))
      throw new MergeError('MV440', `${this.file} has not both factors of ${module} as numbers`);
    const [rank = 0] = a.shape;
    const [outer = 0] = b.shape;
    if (rank < 1 || b.shape[1] !== rank || b.elements !== outer * rank)
      throw new MergeError('MV440', `${this.file} has factors of ${module} that do not fit`);
    return { a, b };
  }

  private otherBase(what: string): MergeError {
    return new MergeError(
      'MV442',
      `${this.file} is an adapter for another base than ${this.base.path}: ${what}`,
    );
  }
}

function kindOf(pair: Pair, a: TensorInfo): AdapterDelta['kind'] {
  if (pair.kind === 'embedding') return 'embedding';
  return a.shape.length > 2 ? 'conv' : 'linear';
}

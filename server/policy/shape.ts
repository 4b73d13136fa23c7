import type { TensorInfo } from '../tensors/types';
import type { FileConfig } from './config';
import { badConfig, foreignHead, missingTensor, wrongShape } from './errors';

export interface TowerShape {
  /** Name of its stages: `dino` for the first tower, `siglip` for the second. */
  readonly name: string;
  readonly prefix: string;
  readonly width: number;
  readonly heads: number;
  readonly patch: number;
  /** Patches a side. */
  readonly grid: number;
  /** Blocks in the file; the last one is never run. */
  readonly blocks: number;
  readonly classToken: boolean;
  /** Number of register tokens. */
  readonly registers: number;
  readonly layerScale: boolean;
}

export interface HeadShape {
  readonly blocks: number;
  readonly width: number;
  readonly actionSize: number;
  readonly proprioSize: number;
}

/** Sizes that follow from the tensors (reference: policy forward §4–§8). */
export interface ModelShape {
  readonly towers: readonly TowerShape[];
  /** Patches of one picture. */
  readonly patches: number;
  readonly layers: number;
  readonly queries: number;
  readonly head: HeadShape;
}

/** Tensors by name: whatever has the shapes. */
export type Shapes = ReadonlyMap<string, Pick<TensorInfo, 'shape'>>;

/**
 * Reads the sizes of a policy. `model` holds the VLM's tensors, `head` the expert's under its own
 * names (`model.fc2.weight`), `proprio` the state projector's. Throws `MergeError` naming the tensor.
 */
export function readShape(
  file: FileConfig,
  parts: { readonly model: Shapes; readonly head: Shapes; readonly proprio: Shapes },
  where: string,
): ModelShape {
  const need = (from: Shapes, name: string, rank: number): readonly number[] => {
    const shape = from.get(name)?.shape;
    if (!shape) throw missingTensor(name, where);
    if (shape.length !== rank) throw wrongShape(name, shape, `${rank} axes are expected`);
    return shape;
  };
  const towers = readTowers(file, parts.model, need);
  const patches = (towers[0]?.grid ?? 0) ** 2;
  const layers = countBlocks(parts.model, 'language_model.model.layers.');
  if (layers !== file.language.layers)
    throw badConfig(
      file.file,
      `text_config.num_hidden_layers is ${file.language.layers} but ${where} holds ${layers} layers`,
    );
  const [queries = 0] = need(parts.model, 'action_queries.weight', 2);
  const head = readHead(parts, need, where);
  if (head.blocks !== layers)
    throw wrongShape(
      'model.mlp_resnet_blocks',
      [head.blocks],
      `the head must have one block for each of the ${layers} language-model layers`,
    );
  return { towers, patches, layers, queries, head };
}

type Need = (from: Shapes, name: string, rank: number) => readonly number[];

function readTowers(file: FileConfig, model: Shapes, need: Need): TowerShape[] {
  const prefixes = ['vision_backbone.featurizer.', 'vision_backbone.fused_featurizer.'].filter(
    (prefix, index) => index === 0 || model.has(`${prefix}patch_embed.proj.weight`),
  );
  return prefixes.map((prefix, index) => {
    const tower = readTower(prefix, file.imageSize, model, need);
    const stated = file.entry.vision_heads;
    const heads = typeof stated === 'number' ? stated : (stated[index] ?? stated[0] ?? 1);
    if (tower.width % heads !== 0)
      throw badConfig(
        file.file,
        `mergevla.vision_heads is ${heads}, which does not divide the width ${tower.width} of ${prefix.slice(0, -1)}`,
      );
    return { ...tower, name: index === 0 ? 'dino' : 'siglip', heads };
  });
}

function readTower(
  prefix: string,
  imageSize: number,
  model: Shapes,
  need: Need,
): Omit<TowerShape, 'name' | 'heads'> {
  const [width = 0, , patch = 1] = need(model, `${prefix}patch_embed.proj.weight`, 4);
  const grid = imageSize / patch;
  const positions = need(model, `${prefix}pos_embed`, 3);
  if (grid ** 2 !== positions[1])
    throw wrongShape(
      `${prefix}pos_embed`,
      positions,
      `pictures of ${imageSize} pixels have ${grid ** 2} patches of ${patch}`,
    );
  return {
    prefix,
    width,
    patch,
    grid,
    blocks: countBlocks(model, `${prefix}blocks.`),
    classToken: model.has(`${prefix}cls_token`),
    registers: model.get(`${prefix}reg_token`)?.shape[1] ?? 0,
    layerScale: model.has(`${prefix}blocks.0.ls1.scale_factor`),
  };
}

function readHead(
  parts: { readonly head: Shapes; readonly proprio: Shapes },
  need: Need,
  where: string,
): HeadShape {
  refuseForeignHead(parts.head, where);
  const [width = 0] = need(parts.head, 'model.fc1.weight', 2);
  const [actionSize = 0] = need(parts.head, 'model.fc2.weight', 2);
  const [, proprioSize = 0] = need(parts.proprio, 'fc1.weight', 2);
  return {
    blocks: countBlocks(parts.head, 'model.mlp_resnet_blocks.'),
    width,
    actionSize,
    proprioSize,
  };
}

/** VLA-Adapter's heads share most names; what gives them away is self-attention over their own tokens. */
function refuseForeignHead(head: Shapes, where: string): void {
  const block = 'model.mlp_resnet_blocks.0.';
  if (head.has(`${block}k_self.weight`)) throw foreignHead('VLA-Adapter Pro', where);
  if (head.has(`${block}k_proj.weight`)) throw foreignHead('VLA-Adapter', where);
}

/** One more than the highest `N` in `<prefix>N.…`; 0 without any. */
export function countBlocks(tensors: Shapes, prefix: string): number {
  let blocks = 0;
  for (const name of tensors.keys()) {
    if (!name.startsWith(prefix)) continue;
    const index = Number.parseInt(name.slice(prefix.length), 10);
    if (index >= blocks) blocks = index + 1;
  }
  return blocks;
}

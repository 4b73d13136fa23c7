/** One tensor of the sample model. */
export interface SampleTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** A norm's factor, which is about 1. */
  readonly isNorm: boolean;
  /** Changed by fine-tuning: the matrices that adapters wrap. */
  readonly isTuned: boolean;
}

/** Sizes of a MergeVLA model, small enough to merge in well under a second. */
const size = { dino: 48, siglip: 64, lm: 64, mlp: 96, keyValue: 32, vocabulary: 448, blocks: 4 };

function matrix(name: string, rows: number, columns: number): SampleTensor {
  return { name, shape: [rows, columns], isNorm: false, isTuned: true };
}

function fixed(name: string, ...shape: number[]): SampleTensor {
  return { name, shape, isNorm: false, isTuned: false };
}

function norm(name: string, width: number): SampleTensor[] {
  return [{ ...fixed(`${name}.weight`, width), isNorm: true }, fixed(`${name}.bias`, width)];
}

function linear(name: string, rows: number, columns: number): SampleTensor[] {
  return [matrix(`${name}.weight`, rows, columns), fixed(`${name}.bias`, rows)];
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

function tower(name: string, width: number, extras: readonly SampleTensor[]): SampleTensor[] {
  const blocks = range(3).flatMap((i) => {
    const block = `${name}.blocks.${i}`;
    return [
      ...norm(`${block}.norm1`, width),
      ...linear(`${block}.attn.qkv`, 3 * width, width),
      ...linear(`${block}.attn.proj`, width, width),
      ...norm(`${block}.norm2`, width),
      ...linear(`${block}.mlp.fc1`, 2 * width, width),
      ...linear(`${block}.mlp.fc2`, width, 2 * width),
    ];
  });
  return [
    ...extras,
    fixed(`${name}.pos_embed`, 1, 16, width),
    fixed(`${name}.patch_embed.proj.weight`, width, 3, 14, 14),
    fixed(`${name}.patch_embed.proj.bias`, width),
    ...blocks,
    ...norm(`${name}.norm`, width),
  ];
}

function languageBlock(i: number): SampleTensor[] {
  const block = `language_model.model.layers.${i}`;
  const { lm, mlp, keyValue } = size;
  return [
    { ...fixed(`${block}.input_layernorm.weight`, lm), isNorm: true },
    ...linear(`${block}.self_attn.q_proj`, lm, lm),
    ...linear(`${block}.self_attn.k_proj`, keyValue, lm),
    ...linear(`${block}.self_attn.v_proj`, keyValue, lm),
    matrix(`${block}.self_attn.o_proj.weight`, lm, lm),
    { ...fixed(`${block}.post_attention_layernorm.weight`, lm), isNorm: true },
    matrix(`${block}.mlp.gate_proj.weight`, mlp, lm),
    matrix(`${block}.mlp.up_proj.weight`, mlp, lm),
    matrix(`${block}.mlp.down_proj.weight`, lm, mlp),
  ];
}

const dino = 'vision_backbone.featurizer';

/** `model.safetensors`. */
export const sampleModel: readonly SampleTensor[] = [
  fixed('action_queries.weight', 64, size.lm),
  fixed('language_model.model.embed_tokens.weight', size.vocabulary, size.lm),
  ...range(size.blocks).flatMap(languageBlock),
  { ...fixed('language_model.model.norm.weight', size.lm), isNorm: true },
  ...linear('projector.fc1', 2 * size.lm, size.dino + size.siglip),
  ...linear('projector.fc2', size.lm, 2 * size.lm),
  ...linear('projector.fc3', size.lm, size.lm),
  ...tower(dino, size.dino, [
    fixed(`${dino}.cls_token`, 1, 1, size.dino),
    fixed(`${dino}.reg_token`, 1, 4, size.dino),
  ]),
  ...tower('vision_backbone.fused_featurizer', size.siglip, []),
];

const attention = ['q_proj_adapter', 'k_adapter', 'v_adapter', 'q_proj_task', 'k_task', 'v_task'];

function expertBlock(i: number): SampleTensor[] {
  const block = `model.mlp_resnet_blocks.${i}`;
  return [
    fixed(`${block}.gating_factor`, 1),
    ...norm(`${block}.ffn.0`, size.lm),
    ...linear(`${block}.ffn.1`, size.lm, size.lm),
    ...[...attention, 'o_proj'].flatMap((name) => linear(`${block}.${name}`, size.lm, size.lm)),
  ];
}

/** `action_head--checkpoint.pt`. */
export const sampleHead: readonly SampleTensor[] = [
  ...norm('model.layer_norm1', 7 * size.lm),
  ...linear('model.fc1', size.lm, 7 * size.lm),
  ...range(size.blocks).flatMap(expertBlock),
  ...norm('model.layer_norm2', size.lm),
  ...linear('model.fc2', 7, size.lm),
];

/** `proprio_projector--checkpoint.pt`. */
export const sampleProprio: readonly SampleTensor[] = [
  ...linear('fc1', size.lm, 8),
  ...linear('fc2', size.lm, size.lm),
];

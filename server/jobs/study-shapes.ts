import type { SampleTensor } from './sample-shapes';

/** Sizes of an OpenVLA model with all its 32 blocks, small enough to merge in a second. */
const size = { vision: 16, lm: 24, mlp: 32, vocabulary: 96, blocks: 32 };

function tensor(name: string, shape: readonly number[], isTuned: boolean): SampleTensor {
  return { name, shape, isNorm: false, isTuned };
}

const matrix = (name: string, rows: number, columns: number): SampleTensor =>
  tensor(`${name}.weight`, [rows, columns], true);

const norm = (name: string, width: number): SampleTensor => ({
  ...tensor(`${name}.weight`, [width], false),
  isNorm: true,
});

function tower(name: string): SampleTensor[] {
  const { vision } = size;
  const blocks = [0, 1].flatMap((i) => {
    const block = `${name}.blocks.${i}`;
    return [
      norm(`${block}.norm1`, vision),
      matrix(`${block}.attn.qkv`, 3 * vision, vision),
      matrix(`${block}.attn.proj`, vision, vision),
      norm(`${block}.norm2`, vision),
      matrix(`${block}.mlp.fc1`, 2 * vision, vision),
      matrix(`${block}.mlp.fc2`, vision, 2 * vision),
    ];
  });
  return [tensor(`${name}.patch_embed.proj.weight`, [vision, 3, 4, 4], false), ...blocks];
}

function languageBlock(i: number): SampleTensor[] {
  const block = `language_model.model.layers.${i}`;
  const { lm, mlp } = size;
  return [
    norm(`${block}.input_layernorm`, lm),
    ...['q', 'k', 'v', 'o'].map((part) => matrix(`${block}.self_attn.${part}_proj`, lm, lm)),
    norm(`${block}.post_attention_layernorm`, lm),
    matrix(`${block}.mlp.gate_proj`, mlp, lm),
    matrix(`${block}.mlp.up_proj`, mlp, lm),
    matrix(`${block}.mlp.down_proj`, lm, mlp),
  ];
}

/** `model.safetensors` of an OpenVLA policy: two towers, a projector and a Llama with its own head. */
export const studyModel: readonly SampleTensor[] = [
  ...tower('vision_backbone.featurizer'),
  ...tower('vision_backbone.fused_featurizer'),
  matrix('projector.fc1', 64, 2 * size.vision),
  matrix('projector.fc2', size.lm, 64),
  matrix('projector.fc3', size.lm, size.lm),
  tensor('language_model.model.embed_tokens.weight', [size.vocabulary, size.lm], false),
  ...Array.from({ length: size.blocks }, (_, i) => languageBlock(i)).flat(),
  norm('language_model.model.norm', size.lm),
  matrix('language_model.lm_head', size.vocabulary, size.lm),
];

export const studyConfig = {
  model_type: 'openvla',
  image_sizes: [16, 16],
  text_config: {
    model_type: 'llama',
    hidden_size: size.lm,
    intermediate_size: size.mlp,
    num_attention_heads: 4,
    num_hidden_layers: size.blocks,
    tie_word_embeddings: false,
    vocab_size: size.vocabulary,
  },
};

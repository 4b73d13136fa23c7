import type { Layout, ModulePlace } from './types';

type Place = Pick<ModulePlace, 'component' | 'block'>;

/** A name pattern and its component; the first group, where there is one, is the block. */
type Rule = readonly [pattern: RegExp, component: string];

/** Component and block of a tensor: the first rule of its layout that matches. */
export function componentOf(name: string, layout: Layout): Place {
  for (const [pattern, component] of rules[layout]) {
    const match = pattern.exec(name);
    if (match) return { component, block: match[1] === undefined ? null : Number(match[1]) };
  }
  const block = /(?:^|\.)(?:layers?|blocks?|h)\.(\d+)\./.exec(name)?.[1];
  return { component: 'other', block: block === undefined ? null : Number(block) };
}

/** Two towers, a projector and a language model: OpenVLA and all its children. */
const prismatic: readonly Rule[] = [
  [/^vision_backbone\.featurizer\.blocks\.(\d+)\./, 'vision.dino'],
  [/^vision_backbone\.featurizer\./, 'vision.dino'],
  [/^vision_backbone\.fused_featurizer\.blocks\.(\d+)\./, 'vision.siglip'],
  [/^vision_backbone\.fused_featurizer\./, 'vision.siglip'],
  [/^vision_backbone\./, 'vision'],
  [/^projector\.fc(\d)\./, 'projector'],
  [/^language_model\.model\.layers\.(\d+)\./, 'lm.block'],
  [/^language_model\.model\.embed_tokens\./, 'lm.embed'],
  [/^language_model\.model\.norm\./, 'lm.norm'],
  [/^language_model\.lm_head\./, 'lm.head'],
  [/^action_queries\./, 'action_queries'],
  [/^proprio_projector\./, 'proprio'],
  [/^action_head\.model\.mlp_resnet_blocks\.(\d+)\./, 'expert.block'],
  // The number behind `moe_blocks` counts from the first block kept per task, not from the stem.
  [/^action_head\.model\.mlp_resnet_moe_blocks\./, 'expert.block'],
  [/^action_head\.model\.(?:layer_norm1|fc1)\./, 'expert.stem'],
  [/^action_head\.model\.layer_norm2\./, 'expert.norm'],
  [/^action_head\.model\.fc2\./, 'expert.out'],
  [/^action_head\.model\.(?:gate\.|router_layer_idx)/, 'expert.router'],
];

/** Statistics that early LeRobot releases kept among the weights. They are never merged. */
const normBuffers: readonly Rule[] = [
  [/^(?:un)?normalize(?:_inputs|_outputs|_targets)?\./, 'norm_buffers'],
];

const actionProjections: readonly Rule[] = [
  [/^(?:model\.)?state_proj\./, 'state_proj'],
  [/^(?:model\.)?action_in_proj\./, 'action_in'],
  [/^(?:model\.)?action_out_proj\./, 'action_out'],
  [/^(?:model\.)?(?:action_)?time_mlp_(?:in|out)\./, 'time_mlp'],
];

// Both the inner `model.` of newer releases and its absence in older ones are met.
const paligemma = /^(?:model\.)?paligemma_with_expert\.paligemma\.(?:model\.)?/.source;
const language = `${paligemma}language_model\\.(?:model\\.)?`;
const gemma = /^(?:model\.)?paligemma_with_expert\.gemma_expert\./.source;

const pi0: readonly Rule[] = [
  ...normBuffers,
  [
    new RegExp(`${paligemma}vision_tower\\.(?:vision_model\\.)?encoder\\.layers\\.(\\d+)\\.`),
    'vision',
  ],
  [new RegExp(`${paligemma}vision_tower\\.`), 'vision'],
  [new RegExp(`${paligemma}multi_modal_projector\\.`), 'projector'],
  [new RegExp(`${language}layers\\.(\\d+)\\.`), 'lm.block'],
  [new RegExp(`${language}embed_tokens\\.`), 'lm.embed'],
  [new RegExp(`${language}norm\\.`), 'lm.norm'],
  [new RegExp(`${paligemma}(?:language_model\\.)?lm_head\\.`), 'lm.head'],
  [new RegExp(`${gemma}model\\.layers\\.(\\d+)\\.`), 'expert.block'],
  [new RegExp(`${gemma}model\\.norm\\.`), 'expert.norm'],
  [new RegExp(`${gemma}lm_head\\.`), 'expert.out'],
  ...actionProjections,
];

const smolvla: readonly Rule[] = [
  ...normBuffers,
  [/^model\.vlm_with_expert\.vlm\.model\.vision_model\.encoder\.layers\.(\d+)\./, 'vision'],
  [/^model\.vlm_with_expert\.vlm\.model\.vision_model\./, 'vision'],
  [/^model\.vlm_with_expert\.vlm\.model\.connector\./, 'projector'],
  [/^model\.vlm_with_expert\.vlm\.model\.text_model\.layers\.(\d+)\./, 'lm.block'],
  [/^model\.vlm_with_expert\.vlm\.model\.text_model\.embed_tokens\./, 'lm.embed'],
  [/^model\.vlm_with_expert\.vlm\.model\.text_model\.norm\./, 'lm.norm'],
  [/^model\.vlm_with_expert\.vlm\.lm_head\./, 'lm.head'],
  [/^model\.vlm_with_expert\.lm_expert\.layers\.(\d+)\./, 'expert.block'],
  [/^model\.vlm_with_expert\.lm_expert\.norm\./, 'expert.norm'],
  ...actionProjections,
];

/** Language models and vision-language models as `transformers` names them. */
const generic: readonly Rule[] = [
  ...normBuffers,
  [
    /(?:^|\.)(?:vision_tower|vision_model|vision_backbone|visual)\..*?(?:layers|blocks)\.(\d+)\./,
    'vision',
  ],
  [
    /(?:^|\.)(?:visual\.merger|multi_modal_projector|connector|projector|mm_projector)\./,
    'projector',
  ],
  [/(?:^|\.)(?:vision_tower|vision_model|vision_backbone|visual)\./, 'vision'],
  [
    /^(?:language_model\.)?(?:(?:text_|language_)?model\.|transformer\.){0,3}(?:layers|h)\.(\d+)\./,
    'lm.block',
  ],
  [/(?:^|\.)(?:embed_tokens|wte|wpe)\./, 'lm.embed'],
  [
    /^(?:language_model\.)?(?:(?:text_|language_)?model\.|transformer\.){0,3}(?:norm|final_layernorm|ln_f)\./,
    'lm.norm',
  ],
  [/(?:^|\.)lm_head\./, 'lm.head'],
  [/^action_queries\./, 'action_queries'],
  [/^proprio_projector\./, 'proprio'],
  [/^action_head\..*?blocks\.(\d+)\./, 'expert.block'],
  [/^action_head\./, 'expert.out'],
];

const rules: Readonly<Record<Layout, readonly Rule[]>> = {
  mergevla: prismatic,
  openvla: prismatic,
  'openvla-oft': prismatic,
  pi0,
  smolvla,
  generic,
};

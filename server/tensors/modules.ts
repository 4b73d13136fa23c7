import { isObject } from './json-file';
import { componentOf } from './module-rules';
import type { Checkpoint, Layout, ModulePlace } from './types';

/** Decides the layout from `config.json` and names (reference: checkpoint layouts §7). */
export function detectLayout(checkpoint: Checkpoint): Layout {
  const names = [...checkpoint.tensors.keys()];
  return layoutOfConfig(checkpoint.config, names) ?? layoutOfNames(names);
}

/**
 * Component, block and kind of a tensor by its name (reference: checkpoint layouts §0 and §8).
 * Names that no rule knows are component `other`, with the first number behind a word such as
 * `layers` as their block.
 */
export function describeTensor(name: string, layout: Layout): ModulePlace {
  return { ...componentOf(name, layout), kind: kindOf(name) };
}

function layoutOfConfig(config: unknown, names: readonly string[]): Layout | undefined {
  if (!isObject(config)) return undefined;
  const type = config['type'];
  if (type === 'smolvla') return 'smolvla';
  if (type === 'pi0' || type === 'pi05' || type === 'pi0fast') return 'pi0';
  if (config['model_type'] !== 'openvla') return undefined;
  const text = config['text_config'];
  const family = isObject(text) ? text['model_type'] : undefined;
  if (family === 'qwen2') return 'mergevla';
  return family === 'llama' ? openvla(names) : undefined;
}

function layoutOfNames(names: readonly string[]): Layout {
  const some = (pattern: RegExp): boolean => names.some((name) => pattern.test(name));
  if (some(/^(model\.)?paligemma_with_expert\./)) return 'pi0';
  if (some(/^(model\.)?vlm_with_expert\./)) return 'smolvla';
  if (!some(/^vision_backbone\./)) return 'generic';
  // Qwen2 has biases in its attention and MergeVLA its queries; Llama has neither.
  if (some(/^language_model\..*\.q_proj\.bias$/) || some(/^action_queries\./)) return 'mergevla';
  return openvla(names);
}

function openvla(names: readonly string[]): Layout {
  return names.some((name) => name.startsWith('action_head.')) ? 'openvla-oft' : 'openvla';
}

/** First match wins; what stands in front of a longer word comes behind it. */
const kinds: readonly (readonly [RegExp, string])[] = [
  [/\.q_proj_adapter\./, 'xattn.q.action'],
  [/\.k_adapter\./, 'xattn.k.action'],
  [/\.v_adapter\./, 'xattn.v.action'],
  [/\.q_proj_task\./, 'xattn.q.task'],
  [/\.k_task\./, 'xattn.k.task'],
  [/\.v_task\./, 'xattn.v.task'],
  [/\.gating_factor$|\.gate\.gate\./, 'gate'],
  [/\.mlp_resnet(_moe)?_blocks\..*\.ffn\.0\./, 'norm'],
  [/\.mlp_resnet(_moe)?_blocks\..*\.ffn\.1\./, 'mlp.fc1'],
  [/(^|\.)(cls_token|reg_token|latent)$|^action_queries\./, 'token'],
  [/pos_embed|position_embedding|(^|\.)wpe\./, 'pos'],
  [/patch_embed/, 'patch_embed'],
  [/embed_tokens|(^|\.)wte\./, 'embed'],
  [/(^|\.)lm_head\./, 'head'],
  [/\.ls\d?\.|layer_?scale/, 'ls'],
  [/norm|(^|\.)ln_/, 'norm'],
  [/(^|[._])(qkv|kv|c_attn)(_proj)?\./, 'attn.qkv'],
  [/(^|\.)q(_proj|uery)?\./, 'attn.q'],
  [/(^|\.)k(_proj|ey)?\./, 'attn.k'],
  [/(^|\.)v(_proj|alue)?\./, 'attn.v'],
  [/(^|\.)(o|out)_proj\.|attn(_pool)?\.(c_)?proj\./, 'attn.o'],
  [/(^|\.)gate_proj\./, 'mlp.gate'],
  [/(^|\.)up_proj\./, 'mlp.up'],
  [/(^|\.)down_proj\./, 'mlp.down'],
  [/(^|\.)(fc1|c_fc|\w*time_mlp_in)\./, 'mlp.fc1'],
  [/(^|\.)(fc2|c_proj|\w*time_mlp_out)\./, 'mlp.fc2'],
  [/(^|\.)fc3\./, 'mlp.fc3'],
  [/\.weight$/, 'linear'],
  [/(^|\.)bias$/, 'bias'],
];

function kindOf(name: string): string {
  // A bias has the kind of its module.
  const weight = name.replace(/\.bias$/, '.weight');
  return kinds.find(([pattern]) => pattern.test(weight))?.[1] ?? 'other';
}

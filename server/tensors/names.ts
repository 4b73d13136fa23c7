import type { Checkpoint, TensorInfo } from './types';

/**
 * One spelling for tensors that releases spell in several ways: π0 files of openpi and of LeRobot,
 * old and new (reference: checkpoint layouts §4), and the two homes of a language model inside a
 * vision-language model. Only ever used to compare; files keep their own names.
 */
export function canonicalName(name: string): string {
  if (!name.includes('paligemma_with_expert.')) return isActionProjection(name);
  return name
    .replace(/^model\./, '')
    .replace('.paligemma.model.', '.paligemma.')
    .replace('.language_model.model.', '.language_model.')
    .replace('.language_model.lm_head.', '.lm_head.')
    .replace('.vision_tower.vision_model.', '.vision_tower.');
}

/** The projections of π0 stand beside `paligemma_with_expert` and share its `model.` prefix. */
function isActionProjection(name: string): string {
  return name.replace(
    /^model\.(?=(?:state_proj|action_in_proj|action_out_proj|(?:action_)?time_mlp_(?:in|out))\.)/,
    '',
  );
}

/** The base's own name for a tensor that another file names, or nothing. */
export function nameIndex(base: Checkpoint): (name: string) => string | undefined {
  const canonical = new Map<string, string>();
  for (const name of base.tensors.keys()) canonical.set(canonicalName(name), name);
  return (name) => (base.tensors.has(name) ? name : canonical.get(canonicalName(name)));
}

/**
 * The expert with the base's spelling of names, itself when nothing is spelt differently. A tied
 * embedding that one file stores as input and the other as output layer counts as one tensor.
 */
export function alignNames(base: Checkpoint, expert: Checkpoint): Checkpoint {
  const lookUp = nameIndex(base);
  const alias = tiedAlias(base, expert);
  const tensors = new Map<string, TensorInfo>();
  let renamed = false;
  for (const [name, tensor] of expert.tensors) {
    const own = alias.get(name) ?? lookUp(name) ?? name;
    renamed ||= own !== name;
    tensors.set(own, own === name ? tensor : { ...tensor, name: own });
  }
  return renamed && tensors.size === expert.tensors.size ? { ...expert, tensors } : expert;
}

/** The input embedding of a language model, under any prefix. */
export const embeddingName = /(^|\.)embed_tokens\.weight$/;

/** Its output layer; the one of π0's action expert is never used. */
export const headName = /^(?!.*gemma_expert).*?(^|\.)lm_head\.weight$/;

function tiedAlias(base: Checkpoint, expert: Checkpoint): ReadonlyMap<string, string> {
  if (!base.tiedEmbeddings || !expert.tiedEmbeddings) return new Map();
  const inBase = [...base.tensors.keys()].find((n) => embeddingName.test(n) || headName.test(n));
  const inExpert = [...expert.tensors.keys()].find(
    (n) => embeddingName.test(n) || headName.test(n),
  );
  return inBase === undefined || inExpert === undefined ? new Map() : new Map([[inExpert, inBase]]);
}

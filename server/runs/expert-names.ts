/**
 * Names of action-expert tensors in the experts and in the released merged head
 * (MergeVLA reference §4.4). Both carry the prefix of their file.
 */
const prefix = 'action_head.model.';

export interface HeadShape {
  /** N, all blocks of the action expert. */
  readonly blocks: number;
  /** n, the last blocks that are kept per task. */
  readonly unmerged: number;
}

/** Where a tensor of the released head goes among an expert's names. */
export type HeadPlace =
  | { readonly kind: 'shared'; readonly name: string }
  | { readonly kind: 'own'; readonly name: string; readonly task: number }
  /** One number a task: element m of the tensor is task m's gate. */
  | { readonly kind: 'gates'; readonly name: string }
  | { readonly kind: 'router'; readonly path: 'action' | 'task'; readonly task: number }
  | { readonly kind: 'routerBlock' };

type Reading = readonly [
  pattern: RegExp,
  read: (parts: readonly string[], shape: HeadShape) => HeadPlace,
];

/** Names behind the prefix, in match order. */
const readings: readonly Reading[] = [
  [/^router_layer_idx$/, () => ({ kind: 'routerBlock' })],
  [
    /^gate\.gate\.([01])\.routers\.(\d+)$/,
    ([path, task]) => ({
      kind: 'router',
      path: path === '0' ? 'action' : 'task',
      task: Number(task),
    }),
  ],
  [
    /^mlp_resnet_moe_blocks\.(\d+)\.gating_factor$/,
    ([moe], shape) => ({ kind: 'gates', name: `${blockName(moe, shape)}.gating_factor` }),
  ],
  [
    /^mlp_resnet_moe_blocks\.(\d+)\.(.+)\.experts\.(\d+)\.(weight|bias)$/,
    ([moe, module = '', task, kind = ''], shape) => ({
      kind: 'own',
      name: `${blockName(moe, shape)}.${module}.${kind}`,
      task: Number(task),
    }),
  ],
  [
    /^(layer_norm2|fc2)\.experts\.(\d+)\.(weight|bias)$/,
    ([module = '', task, kind = '']) => ({
      kind: 'own',
      name: `${prefix}${module}.${kind}`,
      task: Number(task),
    }),
  ],
];

/** Reads a name of the released head; undefined for names outside the action head. */
export function fromReleasedName(name: string, shape: HeadShape): HeadPlace | undefined {
  if (!name.startsWith(prefix)) return undefined;
  const inner = name.slice(prefix.length);
  for (const [pattern, read] of readings) {
    const match = pattern.exec(inner);
    if (match) return read(match.slice(1), shape);
  }
  return { kind: 'shared', name };
}

function blockName(moe: string | undefined, shape: HeadShape): string {
  return `${prefix}mlp_resnet_blocks.${shape.blocks - shape.unmerged + Number(moe)}`;
}

/**
 * The released name of one task's own tensor, or undefined where the released head has no place for
 * it (an early block kept per task). `gates`: the tensors of all tasks are one tensor there.
 */
export function toReleasedName(
  name: string,
  task: number,
  shape: HeadShape,
): { readonly name: string; readonly gates: boolean } | undefined {
  const end = /^action_head\.model\.(layer_norm2|fc2)\.(weight|bias)$/.exec(name);
  if (end) {
    const [, module = '', kind = ''] = end;
    return { name: `${prefix}${module}.experts.${task}.${kind}`, gates: false };
  }
  const block = /^action_head\.model\.mlp_resnet_blocks\.(\d+)\.(.+)$/.exec(name);
  const moe = Number(block?.[1]) - (shape.blocks - shape.unmerged);
  if (!(moe >= 0)) return undefined;
  return inBlock(block?.[2] ?? '', `${prefix}mlp_resnet_moe_blocks.${moe}`, task);
}

function inBlock(inner: string, block: string, task: number) {
  if (inner === 'gating_factor') return { name: `${block}.gating_factor`, gates: true };
  const parts = /^(.+)\.(weight|bias)$/.exec(inner);
  if (!parts) return undefined;
  const [, module = '', kind = ''] = parts;
  return { name: `${block}.${module}.experts.${task}.${kind}`, gates: false };
}

/** How many blocks of each kind the names of a head show. */
export function countBlocks(names: Iterable<string>): { shared: number; moe: number } {
  let shared = 0;
  let moe = 0;
  for (const name of names) {
    const match = /^action_head\.model\.mlp_resnet_(moe_)?blocks\.(\d+)\./.exec(name);
    const count = Number(match?.[2]) + 1;
    if (match && match[1]) moe = Math.max(moe, count);
    else if (match) shared = Math.max(shared, count);
  }
  return { shared, moe };
}

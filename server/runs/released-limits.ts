import { MergeError } from '../protocol/merge-error';
import { toReleasedName, type HeadShape } from './expert-names';
import type { MergedCheckpoint } from './merged';

/** N and n of the action expert, from the names of its tensors. */
export function headShape(merged: MergedCheckpoint): HeadShape {
  const names = [...merged.shared.keys(), ...(merged.own[0]?.keys() ?? [])];
  const blocks = names.map((name) =>
    Number(/^action_head\.model\.mlp_resnet_blocks\.(\d+)\./.exec(name)?.[1] ?? -1),
  );
  return { blocks: Math.max(-1, ...blocks) + 1, unmerged: merged.unmergedBlocks ?? 0 };
}

/**
 * The released loader knows one place for everything; what has none cannot be written.
 * Throws MV537 naming the first such thing.
 */
export function refuseInexpressible(merged: MergedCheckpoint, shape: HeadShape): void {
  const missing = missingParts(merged, shape) ?? homelessTensor(merged, shape);
  if (missing === undefined) return;
  throw new MergeError(
    'MV537',
    `the released MergeVLA layout cannot hold ${missing}; use output.form: compact`,
  );
}

function missingParts(merged: MergedCheckpoint, shape: HeadShape): string | undefined {
  if (!merged.masks) return 'a merge without masks';
  if (shape.blocks === 0) return 'a model without action expert';
  return merged.router ? undefined : 'a merge without router';
}

function homelessTensor(merged: MergedCheckpoint, shape: HeadShape): string | undefined {
  for (const own of merged.own)
    for (const name of own.keys())
      if (!toReleasedName(name, 0, shape)) return `${name} once for each task`;
  for (const name of merged.shared.keys())
    if (!/^(action_head|proprio_projector)\.|^action_queries\.weight$/.test(name))
      return `${name}, which comes neither from the base nor from a task vector`;
  return undefined;
}

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

/** What of a merge decides whether the released layout has a place for everything. */
export interface ReleasedContents {
  readonly hasMasks: boolean;
  readonly hasRouter: boolean;
  readonly shape: HeadShape;
  /** Tensors that every task has for itself. */
  readonly own: Iterable<string>;
  /** Tensors that are neither the base's nor a task vector's. */
  readonly shared: Iterable<string>;
}

/**
 * The released loader knows one place for everything; what has none cannot be written.
 * Returns a sentence naming the first such thing, or undefined.
 */
export function inexpressible(contents: ReleasedContents): string | undefined {
  const missing = missingPart(contents) ?? homelessTensor(contents);
  return missing === undefined
    ? undefined
    : `the released MergeVLA layout cannot hold ${missing}; use output.form: compact`;
}

/** Throws MV537 for a merge that the released layout cannot hold. */
export function refuseInexpressible(merged: MergedCheckpoint, shape: HeadShape): void {
  const sentence = inexpressible({
    hasMasks: merged.masks !== null,
    hasRouter: merged.router !== null,
    shape,
    own: merged.own.flatMap((own) => [...own.keys()]),
    shared: merged.shared.keys(),
  });
  if (sentence !== undefined) throw new MergeError('MV537', sentence);
}

function missingPart({ hasMasks, hasRouter, shape }: ReleasedContents): string | undefined {
  if (!hasMasks) return 'a merge without masks';
  if (shape.blocks === 0) return 'a model without action expert';
  return hasRouter ? undefined : 'a merge without router';
}

function homelessTensor({ own, shared, shape }: ReleasedContents): string | undefined {
  for (const name of own) if (!toReleasedName(name, 0, shape)) return `${name} once for each task`;
  for (const name of shared)
    if (!/^(action_head|proprio_projector)\.|^action_queries\.weight$/.test(name))
      return `${name}, which comes neither from the base nor from a task vector`;
  return undefined;
}

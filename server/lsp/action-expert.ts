import type { MergePlan, TensorRule } from '../engine/plan-types';

/** What becomes of the action expert: it is averaged or kept for each task, and never masked. */
export function actionExpertNote({ jobs }: MergePlan): string | undefined {
  const blocks = (kind: TensorRule['kind']): readonly number[] => [
    ...new Set(
      jobs.flatMap(({ rule, place: { component, block } }) =>
        component === 'expert.block' && block !== null && rule.kind === kind ? [block] : [],
      ),
    ),
  ];
  const parts = [
    sentencePart(blocks('average'), 'averaged over the tasks'),
    sentencePart(blocks('per_task'), 'kept for each task'),
  ].filter((part) => part !== undefined);
  if (parts.length === 0) return undefined;
  return `Action expert: ${parts.join(', ')}. They are not masked, so no active ratio, coverage or sign conflict belongs to them, and no total counts them.`;
}

function sentencePart(blocks: readonly number[], what: string): string | undefined {
  if (blocks.length === 0) return undefined;
  const [first, last] = [Math.min(...blocks), Math.max(...blocks)];
  return first === last
    ? `block ${String(first)} ${what}`
    : `blocks ${String(first)} to ${String(last)} ${what}`;
}

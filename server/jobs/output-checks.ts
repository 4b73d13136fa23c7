import type { MergeInputs } from '../engine/inputs';
import type { MergePlan, TensorJob } from '../engine/plan-types';
import { MergeError } from '../protocol/merge-error';
import type { Recipe } from '../recipe/schema';
import { checkStatistics } from '../runs/companions';
import { inexpressible } from '../runs/released-limits';
import { statisticsSources } from './statistics-sources';
import type { InputFinding } from './input-finding';
import { expertBlocks, routerFacts } from './router-bases';

/** What would stop a merge at its end and is known from headers: MV536, MV537, MV538. */
export function outputFindings(
  plan: MergePlan,
  recipe: Recipe,
  inputs: MergeInputs,
): readonly InputFinding[] {
  return [
    ...attempt(['experts'], () => {
      checkStatistics(statisticsSources(inputs));
    }),
    ...attempt(['router', 'value_block'], () => {
      routerFacts(recipe, inputs);
    }),
    ...attempt(['output', 'form'], () => {
      refuseReleased(plan, recipe, inputs);
    }),
  ];
}

function attempt(recipePath: readonly string[], check: () => void): InputFinding[] {
  try {
    check();
    return [];
  } catch (error) {
    if (!(error instanceof MergeError) || error.fault === 'system') throw error;
    return [{ code: error.code, severity: 'error', message: error.message, recipePath }];
  }
}

function refuseReleased(plan: MergePlan, recipe: Recipe, inputs: MergeInputs): void {
  if (plan.form !== 'mergevla') return;
  const names = (isOf: (job: TensorJob) => boolean): string[] =>
    plan.jobs.filter(isOf).map(({ name }) => name);
  const sentence = inexpressible({
    hasMasks: plan.masks !== null,
    hasRouter: recipe.router !== 'none' && expertBlocks(inputs) > 0,
    shape: { blocks: expertBlocks(inputs), unmerged: recipe.heads.unmerged_blocks },
    own: names(({ rule }) => rule.kind === 'per_task'),
    shared: names(
      ({ rule, base }) =>
        rule.kind === 'average' || rule.kind === 'take' || (rule.kind === 'copy' && base === null),
    ),
  });
  if (sentence !== undefined) throw new MergeError('MV537', sentence);
}

import type { Recipe } from '../../recipe/schema';
import { isFloat } from '../../tensors/dtypes';
import { blockCounts, maskPlanOf } from '../plan';
import { ruleOf } from '../plan-rules';
import type { MaskPlan, MergeParameters, MethodSettings, TensorJob } from '../plan-types';

/** What of a plan a sketch is evaluated with. */
export interface SketchPlan {
  readonly settings: MethodSettings;
  readonly masks: MaskPlan | null;
  readonly jobs: readonly Pick<TensorJob, 'name' | 'rule'>[];
}

/**
 * What a sketch is evaluated with when other numbers, another method or another scope are tried on the
 * inputs of `jobs`, all tensors of a plan: their rules are decided anew, nothing is looked up again.
 * Tensors with equal numbers share them, so that the plan is small where it is sent.
 */
export function sketchPlan(jobs: readonly TensorJob[], recipe: Recipe): SketchPlan {
  const rule = ruleOf(recipe, blockCounts(jobs));
  const equal = new Map<string, MergeParameters>();
  return {
    settings: recipe.merge,
    masks: maskPlanOf(recipe),
    jobs: jobs.flatMap(({ name, place, base, dtype }) => {
      const decided = rule({ name, place, inBase: base !== null, isFloat: isFloat(dtype) });
      if (decided.kind !== 'merge') return [];
      const key = JSON.stringify(decided.parameters);
      const parameters = equal.get(key) ?? decided.parameters;
      equal.set(key, parameters);
      return [{ name, rule: { kind: 'merge' as const, parameters } }];
    }),
  };
}

import { planMerge } from '../engine/plan';
import type { MergePlan } from '../engine/plan-types';
import type { Checked } from '../protocol/problem';
import { findingRange } from '../recipe/locate';
import { hasErrors } from '../recipe/problems';
import { resolvedRecipe, type Analysis } from './documents';
import type { LoadedFiles } from './load-files';

const plans = new WeakMap<Analysis, { loaded: LoadedFiles; plan: Checked<MergePlan> }>();

/** What a merge of this text with these files would do; made once a version. Undefined while errors stand. */
export function planOf(
  analysis: Analysis,
  loaded: LoadedFiles | undefined,
): Checked<MergePlan> | undefined {
  if (!loaded || hasErrors(analysis.problems) || loaded.layout === undefined) return undefined;
  if (loaded.findings.some(({ severity }) => severity === 'error')) return undefined;
  const known = plans.get(analysis);
  if (known?.loaded === loaded) return known.plan;
  const plan = planMerge(resolvedRecipe(analysis), loaded.inputs, {
    locate: (path) => findingRange(analysis.recipe, path),
  });
  plans.set(analysis, { loaded, plan });
  return plan;
}

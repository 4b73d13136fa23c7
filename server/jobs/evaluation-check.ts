import { chooseProvider } from '../compute/providers';
import type { PolicyName } from '../evaluate/episodes';
import { checkFits } from '../evaluate/player';
import { policyConfig } from '../policy/policy';
import { openPolicyParts } from '../policy/source';
import { MergeError } from '../protocol/merge-error';
import { resolveEvaluate } from '../recipe/resolve';
import type { Evaluate } from '../recipe/schema';
import type { Manifest } from '../runs/manifest';
import type { CheckedRecipe } from './check-recipe';
import { bench, planEvaluation } from './evaluate-plan';
import type { InputFinding } from './input-finding';
import { makeManifest } from './merge-manifest';

export interface EvaluationWish {
  /** What replaces the recipe's `evaluate` key, key by key. */
  readonly changes?: Partial<Evaluate>;
  readonly device?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The parts of a checked recipe that decide what its merge can play. */
type Planned = Pick<CheckedRecipe, 'recipe' | 'inputs' | 'plan'>;

/**
 * Everything about an evaluation that headers tell before the merge is made: suite, tasks, seeds, the
 * policies that such a merge has, the experts' own files, the device. Throws `MergeError` (MV553,
 * MV554, MV56x, MV585) as the evaluation itself would, hours later.
 */
export async function checkEvaluation(
  { recipe, inputs, plan }: Planned,
  { changes, device, signal }: EvaluationWish = {},
): Promise<void> {
  if (!inputs || !plan) return;
  const evaluate = { ...resolveEvaluate({}), ...recipe.evaluate, ...changes };
  const manifest = makeManifest({ recipe, inputs, plan, baseSample: '' });
  const { kind, record } = planEvaluation({ evaluate, manifest });
  if (kind === 'harness') return;
  if (device !== undefined) await chooseProvider(device, { signal });
  if (record.policies.some((policy) => ofExperts.some((name) => name === policy)))
    await checkExperts(manifest, signal);
}

/** What would stop `evaluate` and not the merge, except what the text alone tells: warnings. */
export async function evaluationFindings(planned: Planned): Promise<readonly InputFinding[]> {
  const { evaluate } = planned.recipe;
  if (!evaluate || evaluate.policies.length === 0) return [];
  if (evaluate.command === null && evaluate.suite !== bench) return [];
  try {
    await checkEvaluation(planned);
    return [];
  } catch (error) {
    if (!(error instanceof MergeError) || error.fault === 'system') throw error;
    const { code, message } = error;
    return [{ code, severity: 'warning', message, recipePath: ['evaluate'] }];
  }
}

/** Policies that need the experts' own directories. */
const ofExperts: readonly PolicyName[] = [
  'blind',
  'experts',
  'cross',
  'own_vlm',
  'own_action_expert',
];

async function checkExperts({ experts }: Manifest, signal: AbortSignal | undefined): Promise<void> {
  for (const [task, { path }] of Object.entries(experts))
    checkFits(policyConfig(await openPolicyParts(path, { task, signal })));
}

import { statSync } from 'node:fs';
import { checkRecipeFile, type CheckedRecipe } from '../../jobs/check-recipe';
import { findMergedRun, isMergedRun } from '../../jobs/find-run';
import { checkEvaluation } from '../../jobs/evaluation-check';
import { runMerge } from '../../jobs/merge-job';
import type { Evaluate } from '../../recipe/schema';
import { evaluateRun } from '../evaluation';
import { evaluateOptions } from '../evaluation-options';
import { mergeRequest } from '../merge-request';
import { refused } from '../refused';
import type { Call, Outcome } from '../verb';

/** `mergevla evaluate`: rolls a run out, or the run of a recipe, which is merged first where needed. */
export async function run(call: Call): Promise<Outcome> {
  const { options, signal } = call;
  const [operand = ''] = call.operands;
  const changes = evaluateOptions(options);
  if (statSync(operand, { throwIfNoEntry: false })?.isFile() !== true)
    return evaluateRun(call, { run: operand, changes });
  const out = options.text('out');
  const checked = await checkRecipeFile(operand, { signal, out });
  if (!checked.plan || !checked.inputs) return refused(checked, call);
  // The recipe may have been edited after the merge: what it says of the evaluation counts.
  const written: Partial<Evaluate> = checked.recipe.evaluate ?? {};
  const wish = { changes: { ...written, ...changes } };
  const known = await knownRun(checked, out);
  if (known !== undefined) return evaluateRun(call, { run: known, ...wish });
  await checkEvaluation(checked, { ...wish, device: options.text('device'), signal });
  const outcome = await runMerge({ ...mergeRequest(call, 'merging into'), continues: true });
  if (outcome.kind === 'refused') return refused(outcome.checked, call);
  return evaluateRun(call, { run: outcome.path, ...wish });
}

/** With `--out` only that folder, else the newest run of the same merge. */
async function knownRun(
  checked: CheckedRecipe,
  out: string | undefined,
): Promise<string | undefined> {
  if (out === undefined) return findMergedRun(checked);
  return (await isMergedRun(out, checked)) ? out : undefined;
}

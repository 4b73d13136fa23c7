import { statSync } from 'node:fs';
import { checkRecipeFile, type CheckedRecipe } from '../../jobs/check-recipe';
import { findMergedRun, isMergedRun } from '../../jobs/find-run';
import { runMerge } from '../../jobs/merge-job';
import type { Evaluate } from '../../recipe/schema';
import { evaluateRun } from '../evaluation';
import { evaluateOptions } from '../evaluation-options';
import { mergeRequest } from '../merge-request';
import { refused } from '../refused';
import type { Call, Outcome } from '../verb';

/** `mergevla evaluate`: rolls a run out, or the run of a recipe, which is merged first where needed. */
export async function run(call: Call): Promise<Outcome> {
  const [operand = ''] = call.operands;
  const changes = evaluateOptions(call.options);
  if (statSync(operand, { throwIfNoEntry: false })?.isFile() !== true)
    return evaluateRun(call, { run: operand, changes });
  const checked = await checkRecipeFile(operand, { signal: call.signal });
  if (!checked.plan || !checked.inputs) return refused(checked, call);
  // The recipe may have been edited after the merge: what it says of the evaluation counts.
  const written: Partial<Evaluate> = checked.recipe.evaluate ?? {};
  const path = (await knownRun(call, checked)) ?? (await mergeNow(call));
  return evaluateRun(call, { run: path, changes: { ...written, ...changes } });
}

/** With `--out` only that folder, else the newest run of the same merge. */
async function knownRun(call: Call, checked: CheckedRecipe): Promise<string | undefined> {
  const out = call.options.text('out');
  if (out === undefined) return findMergedRun(checked);
  return (await isMergedRun(out, checked)) ? out : undefined;
}

async function mergeNow(call: Call): Promise<string> {
  const outcome = await runMerge({ ...mergeRequest(call, 'merging into'), continues: true });
  if (outcome.kind === 'done') return outcome.path;
  throw new RangeError('a recipe that was checked a moment ago is refused now');
}

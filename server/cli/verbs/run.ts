import { checkRecipeFile } from '../../jobs/check-recipe';
import { isMergedRun } from '../../jobs/find-run';
import { checkEvaluation } from '../../jobs/evaluation-check';
import { runMerge } from '../../jobs/merge-job';
import { readEvaluation } from '../../runs/episodes';
import { readRun } from '../../runs/read';
import { evaluateRun } from '../evaluation';
import { evaluateOptions } from '../evaluation-options';
import { mergeRequest } from '../merge-request';
import { refused } from '../refused';
import type { Call, Outcome } from '../verb';
import { run as merge } from './merge';

/** `mergevla run`: merges, rolls out, reports. A recipe without `evaluate` is merged and reported. */
export async function run(call: Call): Promise<Outcome> {
  const [operand = ''] = call.operands;
  const { options, terminal, signal } = call;
  const changes = evaluateOptions(options);
  const out = options.text('out');
  const checked = await checkRecipeFile(operand, { signal, out });
  if (!checked.plan || !checked.inputs) return refused(checked, call);
  const { recipe } = checked;
  if (recipe.evaluate === null && Object.keys(changes).length === 0) {
    terminal.note('the recipe has no evaluate key, so nothing is rolled out');
    return merge(call);
  }
  // What cannot be evaluated is said before hours of merging, not after.
  await checkEvaluation(checked, { changes, device: options.text('device'), signal });
  if (out !== undefined && (await isMergedRun(out, checked)) && !(await isEvaluated(out)))
    return evaluateRun(call, { run: out, changes, report: true });
  const outcome = await runMerge({ ...mergeRequest(call, 'running in'), continues: true });
  if (outcome.kind === 'refused') return refused(outcome.checked, call);
  return evaluateRun(call, { run: outcome.path, changes, report: true });
}

/** A finished run is not written again; one whose evaluation was stopped goes on. */
async function isEvaluated(path: string): Promise<boolean> {
  const { folder, record } = await readRun(path);
  const phase = record.phases.find(({ name }) => name === 'evaluate');
  return phase?.state === 'done' && readEvaluation(folder) !== undefined;
}

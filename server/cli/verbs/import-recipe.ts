import { existsSync, writeFileSync } from 'node:fs';
import { readRecipe } from '../../jobs/check-recipe';
import { MergeError } from '../../protocol/merge-error';
import { importMergekit } from '../../recipe/mergekit-import';
import { hasErrors } from '../../recipe/problems';
import { problemJson, problemLines } from '../problems';
import { exitCodes, type Call, type Outcome } from '../verb';

export async function run({ operands, options, terminal }: Call): Promise<Outcome> {
  const path = operands[0] ?? '';
  const text = (await readRecipe(path)).toString('utf8');
  const { recipeText, lost, problems } = importMergekit(text);
  const out = options.text('out');
  const failed = hasErrors(problems);
  if (problems.length > 0) terminal.complain(problemLines(problems, path, terminal.noteStyle));
  for (const sentence of lost) terminal.note(`${terminal.noteStyle.yellow('lost')}: ${sentence}`);
  if (out !== undefined && !failed) writeNew(out, recipeText);
  return {
    code: failed ? exitCodes.data : exitCodes.done,
    json: {
      recipe: recipeText,
      lost,
      problems: problems.map((problem) => problemJson(problem, path)),
      ...(out !== undefined && { path: out }),
    },
    text: failed || out !== undefined ? '' : recipeText,
  };
}

/** Never writes over a file. */
export function writeNew(path: string, text: string): void {
  if (existsSync(path))
    throw new MergeError('MV530', `${path} exists already, so nothing is written there`);
  writeFileSync(path, text);
}

import { resolve } from 'node:path';
import { checkRecipeFile, type CheckedRecipe } from '../../jobs/check-recipe';
import { MergeError } from '../../protocol/merge-error';
import { hasErrors } from '../../recipe/problems';
import { problemJson, problemLines } from '../problems';
import { exitCodes, type Call, type Outcome } from '../verb';

export async function run({ operands, signal, terminal }: Call): Promise<Outcome> {
  const { path, problems } = await checked(operands[0] ?? '', signal);
  const lines = problemLines(problems, path, terminal.style);
  return {
    code: hasErrors(problems) ? exitCodes.data : exitCodes.done,
    json: { problems: problems.map((problem) => problemJson(problem, path)) },
    text: problems.length === 0 ? terminal.style.green('no problems') : lines,
    quiet: lines,
  };
}

/** A recipe that cannot be read is a problem like the others. */
async function checked(
  recipe: string,
  signal: AbortSignal,
): Promise<Pick<CheckedRecipe, 'path' | 'problems'>> {
  try {
    return await checkRecipeFile(recipe, { signal });
  } catch (error) {
    if (!(error instanceof MergeError) || error.code !== 'MV539') throw error;
    const { code, message } = error;
    const start = { line: 0, column: 0 };
    const range = { start, end: start };
    return { path: resolve(recipe), problems: [{ code, severity: 'error', message, range }] };
  }
}

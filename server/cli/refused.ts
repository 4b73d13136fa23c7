import type { CheckedRecipe } from '../jobs/check-recipe';
import { problemJson, problemLines } from './problems';
import { exitCodes, type Call, type Outcome } from './verb';

/** The answer of every verb that needs a recipe without errors. */
export function refused({ path, problems }: CheckedRecipe, { terminal }: Call): Outcome {
  terminal.complain(problemLines(problems, path, terminal.noteStyle));
  const first = problems.find(({ severity }) => severity === 'error');
  return {
    code: exitCodes.data,
    json: {
      error: { code: first?.code ?? '', message: first?.message ?? '' },
      problems: problems.map((problem) => problemJson(problem, path)),
    },
    text: '',
  };
}

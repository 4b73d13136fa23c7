import { checkRecipeFile } from '../../jobs/check-recipe';
import { hasErrors } from '../../recipe/problems';
import { problemJson, problemLines } from '../problems';
import { exitCodes, type Call, type Outcome } from '../verb';

export async function run({ operands, signal, terminal }: Call): Promise<Outcome> {
  const { path, problems } = await checkRecipeFile(operands[0] ?? '', { signal });
  const lines = problemLines(problems, path, terminal.style);
  return {
    code: hasErrors(problems) ? exitCodes.data : exitCodes.done,
    json: { problems: problems.map((problem) => problemJson(problem, path)) },
    text: problems.length === 0 ? terminal.style.green('no problems') : lines,
    quiet: lines,
  };
}

import { checkRecipeFile } from '../jobs/check-recipe';
import { findMergedRun } from '../jobs/find-run';
import { runMerge } from '../jobs/merge-job';
import { MergeError } from '../protocol/merge-error';
import { shortPath } from './paths';
import type { Call } from './verb';

/**
 * A run of this recipe: the newest finished one whose recipe and inputs are unchanged, else a new
 * merge into the recipe's output directory, as `mergevla merge` makes it.
 */
export async function mergedRun(path: string, call: Call): Promise<string> {
  const { terminal, signal } = call;
  const known = await findMergedRun(await checkRecipeFile(path, { signal }));
  if (known === undefined) return merge(path, call);
  terminal.note(`using ${shortPath(known)}`);
  return known;
}

async function merge(path: string, call: Call): Promise<string> {
  const { terminal, signal, command, version } = call;
  const outcome = await runMerge({
    recipePath: path,
    device: call.options.text('device'),
    command,
    version,
    signal,
    onProgress: (progress) => terminal.progress.update(progress),
    onStart: (run) => terminal.note(`merging into ${shortPath(run)}`),
  });
  if (outcome.kind === 'done') return outcome.path;
  const { problems } = outcome.checked;
  const fault = problems.find(({ severity }) => severity === 'error');
  const place = fault ? `:${fault.range.start.line + 1}:${fault.range.start.column + 1}` : '';
  throw new MergeError(
    fault?.code ?? 'MV575',
    `${path}${place}: ${fault?.message ?? 'the recipe describes no merge'}`,
  );
}

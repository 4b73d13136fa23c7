import type { MergeRequest } from '../jobs/merge-job';
import { shortPath } from './paths';
import { problemLines } from './problems';
import type { Call } from './verb';

/** What every verb that merges asks for; `where` begins the note that names the run. */
export function mergeRequest(call: Call, where: 'merging into' | 'running in'): MergeRequest {
  const { operands, options, terminal, signal, command, version } = call;
  const [recipePath = ''] = operands;
  return {
    recipePath,
    out: options.text('out'),
    device: options.text('device'),
    command,
    version,
    signal,
    onProgress: (progress) => terminal.progress.update(progress),
    onStart: (path, problems) => {
      const { noteStyle } = terminal;
      if (problems.length > 0) terminal.note(problemLines(problems, recipePath, noteStyle));
      terminal.note(noteStyle.dim(`${where} ${shortPath(path)}`));
    },
  };
}

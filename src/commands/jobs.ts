import { isActive } from '../../server/protocol/events';
import { commands, Uri, window } from 'vscode';
import type { JobAction, JobStarted, RunSummary } from '../../server/protocol/methods';
import { chooseRecipe, saved } from '../recipes';
import type { Commands, Parts } from './context';

/** Commands that start and stop jobs. */
export function jobCommands(parts: Parts): Commands {
  return {
    'mergevla.merge': (recipe) => start(parts, 'merge', recipe),
    'mergevla.run': (recipe) => start(parts, 'run', recipe),
    'mergevla.evaluate': (recipe) => evaluate(parts, recipe),
    'mergevla.stopJob': (run) => stopJob(parts, run),
  };
}

async function start(
  parts: Parts,
  action: JobAction,
  argument: unknown,
  run?: string,
): Promise<JobStarted | undefined> {
  const uri = await chooseRecipe(parts.server, argument);
  if (!uri || !(await saved(uri))) return undefined;
  const { problems } = await parts.server.request('mergevla/recipe/check', { uri: uri.toString() });
  const errors = problems.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (first) {
    void tellErrors(uri, errors.length, `${first.message} [${first.code}]`);
    return undefined;
  }
  return parts.jobs.start(action, uri, run);
}

async function tellErrors(uri: Uri, count: number, first: string): Promise<void> {
  const more = count > 1 ? ` and ${String(count - 1)} more` : '';
  const action = await window.showErrorMessage(`Not started: ${first}${more}`, 'Show Problems');
  if (action) await commands.executeCommand('mergevla.check', uri);
}

/** Evaluates the recipe's newest finished merge; without one, merges first. */
async function evaluate(parts: Parts, argument: unknown): Promise<JobStarted | undefined> {
  const uri = await chooseRecipe(parts.server, argument);
  if (!uri) return undefined;
  const merged = parts.runs
    .list()
    .find(
      (run) => run.recipe === uri.fsPath && run.state === 'done' && !run.path.endsWith('.partial'),
    );
  return merged ? start(parts, 'evaluate', uri, merged.path) : start(parts, 'run', uri);
}

/** Stops the run given, the only one, or the one picked. */
async function stopJob(parts: Parts, argument: unknown): Promise<boolean> {
  const run = await chooseRunning(parts, argument);
  return run ? parts.jobs.stop(run.path) : false;
}

async function chooseRunning(parts: Parts, argument: unknown): Promise<RunSummary | undefined> {
  const path = runPath(argument);
  if (path !== undefined) {
    const run = parts.runs.find(path);
    return run && isActive(run) ? run : undefined;
  }
  const running = parts.runs.running();
  if (running.length <= 1) return running[0];
  const picked = await window.showQuickPick(
    running.map((run) => ({ label: run.name, description: run.path, run })),
    { title: 'Which job?' },
  );
  return picked?.run;
}

/** The run directory that a command got: as text, address, or item of the Runs tree. */
export function runPath(argument: unknown): string | undefined {
  if (typeof argument === 'string') return argument;
  if (argument instanceof Uri) return argument.fsPath;
  if (typeof argument === 'object' && argument !== null && 'run' in argument) {
    const { run } = argument;
    if (typeof run === 'object' && run !== null && 'path' in run && typeof run.path === 'string')
      return run.path;
  }
  return undefined;
}

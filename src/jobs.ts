import { isActive, runKey } from '../server/protocol/events';
import { commands, ProgressLocation, Uri, window, type Disposable } from 'vscode';
import type { JobAction, JobStarted, RunSummary } from '../server/protocol/methods';
import type { Server } from './client';
import { jobSettings, policyDevice, stopNotifying } from './config';
import { formatProgress } from './format';
import type { Logs } from './log';
import type { Runs } from './runs';

/** A job just started is shown in a notification for so long, then in the status bar. */
const foregroundMs = 20_000;

/** Starts jobs and tells how those of this window end. */
export interface Jobs extends Disposable {
  start(action: JobAction, recipe: Uri, run?: string): Promise<JobStarted>;
  stop(run: string): Promise<boolean>;
  /** Resolves once the run has ended. */
  ended(run: string): Promise<RunSummary>;
}

export function createJobs(server: Server, runs: Runs, logs: Logs): Jobs {
  const ended = (path: string): Promise<RunSummary> =>
    new Promise((resolve) => {
      const look = (): boolean => {
        const run = runs.find(path);
        if (!run || isActive(run)) return false;
        subscription.dispose();
        resolve(run);
        return true;
      };
      const subscription = runs.onDidChange(look);
      look();
    });
  const stop = (run: string): Promise<boolean> => server.request('mergevla/job/stop', { run });
  const start = async (action: JobAction, recipe: Uri, run?: string): Promise<JobStarted> => {
    const device = policyDevice();
    const started = await server.request('mergevla/job/start', {
      action,
      uri: recipe.toString(),
      ...(run === undefined ? {} : { run }),
      ...(device === '' ? {} : { device }),
    });
    logs.server.info(`${action} runs as process ${String(started.pid)} in ${started.run}`);
    void showProgress(started.run);
    void ended(started.run).then(tellEnd);
    return started;
  };
  const showProgress = (path: string): Thenable<void> =>
    window.withProgress(
      { location: ProgressLocation.Notification, title: nameOf(path), cancellable: true },
      (progress, token) =>
        new Promise<void>((resolve) => {
          const step = barSteps();
          const subscriptions = [
            token.onCancellationRequested(() => void stop(path)),
            runs.onDidChange((run) => {
              if (run && runKey(run.path) === runKey(path)) progress.report(step(run));
            }),
          ];
          const done = (): void => {
            clearTimeout(timer);
            for (const subscription of subscriptions) subscription.dispose();
            resolve();
          };
          const timer = setTimeout(done, foregroundMs);
          void ended(path).then(done);
        }),
    );
  return { start, stop, ended, dispose: () => undefined };
}

const nameOf = (path: string): string => Uri.file(runKey(path)).path.split('/').at(-1) ?? path;

/** Turns a run's progress into steps of a notification's bar, which wants what was added since the last. */
function barSteps(): (run: RunSummary) => { message: string; increment?: number } {
  let phase = '';
  let shown = 0;
  return ({ progress, state }) => {
    if (!progress) return { message: state };
    const percent = progress.total > 0 ? (100 * progress.done) / progress.total : 0;
    const increment = progress.phase === phase || phase === '' ? percent - shown : 0;
    // A later phase starts at zero again, where the bar cannot go back: only its text moves on.
    if (phase === '') phase = progress.phase;
    if (progress.phase !== phase) return { message: formatProgress(progress) };
    shown = percent;
    return { message: formatProgress(progress), increment };
  };
}

/** Says that a job ended: a failure always, success only when the user is elsewhere. */
async function tellEnd(run: RunSummary): Promise<void> {
  if (run.state === 'failed' || run.state === 'interrupted') {
    await tellFailure(run);
    return;
  }
  if (run.state !== 'done' || window.state.focused || !jobSettings().notifyWhenDone) return;
  const never = "Don't Show Again";
  const choice = await window.showInformationMessage(
    `${run.name} is done${run.headline ? `: ${run.headline}` : ''}`,
    'Open Run Folder',
    never,
  );
  if (choice === never) await stopNotifying();
  else if (choice) await commands.executeCommand('mergevla.openRunFolder', run.path);
}

async function tellFailure(run: RunSummary): Promise<void> {
  const reason = run.error ? `${run.error.message} [${run.error.code}]` : run.state;
  const action = await window.showErrorMessage(`${run.name}: ${reason}`, 'Show Log');
  if (action) await commands.executeCommand('mergevla.showLog');
}

import { commands, Disposable, Uri, window, workspace, type ExtensionContext } from 'vscode';
import { createServer, type Server } from './client';
import type { Commands, Parts } from './commands/context';
import { deviceCommands } from './commands/devices';
import { jobCommands } from './commands/jobs';
import { policyCommands } from './commands/policies';
import { recipeCommands } from './commands/recipes';
import { runCommands } from './commands/runs';
import { servingCommands } from './commands/serving';
import { supportCommands } from './commands/support';
import { tableCommands } from './commands/tables';
import { DeletedRuns } from './deleted-runs';
import { createJobs } from './jobs';
import { createLogs, type Logs } from './log';
import { createPanels } from './panels/register';
import { createRuns } from './runs';
import { createJobStatus, createLanguageStatus } from './status';
import { provideTasks } from './tasks';
import { followTrust } from './trust';
import { createCheckpointsTree } from './views/checkpoints';
import { createDevicesTree } from './views/devices';
import { createRunsTree } from './views/runs';

/** What tests and other extensions get from `activate`. */
export interface Api extends Parts {
  readonly activatedMs: number;
}

export async function activate(context: ExtensionContext): Promise<Api> {
  const started = performance.now();
  const logs = createLogs();
  const server = createServer(context, logs);
  const runs = createRuns(server, logs);
  const jobs = createJobs(server, runs, logs);
  const parts: Parts = {
    ...{ context, logs, server, runs, jobs },
    deleted: new DeletedRuns((path) => toTrash(path, logs)),
    cli: context.asAbsolutePath('dist/cli.js'),
  };
  const refresh = registerViews(parts);
  const panels = createPanels(parts);
  registerCommands(context, {
    ...recipeCommands(parts),
    ...jobCommands(parts),
    ...runCommands(parts),
    ...policyCommands(parts, panels.showRouting),
    ...servingCommands(parts),
    ...deviceCommands(parts),
    ...tableCommands(parts),
    ...supportCommands(parts, refresh),
    ...panels.commands,
  });
  context.subscriptions.push(
    panels.disposable,
    createLanguageStatus(server),
    createJobStatus(runs),
    provideTasks(server, parts.cli),
    followTrust(server, refresh),
    ...[runs, jobs, server, logs],
  );
  await startServer(server, logs);
  return { ...parts, activatedMs: performance.now() - started };
}

/** Only `deactivate` may wait, and it gets no context: the server is handed to it here. */
let running: Server | undefined;

export function deactivate(): Promise<void> {
  return running?.stop() ?? Promise.resolve();
}

/** Where there is no trash, as on a remote machine, the folder is removed. */
async function toTrash(path: string, logs: Logs): Promise<void> {
  const remove = (useTrash: boolean): Thenable<void> =>
    workspace.fs.delete(Uri.file(path), { recursive: true, useTrash });
  try {
    await Promise.resolve(remove(true)).catch(() => remove(false));
  } catch (error) {
    logs.extension.error(`${path} was not removed: ${String(error)}`);
  }
}

async function startServer(server: Server, logs: Parts['logs']): Promise<void> {
  running = server;
  try {
    await server.start();
  } catch (error) {
    // The editor keeps its grammar and commands; the status item offers the restart.
    logs.extension.error(`the language server did not start: ${String(error)}`);
  }
}

function registerCommands(context: ExtensionContext, family: Commands): void {
  for (const [name, run] of Object.entries(family))
    context.subscriptions.push(commands.registerCommand(name, run));
}

function registerViews(parts: Parts): () => Promise<void> {
  const checkpoints = createCheckpointsTree(parts.server);
  const devices = createDevicesTree(parts.server);
  const runs = createRunsTree(parts.runs);
  const runsView = window.createTreeView('mergevla.runs', {
    ...{ treeDataProvider: runs, showCollapseAll: true, canSelectMany: true },
  });
  const tellAges = (): void => {
    if (runsView.visible) runs.refresh();
  };
  const minute = setInterval(tellAges, 60_000);
  parts.context.subscriptions.push(
    checkpoints,
    runsView,
    runsView.onDidChangeVisibility(tellAges),
    new Disposable(() => {
      clearInterval(minute);
    }),
    window.createTreeView('mergevla.checkpoints', { treeDataProvider: checkpoints }),
    window.createTreeView('mergevla.devices', { treeDataProvider: devices }),
  );
  return async () => {
    await parts.server.notify('mergevla/files/refresh', {});
    await parts.runs.refresh();
    checkpoints.refresh();
    devices.refresh();
  };
}

import { join } from 'node:path';
import { createConnection, ProposedFeatures, type Connection } from 'vscode-languageserver/node';
import type { Notifications } from '../protocol/methods';
import { widenDiskThreads } from '../jobs/sketch/disk-threads';
import { readCodePages } from './code-pages';
import type { ServerContext, Session } from './context';
import { openDocuments } from './documents';
import { ExactMetrics } from './exact-metrics';
import { createRecipeFiles } from './files';
import { register } from './register';
import { createRunWatch } from './run-watch';
import { createSettings } from './settings';
import { SketchMetrics } from './sketch-metrics';

/** Puts the server together and starts it: over IPC, or over standard input and output with `--stdio`. */
function main(): void {
  widenDiskThreads();
  const connection = createConnection(ProposedFeatures.all);
  const session: Session = {
    trusted: false,
    folders: [],
    job: { node: '', environment: {} },
    cli: '',
    commands: [],
    asksSettings: false,
    refreshes: { diagnostics: false, lenses: false, hints: false },
  };
  const notify = notifier(connection);
  const runs = createRunWatch({
    changed: (run) => notify('mergevla/run/changed', { run }),
    removed: (path) => notify('mergevla/run/removed', { path }),
    events: (path, events) => notify('mergevla/run/events', { path, events }),
  });
  const warn = (message: string): void => connection.console.warn(message);
  const files = createRecipeFiles({ trusted: () => session.trusted, warn });
  const exact = new ExactMetrics(runs, files);
  const metrics = new SketchMetrics({ files, exact, folder: () => session.storage, warn });
  const context: ServerContext = {
    connection,
    documents: openDocuments(connection),
    files,
    runs,
    metrics,
    settings: createSettings(connection, () => session.asksSettings),
    codePages: readCodePages(join(__dirname, '../docs/problems.md')),
    session,
  };
  register(context);
  connection.listen();
}

function notifier(connection: Connection) {
  return <M extends keyof Notifications>(method: M, params: Notifications[M]): void => {
    void connection.sendNotification(method, params);
  };
}

main();

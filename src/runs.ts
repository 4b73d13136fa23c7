import { commands, EventEmitter, type Disposable, type Event } from 'vscode';
import { isActive, runKey } from '../server/protocol/events';
import type { RunSummary } from '../server/protocol/methods';
import type { RunName } from '../server/protocol/panels/shared';
import type { Server } from './client';
import type { Logs } from './log';

/** The runs of this workspace, as the server last told. */
export interface Runs extends Disposable {
  /** Newest first. */
  list(): readonly RunSummary[];
  /** A run by its path, with or without `.partial`. */
  find(path: string): RunSummary | undefined;
  running(): readonly RunSummary[];
  readonly onDidChange: Event<RunSummary | undefined>;
  refresh(): Promise<void>;
}

/** A run as panels list it. */
export function runChoice({
  path,
  name,
  recipeHash,
}: Pick<RunSummary, 'path' | 'name' | 'recipeHash'>): { readonly id: string } & RunName {
  return { id: path, label: name, ...(recipeHash === undefined ? {} : { recipeHash }) };
}

export function createRuns(server: Server, logs: Logs): Runs {
  let runs = new Map<string, RunSummary>();
  const changed = new EventEmitter<RunSummary | undefined>();
  const tell = (run?: RunSummary): void => {
    const working = [...runs.values()].some(isActive);
    void commands.executeCommand('setContext', 'mergevla.jobRunning', working);
    changed.fire(run);
  };
  const refresh = async (): Promise<void> => {
    const listed = await server.request('mergevla/run/list', {});
    runs = new Map(listed.map((run) => [runKey(run.path), run]));
    tell();
  };
  const subscriptions = [
    server.onNotification('mergevla/run/changed', ({ run }) => {
      runs.set(runKey(run.path), run);
      tell(run);
    }),
    server.onNotification('mergevla/run/removed', ({ path }) => {
      if (runs.delete(runKey(path))) tell();
    }),
    server.onNotification('mergevla/run/events', ({ path, events }) => {
      for (const event of events)
        if (event.type === 'warning' || event.type === 'error')
          logs.server[event.type === 'error' ? 'error' : 'warn'](
            `${runKey(path)}: ${event.message} [${event.code}]`,
          );
    }),
    server.onDidChangeState((state) => {
      // A server that came back knows no run yet; the list makes it look again.
      if (state === 'running')
        refresh().catch((error: unknown) => {
          logs.extension.warn(`the runs could not be listed: ${String(error)}`);
        });
    }),
    changed,
  ];
  const list = (): readonly RunSummary[] =>
    [...runs.values()].sort((a, b) => (b.started ?? '').localeCompare(a.started ?? ''));
  return {
    list,
    find: (path) => runs.get(runKey(path)),
    running: () => list().filter(isActive),
    onDidChange: changed.event,
    refresh,
    dispose: () => {
      for (const subscription of subscriptions) subscription.dispose();
    },
  };
}

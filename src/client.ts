import {
  EventEmitter,
  workspace,
  type Disposable,
  type Event,
  type ExtensionContext,
} from 'vscode';
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  State,
  TransportKind,
  type CancellationToken,
  type ErrorHandler,
  type LanguageClientOptions,
} from 'vscode-languageclient/node';
import type { InitializationOptions, Notifications, Requests } from '../server/protocol/methods';
import { jobSettings } from './config';
import type { Logs } from './log';

/** Commands that Markdown from the server may link to. */
const linkedCommands = [
  'mergevla.merge',
  'mergevla.openRunFolder',
  'mergevla.openRunReport',
  'mergevla.showLog',
  'mergevla.showMaskRatios',
  'mergevla.showRouting',
  'mergevla.showSuccessRates',
  'workbench.trust.manage',
] as const;

/** After so many crashes in three minutes the server stays down until the user restarts it. */
const maxRestarts = 5;
const crashWindowMs = 180_000;

const stoppedText =
  'The MergeVLA language server has stopped: MergeVLA: Restart Server starts it again';

export type ServerState = 'starting' | 'running' | 'stopped';

/** The language server as the rest of the extension sees it. */
export interface Server extends Disposable {
  readonly state: ServerState;
  readonly onDidChangeState: Event<ServerState>;
  request<M extends keyof Requests>(
    method: M,
    params: Requests[M]['params'],
    token?: CancellationToken,
  ): Promise<Requests[M]['result']>;
  notify<M extends keyof Notifications>(method: M, params: Notifications[M]): Promise<void>;
  onNotification<M extends keyof Notifications>(
    method: M,
    handler: (params: Notifications[M]) => void,
  ): Disposable;
  start(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export function createServer(context: ExtensionContext, logs: Logs): Server {
  const client = new LanguageClient(
    'mergevla',
    'MergeVLA',
    serverOptions(context),
    clientOptions(context, logs),
  );
  const changed = new EventEmitter<ServerState>();
  const names: Record<State, ServerState> = {
    [State.Stopped]: 'stopped',
    [State.Starting]: 'starting',
    [State.StartFailed]: 'stopped',
    [State.Running]: 'running',
  };
  let state: ServerState = 'stopped';
  const listening = client.onDidChangeState(({ newState }) => {
    state = names[newState];
    logs.extension.info(`language server: ${state}`);
    changed.fire(state);
  });
  return {
    get state() {
      return state;
    },
    onDidChangeState: changed.event,
    request: async (method, params, token) => {
      try {
        return await client.sendRequest(method, params, token);
      } catch (error) {
        // The client's own sentence tells nobody what to do.
        throw state === 'stopped' ? new Error(stoppedText) : error;
      }
    },
    notify: (method, params) => client.sendNotification(method, params),
    onNotification: (method, handler) => client.onNotification(method, handler),
    start: () => client.start(),
    restart: () => client.restart(),
    stop: () => (client.needsStop() ? client.stop() : Promise.resolve()),
    dispose: () => {
      listening.dispose();
      changed.dispose();
    },
  };
}

function serverOptions(context: ExtensionContext) {
  const server = { module: context.asAbsolutePath('dist/server.js'), transport: TransportKind.ipc };
  return {
    run: server,
    debug: { ...server, options: { execArgv: ['--nolazy', '--inspect=6019'] } },
  };
}

/**
 * Lets a server that went come back. Only the end of its connection counts: the client's own handler
 * also takes an error on the way there for a reason to stop, and which comes first is chance.
 */
function returning(): ErrorHandler {
  const ends: number[] = [];
  return {
    error: () => ({ action: ErrorAction.Continue }),
    closed: () => {
      const now = Date.now();
      ends.push(now);
      while (now - (ends[0] ?? now) > crashWindowMs) ends.shift();
      return ends.length <= maxRestarts
        ? { action: CloseAction.Restart }
        : { action: CloseAction.DoNotRestart, message: stoppedText };
    },
  };
}

function clientOptions(context: ExtensionContext, logs: Logs): LanguageClientOptions {
  const { node, environment } = jobSettings();
  return {
    documentSelector: [{ language: 'mergevla' }],
    diagnosticCollectionName: 'mergevla',
    outputChannel: logs.server,
    errorHandler: returning(),
    diagnosticPullOptions: { onChange: true, onSave: true, onTabs: true },
    initializationOptions: (): InitializationOptions => ({
      trusted: workspace.isTrusted,
      job: { node, environment },
      cli: context.asAbsolutePath('dist/cli.js'),
      commands: declaredCommands(context),
      storage: (context.storageUri ?? context.globalStorageUri).fsPath,
    }),
    markdown: {
      isTrusted: { enabledCommands: linkedCommands },
      supportHtml: false,
      supportThemeIcons: true,
    },
    synchronize: {
      fileEvents: [
        workspace.createFileSystemWatcher('**/*.mergevla.{yaml,yml}'),
        workspace.createFileSystemWatcher('**/*.{safetensors,safetensors.index.json}'),
        workspace.createFileSystemWatcher('**/run.json'),
      ],
    },
  };
}

/** Commands of this version, so that the server offers none that is not there. */
function declaredCommands(context: ExtensionContext): string[] {
  const { contributes } = context.extension.packageJSON as {
    contributes: { commands: readonly { command: string }[] };
  };
  return contributes.commands.map(({ command }) => command);
}

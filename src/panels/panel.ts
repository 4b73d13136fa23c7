import { randomBytes } from 'node:crypto';
import {
  Uri,
  ViewColumn,
  window,
  workspace,
  type Disposable,
  type ExtensionContext,
  type WebviewPanel,
} from 'vscode';
import type { CommonFromPanel, Revised } from '../../server/protocol/panels/shared';
import { isString, type Guard } from '../../server/protocol/shape';
import type { Logs } from '../log';
import { lightColours, pageHtml } from './html';
import { handleCommon } from './messages';

/** A message without the revision, which the channel adds. */
export type Unrevised<To> = To extends Revised ? Omit<To, 'revision'> : never;

/** What a panel's data side may send. Nothing is sent while the panel is hidden. */
export interface Channel<To> {
  send(message: Unrevised<To>): void;
  /** Asks the session for a complete snapshot and sends it. */
  refresh(): void;
}

/** The data side of one open panel. */
export interface Session<To, From> extends Disposable {
  /** The recipe or run on screen, which the tab names. */
  readonly subject?: string | undefined;
  /** A complete picture: what a new, restored or out-of-date page gets. */
  snapshot(): Promise<Unrevised<To>>;
  /** The snapshot is on its way: what takes longer can follow it. */
  posted?(): Promise<void>;
  receive(message: From): Promise<void> | void;
  /** Turns to what the open panel was asked to show; what the user arranged stays where it still fits. */
  turnTo(argument: unknown): void;
}

export interface PanelKind<To, From> {
  /** Also the name of the bundle in `dist/webview`. */
  readonly name: string;
  readonly title: string;
  readonly guard: Guard<From>;
  readonly open: (channel: Channel<To>, argument: unknown) => Session<To, From>;
}

/** One panel of a kind: reveals it when it is open, restores it after a reload. */
export interface PanelHost extends Disposable {
  show(argument?: unknown, beside?: boolean): void;
  readonly visible: boolean;
}

export function createPanelHost<To extends Revised, From extends { readonly type: string }>(
  kind: PanelKind<To, From>,
  context: ExtensionContext,
  logs: Logs,
): PanelHost {
  const viewType = `mergevla.${kind.name}`;
  let open: { readonly panel: WebviewPanel; readonly page: OpenPage } | undefined;
  const attach = (panel: WebviewPanel, argument: unknown): void => {
    // The extension's folder changes with an update, so a restored panel gets its roots anew.
    panel.webview.options = {
      enableScripts: true,
      localResourceRoots: [Uri.joinPath(context.extensionUri, 'dist')],
    };
    const page = connect(kind, panel, { argument, logs });
    open = { panel, page };
    panel.onDidDispose(() => {
      page.dispose();
      open = undefined;
    });
    const icon = (theme: string) =>
      Uri.joinPath(context.extensionUri, 'media', `${kind.name}-${theme}.svg`);
    panel.iconPath = { light: icon('light'), dark: icon('dark') };
    panel.webview.html = htmlOf(kind, panel, context);
  };
  const serializer = window.registerWebviewPanelSerializer(viewType, {
    deserializeWebviewPanel: (panel, state: unknown) => {
      attach(panel, argumentOf(state));
      return Promise.resolve();
    },
  });
  return {
    show(argument, beside = false) {
      const column = beside ? ViewColumn.Beside : ViewColumn.Active;
      if (open) {
        if (argument !== undefined) open.page.show(argument);
        open.panel.reveal();
        return;
      }
      attach(window.createWebviewPanel(viewType, kind.title, column), argument);
    },
    get visible() {
      return open?.panel.visible ?? false;
    },
    dispose() {
      serializer.dispose();
      open?.panel.dispose();
    },
  };
}

/** What a restored page says it showed. */
function argumentOf(state: unknown): unknown {
  return typeof state === 'object' && state !== null && 'argument' in state
    ? state.argument
    : undefined;
}

interface OpenPage extends Disposable {
  show(argument: unknown): void;
}

interface PageOptions {
  readonly argument: unknown;
  readonly logs: Logs;
}

/** Messages between one page and its session, numbered; a page that asks gets a snapshot. */
function connect<To extends Revised, From extends { readonly type: string }>(
  kind: PanelKind<To, From>,
  panel: WebviewPanel,
  { argument, logs }: PageOptions,
): OpenPage {
  let revision = 0;
  const post = (message: Unrevised<To>): void => {
    revision += 1;
    panel.title = [kind.title, session.subject].filter(isString).join(': ');
    void panel.webview.postMessage({ ...message, revision });
  };
  const refresh = oneAtATime(
    () => panel.visible,
    () =>
      session
        .snapshot()
        .then(post)
        .then(() => session.posted?.())
        .catch((error: unknown) => {
          logs.extension.error(`${kind.name}: ${String(error)}`);
        }),
  );
  const session = kind.open(
    {
      send: (message) => {
        if (panel.visible) post(message);
      },
      refresh: refresh.ask,
    },
    argument,
  );
  const receive = async (message: unknown): Promise<void> => {
    if (!kind.guard(message)) {
      logs.extension.warn(`${kind.name}: dropped ${JSON.stringify(message).slice(0, 200)}`);
      return;
    }
    if (message.type === 'ready') refresh.ask();
    else if (!(await handleCommon(message as unknown as CommonFromPanel)))
      await session.receive(message);
  };
  const subscriptions = [
    session,
    panel.webview.onDidReceiveMessage((message: unknown) => {
      receive(message).catch((error: unknown) => {
        void window.showErrorMessage(String(error instanceof Error ? error.message : error));
      });
    }),
    workspace.onDidGrantWorkspaceTrust(refresh.ask),
  ];
  return {
    show(wanted) {
      session.turnTo(wanted);
      // A hidden page asks by itself once it is revealed.
      refresh.ask();
    },
    dispose() {
      refresh.stop();
      for (const subscription of subscriptions) void subscription.dispose();
    },
  };
}

/** Runs work when asked and wanted; what is asked meanwhile may not be in it, so it runs once more. */
function oneAtATime(
  wanted: () => boolean,
  work: () => Promise<void>,
): { readonly ask: () => void; readonly stop: () => void } {
  let state: 'idle' | 'working' | 'again' | 'stopped' = 'idle';
  const next = (): void => {
    const again = state === 'again';
    if (state === 'stopped') return;
    state = 'idle';
    if (again) ask();
  };
  const ask = (): void => {
    if (state === 'working') state = 'again';
    if (state !== 'idle' || !wanted()) return;
    state = 'working';
    void work().finally(next);
  };
  return {
    ask,
    stop: () => {
      state = 'stopped';
    },
  };
}

function htmlOf<To, From>(
  { name, title }: PanelKind<To, From>,
  { webview }: WebviewPanel,
  { extensionUri, extension }: ExtensionContext,
): string {
  const file = (ending: string): string =>
    webview
      .asWebviewUri(Uri.joinPath(extensionUri, 'dist', 'webview', `${name}.${ending}`))
      .toString();
  return pageHtml({
    title,
    script: file('js'),
    style: file('css'),
    light: lightColours(extension.packageJSON),
    cspSource: webview.cspSource,
    nonce: randomBytes(16).toString('base64'),
  });
}

import {
  TextDocumentSyncKind,
  type InitializeParams,
  type InitializeResult,
  type ServerCapabilities,
} from 'vscode-languageserver';
import type { ServerContext } from './context';
import { pathOf } from './convert';
import { diagnostics } from './diagnostics';
import { endWithParent } from './lifetime';
import { registerRequests } from './requests';

const capabilities: ServerCapabilities = {
  textDocumentSync: TextDocumentSyncKind.Incremental,
  diagnosticProvider: {
    identifier: 'mergevla',
    interFileDependencies: true,
    workspaceDiagnostics: false,
  },
};

/** Connects every request of the protocol to its feature. */
export function register(context: ServerContext): void {
  const { connection, documents, files } = context;
  connection.onInitialize((params) => initialize(context, params));
  connection.languages.diagnostics.on(({ textDocument }) => diagnostics(context, textDocument.uri));
  documents.onDidOpenOrChange((uri) => {
    const analysis = documents.get(uri);
    if (analysis) files.follow(analysis);
  });
  documents.onDidClose((uri) => {
    files.forget(uri);
    context.metrics.stop(uri);
  });
  files.onDidChange(() => refresh(context));
  registerRequests(context);
}

function initialize({ session }: ServerContext, params: InitializeParams): InitializeResult {
  endWithParent(params.processId);
  const options: unknown = params.initializationOptions;
  if (typeof options === 'object' && options !== null) Object.assign(session, options);
  session.folders = (params.workspaceFolders ?? []).flatMap(({ uri }) => pathOf(uri) ?? []);
  session.asksSettings = params.capabilities.workspace?.configuration === true;
  session.refreshes = params.capabilities.workspace?.diagnostics?.refreshSupport === true;
  return { capabilities, serverInfo: { name: 'mergevla' } };
}

/** Asks the editor to ask again: something beside the text has changed. */
export function refresh({ connection, session }: ServerContext): void {
  if (session.refreshes) void connection.languages.diagnostics.refresh();
}

import {
  DidChangeConfigurationNotification,
  ErrorCodes,
  LSPErrorCodes,
  ResponseError,
  TextDocumentSyncKind,
  type CancellationToken,
  type CompletionList,
  type InitializeParams,
  type InitializeResult,
  type SemanticTokens,
  type ServerCapabilities,
  type ClientCapabilities,
} from 'vscode-languageserver';
import { codeActions, fixAllKind } from './code-actions';
import { codeLenses } from './code-lens';
import { completion, resolveCompletion } from './completion';
import type { ServerContext, Session } from './context';
import { fromPosition, pathOf } from './convert';
import { definition, highlights, references } from './definition';
import { diagnostics } from './diagnostics';
import type { Analysis } from './documents';
import { folding } from './folding';
import { formatting } from './formatting';
import { hover } from './hover';
import { inlayHints } from './inlay-hints';
import { endWithParent } from './lifetime';
import { links, resolveLink } from './links';
import { prepareRename, rename } from './rename';
import { registerRequests } from './requests';
import { selection } from './selection';
import { legend, semanticTokens } from './semantic-tokens';
import { symbols } from './symbols';
import { watchFiles } from './watched-files';

const capabilities: ServerCapabilities = {
  textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental, save: true },
  diagnosticProvider: {
    identifier: 'mergevla',
    interFileDependencies: true,
    workspaceDiagnostics: false,
  },
  completionProvider: { triggerCharacters: [':', '/', '-', ' '], resolveProvider: true },
  hoverProvider: true,
  codeActionProvider: { codeActionKinds: ['quickfix', fixAllKind] },
  codeLensProvider: {},
  documentSymbolProvider: true,
  foldingRangeProvider: true,
  selectionRangeProvider: true,
  semanticTokensProvider: { legend, full: true, range: true },
  inlayHintProvider: true,
  documentLinkProvider: { resolveProvider: true },
  definitionProvider: true,
  referencesProvider: true,
  documentHighlightProvider: true,
  renameProvider: { prepareProvider: true },
  documentFormattingProvider: true,
  documentRangeFormattingProvider: true,
  workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
};

/** Connects every request of the protocol to its feature. */
export function register(context: ServerContext): void {
  registerLifetime(context);
  registerDocuments(context);
  registerReading(context);
  registerWriting(context);
  registerRequests(context);
}

function registerLifetime(context: ServerContext): void {
  const { connection, session, settings } = context;
  connection.onInitialize((params) => initialize(context, params));
  connection.onInitialized(() => {
    if (session.asksSettings)
      void connection.client.register(DidChangeConfigurationNotification.type, {
        section: 'mergevla',
      });
    connection.workspace.onDidChangeWorkspaceFolders(({ added, removed }) => {
      const gone = new Set(removed.map(({ uri }) => pathOf(uri)));
      const come = added.flatMap(({ uri }) => pathOf(uri) ?? []);
      session.folders = [...session.folders.filter((folder) => !gone.has(folder)), ...come];
    });
    watchFiles(context);
  });
  connection.onDidChangeConfiguration(() => {
    settings.forget();
    refresh(context);
  });
  connection.onShutdown(() => context.runs.dispose());
}

function initialize({ session }: ServerContext, params: InitializeParams): InitializeResult {
  endWithParent(params.processId);
  const options: unknown = params.initializationOptions;
  if (typeof options === 'object' && options !== null) Object.assign(session, options);
  session.folders = (params.workspaceFolders ?? []).flatMap(({ uri }) => pathOf(uri) ?? []);
  session.asksSettings = params.capabilities.workspace?.configuration === true;
  session.refreshes = refreshable(params.capabilities);
  return { capabilities, serverInfo: { name: 'mergevla' } };
}

function refreshable({ workspace }: ClientCapabilities): Session['refreshes'] {
  return {
    diagnostics: workspace?.diagnostics?.refreshSupport === true,
    lenses: workspace?.codeLens?.refreshSupport === true,
    hints: workspace?.inlayHint?.refreshSupport === true,
  };
}

/** Asks the editor to ask again: something beside the text has changed. */
export function refresh({ connection, session }: ServerContext): void {
  const { diagnostics: pulls, lenses, hints } = session.refreshes;
  if (pulls) void connection.languages.diagnostics.refresh();
  if (lenses) void connection.sendRequest('workspace/codeLens/refresh');
  if (hints) void connection.languages.inlayHint.refresh();
}

function registerDocuments(context: ServerContext): void {
  const { documents, files, metrics } = context;
  documents.onDidOpenOrChange((uri) => {
    const analysis = documents.get(uri);
    if (analysis) files.follow(analysis);
  });
  documents.onDidClose((uri) => {
    files.forget(uri);
    metrics.forget(uri);
  });
  files.onDidChange(() => refresh(context));
  metrics.onDidChange(() => refresh(context));
  context.runs.onDidChangeNumbers(() => refresh(context));
}

interface OfDocument {
  readonly textDocument: { readonly uri: string };
}

/**
 * A handler that gets the recipe asked about, or answers `none` where it is not open. What was asked before
 * the newest edit is told to be stale instead of answered.
 */
function on<Params extends OfDocument, Result>(
  { documents }: ServerContext,
  none: Result,
  handle: (analysis: Analysis, params: Params) => Result | Promise<Result>,
) {
  return async (
    params: Params,
    token: CancellationToken,
  ): Promise<Result | ResponseError<void>> => {
    // Cancellations that are already in the pipe are read before the work begins.
    await new Promise((next) => setImmediate(next));
    if (token.isCancellationRequested)
      return new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled');
    const analysis = documents.get(params.textDocument.uri);
    if (!analysis) return none;
    const result = await answered(() => handle(analysis, params));
    const stale = documents.get(analysis.uri)?.version !== analysis.version;
    return stale ? new ResponseError(LSPErrorCodes.ContentModified, 'the text changed') : result;
  };
}

/** Features refuse by throwing a response; anything else is a fault of ours. */
async function answered<Result>(
  handle: () => Result | Promise<Result>,
): Promise<Result | ResponseError<void>> {
  try {
    return await handle();
  } catch (error) {
    if (error instanceof ResponseError) return error as ResponseError<void>;
    return new ResponseError(ErrorCodes.InternalError, String(error));
  }
}

function registerReading(context: ServerContext): void {
  const { connection, settings } = context;
  const { languages } = connection;
  languages.diagnostics.on(({ textDocument }) => diagnostics(context, textDocument.uri));
  connection.onHover(
    on(context, null, (analysis, { position }) => hover(context, analysis, fromPosition(position))),
  );
  connection.onCodeLens(
    on(context, [], async (analysis) => {
      const { codeLens } = await settings.of(analysis.uri);
      return codeLens ? codeLenses(context, analysis) : [];
    }),
  );
  languages.inlayHint.on(
    on(context, [], async (analysis, { range }) => {
      const { inlayHints: wanted } = await settings.of(analysis.uri);
      return wanted ? inlayHints(context, analysis, range) : [];
    }),
  );
  connection.onDocumentSymbol(on(context, [], ({ recipe }) => symbols(recipe)));
  connection.onFoldingRanges(on(context, [], ({ recipe }) => folding(recipe)));
  connection.onSelectionRanges(
    on(context, [], ({ recipe }, { positions }) =>
      positions.map((position) => selection(recipe, fromPosition(position))),
    ),
  );
  const tokens: SemanticTokens = { data: [] };
  languages.semanticTokens.on(on(context, tokens, ({ recipe }) => semanticTokens(recipe)));
  languages.semanticTokens.onRange(
    on(context, tokens, ({ recipe }, { range }) => semanticTokens(recipe, range)),
  );
  connection.onDocumentLinks(on(context, [], (analysis) => links(analysis)));
  connection.onDocumentLinkResolve(resolveLink);
}

function registerWriting(context: ServerContext): void {
  const { connection } = context;
  const nothing: CompletionList = { isIncomplete: false, items: [] };
  connection.onCompletion(
    on(context, nothing, (analysis, { position }) =>
      completion(context, analysis, fromPosition(position)),
    ),
  );
  connection.onCompletionResolve(resolveCompletion);
  connection.onCodeAction((params) => codeActions(context, params));
  connection.onDefinition(
    on(context, null, (analysis, { position }) => definition(analysis, fromPosition(position))),
  );
  connection.onReferences(
    on(context, [], (analysis, { position, context: { includeDeclaration } }) =>
      references(analysis, fromPosition(position), includeDeclaration),
    ),
  );
  connection.onDocumentHighlight(
    on(context, [], (analysis, { position }) => highlights(analysis, fromPosition(position))),
  );
  connection.onPrepareRename(
    on(context, null, (analysis, { position }) => prepareRename(analysis, fromPosition(position))),
  );
  connection.onRenameRequest(
    on(context, null, (analysis, { position, newName }) =>
      rename(analysis, fromPosition(position), newName),
    ),
  );
  connection.onDocumentFormatting(on(context, [], (analysis) => formatting(analysis)));
  connection.onDocumentRangeFormatting(
    on(context, [], (analysis, { range }) => formatting(analysis, range)),
  );
}

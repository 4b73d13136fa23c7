import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  createMessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
  type MessageConnection,
} from 'vscode-languageserver/node';
import type { Notifications, Requests } from '../../server/protocol/methods';

export const server = resolve(__dirname, '../../dist/server.js');
export const cli = resolve(__dirname, '../../dist/cli.js');

export interface Diagnostic {
  readonly code: string;
  readonly message: string;
  readonly severity: number;
  readonly range: Range;
  readonly tags?: readonly number[];
  readonly codeDescription?: { readonly href: string };
  readonly relatedInformation?: readonly unknown[];
}

export interface Position {
  readonly line: number;
  readonly character: number;
}

export interface Range {
  readonly start: Position;
  readonly end: Position;
}

/** A text with `|` at the cursor, or `‹…›` around what a range should be. */
export function marked(text: string): { text: string; position: Position } {
  const at = text.indexOf('|');
  if (at < 0) throw new Error('no cursor in the fixture');
  const before = text.slice(0, at).split('\n');
  return {
    text: text.slice(0, at) + text.slice(at + 1),
    position: { line: before.length - 1, character: before.at(-1)?.length ?? 0 },
  };
}

/** The text that a range covers. */
export function covered(text: string, { start, end }: Range): string {
  const lines = text.split('\n');
  if (start.line === end.line)
    return (lines[start.line] ?? '').slice(start.character, end.character);
  const middle = lines.slice(start.line + 1, end.line);
  const first = (lines[start.line] ?? '').slice(start.character);
  return [first, ...middle, (lines[end.line] ?? '').slice(0, end.character)].join('\n');
}

export interface ClientOptions {
  readonly trusted?: boolean;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly processId?: number | null;
  /** The folder of an earlier server; a new one when absent. */
  readonly folder?: string;
}

/** The bundled server over standard input and output, in a folder of its own. */
export class Client {
  readonly notifications: { method: string; params: unknown }[] = [];
  refreshes = 0;
  #version = 1;

  private constructor(
    readonly child: ChildProcess,
    readonly connection: MessageConnection,
    readonly folder: string,
  ) {}

  static async start(options: ClientOptions = {}): Promise<Client> {
    const child = spawn(process.execPath, [server, '--stdio'], { stdio: 'pipe' });
    const connection = createMessageConnection(
      new StreamMessageReader(child.stdout),
      new StreamMessageWriter(child.stdin),
    );
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'mergevla-lsp-'));
    const client = new Client(child, connection, folder);
    connection.onNotification((method, params) => {
      client.notifications.push({ method, params });
    });
    connection.onRequest('workspace/diagnostic/refresh', () => {
      client.refreshes += 1;
      return null;
    });
    connection.onRequest('workspace/codeLens/refresh', () => null);
    connection.onRequest('workspace/inlayHint/refresh', () => null);
    connection.onRequest('client/registerCapability', () => null);
    connection.onRequest('workspace/configuration', ({ items }: { items: { section: string }[] }) =>
      items.map(({ section }) => options.settings?.[section] ?? null),
    );
    connection.listen();
    await client.initialize(options);
    return client;
  }

  private async initialize({ trusted = true, processId = process.pid }: ClientOptions) {
    await this.connection.sendRequest('initialize', {
      processId,
      rootUri: pathToFileURL(this.folder).href,
      workspaceFolders: [{ uri: pathToFileURL(this.folder).href, name: 'main' }],
      capabilities: {
        workspace: {
          configuration: true,
          diagnostics: { refreshSupport: true },
          codeLens: { refreshSupport: true },
          inlayHint: { refreshSupport: true },
          workspaceFolders: true,
        },
      },
      initializationOptions: {
        trusted,
        cli,
        job: { node: '', environment: {} },
        commands: ['mergevla.showMaskRatios', 'mergevla.showSuccessRates', 'mergevla.check'],
      },
    });
    await this.connection.sendNotification('initialized', {});
  }

  uri(name: string): string {
    return pathToFileURL(join(this.folder, name)).href;
  }

  write(name: string, content: string | Uint8Array): string {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  async open(text: string, name = 'recipe.mergevla.yaml'): Promise<string> {
    const uri = this.uri(name);
    await this.connection.sendNotification('textDocument/didOpen', {
      textDocument: { uri, languageId: 'mergevla', version: (this.#version += 1), text },
    });
    return uri;
  }

  async change(uri: string, text: string): Promise<void> {
    await this.connection.sendNotification('textDocument/didChange', {
      textDocument: { uri, version: (this.#version += 1) },
      contentChanges: [{ text }],
    });
  }

  async close(uri: string): Promise<void> {
    await this.connection.sendNotification('textDocument/didClose', { textDocument: { uri } });
  }

  /** Opens a text with a cursor and asks about it. */
  async at<Result>(method: string, textWithCursor: string, more: object = {}): Promise<Result> {
    const { text, position } = marked(textWithCursor);
    const uri = await this.open(text);
    const answer = await this.ask<Result>(method, { textDocument: { uri }, position, ...more });
    await this.close(uri);
    return answer;
  }

  ask<Result>(method: string, params: object): Promise<Result> {
    return this.connection.sendRequest<Result>(method, params);
  }

  own<M extends keyof Requests>(
    method: M,
    params: Requests[M]['params'],
  ): Promise<Requests[M]['result']> {
    return this.connection.sendRequest<Requests[M]['result']>(method, params);
  }

  tell<M extends keyof Notifications>(method: M, params: Notifications[M]): Promise<void> {
    return this.connection.sendNotification(method, params);
  }

  async diagnostics(uri: string): Promise<Diagnostic[]> {
    const report = await this.ask<{ items: Diagnostic[] }>('textDocument/diagnostic', {
      textDocument: { uri },
    });
    return report.items;
  }

  /** Polls the diagnostics until they are as expected. */
  async diagnosticsUntil(
    uri: string,
    fits: (found: Diagnostic[]) => boolean,
  ): Promise<Diagnostic[]> {
    return until('diagnostics', async () => {
      const found = await this.diagnostics(uri);
      return fits(found) ? found : undefined;
    });
  }

  async stop(): Promise<void> {
    const gone = new Promise((done) => this.child.once('exit', done));
    await this.connection.sendRequest('shutdown');
    await this.connection.sendNotification('exit');
    await gone;
    this.connection.dispose();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

export async function until<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  limitMs = 15_000,
): Promise<T> {
  const end = Date.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`waited ${String(limitMs)} ms for ${what}`);
    await new Promise((again) => setTimeout(again, 20));
  }
}

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

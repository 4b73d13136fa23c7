import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import type { Policy } from '../policy/types';
import { MergeError } from '../protocol/merge-error';
import type { ServeSettings } from './episode';
import { unpack } from './msgpack';
import { OpenpiSession } from './openpi';
import type { Peer, Session } from './session';
import { isVlaEvalFrame, VlaEvalSession, type EpisodeOutcome } from './vla-eval';

/** Two large raw pictures fit many times over; a length beyond it is an attack or a mistake. */
const maximumFrameBytes = 64 * 2 ** 20;
/** A client that sends on without reading answers is cut off before it fills the memory. */
const maximumWaiting = 64;
const maximumClients = 64;
/** A vla-eval client speaks first, an openpi client waits to be spoken to: silence decides. */
const greetingMs = 300;

export interface ServerOptions {
  readonly policy: Policy;
  readonly settings: ServeSettings;
  readonly host: string;
  readonly port: number;
  /** Demanded of every client when set; without it only loopback addresses are served. */
  readonly token?: string | undefined;
  readonly onEpisode?: (outcome: EpisodeOutcome) => void;
  readonly onClient?: (clients: number) => void;
}

export interface PolicyServer {
  readonly port: number;
  /** Ends every connection and stops listening. */
  stop(): Promise<void>;
}

/**
 * Serves a policy on the openpi and vla-eval protocols on one port (reference: evaluation §4).
 * Throws `MergeError` MV590 (address) or MV591 (no token for an address others can reach).
 */
export async function startServer(options: ServerOptions): Promise<PolicyServer> {
  if (!isLoopback(options.host) && options.token === undefined)
    throw new MergeError(
      'MV591',
      `--host ${options.host} lets other machines drive the robot; give a --token that they must know`,
      { fault: 'usage' },
    );
  const http = createServer((request, response) => answerHttp(request, response));
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: maximumFrameBytes,
  });
  http.on('upgrade', (request, socket, head) => {
    const refusal = refuse(request, options, sockets.clients.size);
    if (refusal !== undefined) {
      socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      new Client(client, protocolOf(request), options);
      options.onClient?.(sockets.clients.size);
    });
  });
  const port = await listen(http, options);
  return { port, stop: () => stop(http, sockets) };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

function answerHttp(request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? '').split('?')[0];
  if (path === '/healthz') response.writeHead(200, { 'content-type': 'text/plain' }).end('OK\n');
  else if (path === '/health')
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"status": "ok"}\n');
  else response.writeHead(426, { upgrade: 'websocket' }).end();
}

/**
 * Why a connection is not taken, as an HTTP status; undefined when it is. A page in a browser says
 * its origin: without a token no page may talk to a server on the user's own machine.
 */
function refuse(
  request: IncomingMessage,
  { token }: ServerOptions,
  clients: number,
): string | undefined {
  if (clients >= maximumClients) return '503 Service Unavailable';
  if (token !== undefined && !hasToken(request, token)) return '401 Unauthorized';
  if (token === undefined && request.headers.origin !== undefined) return '403 Forbidden';
  return undefined;
}

/** `Authorization: Api-Key …` (openpi), `Bearer …`, or `?token=…` for clients without headers. */
function hasToken(request: IncomingMessage, token: string): boolean {
  const header = /^(?:Api-Key|Bearer)\s+(.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const query = new URL(request.url ?? '/', 'http://localhost').searchParams.get('token');
  return [header, query].some((given) => typeof given === 'string' && isEqual(given, token));
}

function isEqual(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}

type Protocol = 'openpi' | 'vla-eval';

/** A path names the protocol; without one, who speaks first does. */
function protocolOf(request: IncomingMessage): Protocol | undefined {
  const path = (request.url ?? '').split('?')[0];
  if (path === '/openpi') return 'openpi';
  return path === '/vla-eval' ? 'vla-eval' : undefined;
}

function listen(http: Server, { host, port }: ServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    http.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new MergeError(
          'MV590',
          cause.code === 'EADDRINUSE'
            ? `port ${port} on ${host} is in use; choose another with --port`
            : `port ${port} on ${host} cannot be opened (${cause.code ?? cause.message})`,
          { fault: 'system', cause },
        ),
      ),
    );
    http.listen(port, host, () => resolve((http.address() as AddressInfo).port));
  });
}

async function stop(http: Server, sockets: WebSocketServer): Promise<void> {
  for (const client of sockets.clients) client.close(1001, 'the server stops');
  const closed = new Promise<void>((resolve) => http.close(() => resolve()));
  const timer = setTimeout(() => sockets.clients.forEach((client) => client.terminate()), 500);
  http.closeIdleConnections();
  await closed;
  clearTimeout(timer);
}

/** One connection: finds its protocol, then hands it one message after another. */
class Client implements Peer {
  private session: Session | undefined;
  private waiting = 0;
  private queue: Promise<void> = Promise.resolve();
  private readonly greeting: NodeJS.Timeout | undefined;

  constructor(
    private readonly socket: WebSocket,
    protocol: Protocol | undefined,
    private readonly options: ServerOptions,
  ) {
    if (protocol) this.session = this.start(protocol);
    else this.greeting = setTimeout(() => (this.session ??= this.start('openpi')), greetingMs);
    socket.on('message', (data, isBinary) => this.take(data, isBinary));
    socket.on('close', () => clearTimeout(this.greeting));
    // A broken frame closes the connection by itself; without a listener it would end the process.
    socket.on('error', () => socket.terminate());
  }

  send(bytes: Uint8Array): void {
    if (this.socket.readyState === this.socket.OPEN) this.socket.send(bytes, { binary: true });
  }

  sendText(text: string): void {
    if (this.socket.readyState === this.socket.OPEN) this.socket.send(text);
  }

  close(code: number, reason: string): void {
    this.socket.close(code, reason);
  }

  private start(protocol: Protocol): Session {
    clearTimeout(this.greeting);
    const { policy, settings, onEpisode } = this.options;
    return protocol === 'openpi'
      ? new OpenpiSession(this, policy, settings)
      : new VlaEvalSession(this, policy, settings, onEpisode ?? (() => undefined));
  }

  private take(data: RawData, isBinary: boolean): void {
    if (this.waiting >= maximumWaiting) return this.close(1008, 'too many unanswered messages');
    this.waiting++;
    this.queue = this.queue.then(() => this.answer(data, isBinary)).finally(() => this.waiting--);
  }

  private async answer(data: RawData, isBinary: boolean): Promise<void> {
    if (this.socket.readyState !== this.socket.OPEN) return;
    let message: unknown;
    try {
      if (!isBinary) throw new Error('a text frame came where msgpack is spoken');
      message = readMessage(data);
      this.session ??= this.start(isVlaEvalFrame(message) ? 'vla-eval' : 'openpi');
      await this.session.receive(message);
    } catch (error) {
      this.session ??= this.start('openpi');
      this.session.fail(error, message);
    }
  }
}

function readMessage(data: RawData): unknown {
  const bytes = Array.isArray(data) ? Buffer.concat(data) : new Uint8Array(data);
  try {
    return unpack(bytes);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`a frame of ${bytes.length} bytes is not msgpack (${why})`, { cause });
  }
}

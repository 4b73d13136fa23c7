// Starts the bundled language server over its pipes, for the programs that time it.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { createMessageConnection, StreamMessageReader, StreamMessageWriter } = createRequire(
  import.meta.url,
)('vscode-languageserver/node');

/** A server that has answered `initialize`, and the milliseconds until it had. */
export async function startServer({ rootUri = null, options = {} } = {}) {
  const began = performance.now();
  const child = spawn(process.execPath, [join(root, 'dist/server.js'), '--stdio']);
  const connection = createMessageConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  connection.onRequest(() => null);
  connection.listen();
  await connection.sendRequest('initialize', {
    processId: process.pid,
    rootUri,
    capabilities: {},
    initializationOptions: { trusted: true, ...options },
  });
  const initialized = performance.now() - began;
  await connection.sendNotification('initialized', {});
  return { child, connection, initialized };
}

import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { alive, Client, server, until } from './client';

describe('the server process', () => {
  it('ends when it is told to', async () => {
    const client = await Client.start();
    await client.stop();
    expect(client.child.exitCode).toBe(0);
  });

  it('ends when its pipe closes without a word', async () => {
    const client = await Client.start();
    client.child.stdin?.end();
    await until('the end', () => client.child.exitCode ?? undefined, 20_000);
  });

  it('ends when the process named as its parent has gone', async () => {
    const parent = spawn('sleep', ['60'], { stdio: 'ignore' });
    const client = await Client.start({ processId: parent.pid ?? null });
    const gone = new Promise((done) => client.child.once('exit', done));
    parent.kill('SIGKILL');
    // The pipes are open all the time: only the look at the process can tell.
    await gone;
  });

  it('leaves no orphan when its parent is killed', async () => {
    const script = `
      const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, [${JSON.stringify(server)}, '--stdio'], { stdio: ['pipe', 'pipe', 'ignore'] });
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { processId: process.pid, rootUri: null, capabilities: {} } });
      child.stdin.write('Content-Length: ' + Buffer.byteLength(body) + '\\r\\n\\r\\n' + body);
      child.stdout.once('data', () => console.log(child.pid));
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const child = await new Promise<number>((done) =>
      parent.stdout.once('data', (data: Buffer) => done(Number(data.toString()))),
    );
    expect(alive(child)).toBe(true);
    parent.kill('SIGKILL');
    await until('the end of the orphan', () => (alive(child) ? undefined : true), 20_000);
  });

  it('lives on when a message is malformed', async () => {
    const client = await Client.start();
    await expect(client.ask('mergevla/no/such', {})).rejects.toThrow();
    await expect(client.ask('textDocument/hover', { nonsense: true })).rejects.toThrow();
    const uri = await client.open('version: 2\n');
    expect((await client.diagnostics(uri)).length).toBeGreaterThan(0);
    await client.stop();
  });
});

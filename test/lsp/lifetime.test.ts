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
    await until('the end', () => client.child.exitCode ?? undefined, 2000);
  });

  it('ends within two seconds when its parent is killed', async () => {
    // The parent holds the pipes open in a child of its own, so that only its process tells its end.
    const script = `
      const { spawn } = require('node:child_process');
      const holder = spawn('sleep', ['30'], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
      const child = spawn(process.execPath, [${JSON.stringify(server)}, '--stdio'], { stdio: ['pipe', 'ignore', 'ignore'] });
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { processId: process.pid, rootUri: null, capabilities: {} } });
      child.stdin.write('Content-Length: ' + Buffer.byteLength(body) + '\\r\\n\\r\\n' + body);
      console.log(JSON.stringify([child.pid, holder.pid]));
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [child = 0, holder = 0] = await new Promise<number[]>((done) =>
      parent.stdout.once('data', (data: Buffer) => done(JSON.parse(data.toString()) as number[])),
    );
    try {
      expect(alive(child)).toBe(true);
      parent.kill('SIGKILL');
      await until('the end of the orphan', () => (alive(child) ? undefined : true), 2000);
    } finally {
      process.kill(holder, 'SIGKILL');
    }
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

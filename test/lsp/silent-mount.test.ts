import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeZoo } from '../editor/zoo';
import { Client, until } from './client';

const text = `version: 1
base: zoo/base
experts: { a: zoo/a, b: zoo/b }
layout: generic
router: none
`;

/**
 * Holds a lease on a file and does not give it back when asked to: opening the file waits, its size and time
 * are told, as on a mount whose server has stopped answering. The system takes the lease back after 45 s.
 */
const holder = `
import fcntl, os, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print('held', flush=True)
sys.stdin.read()
`;
const canHold =
  process.platform === 'linux' && spawnSync('python3', ['-c', 'import fcntl']).status === 0;

let client: Client;
let held: ChildProcess | undefined;
beforeAll(async () => {
  client = await Client.start();
  writeZoo(join(client.folder, 'zoo'), { experts: ['a', 'b'], blocks: 3, width: 8 });
  client.write('recipe.mergevla.yaml', text);
});
afterAll(async () => {
  held?.kill('SIGKILL');
  await client.stop();
});

async function hold(path: string): Promise<void> {
  // Somebody may still have the file open: then there is no lease, and another try.
  for (let tries = 0; tries < 200; tries += 1) {
    held = spawn('python3', ['-c', holder, path], { stdio: ['pipe', 'pipe', 'ignore'] });
    const [first] = (await Promise.race([
      once(held.stdout ?? held, 'data'),
      once(held, 'exit'),
    ])) as unknown[];
    if (first instanceof Buffer) return;
  }
  throw new Error('the file could not be leased');
}

describe.skipIf(!canHold)('an expert on a mount that stops answering', () => {
  it('is named after the time-out, keeps no other question waiting, and is read again on Retry', async () => {
    const uri = await client.open(text);
    const ask = () => client.own('mergevla/masks/answer', { uri, n: 1 });
    const ready = () =>
      until('numbers', async () => ((await ask()).state === 'ready' ? true : undefined), 60_000);
    await ready();
    const path = join(client.folder, 'zoo/b/model.safetensors');
    await hold(path);
    await client.own('mergevla/masks/again', { uri });
    expect((await ask()).state).toBe('reading');
    // Everything else is answered while that read waits: from memory, from other files, from runs.
    const position = { line: 2, character: 11 };
    const where = { textDocument: { uri } };
    const hover = await client.ask<object | null>('textDocument/hover', { ...where, position });
    expect(JSON.stringify(hover)).toContain('Reading a sample');
    expect(await client.diagnostics(uri)).toEqual([]);
    expect(await client.own('mergevla/recipe/list', {})).toHaveLength(1);
    const other = client.write('other.mergevla.yaml', text.replace(', b: zoo/b', ''));
    await client.open(text.replace(', b: zoo/b', ''), 'other.mergevla.yaml');
    await until('numbers of another recipe', async () => {
      const reply = await client.own('mergevla/masks/answer', {
        uri: client.uri('other.mergevla.yaml'),
        n: 1,
      });
      return reply.state === 'ready' ? other : undefined;
    });
    expect((await ask()).state).toBe('reading');
    const failed = await until(
      'the time-out',
      async () => {
        const reply = await ask();
        return reply.state === 'none' ? reply.reason : undefined;
      },
      40_000,
    );
    expect(failed).toMatch(/zoo\/b\/model\.safetensors has not answered for 10 s.*try again/);
    const told = await client.ask<object | null>('textDocument/hover', { ...where, position });
    expect(JSON.stringify(told)).toContain('has not answered for 10 s');
    held?.kill('SIGKILL');
    await client.own('mergevla/masks/again', { uri });
    await ready();
  }, 180_000);
});

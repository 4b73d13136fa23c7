import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll } from 'vitest';

export const root = resolve(__dirname, '../..');
export const fixtures = join(root, 'test/fixtures');
const cli = join(root, 'dist/cli.js');

export interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the built command; `npm run build` makes it. */
export function startCommand(args: readonly string[], options: CommandOptions = {}): ChildProcess {
  if (!existsSync(cli)) throw new Error(`${cli} is missing: run npm run build first`);
  return spawn(process.execPath, [cli, ...args], {
    cwd: options.cwd ?? root,
    env: { ...process.env, NO_COLOR: '', MERGEVLA_DEBUG: '', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

export function answerOf(child: ChildProcess): Promise<Answer> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (text) => (stdout += String(text)));
  child.stderr?.on('data', (text) => (stderr += String(text)));
  return new Promise((settle, reject) => {
    child.on('error', reject);
    child.on('close', (code) => settle({ code, stdout, stderr }));
  });
}

export function mergevla(args: readonly string[], options: CommandOptions = {}): Promise<Answer> {
  return answerOf(startCommand(args, options));
}

/** A folder that is gone after the file's tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mergevla-cli-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

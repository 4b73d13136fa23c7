import { spawn } from 'node:child_process';
import type { CancellationToken } from 'vscode';
import { jobSettings } from './config';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly cancelled: boolean;
}

/** The Node.js for the command: the user's, or the extension host's own (Electron's must be told to be one). */
export function nodeForJobs(): { readonly command: string; readonly env: Record<string, string> } {
  const { node, environment } = jobSettings();
  return node === ''
    ? { command: process.execPath, env: { ELECTRON_RUN_AS_NODE: '1', ...environment } }
    : { command: node, env: { ...environment } };
}

/** Runs the `mergevla` command to its end. A cancelled one gets SIGTERM, which it obeys within two seconds. */
export function runCommand(
  cli: string,
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly token?: CancellationToken;
    /** Called for each line of standard output, which is then not kept. */
    readonly onLine?: (line: string) => void;
  } = {},
): Promise<CommandResult> {
  const { command, env } = nodeForJobs();
  return new Promise((resolve, reject) => {
    const child = spawn(command, [cli, ...args], {
      cwd: options.cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    if (options.onLine) followLines(child.stdout, options.onLine);
    else child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const subscription = options.token?.onCancellationRequested(() => child.kill('SIGTERM'));
    child.on('error', reject);
    child.on('close', (code) => {
      subscription?.dispose();
      const cancelled = options.token?.isCancellationRequested ?? false;
      resolve({ code: code ?? 1, stdout, stderr, cancelled });
    });
  });
}

/** Calls back for each whole line. */
export function followLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
}

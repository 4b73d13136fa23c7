import { spawn } from 'node:child_process';
import { EventEmitter, ThemeIcon, window } from 'vscode';
import { followLines, nodeForJobs } from './command-line';

/** A command that goes on until it is stopped, in a terminal of the window that shows what it says. */
export interface CommandTerminal {
  readonly name: string;
  /** The first line of its standard output. */
  readonly firstLine: Promise<string>;
  /** Resolves once the process is gone. */
  readonly ended: Promise<void>;
  write(line: string): void;
  /** Asks it to end; closing the terminal and Ctrl+C do the same. */
  stop(): void;
}

const interrupt = '\u0003';

/** Starts `mergevla` with the arguments. Its process never outlives the terminal. */
export function createCommandTerminal(
  cli: string,
  args: readonly string[],
  options: { readonly name: string; readonly onEnd: () => void },
): CommandTerminal {
  const { command, env } = nodeForJobs();
  const written = new EventEmitter<string>();
  // What is written before the terminal is open would be lost.
  let early: string[] | undefined = [];
  const write = (line: string): void => {
    if (early) early.push(line);
    else written.fire(`${line}\r\n`);
  };
  const child = spawn(command, [cli, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = (): void => void child.kill('SIGTERM');
  const firstLine = new Promise<string>((resolve) => {
    followLines(child.stdout, resolve);
  });
  followLines(child.stderr, write);
  const ended = new Promise<void>((resolve) => {
    const end = (reason: string): void => {
      write(reason);
      options.onEnd();
      resolve();
    };
    child.on('error', ({ message }) => {
      end(`The command could not be started: ${message}`);
    });
    child.on('close', (code) => {
      end(code === 0 || child.killed ? 'Stopped.' : `Ended with exit code ${String(code)}.`);
    });
  });
  const terminal = window.createTerminal({
    name: `MergeVLA ${options.name}`,
    iconPath: new ThemeIcon('broadcast'),
    pty: {
      onDidWrite: written.event,
      open: () => {
        const lines = early ?? [];
        early = undefined;
        for (const line of lines) write(line);
      },
      close: stop,
      handleInput: (text: string) => {
        if (text === interrupt) stop();
      },
    },
  });
  terminal.show(true);
  return { name: options.name, firstLine, ended, write, stop };
}

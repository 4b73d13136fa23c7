import { randomBytes } from 'node:crypto';
import { env, StatusBarAlignment, window, type StatusBarItem } from 'vscode';
import { isCount, isString, object } from '../../server/protocol/shape';
import { createCommandTerminal, type CommandTerminal } from '../command-terminal';
import { isTrusted } from '../trust';
import type { Commands, Parts } from './context';
import { deviceArguments } from '../config';
import { parseJson } from './asked';
import { choosePolicy } from './policies';

/** Where a served policy listens, as the command prints it. */
export interface Served {
  readonly url: string;
  readonly port: number;
  readonly token?: string;
}

const isServed = object<{ url: string; port: number }>({ url: isString, port: isCount });

/** Commands that serve policies to robots and simulators, until they are stopped or the window closes. */
export function servingCommands(parts: Parts): Commands {
  const running = new Set<CommandTerminal>();
  const item = stopItem();
  const show = (): void => {
    item.text = `$(broadcast) Serving ${[...running].map(({ name }) => name).join(', ')}`;
    if (running.size > 0) item.show();
    else item.hide();
  };
  parts.context.subscriptions.push(item, {
    dispose: () => {
      for (const terminal of running) terminal.stop();
    },
  });
  return {
    'mergevla.servePolicy': async (target, port, token) => {
      const wanted = await askService(parts, [target, port, token]);
      if (!wanted) return undefined;
      const terminal = createCommandTerminal(parts.cli, serveArguments(wanted), {
        name: `port ${wanted.port}`,
        onEnd: () => {
          running.delete(terminal);
          show();
        },
      });
      running.add(terminal);
      show();
      return announced(terminal, wanted.token);
    },
    'mergevla.stopServing': async () => {
      const stopped = [...running];
      for (const terminal of stopped) terminal.stop();
      await Promise.all(stopped.map(({ ended }) => ended));
      return stopped.length;
    },
  };
}

interface Service {
  readonly target: string;
  readonly port: string;
  /** Empty for none. */
  readonly token: string;
}

async function askService(
  parts: Parts,
  [argument, givenPort, givenToken]: readonly [unknown, unknown, unknown],
): Promise<Service | undefined> {
  if (!isTrusted()) return undefined;
  const target = await choosePolicy(parts, argument);
  if (target === undefined) return undefined;
  const port = typeof givenPort === 'number' ? String(givenPort) : await askPort();
  if (port === undefined) return undefined;
  const token = typeof givenToken === 'string' ? givenToken : await askToken();
  return token === undefined ? undefined : { target, port, token };
}

function askPort(): Thenable<string | undefined> {
  return window.showInputBox({
    title: 'Port',
    prompt: 'Clients on this machine reach the policy there; 0 takes any free port',
    value: '8000',
    validateInput: (text) =>
      /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? undefined : 'A number from 0 to 65535',
  });
}

function askToken(): Thenable<string | undefined> {
  return window.showInputBox({
    title: 'Token',
    prompt: 'What clients must send; empty lets every program of this machine in',
    value: randomBytes(12).toString('hex'),
  });
}

function serveArguments({ target, port, token }: Service): string[] {
  return [
    ...['serve', target, '--port', port],
    ...(token === '' ? [] : ['--token', token]),
    ...[...deviceArguments(), '--json'],
  ];
}

/** Resolves with the address once the policy listens; undefined when it ended before. */
async function announced(terminal: CommandTerminal, token: string): Promise<Served | undefined> {
  const line = await Promise.race([terminal.firstLine, terminal.ended.then(() => '')]);
  const facts = parseJson(line);
  if (!isServed(facts)) return undefined;
  terminal.write(`Address: ${facts.url}`);
  if (token !== '') terminal.write(`Token:   ${token}`);
  terminal.write('Close this terminal or press Ctrl+C to stop.');
  const served = { url: facts.url, port: facts.port, ...(token === '' ? {} : { token }) };
  void tellAddress(served, terminal);
  return served;
}

async function tellAddress({ url, token }: Served, terminal: CommandTerminal): Promise<void> {
  const copyToken = token === undefined ? [] : ['Copy Token'];
  const chosen = await window.showInformationMessage(
    `The policy is served at ${url}`,
    ...['Copy Address', ...copyToken, 'Stop'],
  );
  if (chosen === 'Stop') terminal.stop();
  else if (chosen === 'Copy Address') await env.clipboard.writeText(url);
  else if (chosen === 'Copy Token') await env.clipboard.writeText(token ?? '');
}

function stopItem(): StatusBarItem {
  const item = window.createStatusBarItem('mergevla.serving', StatusBarAlignment.Left, 9);
  item.name = 'MergeVLA Serving';
  item.tooltip = 'Stop serving';
  item.command = 'mergevla.stopServing';
  return item;
}

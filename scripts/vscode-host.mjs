#!/usr/bin/env node
// Stands in for the `code` executable: takes the arguments that @vscode/test-electron passes and runs
// the same test module inside the extension host of a VS Code server, with headless Chromium as window.
import { resolve } from 'node:path';
import { setupHost } from './setup-host.mjs';
import { startBrowser, startServer, workbenchUrl } from './workbench.mjs';

const limitMs = 300_000;
const noise =
  /^\s*(INFO|WARN|ERR|TRACE)\b|open-vsx|fetching additional builtin|Creating a socket|Resolv(ing|ed) connection token|\[(reconnection|AgentHost|AccountPolicy|Service Worker)|Updating additional builtin|authentication provider 'github'|\.contrib\./;

/** The natives that the host does without are told at length each time. */
const hostLines = /code-server|node:internal|bindings file|build\/Release\/|^Require stack:/;

function withoutNoise(text) {
  if (noise.test(text)) return '';
  return text
    .split('\n')
    .filter((line) => !hostLines.test(line))
    .join('\n')
    .trimEnd();
}

/** What matters of the command line of `code`. */
function parse(args) {
  const option = (name) =>
    args
      .filter((arg) => arg.startsWith(`--${name}=`))
      .map((arg) => resolve(arg.slice(name.length + 3)));
  return {
    extensions: option('extensionDevelopmentPath'),
    tests: option('extensionTestsPath')[0],
    target: args.filter((arg) => !arg.startsWith('--')).map((arg) => resolve(arg))[0],
  };
}

/** Console calls of the extension host arrive as printf-style argument lists. */
function render([format, ...rest]) {
  const text = String(format ?? '').replace(/%[csdifjoO]/g, (directive) => {
    const value = String(rest.shift() ?? '');
    return directive === '%c' ? '' : value;
  });
  return [text, ...rest.map(String)].join(' ').trimEnd();
}

/** Runs the tests in an open page and resolves with their exit code. */
function result(page) {
  return new Promise((done, failed) => {
    void page.exposeFunction('codeAutomationExit', done);
    void page.exposeFunction('codeAutomationLog', (_type, args) => {
      const text = render(args);
      const own = process.env.VERBOSE ? text : withoutNoise(text);
      if (own !== '') process.stdout.write(`${own}\n`);
    });
    page.on('crash', () => failed(new Error('the workbench page crashed')));
    setTimeout(() => failed(new Error(`no result after ${limitMs} ms`)), limitMs).unref();
  });
}

async function main() {
  const { extensions, tests, target } = parse(process.argv.slice(2));
  const host = setupHost();
  if (!tests || host.reason) {
    console.error(`vscode-host: ${host.reason ?? '--extensionTestsPath is missing'}`);
    return 2;
  }
  const trust = process.env.HOST_TEST_TRUST === 'asked' ? 'asked' : 'granted';
  const server = await startServer(host, { driver: true, trust });
  const { browser, page } = await startBrowser(host);
  try {
    const ended = result(page);
    const uri = (path) => `vscode-remote://127.0.0.1:${server.port}${path}`;
    await page.goto(
      workbenchUrl(server.port, target, [
        ...extensions.map((path) => ['extensionDevelopmentPath', uri(path)]),
        ['extensionTestsPath', uri(tests)],
      ]),
    );
    const code = await ended;
    await server.extensionHostGone();
    return code;
  } catch (error) {
    console.error(`vscode-host: ${error.message}`);
    if (process.env.HOST_FAILURE_PNG)
      await page.screenshot({ path: process.env.HOST_FAILURE_PNG }).catch(() => undefined);
    console.error(server.log());
    return 1;
  } finally {
    await browser.close();
    await server.stop();
  }
}

process.exit(await main());

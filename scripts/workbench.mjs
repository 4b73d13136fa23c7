// Starts a real VS Code server and a headless Chromium on it: for tests in the extension host and for
// tests that use the workbench as a person does.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const quietSettings = {
  'workbench.colorTheme': 'Default Dark Modern',
  'workbench.preferredDarkColorTheme': 'Default Dark Modern',
  'workbench.preferredLightColorTheme': 'Default Light Modern',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'window.restoreWindows': 'none',
  'telemetry.telemetryLevel': 'off',
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'update.mode': 'none',
  'chat.disableAIFeatures': true,
  'editor.minimap.enabled': false,
  'git.enabled': false,
};

/** Variables of the developer's own editor or shell that would change the server under test. */
const foreign = ['PORT', 'PASSWORD', 'HASHED_PASSWORD', 'NODE_OPTIONS', 'VSCODE_IPC_HOOK_CLI'];

function environment(extra) {
  const env = { ...process.env, EXTENSIONS_GALLERY: '{"serviceUrl":""}', ...extra };
  for (const name of foreign) delete env[name];
  return env;
}

/** Resolves with the port once the server listens; rejects with its log when it ends or takes too long. */
function listening(child, log) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`the server did not start\n${log.text}`)),
      60_000,
    );
    const read = (data) => {
      log.text += data;
      const match = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(log.text);
      if (!match) return;
      clearTimeout(timer);
      resolve(Number(match[1]));
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('exit', (code) => reject(new Error(`the server ended with ${code}\n${log.text}`)));
  });
}

function finished(child) {
  return new Promise((resolve) => child.on('exit', resolve));
}

/** Ends a process group: politely, then not. */
async function endGroup(child, gone) {
  const kill = (signal) => {
    try {
      process.kill(-child.pid, signal);
    } catch {
      // The group is gone already.
    }
  };
  kill('SIGTERM');
  const timer = setTimeout(() => kill('SIGKILL'), 5000);
  await gone;
  clearTimeout(timer);
}

/** Installs the given packages, starts the server, and answers its port and how to end it. */
export async function startServer(host, { env = {}, settings = {}, vsix, driver, trust } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'mergevla-host-'));
  const data = join(folder, 'data');
  mkdirSync(join(data, 'User'), { recursive: true });
  mkdirSync(join(folder, 'extensions'));
  writeFileSync(
    join(data, 'User/settings.json'),
    JSON.stringify({
      ...quietSettings,
      'security.workspace.trust.enabled': trust === 'asked',
      'security.workspace.trust.startupPrompt': 'never',
      ...settings,
    }),
  );
  writeFileSync(join(folder, 'config.yaml'), '{}\n');
  const base = [
    host.entry,
    ...['--config', join(folder, 'config.yaml'), '--user-data-dir', data],
    ...['--extensions-dir', join(folder, 'extensions')],
  ];
  const childEnv = environment(env);
  if (vsix) {
    const install = spawn(host.node, [...base, '--install-extension', vsix], {
      env: childEnv,
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    const code = await finished(install);
    if (code !== 0) throw new Error(`installing ${vsix} ended with ${code}`);
  }
  const flags = [
    ...['--bind-addr', '127.0.0.1:0', '--auth', 'none', '--disable-telemetry'],
    ...['--disable-update-check', '--disable-getting-started-override', '--disable-proxy'],
    ...(trust === 'asked' ? [] : ['--disable-workspace-trust']),
    // Without the driver this build ignores the test payload silently.
    ...(driver ? ['--vscode-option', 'enable-smoke-test-driver'] : []),
  ];
  const child = spawn(host.node, [...base, ...flags], {
    env: childEnv,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const gone = finished(child);
  const log = { text: '' };
  const port = await listening(child, log);
  return {
    port,
    log: () => log.text,
    /** Waits until the extension host has gone by itself, so that its children had time to end. */
    async extensionHostGone(limitMs = 10_000) {
      const end = Date.now() + limitMs;
      while (Date.now() < end && !log.text.includes('Extension Host Process exited'))
        await new Promise((resolve) => setTimeout(resolve, 50));
    },
    async stop() {
      await endGroup(child, gone);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

export async function startBrowser(host, options = {}) {
  const browser = await chromium.launch({
    executablePath: host.chromium,
    headless: true,
    args: [
      ...['--no-sandbox', '--disable-dev-shm-usage'],
      // Replays are drawn in 3D, in software.
      ...['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
    ],
  });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  // A busy machine loads the workbench in minutes; what is in it is waited for as ever.
  context.setDefaultNavigationTimeout(180_000);
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  return { browser, page: await context.newPage() };
}

/** Address of the workbench; `target` is a folder, a `.code-workspace` file, or absent for an empty window. */
export function workbenchUrl(port, target, payload = []) {
  const kind = target?.endsWith('.code-workspace') ? 'workspace' : 'folder';
  const query = [
    target ? `${kind}=${encodeURIComponent(target)}` : 'ew=true',
    ...(payload.length > 0 ? [`payload=${encodeURIComponent(JSON.stringify(payload))}`] : []),
  ];
  return `http://127.0.0.1:${port}/?${query.join('&')}`;
}

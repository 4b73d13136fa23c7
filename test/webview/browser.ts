import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { lightColours, pageHtml } from '../../src/panels/html';

const root = join(__dirname, '../..');
const executable = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Why panels cannot be looked at here; the tests are then skipped, and say it. */
export const noBrowser = existsSync(executable)
  ? undefined
  : `no Chromium at ${executable} (apt-get install chromium, or set CHROMIUM)`;
if (noBrowser) console.warn(`SKIPPED panel tests: ${noBrowser}`);

export type ThemeName = 'dark' | 'light' | 'hc' | 'hcLight';

const bodyClasses: Readonly<Record<ThemeName, string>> = {
  dark: 'vscode-dark',
  light: 'vscode-light',
  hc: 'vscode-high-contrast',
  hcLight: 'vscode-high-contrast vscode-high-contrast-light',
};
const defaultsKey = {
  dark: 'dark',
  light: 'light',
  hc: 'highContrast',
  hcLight: 'highContrastLight',
};

type Variables = Readonly<Record<string, string>>;

/** The editor's own variables for a theme, with the colours that our manifest contributes. */
export function themeVariables(name: ThemeName): Variables {
  const recorded = JSON.parse(
    readFileSync(join(root, 'test/fixtures/webview/themes.json'), 'utf8'),
  ) as Record<ThemeName, Variables>;
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    contributes?: { colors?: { id: string; defaults: Record<string, string> }[] };
  };
  const ours = (manifest.contributes?.colors ?? []).map(({ id, defaults }) => [
    id.replace('.', '-'),
    defaults[defaultsKey[name]] ?? '',
  ]);
  const fonts = {
    'font-family': '"DejaVu Sans", sans-serif',
    'font-size': '13px',
    'editor-font-family': '"DejaVu Sans Mono", monospace',
  };
  return { ...fonts, ...recorded[name], ...Object.fromEntries(ours) };
}

export async function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: executable,
    args: [
      '--no-sandbox',
      '--use-gl=angle',
      '--use-angle=swiftshader',
      '--enable-unsafe-swiftshader',
    ],
  });
}

export interface OpenPanel {
  readonly page: Page;
  /** Messages that the panel sent, oldest first. */
  sent(): Promise<{ type: string; [key: string]: unknown }[]>;
  send(message: unknown): Promise<void>;
  theme(name: ThemeName): Promise<void>;
  /** Violations of the content policy, and errors of the page. */
  readonly faults: string[];
  /** Waits until the panel has drawn what it was sent. */
  settle(): Promise<void>;
}

const built = new Map<string, { js: string; css: string }>();

function bundle(panel: string): { js: string; css: string } {
  const done = built.get(panel);
  if (done) return done;
  const result = buildSync({
    absWorkingDir: root,
    entryPoints: [{ in: `webview/${panel}/main.ts`, out: panel }],
    bundle: true,
    write: false,
    outdir: 'dist/webview',
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    logLevel: 'error',
  });
  const text = (ending: string) =>
    result.outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? '';
  const files = { js: text('.js'), css: text('.css') };
  built.set(panel, files);
  return files;
}

/** Opens a panel's bundle in the page and under the policy that the product gives it. */
export async function openPanel(
  browser: Browser,
  panel: string,
  options: { width?: number; height?: number; theme?: ThemeName; state?: unknown } = {},
): Promise<OpenPanel> {
  const page = await browser.newPage({
    viewport: { width: options.width ?? 1280, height: options.height ?? 900 },
  });
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  const origin = 'https://panel.invalid';
  const files = bundle(panel);
  const html = pageHtml({
    title: panel,
    script: `${origin}/main.js`,
    style: `${origin}/main.css`,
    light: lightColours(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))),
    cspSource: origin,
    nonce: 'dGVzdC1ub25jZQ',
  });
  await page.route('**/*', async (route) => {
    const path = new URL(route.request().url()).pathname;
    if (path === '/') return route.fulfill({ body: html, contentType: 'text/html' });
    if (path === '/main.js')
      return route.fulfill({ body: files.js, contentType: 'text/javascript' });
    if (path === '/main.css') return route.fulfill({ body: files.css, contentType: 'text/css' });
    return route.fulfill({ status: 204, body: '' });
  });
  await page.addInitScript(installEditor, {
    state: options.state ?? null,
    variables: themeVariables(options.theme ?? 'dark'),
    classes: bodyClasses[options.theme ?? 'dark'],
  });
  await page.goto(`${origin}/`);
  return handle(page, faults);
}

function handle(page: Page, faults: string[]): OpenPanel {
  const settle = async () => {
    await page.evaluate(
      () =>
        new Promise((done) => {
          requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done)));
        }),
    );
  };
  return {
    page,
    faults,
    settle,
    sent: () => page.evaluate(() => (window as never as { sentMessages: never }).sentMessages),
    async send(message) {
      await page.evaluate((data) => {
        window.dispatchEvent(new MessageEvent('message', { data }));
      }, message);
      await settle();
    },
    async theme(name) {
      await page.evaluate(applyTheme, {
        variables: themeVariables(name),
        classes: bodyClasses[name],
      });
      await settle();
    },
  };
}

/** Chooses an entry of an export menu: `csv`, or `svg-light` for one on white. */
export async function exportAs(
  page: Page,
  format: string,
  opener = '.export-button',
): Promise<void> {
  const [ending = '', light] = format.split('-');
  const name = `Save ${ending.toUpperCase()}${light === undefined ? '' : ', light on white'}`;
  await page.locator(opener).click();
  await page.getByRole('menuitem', { name, exact: true }).click();
}

/** Runs in the page before its script: the editor's side of a webview. */
function installEditor(given: { state: unknown; variables: Variables; classes: string }): void {
  const target = window as never as Record<string, unknown>;
  const sent: unknown[] = [];
  target['sentMessages'] = sent;
  let state = given.state;
  target['acquireVsCodeApi'] = () => ({
    postMessage: (message: unknown) => sent.push(JSON.parse(JSON.stringify(message))),
    getState: () => state,
    setState: (next: unknown) => {
      state = next;
      target['savedState'] = next;
    },
  });
  document.addEventListener('securitypolicyviolation', (event) => {
    console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
  });
  const apply = () => {
    document.body.className = given.classes;
    for (const [name, value] of Object.entries(given.variables))
      document.documentElement.style.setProperty(`--vscode-${name}`, value);
  };
  const wait = new MutationObserver(() => {
    if (!document.body) return;
    wait.disconnect();
    apply();
  });
  wait.observe(document, { childList: true, subtree: true });
}

function applyTheme(given: { variables: Variables; classes: string }): void {
  for (const name of Array.from(document.documentElement.style))
    document.documentElement.style.removeProperty(name);
  for (const [name, value] of Object.entries(given.variables))
    document.documentElement.style.setProperty(`--vscode-${name}`, value);
  document.body.className = given.classes;
}

/** Runs in the page: text below 11 px, or a page that scrolls sideways. */
export function layoutFaults(): string[] {
  const faults: string[] = [];
  if (document.documentElement.scrollWidth > innerWidth) faults.push('the page scrolls sideways');
  for (const element of document.querySelectorAll<HTMLElement>('body *')) {
    const text = [...element.childNodes].some(
      (node) => node.nodeType === 3 && node.textContent?.trim(),
    );
    if (text && Number.parseFloat(getComputedStyle(element).fontSize) < 11)
      faults.push(`small text: ${element.textContent ?? ''}`);
  }
  return faults;
}

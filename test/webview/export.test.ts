import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { surfaces } from '../../webview/shared/light';
import type { OpenPanel, ThemeName } from './browser';
import { exportAs, launch, noBrowser, openPanel, themeVariables } from './browser';
import { maskSnapshot } from './mask-data';
import { routingSnapshot } from './routing-data';
import { successSnapshot } from './success-data';

const snapshots = {
  'mask-ratios': maskSnapshot,
  routing: routingSnapshot,
  'success-rates': successSnapshot,
} as const;
type Panel = keyof typeof snapshots;

let browser: Browser;
beforeAll(async () => {
  if (!noBrowser) browser = await launch();
});
afterAll(async () => {
  await browser?.close();
});

async function open(panel: Panel, theme: ThemeName): Promise<OpenPanel> {
  const opened = await openPanel(browser, panel, { theme });
  await opened.send({ type: 'snapshot', revision: 1, snapshot: snapshots[panel]() });
  return opened;
}

async function save(panel: OpenPanel, format: string): Promise<string> {
  await exportAs(panel.page, format);
  return String((await panel.sent()).findLast(({ type }) => type === 'export')?.['content']);
}

const task1 = (theme: ThemeName) => String(themeVariables(theme)['mergevla-task1']).toLowerCase();
const firstRect = (svg: string) => /<rect[^>]*fill="([^"]*)"/.exec(svg)?.[1];

describe.skipIf(noBrowser !== undefined)('a saved figure', () => {
  it.each([
    [
      'mask-ratios',
      'dark',
      /libero \(recipe 3f9a01c7\) · task_arithmetic · λ 0\.6, .*estimate, 0\.8 % read/,
    ],
    ['routing', 'hc', /cubes-ties-3f9a \(recipe 3f9a01c7\) · .*pairing/],
    ['success-rates', 'hcLight', /cubes-ta-3f9a \(recipe 3f9a01c7\), cubes-ties-71bc · .*Wilson/],
  ] as const)(
    'of %s from %s is light on white where that was asked for',
    async (name, theme, footer) => {
      const panel = await open(name, theme);
      const style = () =>
        panel.page.evaluate(() =>
          [
            ...document.documentElement.style.cssText.split(/; ?/),
            ...document.body.classList,
          ].sort(),
        );
      const [before, own] = [await style(), await save(panel, 'svg')];
      const light = await save(panel, 'svg-light');
      expect(firstRect(light)).toBe('rgb(255, 255, 255)');
      expect(light).toContain('fill="rgb(59, 59, 59)"');
      // The table of rates has no tasks by colour.
      expect(light.toLowerCase().includes(task1('light'))).toBe(name !== 'success-rates');
      expect(light.toLowerCase()).not.toContain(task1(theme));
      for (const svg of [own, light]) {
        const last = svg.slice(svg.lastIndexOf('<text'));
        expect(last).toMatch(footer);
        expect(last).toMatch(/· \d{4}-\d\d-\d\d</);
      }
      // The page is as it was, and draws as it did.
      expect(await style()).toEqual(before);
      expect(await save(panel, 'svg')).toBe(own);
      const png = Buffer.from(await save(panel, 'png-light'), 'base64');
      const corner = await panel.page.evaluate(async (data) => {
        const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
        const picture = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
        const canvas = new OffscreenCanvas(picture.width, picture.height);
        const context = canvas.getContext('2d')!;
        context.drawImage(picture, 0, 0);
        return [...context.getImageData(2, 2, 1, 1).data, picture.width];
      }, png.toString('base64'));
      expect(corner.slice(0, 4)).toEqual([255, 255, 255, 255]);
      expect(corner[4]).toBeGreaterThan(2000);
      expect(panel.faults).toEqual([]);
      await panel.page.close();
    },
  );
});

describe.skipIf(noBrowser !== undefined)('the export menu', () => {
  it('is walked by keyboard, opens and closes by its button, and gives focus back', async () => {
    const panel = await open('mask-ratios', 'dark');
    const opener = panel.page.locator('.export-button');
    const focused = () => panel.page.evaluate(() => document.activeElement?.textContent);
    const entries = panel.page.getByRole('menuitem');
    await opener.focus();
    for (const key of ['Enter', 'End']) await panel.page.keyboard.press(key);
    expect(await focused()).toBe('Save SVG, light on white');
    for (const key of ['Home', 'ArrowDown']) await panel.page.keyboard.press(key);
    expect(await focused()).toBe('Save CSV');
    await panel.page.keyboard.press('Enter');
    expect((await panel.sent()).at(-1)).toMatchObject({ type: 'export', format: 'csv' });
    expect(await opener.evaluate((button) => button === document.activeElement)).toBe(true);
    await opener.click();
    expect(await entries.count()).toBeGreaterThan(4);
    await opener.click();
    expect(await entries.count()).toBe(0);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });
});

it('knows a light colour for every variable of the editor that a page names', () => {
  const root = join(__dirname, '../../webview');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' });
  const texts = files
    .filter((file) => /\.(css|ts)$/.test(file))
    .map((file) => readFileSync(join(root, file), 'utf8'));
  const named = texts.flatMap((text) =>
    [...text.matchAll(/--vscode-([\w-]+)/g)].map(([, name = '']) => name),
  );
  const others = /^(font-|editor-font-|mergevla-)/;
  const unknown = named.filter((name) => !others.test(name) && !(name in surfaces));
  expect([...new Set(unknown)]).toEqual([]);
});

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenPanel } from './browser';
import { launch, layoutFaults, noBrowser, openPanel } from './browser';
import { drawerOf, maskSnapshot, sectionsOf, viewOf } from './mask-data';

let browser: Browser;
beforeAll(async () => {
  if (!noBrowser) browser = await launch();
});
afterAll(async () => {
  await browser?.close();
});

async function open(
  panel: 'mask-ratios',
  options: Parameters<typeof openPanel>[2] = {},
): Promise<OpenPanel> {
  const opened = await openPanel(browser, panel, options);
  await opened.send({ type: 'snapshot', revision: 1, snapshot: maskSnapshot() });
  return opened;
}

describe.skipIf(noBrowser !== undefined)('the mask-ratio panel', () => {
  it('moves a slider by keyboard, redraws from the answer, moves nothing else, and writes back', async () => {
    const panel = await open('mask-ratios');
    const place = () => panel.page.locator('.stage').boundingBox();
    const handle = panel.page.locator('.slider-lambda input[type=range]');
    await handle.focus();
    for (let i = 0; i < 10; i += 1) await panel.page.keyboard.press('ArrowRight');
    await panel.settle();
    expect((await panel.sent()).at(-1)).toEqual({
      type: 'setParameters',
      n: 10,
      lambda: 0.7,
      alpha: 1,
      density: 1,
    });
    const view = viewOf(4, sectionsOf(), { lambda: 0.7, alpha: 1, density: 1 }, { n: 10 });
    await panel.send({ type: 'view', revision: 2, view });
    const before = await place();
    await panel.send({ type: 'view', revision: 3, view });
    await panel.settle();
    expect(await panel.page.locator('.layers .heading').innerText()).toContain('λ\u00a00.70');
    expect(await place()).toEqual(before);
    await handle.focus();
    await panel.page.keyboard.press('Enter');
    expect((await panel.sent()).at(-1)).toEqual({
      type: 'writeRecipe',
      values: [{ parameter: 'lambda', value: 0.7 }],
    });
    await panel.page.keyboard.press('Escape');
    expect((await panel.sent()).at(-1)).toMatchObject({ type: 'setParameters', lambda: 0.6 });
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('does not draw an overtaken answer', async () => {
    const panel = await open('mask-ratios');
    const parameters = { lambda: 0.8, alpha: 1, density: 1 };
    await panel.send({
      type: 'view',
      revision: 2,
      view: viewOf(4, sectionsOf(), parameters, { n: 9 }),
    });
    await panel.send({
      type: 'view',
      revision: 3,
      view: viewOf(4, sectionsOf(), { ...parameters, lambda: 0.3 }, { n: 8 }),
    });
    expect(await panel.page.locator('.layers .heading').innerText()).toContain('λ\u00a00.80');
    await panel.page.close();
  });

  it('walks the layers by keyboard, speaks them, opens the drawer and sorts it', async () => {
    const panel = await open('mask-ratios');
    await panel.page.locator('.stage').focus();
    await panel.page.keyboard.press('PageDown');
    await panel.page.keyboard.press('PageDown');
    await panel.page.keyboard.press('PageDown');
    for (let i = 0; i < 17; i += 1) await panel.page.keyboard.press('ArrowRight');
    expect(await panel.page.locator('[role=status].visually-hidden').innerText()).toMatch(
      /^language_model 17: .* percent, plus or minus 1\.3/,
    );
    await panel.page.keyboard.press('Enter');
    expect((await panel.sent()).at(-1)).toEqual({
      type: 'select',
      component: 'language_model',
      from: 17,
      to: 17,
    });
    await panel.send({ type: 'drawer', revision: 2, drawer: drawerOf(4) });
    const rows = () => panel.page.locator('.drawer tbody th').allInnerTexts();
    const order = await rows();
    await panel.page.locator('.drawer button.sort', { hasText: 'tensor' }).click();
    expect(await rows()).toEqual([...order].sort().reverse());
    await panel.page.locator('.drawer tbody [tabindex="0"]').focus();
    await panel.page.keyboard.press('ArrowDown');
    await panel.page.keyboard.press('Control+c');
    expect((await panel.sent()).at(-1)).toMatchObject({ type: 'copy' });
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('gives every chart a table twin with its numbers', async () => {
    const panel = await open('mask-ratios');
    await panel.page.keyboard.press('t');
    await panel.settle();
    const tables = await panel.page.locator('.twin table[role=grid]').count();
    expect(tables).toBe(6);
    const first = await panel.page.locator('.twin table').first().innerText();
    expect(first).toContain('≈\u00a036.0\u00a0%\u00a0±\u00a00.6');
    expect(
      await panel.page.evaluate(() => (window as never as { savedState: unknown }).savedState),
    ).toMatchObject({ twin: true });
    await panel.page.close();
  });

  it.each([1, 2, 8, 64])('draws %d tasks', async (count) => {
    const panel = await openPanel(browser, 'mask-ratios');
    const tasks = Array.from({ length: count }, (_, i) =>
      i === 0 ? `任务-${'x'.repeat(60)}` : `task_${String(i)}`,
    );
    await panel.send({ type: 'snapshot', revision: 1, snapshot: maskSnapshot({ tasks }) });
    expect(await panel.page.evaluate(layoutFaults)).toEqual([]);
    expect(await panel.page.locator('.heat-row').count()).toBe(Math.min(count, 17));
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('bins 1,000 blocks and draws one', async () => {
    for (const blocks of [1000, 1]) {
      const panel = await openPanel(browser, 'mask-ratios');
      const sections = sectionsOf([['language_model', 'Language model', blocks]]);
      await panel.send({ type: 'snapshot', revision: 1, snapshot: maskSnapshot({ sections }) });
      const cells = await panel.page.locator('.heat-row').first().locator('rect').count();
      expect(cells).toBeLessThanOrEqual(210);
      if (blocks > 1)
        expect(await panel.page.locator('.layers .heading').innerText()).toMatch(
          /\d blocks a column/,
        );
      expect(panel.faults).toEqual([]);
      await panel.page.close();
    }
  });

  it('exports CSV, SVG and PNG with a line that says what they are', async () => {
    const panel = await open('mask-ratios', { theme: 'light' });
    const save = async (format: string) => {
      await panel.page.locator('.export-button').click();
      await panel.page.locator(`[data-format=${format}]`).click();
      await panel.page.waitForFunction(
        (wanted) =>
          (window as never as { sentMessages: { format?: string }[] }).sentMessages.some(
            (m) => m.format === wanted,
          ),
        format,
      );
      return (await panel.sent()).find((message) => message['format'] === format)?.['content'];
    };
    expect(await save('csv')).toContain('Vision backbone,"0.36 [0.354, 0.366]"');
    const svg = String(await save('svg'));
    expect(svg).toContain('libero · task_arithmetic · λ 0.6');
    expect(svg.match(/<path/g)?.length).toBeGreaterThan(80);
    expect(svg).not.toMatch(/NaN| style=|<script/);
    const png = Buffer.from(String(await save('png')), 'base64');
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect(png.length).toBeGreaterThan(50_000);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });
});

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenPanel } from './browser';
import { launch, noBrowser, openPanel } from './browser';
import { episodeList, successSnapshot } from './success-data';

let browser: Browser;
beforeAll(async () => {
  if (!noBrowser) browser = await launch();
});
afterAll(async () => {
  await browser?.close();
});

async function open(): Promise<OpenPanel> {
  const panel = await openPanel(browser, 'success-rates');
  await panel.send({ type: 'snapshot', revision: 1, snapshot: successSnapshot() });
  return panel;
}

describe.skipIf(noBrowser !== undefined)('the dots of a study', () => {
  const opened = async (panel: OpenPanel) => (await panel.sent()).at(-1);

  it('of merged blocks name their run, and open it by pointer and by keyboard', async () => {
    const panel = await open();
    const canvas = panel.page.locator('.progressive canvas');
    await canvas.scrollIntoViewIfNeeded();
    await canvas.focus();
    for (const key of ['Home', 'ArrowRight', 'ArrowRight']) await panel.page.keyboard.press(key);
    const tip = panel.page.locator('.tooltip');
    expect(await tip.innerText()).toMatch(/^k 4: 85 of 100, .*interval 77 to 91, run 4$/);
    expect(await panel.page.locator('[role=status].visually-hidden').innerText()).toMatch(/^k 4/);
    const dot = await tip.boundingBox();
    await panel.page.keyboard.press('Enter');
    expect(await opened(panel)).toEqual({ type: 'openRun', id: 'run 4' });
    await panel.page.keyboard.press('End');
    await panel.page.keyboard.press('Enter');
    expect(await opened(panel)).toEqual({ type: 'openRun', id: 'run 32' });
    // The tooltip stands 8 px beside the dot.
    if (dot) await panel.page.mouse.click(dot.x - 10, dot.y + 2);
    expect(await opened(panel)).toEqual({ type: 'openRun', id: 'run 4' });
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('of single parts open their run, and the focus stays through a snapshot', async () => {
    const panel = await open();
    const row = panel.page.locator('.components tr', { hasText: 'A + D' });
    await row.locator('svg').click();
    expect(await opened(panel)).toEqual({ type: 'openRun', id: 'part 2' });
    await panel.page.locator('.components button').first().focus();
    await panel.page.keyboard.press('Enter');
    expect(await opened(panel)).toEqual({ type: 'openRun', id: 'part 1' });
    const snapshot = { ...successSnapshot(), episodes: episodeList() };
    await panel.send({ type: 'snapshot', revision: 2, snapshot });
    expect(await panel.page.evaluate(() => document.activeElement?.textContent)).toMatch(/^71/);
    const box = await panel.page.locator('.episodes').boundingBox();
    expect(box && box.y + box.height > 0 && box.y < 900).toBe(true);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });
});

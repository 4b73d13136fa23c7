import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenPanel } from './browser';
import { launch, noBrowser, openPanel } from './browser';
import { episodeList, replayOf, successSnapshot } from './success-data';

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

describe.skipIf(noBrowser !== undefined)('the episodes of a cell', () => {
  async function episodes(routed: string | undefined) {
    const panel = await open();
    await panel.page.locator('tr:has-text("task known") td').nth(0).click();
    const { items, ...rest } = episodeList();
    const list = { ...rest, items: items.map((item) => ({ ...item, routed })) };
    await panel.send({
      ...{ type: 'snapshot', revision: 2 },
      snapshot: { ...successSnapshot(), episodes: list },
    });
    await panel.page.locator('.episodes .play').nth(1).click();
    await panel.send({ type: 'replay', revision: 3, replay: replayOf(items[1]?.id) });
    await panel.settle();
    return panel;
  }

  it('say which task each was routed to, and that it is wrong within the card', async () => {
    const panel = await episodes('push_cube_to_the_marked_zone');
    const card = panel.page.locator('.episodes');
    expect(await card.locator('thead').innerText()).toContain('routed task');
    const cross = await card.locator('.routed .icon').first().boundingBox();
    const frame = await card.locator('.grid-scroller').boundingBox();
    if (!cross || !frame) throw new Error('the mark is in the page');
    expect(cross.x + cross.width).toBeLessThanOrEqual(frame.x + frame.width);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('are marked over the whole row, and name no task where no router chose', async () => {
    const panel = await episodes(undefined);
    const row = panel.page.locator('.episodes tr.selected > *');
    const fills = await row.evaluateAll((cells) =>
      cells.map((cell) => {
        const { backgroundColor, backgroundImage } = getComputedStyle(cell);
        return `${backgroundColor} ${backgroundImage}`;
      }),
    );
    expect(fills).toHaveLength(4);
    expect(fills[0]).toContain(fills[1]?.replace(' none', ''));
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });
});

describe.skipIf(noBrowser !== undefined)('an open panel', () => {
  it('turns to a replay and to trials that a command asks for, and keeps its arrangement', async () => {
    const panel = await open();
    await panel.page.locator('button.facts').click();
    await panel.page.locator('tr:has-text("task known") td').nth(0).click();
    await panel.page.locator('.rates tbody th', { hasText: 'task known' }).click();
    await panel.settle();
    const snapshot = { ...successSnapshot(), episodes: episodeList() };
    await panel.send({ type: 'snapshot', revision: 2, snapshot });
    await panel.send({ type: 'replay', revision: 3, replay: replayOf() });
    await panel.settle();
    const { page } = panel;
    expect(await page.locator('.episodes h2').innerText()).toBe('masked · stack_cube');
    expect(await page.locator('.replay .heading').innerText()).toContain('step');
    const trials = {
      ...{ name: 'evening', task: 'push', criterion: 'in the zone', trial: 1, planned: 2 },
      ...{ reasons: ['missed'], voided: 0, canUndo: false, done: false, entry: 0 },
    };
    await panel.send({ type: 'snapshot', revision: 4, snapshot: { ...snapshot, trials } });
    expect(await page.locator('.trials h2').first().innerText()).toContain('Trial 1 of 2');
    expect(await page.locator('.rates, .replay').count()).toBe(0);
    // In this face the key belongs to nobody.
    await page.keyboard.press('t');
    await panel.send({ type: 'snapshot', revision: 5, snapshot });
    expect(await page.locator('.reporting').count()).toBe(1);
    expect(await page.locator('.rates tr[aria-selected=true]').count()).toBe(1);
    expect(panel.faults).toEqual([]);
    await page.close();
  });
});

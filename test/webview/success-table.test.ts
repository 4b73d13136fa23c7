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

async function open(state: unknown = null): Promise<OpenPanel> {
  const panel = await openPanel(browser, 'success-rates', { state });
  await panel.send({ type: 'snapshot', revision: 1, snapshot: successSnapshot() });
  return panel;
}

const labels = (panel: OpenPanel) => panel.page.locator('.rates tbody th').allInnerTexts();

describe.skipIf(noBrowser !== undefined)('the success table', () => {
  it('sorts by any column within its groups, which stay in their order', async () => {
    const panel = await open();
    const before = await labels(panel);
    await panel.page.locator('.rates .sort', { hasText: 'stack_cube' }).click();
    await panel.settle();
    const after = await labels(panel);
    expect(after).not.toEqual(before);
    expect([...after].sort()).toEqual([...before].sort());
    const titles = (all: readonly string[]) =>
      all.filter((text) => /^(This bench|Paper)/.test(text));
    expect(titles(after)).toEqual(titles(before));
    expect(after.indexOf(titles(after)[1] ?? '')).toBe(before.indexOf(titles(before)[1] ?? ''));
    const rates = await panel.page
      .locator('.rate-row.done td:nth-child(4) .rate-value')
      .allInnerTexts();
    const numbers = rates.map((text) => Number.parseFloat(text));
    expect(numbers).toEqual([...numbers].sort((a, b) => b - a));
    await panel.page.close();
  });

  it('explains a cell with all intervals and the posterior, by pointer and by keyboard', async () => {
    const panel = await open();
    await panel.page.locator('tr:has-text("task known") td').nth(1).hover();
    const tip = panel.page.locator('.tooltip');
    for (const name of ['Wilson', 'Clopper–Pearson', 'posterior', 'of 100'])
      expect(await tip.innerText()).toContain(name);
    expect(await tip.locator('svg path').count()).toBeGreaterThan(3);
    await panel.page.mouse.move(0, 0);
    expect(await tip.isHidden()).toBe(true);
    await panel.page.locator('.rates tbody [tabindex="0"]').focus();
    for (const key of ['ArrowDown', 'ArrowRight']) await panel.page.keyboard.press(key);
    expect(await tip.innerText()).toMatch(/^blind mean image/);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('opens the conditions of the numbers, and keeps them open', async () => {
    const panel = await open();
    expect(await panel.page.locator('.reporting').count()).toBe(0);
    await panel.page.locator('button.facts').click();
    await panel.settle();
    expect(await panel.page.locator('.reporting').innerText()).toContain(
      'the red cube rests on the blue one',
    );
    const state = await panel.page.evaluate(
      () => (window as never as { savedState: unknown }).savedState,
    );
    await panel.page.close();
    const again = await open(state);
    expect(await again.page.locator('.reporting').count()).toBe(1);
    await again.page.close();
  });

  it('lists the episodes that only one of two policies did', async () => {
    const panel = await open();
    const list = episodeList();
    const items = list.items.map((item, i) => ({ ...item, other: i % 2 === 0 }));
    await panel.send({
      type: 'snapshot',
      revision: 2,
      snapshot: { ...successSnapshot(), episodes: { ...list, other: 'routed', items } },
    });
    const only = items.filter(({ success, other }) => success && !other).length;
    const segment = panel.page.locator('.episodes .segment', { hasText: 'only here' });
    expect(await segment.innerText()).toBe(`only here ${String(only)}`);
    await panel.page.locator('.episodes .segment', { hasText: 'only routed' }).click();
    await panel.settle();
    expect(await panel.page.locator('.episodes .result.good').count()).toBe(0);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('asks again for the comparison that was open before a reload', async () => {
    const panel = await openPanel(browser, 'success-rates', {
      state: { selectedRows: ['masked', 'routed'] },
    });
    const bare = { ...successSnapshot(), comparison: undefined };
    await panel.send({ type: 'snapshot', revision: 1, snapshot: bare });
    expect((await panel.sent()).at(-1)).toEqual({ type: 'compare', rows: ['masked', 'routed'] });
    await panel.page.close();
  });
});

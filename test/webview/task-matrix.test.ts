import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orderBySimilarity } from '../../webview/mask-ratios/similarity';
import { launch, layoutFaults, noBrowser, openPanel } from './browser';
import { maskSnapshot } from './mask-data';

describe('the order of alike tasks', () => {
  it('brings groups together whatever their order in the recipe, and the alike ends of groups', () => {
    // Three kinds of task in turn; kind 1 is closer to kind 2 than to kind 0.
    const cosine = (a: number, b: number) =>
      a % 3 === b % 3 ? 0.6 : (a % 3) + (b % 3) === 3 ? 0.2 : 0;
    const kinds = orderBySimilarity(12, cosine).map((task) => task % 3);
    expect(kinds.join('')).toMatch(/^0000(1111|2222)(1111|2222)$|^(1111|2222)(1111|2222)0000$/);
  });

  it('takes a pair without a number for unrelated, and keeps every task', () => {
    const order = orderBySimilarity(5, (a, b) => (a + b === 7 ? 0.3 : Number.NaN));
    expect([...order].sort()).toEqual([0, 1, 2, 3, 4]);
    expect(Math.abs(order.indexOf(3) - order.indexOf(4))).toBe(1);
    expect(orderBySimilarity(0, () => 0)).toEqual([]);
  });
});

let browser: Browser;
beforeAll(async () => {
  if (!noBrowser) browser = await launch();
});
afterAll(async () => {
  await browser?.close();
});

/** A recipe of 64 tasks of four kinds, in turn. */
async function openMany(theme: 'dark' | 'hc' = 'dark') {
  const tasks = Array.from({ length: 64 }, (_, i) => `task_${String(i)}`);
  const { view, ...rest } = maskSnapshot({ tasks });
  if (!view) throw new Error('a snapshot has a view');
  const cosine = tasks.flatMap((_, i) =>
    tasks.map((__, j) => (i === j ? null : i % 4 === j % 4 ? 0.4 : 0.01)),
  );
  const snapshot = { ...rest, view: { ...view, cosine } };
  const panel = await openPanel(browser, 'mask-ratios', { theme });
  await panel.send({ type: 'snapshot', revision: 1, snapshot });
  const pairs = panel.page.locator('.pairs');
  await panel.settle();
  return { panel, pairs, focused: () => pairs.locator('td:focus') };
}

describe.skipIf(noBrowser !== undefined)('64 tasks against each other', () => {
  it('keeps only the cells near the window in the page, and walks all by keyboard', async () => {
    const { panel, pairs, focused } = await openMany();
    const cells = () => pairs.locator('td[role="gridcell"]').count();
    const few = 40 * 32;
    expect(await cells()).toBeGreaterThan(10 * 10);
    expect(await cells()).toBeLessThan(few);
    expect(await pairs.locator('table').getAttribute('aria-rowcount')).toBe('65');
    await pairs.locator('td[tabindex="0"]').focus();
    const walk = async (key: string) => {
      await panel.page.keyboard.press(key);
      const { row, column } = await focused().evaluate(({ dataset }) => ({ ...dataset }));
      const box = await focused().boundingBox();
      const frame = await pairs.locator('.matrix-scroller').boundingBox();
      const names = await pairs.locator('tbody th').first().boundingBox();
      if (!box || !frame || !names) throw new Error('the cell is in the page');
      expect(box.x).toBeGreaterThanOrEqual(names.x + names.width - 1);
      expect(box.x + box.width).toBeLessThanOrEqual(frame.x + frame.width + 1);
      expect(box.y).toBeGreaterThanOrEqual(frame.y - 1);
      expect(box.y + box.height).toBeLessThanOrEqual(frame.y + frame.height + 1);
      expect(await cells()).toBeLessThan(few);
      return `${String(row)} ${String(column)}`;
    };
    expect(await walk('ArrowDown')).toBe('1 1');
    expect(await walk('End')).toBe('1 63');
    expect(await walk('Control+End')).toBe('63 63');
    expect(await walk('PageUp')).toBe('53 63');
    expect(await walk('ArrowLeft')).toBe('53 62');
    expect(await panel.page.locator('.live, [aria-live]').first().innerText()).toContain(
      'task_53 and task_62: cosine +0.01',
    );
    await panel.page.keyboard.press('Enter');
    expect((await panel.sent()).at(-1)).toEqual({ type: 'showPair', pair: [53, 62] });
    expect(await walk('Control+Home')).toBe('0 0');
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('keeps a tab stop in the page when it is scrolled away', async () => {
    const { panel, pairs } = await openMany();
    await pairs.locator('.matrix-scroller').evaluate((element) => {
      element.scrollTo(element.scrollWidth, element.scrollHeight);
    });
    await panel.settle();
    expect(await pairs.locator('td[data-row="63"][data-column="63"]').count()).toBe(1);
    expect(await pairs.locator('td[tabindex="0"]').count()).toBe(1);
    await panel.page.close();
  });

  it('sorts by similarity on demand, and a cell stays the pair that it names', async () => {
    const { panel, pairs } = await openMany('hc');
    const heads = () => pairs.locator('tbody th').allInnerTexts();
    expect((await heads()).slice(0, 3)).toEqual(['task_0', 'task_1', 'task_2']);
    await pairs.getByRole('button', { name: 'Sort by similarity' }).click();
    const kinds = (await heads()).slice(0, 16).map((name) => Number(name.slice(5)) % 4);
    expect(new Set(kinds).size).toBe(1);
    const [first = '', second = ''] = await heads();
    await pairs.locator('td[data-row="0"][data-column="1"]').click();
    const pair = [first, second].map((name) => Number(name.slice(5))).sort((a, b) => a - b);
    expect((await panel.sent()).at(-1)).toEqual({ type: 'showPair', pair });
    const outline = pairs.locator('td[data-row="2"][data-column="3"]');
    expect(await outline.evaluate((cell) => getComputedStyle(cell).boxShadow)).toMatch(/inset/);
    await pairs.getByRole('button', { name: 'Order of the recipe' }).click();
    expect((await heads()).slice(0, 3)).toEqual(['task_0', 'task_1', 'task_2']);
    expect(await panel.page.evaluate(layoutFaults)).toEqual([]);
    expect(panel.faults).toEqual([]);
    await panel.page.screenshot({
      path: process.env['SHOT'] ?? '/tmp/many-hc.png',
      fullPage: true,
    });
    await panel.page.close();
  });
});

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenPanel } from './browser';
import { launch, layoutFaults, noBrowser, openPanel } from './browser';
import { comparePolicies, lettersAmong } from '../../server/evaluate/rates/table';
import { cubeTasks, episodeList, policiesOf, successSnapshot } from './success-data';

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
    // An episode that ends changes numbers, and moves no row.
    const { table, ...rest } = successSnapshot();
    const groups = table?.groups.map(({ title, rows }) => ({
      title,
      rows: rows.map((row) => ({ ...row, cells: [...row.cells].reverse() })),
    }));
    const snapshot = { ...rest, ...(table && groups ? { table: { ...table, groups } } : {}) };
    await panel.send({ type: 'snapshot', revision: 2, snapshot });
    const names = (all: readonly string[]) => all.map((text) => text.split('\n')[0]);
    expect(names(await labels(panel))).toEqual(names(after));
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

  it('selects rows by pointer and by keyboard, and gives three or more letters of their own', async () => {
    const panel = await open();
    const name = (text: string) => panel.page.locator('.rates tbody th', { hasText: text });
    await name('blind').click();
    await panel.settle();
    await name('no masks').click({ modifiers: ['Shift'] });
    const rows = ['blind', 'experts', 'merged'];
    expect((await panel.sent()).at(-1)).toEqual({ type: 'compare', rows });
    const chosen = policiesOf().filter(({ id }) => rows.includes(id));
    const comparison = lettersAmong(chosen);
    await panel.send({ type: 'comparison', revision: 2, comparison });
    expect(await panel.page.locator('.rates tr.selected').count()).toBe(3);
    expect(await panel.page.locator('.comparison').innerText()).toMatch(
      /these 3 policies[^]*McNemar on shared seeds, Holm, 5 %, corrected over 3 pairs/,
    );
    const letters = await panel.page.locator('.rate-row.done > :nth-child(6)').allInnerTexts();
    const shown = letters.map((text) => text.trim());
    expect(shown).toEqual([
      ...rows.map((id) => comparison.letters[id]),
      ...shown.slice(3).map(() => '–'),
    ]);
    await panel.page.keyboard.press('t');
    await panel.settle();
    const twin = await panel.page.locator('.twin table').nth(3).locator('tbody tr').allInnerTexts();
    expect(twin.map((line) => line.split('\t')[4]?.trim()).slice(0, 5)).toEqual(shown.slice(0, 5));
    await panel.page.keyboard.press('t');
    await panel.settle();
    await panel.page.locator('.comparison button[aria-label="Close"]').click();
    expect((await panel.sent()).at(-1)).toEqual({ type: 'compare', rows: [] });
    await panel.settle();
    expect(await panel.page.locator('.rates tr.selected, .comparison').count()).toBe(0);
    await panel.page.locator('.rates tbody [tabindex="0"]').focus();
    for (const key of ['ArrowUp', ' ', 'ArrowDown', 'ArrowDown', 'Shift+Space']) {
      await panel.page.keyboard.press(key);
      await panel.settle();
    }
    const range = ['experts', 'merged', 'masked'];
    expect((await panel.sent()).at(-1)).toEqual({ type: 'compare', rows: range });
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('gives no verdict while one of two is running', async () => {
    const panel = await open({ selectedRows: ['masked', 'routed ties'] });
    const [masked, running] = policiesOf()
      .slice(-3)
      .filter((_, i) => i !== 1);
    const comparison = masked && running && comparePolicies(masked, running);
    await panel.send({ type: 'comparison', revision: 2, comparison });
    const text = await panel.page.locator('.comparison').innerText();
    expect(text).toContain('after 300');
    expect(text).not.toMatch(/ p [\d<]|told apart|better|worse/);
    await panel.page.close();
  });

  it('counts crashed episodes apart, and steps through those that are listed', async () => {
    const panel = await open();
    const list = episodeList();
    const items = list.items.map((item, i) =>
      i < 2 ? { ...item, success: false, error: 'the policy gave no numbers' } : item,
    );
    const episodes = { ...list, items };
    await panel.send({
      type: 'snapshot',
      revision: 2,
      snapshot: { ...successSnapshot(), episodes },
    });
    const failed = items.filter(({ success }) => !success).slice(2);
    const heading = await panel.page.locator('.episodes .heading').innerText();
    expect(heading).toContain(`${String(98 - failed.length)} of 98`);
    const segment = (text: string) => panel.page.locator('.episodes .segment', { hasText: text });
    expect(await segment('crashed').innerText()).toBe('crashed 2');
    await segment('failed').click();
    await panel.settle();
    expect(await segment('failed').innerText()).toBe(`failed ${String(failed.length)}`);
    const [first, second] = failed;
    await panel.send({ type: 'noReplay', revision: 3, id: first?.id, reason: 'gone' });
    await panel.page.locator('.replay').evaluate((card) => {
      card.dispatchEvent(new KeyboardEvent('keydown', { key: 'n' }));
    });
    expect((await panel.sent()).at(-1)).toEqual({ type: 'replay', id: second?.id });
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('asks again for the comparison that was open before a reload', async () => {
    const panel = await openPanel(browser, 'success-rates', {
      state: { selectedRows: ['masked', 'routed'] },
    });
    const bare = { ...successSnapshot(), comparison: null };
    await panel.send({ type: 'snapshot', revision: 1, snapshot: bare });
    expect((await panel.sent()).at(-1)).toEqual({ type: 'compare', rows: ['masked', 'routed'] });
    await panel.page.close();
  });
});

describe.skipIf(noBrowser !== undefined)('the tables that stand for the success charts', () => {
  it('have the same numbers with intervals, and are remembered', async () => {
    const panel = await open();
    await panel.page.locator('.rates tbody [tabindex="0"]').focus();
    await panel.page.keyboard.press('t');
    await panel.settle();
    expect(await panel.page.locator('.rates, .studies').count()).toBe(0);
    expect(await panel.page.locator('.twin h2').allInnerTexts()).toEqual([
      ...cubeTasks,
      'Task mean',
      'Progressive merge, OpenVLA · LIBERO-Spatial · Iso-CTS · 100 rollouts a point',
      'Merging one part, LIBERO mean · Iso-CTS',
    ]);
    const table = panel.page.locator('.twin table');
    expect(await table.first().getAttribute('role')).toBe('grid');
    const row = async (place: number, name: string) =>
      (await table.nth(place).locator('tbody tr', { hasText: name }).first().innerText())
        .split(/\t|\n/)
        .map((text) => text.trim())
        .filter(Boolean);
    const cells = cellsOf('masked task_arithmetic, task known');
    expect((await row(2, 'task known')).slice(1, 4)).toEqual([
      String(cells[2]?.successes),
      '100',
      `${String(cells[2]?.successes)}\u00a0%`,
    ]);
    expect(await row(4, 'k 4')).toEqual([
      'k 4',
      '85',
      '100',
      '85\u00a0%',
      '76.7\u00a0%',
      '90.7\u00a0%',
      '–',
    ]);
    expect(await row(5, 'D lm_head')).toContain('71\u00a0%');
    expect(await panel.page.locator('.twin').innerText()).not.toMatch(/NaN|undefined/);
    expect(await panel.page.evaluate(layoutFaults)).toEqual([]);
    const state = await panel.page.evaluate(
      () => (window as never as { savedState: unknown }).savedState,
    );
    expect(state).toMatchObject({ twin: true });
    await panel.page.locator('button[aria-label="Tables instead of charts"]').click();
    await panel.settle();
    expect(await panel.page.locator('.rates').count()).toBe(1);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });
});

function cellsOf(name: string) {
  const rows = successSnapshot().table?.groups.flatMap((group) => group.rows) ?? [];
  return rows.find(({ label, detail }) => `${label} ${detail}` === name)?.cells ?? [];
}

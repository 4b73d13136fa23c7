import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launch, noBrowser, openPanel } from './browser';
import { drawerOf, maskSnapshot } from './mask-data';

let browser: Browser;
beforeAll(async () => {
  if (!noBrowser) browser = await launch();
});
afterAll(async () => {
  await browser?.close();
});

async function openDrawer(trusted = true) {
  const panel = await openPanel(browser, 'mask-ratios');
  const base = maskSnapshot();
  if (!base.recipe) throw new Error('a snapshot has a recipe');
  const recipe = { ...base.recipe, actionExpert: 'Action expert: blocks 0 to 21 averaged.' };
  await panel.send({ type: 'snapshot', revision: 1, snapshot: { ...base, recipe, trusted } });
  await panel.page.locator('.stage').focus();
  await panel.page.keyboard.press('Enter');
  await panel.send({ type: 'drawer', revision: 2, drawer: drawerOf(4) });
  await panel.page.locator('.drawer tbody [tabindex="0"]').focus();
  const press = async (...keys: string[]) => {
    for (const key of keys) await panel.page.keyboard.press(key);
  };
  return {
    ...panel,
    press,
    newest: async () => (await panel.sent()).at(-1),
    entries: () => panel.page.locator('[role=menu] [role=menuitem]').allInnerTexts(),
    focused: () =>
      panel.page.evaluate(() => {
        const { activeElement: at } = document;
        return at?.getAttribute('role') === 'menuitem'
          ? at.textContent
          : at?.closest('tr')?.querySelector('code')?.textContent;
      }),
  };
}

describe.skipIf(noBrowser !== undefined)('the context menu of a row', () => {
  it('is walked by keyboard, acts on its row and gives focus back', async () => {
    const { press, entries, focused, newest, faults, page } = await openDrawer();
    await press('ArrowDown', 'ContextMenu');
    const offered = ['Open tensor', 'Go to scope in recipe', 'Exclude tensor', 'Copy name'];
    expect(await entries()).toEqual(offered);
    expect(await page.locator('[role=menu]').getAttribute('aria-label')).toBe(
      'Actions for self_attn.k_proj',
    );
    expect(await focused()).toBe('Open tensor');
    await press('ArrowDown', 'ArrowDown');
    expect(await focused()).toBe('Exclude tensor');
    await press('End', 'ArrowDown');
    expect(await focused()).toBe('Open tensor');
    await press('ArrowUp');
    expect(await focused()).toBe('Copy name');
    await press('Escape');
    expect(await entries()).toEqual([]);
    expect(await focused()).toBe('self_attn.k_proj');
    await press('Shift+F10', 'Enter');
    expect(await newest()).toEqual({ type: 'showTensor', name: 'self_attn.k_proj' });
    expect(await focused()).toBe('self_attn.k_proj');
    await press('ContextMenu', 'ArrowDown', 'ArrowDown', 'Enter');
    expect(await newest()).toEqual({ type: 'exclude', glob: 'self_attn.k_proj' });
    expect(faults).toEqual([]);
    await page.close();
  });

  it('opens where the pointer is, closes when focus leaves it, and offers no edit in restricted mode', async () => {
    const { entries, newest, faults, page } = await openDrawer(false);
    const row = page.locator('.drawer tbody tr', { hasText: 'mlp.up_proj' });
    await row.locator('td').nth(1).click({ button: 'right' });
    expect(await entries()).toEqual(['Open tensor', 'Go to scope in recipe', 'Copy name']);
    await page.getByRole('menuitem', { name: 'Copy name' }).click();
    expect(await newest()).toEqual({ type: 'copy', text: 'mlp.up_proj' });
    await row.locator('td').nth(1).click({ button: 'right' });
    await page.locator('.layers h2').click();
    expect(await entries()).toEqual([]);
    expect(await page.locator('.layers .note').innerText()).toContain('blocks 0 to 21 averaged');
    expect(faults).toEqual([]);
    await page.close();
  });
});

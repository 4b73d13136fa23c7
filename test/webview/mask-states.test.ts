import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenPanel } from './browser';
import { launch, layoutFaults, noBrowser, openPanel } from './browser';
import { drawerOf, maskSnapshot } from './mask-data';

let browser: Browser;
beforeAll(async () => {
  if (!noBrowser) browser = await launch();
});
afterAll(async () => {
  await browser?.close();
});

async function open(options: Parameters<typeof openPanel>[2] = {}): Promise<OpenPanel> {
  const opened = await openPanel(browser, 'mask-ratios', options);
  await opened.send({ type: 'snapshot', revision: 1, snapshot: maskSnapshot() });
  return opened;
}

describe.skipIf(noBrowser !== undefined)('the mask-ratio panel', () => {
  it.each([
    [1, /^exact · every position read$/, /· exact$/m],
    [0.9997, /^≈ estimate · > 99\.9\s% read/, /bands are 95\s% intervals$/m],
  ])('says of a sample of %f what it is', async (fractionRead, chip, tracks) => {
    const panel = await openPanel(browser, 'mask-ratios');
    const { view, ...rest } = maskSnapshot();
    if (!view) throw new Error('a snapshot has a view');
    const source = { kind: 'estimate', fractionRead, positionsRead: 8_600_000 };
    const snapshot = { ...rest, view: { ...view, source } };
    await panel.send({ type: 'snapshot', revision: 1, snapshot });
    expect(await panel.page.locator('.chip').first().innerText()).toMatch(chip);
    expect(await panel.page.locator('.layers .heading').innerText()).toMatch(tracks);
    await panel.page.close();
  });

  it('fits 280 px, coverage and its labels too', async () => {
    const panel = await openPanel(browser, 'mask-ratios', { width: 280 });
    const { view, ...rest } = maskSnapshot();
    if (!view) throw new Error('a snapshot has a view');
    const coverage = [{ ...view.coverage[0], label: 'Vision siglip' }];
    const snapshot = { ...rest, view: { ...view, coverage } };
    await panel.send({ type: 'snapshot', revision: 1, snapshot });
    await panel.settle();
    const edges = (selector: string) =>
      panel.page
        .locator(`.coverage ${selector}`)
        .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().toJSON() as DOMRect));
    expect(await panel.page.evaluate(layoutFaults)).toEqual([]);
    const [card] = await panel.page
      .locator('.coverage')
      .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().right));
    for (const { right } of await edges('.headlines > *')) expect(right).toBeLessThan(card ?? 0);
    const [[name], [bar]] = [await edges('.stack > span'), await edges('.stack > svg')];
    expect((bar?.left ?? 0) - (name?.right ?? 0)).toBeGreaterThanOrEqual(6);
    await panel.page.close();
  });

  it('with one task speaks of no pairs', async () => {
    const panel = await openPanel(browser, 'mask-ratios');
    const snapshot = maskSnapshot({ tasks: ['only'] });
    await panel.send({ type: 'snapshot', revision: 1, snapshot });
    await panel.settle();
    expect(await panel.page.locator('.pairs').innerText()).not.toMatch(/pair|cosine|conflict/);
    await panel.page.close();
  });

  it('finds selection, zoom and task again after a reload, and not those of another recipe', async () => {
    const first = await open();
    await first.page.locator('.stage').focus();
    await first.page.keyboard.press('Shift+ArrowRight');
    await first.settle();
    await first.page.keyboard.press('z');
    await first.settle();
    await first.page.locator('.layers .legend button').first().click();
    await first.settle();
    const chosen = (await first.sent()).findLast(({ type }) => type === 'select');
    const state = await first.page.evaluate(
      () => (window as never as { savedState: Record<string, unknown> }).savedState,
    );
    await first.page.close();
    const heading = (panel: OpenPanel) => panel.page.locator('.layers .heading').innerText();

    const again = await open({ state });
    expect((await again.sent()).findLast(({ type }) => type === 'select')).toEqual(chosen);
    expect(await heading(again)).toContain('Show all blocks');
    expect(await heading(again)).not.toContain('Zoom to selection');
    expect(
      await again.page.locator('.layers .legend button').first().getAttribute('aria-pressed'),
    ).toBe('true');
    expect(again.faults).toEqual([]);
    await again.page.close();

    const other = await open({ state: { ...state, argument: 'file:///other' } });
    expect((await other.sent()).some(({ type }) => type === 'select')).toBe(false);
    expect(await heading(other)).not.toContain('Show all blocks');
    await other.page.close();

    const gone = { section: 0, from: 3, to: 9999 };
    const shorter = await open({
      state: { ...state, selection: gone, zoom: 'nonsense' },
    });
    expect((await shorter.sent()).some(({ type }) => type === 'select')).toBe(false);
    expect(await heading(shorter)).not.toContain('Show all blocks');
    expect(shorter.faults).toEqual([]);
    await shorter.page.close();
  });

  it('asks its new host for the pair, the moved values and the spectra of before, and for no others', async () => {
    const first = await open();
    await first.page.locator('.slider-alpha input[type=range]').focus();
    await first.page.keyboard.press('PageDown');
    await first.page.locator('.pairs td[data-row="0"][data-column="2"]').click();
    await first.page.locator('.spectra').getByText('Measure all matrices').click();
    await first.settle();
    const state = await first.page.evaluate(
      () => (window as never as { savedState: Record<string, unknown> }).savedState,
    );
    await first.page.close();
    const parameters = { lambda: 0.6, alpha: 0.9, density: 1 };
    const asked = async (panel: OpenPanel) => (await panel.sent()).slice(1);

    const again = await open({ state });
    expect(await asked(again)).toEqual([
      { type: 'setParameters', n: 1, ...parameters },
      { type: 'showPair', pair: [0, 2] },
      { type: 'measureSpectra', range: null, known: true },
    ]);
    const handle = again.page.locator('.slider-alpha input[type=range]');
    expect(await handle.inputValue()).toBe('0.9');
    // A later snapshot of the same recipe asks for nothing again, and leaves the handle where it is.
    await again.send({ type: 'snapshot', revision: 2, snapshot: maskSnapshot() });
    expect(await asked(again)).toHaveLength(3);
    expect(await handle.inputValue()).toBe('0.9');
    await again.page.keyboard.press('Escape');
    await handle.focus();
    await again.page.keyboard.press('Escape');
    await again.settle();
    const reset = await again.page.evaluate(
      () => (window as never as { savedState: Record<string, unknown> }).savedState,
    );
    expect(reset['parameters']).toBeUndefined();
    await again.page.close();

    for (const broken of [
      { ...state, argument: 'file:///other' },
      { ...state, parameters: { lambda: 'x' }, pair: [2, 9], spectra: 'all' },
    ]) {
      const other = await open({ state: broken });
      expect(await asked(other)).toEqual([]);
      expect(await other.page.locator('.slider-alpha input[type=range]').inputValue()).toBe('1');
      expect(other.faults).toEqual([]);
      await other.page.close();
    }
  });

  it('says what is waited for, and what the numbers are that it still shows', async () => {
    const panel = await open();
    const status = async (revision: number, phase: object, banners: readonly object[]) =>
      panel.send({ type: 'status', revision, phase, banners });
    const main = () => panel.page.locator('main');
    const acts = async () => (await panel.sent()).filter(({ type }) => type === 'action');
    await status(2, { kind: 'ready' }, [
      {
        level: 'stale',
        text: 'These numbers are from 05:12: the disk has not answered',
        action: { label: 'Read again', id: 'again' },
      },
    ]);
    expect(await panel.page.locator('.banner.stale').innerText()).toContain('from 05:12');
    expect(await main().getAttribute('class')).toContain('is-stale');
    await panel.page.getByText('Read again').click();
    await status(3, { kind: 'ready' }, [{ level: 'stale', text: 'The server stopped at 05:13' }]);
    expect(await panel.page.locator('.banner.stale').innerText()).toContain('stopped at 05:13');
    expect(await panel.page.locator('.stage').count()).toBe(1);
    await status(4, { kind: 'ready' }, []);
    expect(await main().getAttribute('class')).not.toContain('is-stale');
    const waiting = { kind: 'loading', text: 'Reading', waitingFor: 'the disk of the checkpoints' };
    const nothing = { ...maskSnapshot(), phase: waiting, view: undefined };
    await panel.send({ type: 'snapshot', revision: 5, snapshot: nothing });
    expect(await main().textContent()).toContain('Waiting for the disk of the checkpoints.');
    for (const label of ['Stop', 'Retry', 'Show Log'])
      await panel.page.locator('.loading').getByText(label).click();
    expect((await acts()).map(({ id }) => id)).toEqual(['again', 'stop', 'retry', 'showLog']);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('turns exact from the top while the exact pass runs, and moves nothing', async () => {
    const panel = await open();
    await panel.page.locator('.stage').focus();
    await panel.page.keyboard.press('End');
    await panel.page.keyboard.press('Enter');
    const drawer = drawerOf(4);
    await panel.send({ type: 'drawer', revision: 2, drawer });
    await panel.page.locator('.drawer button.sort', { hasText: 'spatial' }).click();
    const job = (done: number) => ({ phase: 'merge', done, total: 367, unit: 'tensors' });
    await panel.send({ type: 'job', revision: 3, job: job(9) });
    const places = () =>
      panel.page.evaluate(() =>
        ['.chip', '.card', '.stage > *', '.drawer tbody tr', '.drawer tbody td'].map((selector) =>
          [...document.querySelectorAll(selector)].map((element) => {
            const { x, y, width, height } = element.getBoundingClientRect();
            return [x, y, width, height, element.querySelector('code')?.textContent];
          }),
        ),
      );
    const before = await places();
    const ratios = () => panel.page.locator('.drawer tbody tr td:nth-of-type(2)').allInnerTexts();
    expect((await ratios()).every((text) => /^\d+\.\d$/.test(text.trim()))).toBe(true);

    const { view, sections } = maskSnapshot();
    if (!view) throw new Error('a snapshot has a view');
    const blocks = sections.reduce((sum, section) => sum + section.blocks.length, 0);
    // The first 70 blocks are known; the others keep their intervals.
    const known = (index: number) => Math.floor(index / 3) % blocks < 70;
    const active = Array.from(view.active, (value, i) => (known(i) ? 0.3421 : value));
    await panel.send({ type: 'job', revision: 4, job: job(212) });
    await panel.send({ type: 'view', revision: 5, view: { ...view, active } });
    // A number that would be sorted to another place stays in its row.
    const rows = drawer.rows.map((row, i) =>
      i < 3 ? { ...row, active: [0.9021, 0.1, 0.1, 0.1] } : row,
    );
    await panel.send({ type: 'drawer', revision: 6, drawer: { ...drawer, rows } });
    expect(await places()).toEqual(before);
    expect((await ratios()).filter((text) => text.trim() === '90.21').length).toBe(3);
    expect(await panel.page.locator('.chip').allInnerTexts()).toEqual([
      expect.stringMatching(/^≈ estimate/),
      'exact · 212 of 367 tensors',
    ]);
    expect(await panel.page.locator('.chip.estimate + * .icon-right').count()).toBe(1);
    await panel.page.locator('.stage').focus();
    await panel.page.keyboard.press('Home');
    const live = panel.page.locator('[role=status].visually-hidden');
    expect(await live.innerText()).toMatch(/34\.21 percent;/);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });
});

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SpectraView } from '../../server/protocol/panels/spectra';
import type { OpenPanel } from './browser';
import { exportAs, launch, layoutFaults, noBrowser, openPanel } from './browser';
import { drawerOf, maskSnapshot, taskNames } from './mask-data';
import { spectraOfBlocks } from './spectra-data';

let browser: Browser;
beforeAll(async () => {
  if (!noBrowser) browser = await launch();
});
afterAll(async () => {
  await browser?.close();
});

async function open(
  spectra: SpectraView | undefined,
  options: Parameters<typeof openPanel>[2] & { tasks?: readonly string[] } = {},
): Promise<OpenPanel> {
  const panel = await openPanel(browser, 'mask-ratios', options);
  const { tasks } = options;
  const snapshot = { ...maskSnapshot(tasks ? { tasks } : {}), ...(spectra ? { spectra } : {}) };
  await panel.send({ type: 'snapshot', revision: 1, snapshot });
  return panel;
}

const card = (panel: OpenPanel) => panel.page.locator('.spectra');
const spoken = (panel: OpenPanel) =>
  panel.page.locator('[role=status].visually-hidden').innerText();

describe.skipIf(noBrowser !== undefined)('singular spectra in the mask-ratio panel', () => {
  it('measures nothing until it is asked, for all matrices or the selected block', async () => {
    const panel = await open(undefined);
    const asked = async () =>
      (await panel.sent())
        .filter(({ type }) => type === 'measureSpectra')
        .map(({ range, known }) => [range, known]);
    expect(await card(panel).locator('canvas').first().isVisible()).toBe(false);
    expect(await asked()).toEqual([]);
    await card(panel).getByText('Measure all matrices').click();
    expect(await asked()).toEqual([[null, false]]);
    await panel.page.locator('.stage').focus();
    await panel.page.keyboard.press('Enter');
    await panel.send({ type: 'drawer', revision: 2, drawer: drawerOf(4) });
    await card(panel).getByText('Measure language_model · block 17').click();
    expect(await asked()).toEqual([
      [null, false],
      [{ component: 'dinov2', from: 0, to: 0 }, false],
    ]);
    await panel.page.close();
  });

  it('shows how far it is, draws what is there, and stops', async () => {
    const panel = await open(undefined);
    const { tensors, ...rest } = spectraOfBlocks(taskNames, { blocks: 2, state: 'measuring' });
    const send = (revision: number, from: number, to: number) =>
      panel.send({
        type: 'spectra',
        revision,
        from,
        spectra: { ...rest, done: to, tensors: tensors.slice(from, to) },
      });
    await panel.send({
      type: 'spectra',
      revision: 2,
      from: 0,
      spectra: { state: 'measuring', title: 'all matrices', done: 0, tensors: [] },
    });
    expect(await card(panel).innerText()).toContain('reading headers');
    await send(3, 0, 2);
    await send(4, 2, 5);
    expect(await card(panel).locator('[role=progressbar]').getAttribute('aria-valuenow')).toBe(
      String(Math.round((100 * 5) / (rest.scope?.matrices ?? 0))),
    );
    expect(await card(panel).locator('vscode-option').count()).toBe(5);
    await card(panel).getByRole('button', { name: 'Stop' }).click();
    expect((await panel.sent()).at(-1)).toEqual({ type: 'stopSpectra' });
    await panel.send({
      type: 'spectra',
      revision: 5,
      from: 5,
      spectra: { ...rest, state: 'stopped', done: 5, tensors: [] },
    });
    const text = await card(panel).innerText();
    expect(text).toContain('5 of 15 matrices read');
    expect(text).toContain('Stopped; what was measured is kept');
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('moves through directions and blocks by keyboard and speaks them', async () => {
    const panel = await open(spectraOfBlocks(taskNames));
    await card(panel).locator('.spectrum-stage').first().focus();
    await panel.page.keyboard.press('End');
    expect(await spoken(panel)).toMatch(/^direction 896: spatial 8\.\d+ · 10⁻⁸, object .*, sum /);
    expect(await panel.page.locator('.tooltip').innerText()).toContain('direction 896 of 896');
    await panel.page.keyboard.press('PageDown');
    expect(await spoken(panel)).toMatch(/^q_proj, block 1: effective rank spatial /);
    await card(panel).locator('.spectrum-stage').nth(1).focus();
    await panel.page.keyboard.press('End');
    expect(await spoken(panel)).toMatch(/^q_proj, block 23: /);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('shows overlaps of any number of directions beside what unrelated tasks have', async () => {
    const panel = await open(spectraOfBlocks(taskNames));
    const cells = card(panel).locator('.overlap td[data-row]');
    expect(await cells.nth(1).innerText()).toBe('34.9\u00a0%');
    expect(await cells.nth(4).innerText()).toBe('39.1\u00a0×');
    expect(await card(panel).locator('.scale-note').innerText()).toContain(
      'unrelated tasks 0.9\u00a0%',
    );
    await card(panel).locator('.overlap .segment[data-value="1"]').click();
    expect(await cells.nth(1).innerText()).toBe('50.0\u00a0%');
    expect(await card(panel).locator('.scale-note').innerText()).toContain(
      'unrelated tasks 0.1\u00a0%',
    );
    await card(panel).locator('.overlap td[tabindex="0"]').focus();
    await panel.page.keyboard.press('ArrowRight');
    expect(await spoken(panel)).toMatch(
      /^spatial and goal: overlap 43\.0\u00a0%, smallest angle of/,
    );
    await panel.page.close();
  });

  it('has a table twin and an export with every number', async () => {
    const panel = await open(spectraOfBlocks(taskNames, { blocks: 1 }));
    await card(panel).scrollIntoViewIfNeeded();
    await exportAs(panel.page, 'csv');
    const csv = String((await panel.sent()).at(-1)?.['content']);
    const block = csv.split('\n\n').find((part) => part.startsWith('"Singular values')) ?? csv;
    expect(block).toContain('Singular values, Language model · block 0');
    expect(csv).toContain('language_model.model.layers.0.self_attn.q_proj.weight 896,');
    expect(csv).toContain('language_model.model.layers.0.self_attn.q_proj.weight unrelated,');
    await panel.page.keyboard.press('Escape');
    await panel.page.keyboard.press('t');
    await panel.settle();
    const twin = panel.page.locator('.twin table[aria-label^="Effective rank by matrix"]');
    expect(await twin.locator('tbody tr').count()).toBe(3);
    expect(await twin.innerText()).toContain('191.0');
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it.each([
    ['one task', spectraOfBlocks(['only']), ['only']],
    ['ten tasks', spectraOfBlocks(Array.from({ length: 10 }, (_, i) => `t${String(i)}`)), null],
  ] as const)('draws %s', async (_, spectra, tasks) => {
    const panel = await open(spectra, { tasks: tasks ?? spectra.scope?.tasks ?? [] });
    expect(await card(panel).locator('.overlap').isVisible()).toBe(tasks === null);
    expect(await panel.page.evaluate(layoutFaults)).toEqual([]);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('measures nothing where the workspace is not trusted', async () => {
    const panel = await openPanel(browser, 'mask-ratios');
    const snapshot = { ...maskSnapshot(), trusted: false };
    await panel.send({ type: 'snapshot', revision: 1, snapshot });
    const measure = card(panel).locator('vscode-button', { hasText: 'Measure all matrices' });
    expect(await measure.getAttribute('title')).toBe('The workspace is not trusted');
    await measure.click({ force: true });
    expect((await panel.sent()).map(({ type }) => type)).not.toContain('measureSpectra');
    await panel.page.close();
  });

  it('says why it failed, and drops what belongs to other tasks', async () => {
    const failed = { state: 'failed', title: 'all matrices', done: 0, tensors: [] } as const;
    const panel = await open({ ...failed, message: 'error: expert a is not there [MV401]' });
    expect(await card(panel).innerText()).toContain('expert a is not there [MV401]');
    const spectra = spectraOfBlocks(['other', 'tasks']);
    await panel.send({ type: 'spectra', revision: 2, from: 0, spectra });
    expect(await card(panel).locator('canvas').first().isVisible()).toBe(false);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it.each(['dark', 'light', 'hc', 'hcLight'] as const)('fits every width in %s', async (theme) => {
    const panel = await open(spectraOfBlocks(taskNames), { theme });
    for (const width of [1280, 760, 520]) {
      await panel.page.setViewportSize({ width, height: 900 });
      await panel.settle();
      expect(await panel.page.evaluate(layoutFaults)).toEqual([]);
    }
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });
});

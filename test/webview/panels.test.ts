import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenPanel, ThemeName } from './browser';
import { launch, layoutFaults, noBrowser, openPanel } from './browser';
import { maskSnapshot } from './mask-data';
import { routingSnapshot } from './routing-data';
import { episodeList, replayOf, successSnapshot } from './success-data';

const themes: readonly ThemeName[] = ['dark', 'light', 'hc', 'hcLight'];
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

async function open(
  panel: Panel,
  options: Parameters<typeof openPanel>[2] = {},
): Promise<OpenPanel> {
  const opened = await openPanel(browser, panel, options);
  await opened.send({ type: 'snapshot', revision: 1, snapshot: snapshots[panel]() });
  return opened;
}

describe.skipIf(noBrowser !== undefined)('every panel', () => {
  it.each(Object.keys(snapshots) as Panel[])(
    '%s draws in four themes without breaking its policy',
    async (name) => {
      const panel = await open(name);
      const colours = new Set<string>();
      for (const theme of themes) {
        await panel.theme(theme);
        expect(await panel.page.evaluate(layoutFaults)).toEqual([]);
        colours.add(
          await panel.page.evaluate(() => getComputedStyle(document.body).backgroundColor),
        );
        const shot = await panel.page.screenshot();
        expect(shot.length).toBeGreaterThan(20_000);
      }
      // Both contrast themes share their backgrounds with the ordinary ones only in part.
      expect(colours.size).toBeGreaterThanOrEqual(3);
      expect(panel.faults).toEqual([]);
      await panel.page.close();
    },
  );

  it.each(Object.keys(snapshots) as Panel[])('%s fits 760 and 520 px', async (name) => {
    for (const width of [760, 520]) {
      const panel = await open(name, { width });
      expect(await panel.page.evaluate(layoutFaults)).toEqual([]);
      expect(panel.faults).toEqual([]);
      await panel.page.close();
    }
  });

  it.each(Object.keys(snapshots) as Panel[])(
    '%s asks for a snapshot after a gap and drops foreign messages',
    async (name) => {
      const panel = await open(name);
      const before = (await panel.sent()).length;
      await panel.send({ type: 'status', revision: 7, phase: { kind: 'ready' }, banners: [] });
      await panel.send({ type: 'nonsense', revision: 2 });
      await panel.send('text');
      await panel.send({ type: 'snapshot', revision: 2, snapshot: { phase: 1 } });
      const sent = (await panel.sent()).slice(before);
      expect(sent.map(({ type }) => type)).toEqual(['ready', 'dropped', 'dropped', 'dropped']);
      expect(sent[0]).toMatchObject({ revision: 1 });
      await panel.page.close();
    },
  );

  it('shows its states: loading, empty, banners with one action', async () => {
    const panel = await openPanel(browser, 'mask-ratios');
    await panel.settle();
    expect(await panel.page.locator('.loading').count()).toBe(1);
    const empty = {
      kind: 'empty',
      title: 'No recipe is open.',
      text: 'Open one.',
      actions: [{ label: 'New recipe', id: 'newRecipe' }],
    };
    const banners = [
      { level: 'warning', text: 'stack_cube is not at zoo/stack_cube' },
      {
        level: 'error',
        text: '12 NaN values in <b>push_cube</b>',
        code: 'MV431',
        action: { label: 'Show the tensor', id: 'reveal' },
      },
    ];
    await panel.send({
      type: 'snapshot',
      revision: 1,
      snapshot: { phase: empty, banners, recipes: [], sections: [], curves: [], trusted: true },
    });
    expect(await panel.page.locator('.banner.error').innerText()).toContain('<b>push_cube</b>');
    expect(await panel.page.locator('.banner').count()).toBe(1);
    await panel.page.getByText('and 1 more').click();
    await panel.settle();
    expect(await panel.page.locator('.banner').count()).toBe(2);
    await panel.page.getByText('New recipe').click();
    expect((await panel.sent()).at(-1)).toEqual({ type: 'action', id: 'newRecipe' });
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });
});

describe.skipIf(noBrowser !== undefined)('the success-rate panel', () => {
  it('opens a cell by keyboard, filters its episodes and compares two rows', async () => {
    const panel = await open('success-rates');
    await panel.page.locator('.rates tbody [tabindex="0"]').focus();
    for (const key of [
      'ArrowDown',
      'ArrowDown',
      'ArrowDown',
      'ArrowDown',
      'ArrowRight',
      'ArrowRight',
      'ArrowRight',
    ])
      await panel.page.keyboard.press(key);
    await panel.page.keyboard.press('Enter');
    expect((await panel.sent()).at(-1)).toEqual({
      type: 'openCell',
      row: 'masked',
      task: 'stack_cube',
    });
    await panel.send({ type: 'episodes', revision: 2, episodes: episodeList() });
    await panel.page.locator('.episodes .segment', { hasText: 'failed' }).click();
    await panel.settle();
    expect(await panel.page.locator('.episodes .result.good').count()).toBe(0);
    const row = (text: string) => panel.page.locator('.rates tbody th', { hasText: text });
    await row('task known').click();
    await row('routed task_arithmetic').click();
    expect((await panel.sent()).at(-1)).toEqual({ type: 'compare', rows: ['masked', 'routed'] });
    await panel.settle();
    expect(await panel.page.locator('.comparison').innerText()).toMatch(/McNemar p/);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('replays an episode: pixels change with the step, cameras are drawn, events are named', async () => {
    const panel = await open('success-rates');
    await panel.page.evaluate(() => {
      document.body.classList.add('vscode-reduce-motion');
    });
    await panel.page.locator('tr:has-text("task known") td').nth(2).click();
    await panel.send({ type: 'episodes', revision: 2, episodes: episodeList() });
    await panel.send({ type: 'replay', revision: 3, replay: replayOf() });
    const pixels = (selector: string) =>
      panel.page.evaluate((query) => {
        const canvas = document.querySelector<HTMLCanvasElement>(query);
        const copy = document.createElement('canvas');
        copy.width = canvas?.width ?? 0;
        copy.height = canvas?.height ?? 0;
        const context = copy.getContext('2d');
        if (canvas) context?.drawImage(canvas, 0, 0);
        const data = context?.getImageData(0, 0, copy.width, copy.height).data ?? [];
        const colours = new Set<number>();
        let sum = 0;
        for (let i = 0; i < data.length; i += 4) {
          const value = (data[i] << 16) | (data[i + 1] << 8) | data[i + 2];
          colours.add(value);
          sum = (sum * 31 + value) >>> 0;
        }
        return { colours: colours.size, sum };
      }, selector);
    const start = await pixels('.replay-canvas');
    expect(start.colours).toBeGreaterThan(20);
    expect((await pixels('canvas.camera')).colours).toBeGreaterThan(3);
    await panel.page.locator('.replay-canvas').focus();
    await panel.page.keyboard.press('e');
    await panel.settle();
    expect((await pixels('.replay-canvas')).sum).not.toBe(start.sum);
    expect(await panel.page.locator('.replay .heading').innerText()).toContain('step 25 of');
    await panel.page.keyboard.press('End');
    await panel.page.keyboard.press('n');
    expect((await panel.sent()).at(-1)).toMatchObject({ type: 'replay' });
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });
});

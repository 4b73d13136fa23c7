import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenPanel } from './browser';
import { exportAs, launch, layoutFaults, noBrowser, openPanel } from './browser';
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
    expect(tables).toBe(7);
    expect(await panel.page.locator('.twin').innerText()).toContain('1.84 %');
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
      await exportAs(panel.page, format);
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
    expect(svg).toContain('libero (recipe 3f9a01c7) · task_arithmetic · λ 0.6');
    expect(svg.match(/<path/g)?.length).toBeGreaterThan(80);
    expect(svg).not.toMatch(/NaN| style=|<script/);
    const png = Buffer.from(String(await save('png')), 'base64');
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect(png.length).toBeGreaterThan(50_000);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('shows a pair of tasks by block from the matrix, by mouse and by key, and puts it away', async () => {
    const panel = await open('mask-ratios');
    const cell = panel.page.locator('.pairs td[data-row="0"][data-column="2"]');
    await cell.click();
    expect((await panel.sent()).at(-1)).toEqual({ type: 'showPair', pair: [0, 2] });
    const blocks = sectionsOf().reduce((sum, section) => sum + section.blocks.length, 0);
    const pair = {
      first: 0,
      second: 2,
      conflict: Array.from({ length: 3 * blocks }, () => 0.44),
      cosine: Array.from({ length: blocks }, (_, i) => (i === 5 ? null : 0.12)),
    };
    await panel.send({ type: 'pair', revision: 2, pair });
    expect(await panel.page.locator('.track-name').allInnerTexts()).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^Sign conflict: spatial and goal/),
        expect.stringMatching(/^Cosine: spatial and goal.*0\.25 agree/s),
      ]),
    );
    expect(await panel.page.locator('.pairs td.chosen').count()).toBe(2);
    await panel.page.locator('.pairs td[tabindex="0"]').focus();
    await panel.page.keyboard.press('ArrowRight');
    await panel.page.keyboard.press('Enter');
    // The same pair again is put away.
    expect((await panel.sent()).at(-1)).toEqual({ type: 'showPair', pair: [] });
    await panel.send({ type: 'pair', revision: 3, pair: null });
    expect(await panel.page.locator('.track-name', { hasText: 'Cosine' }).count()).toBe(0);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('narrows the tracks to dragged blocks and opens them again, by mouse and by key', async () => {
    const panel = await openPanel(browser, 'mask-ratios');
    const sections = sectionsOf([['language_model', 'Language model', 1000]]);
    await panel.send({ type: 'snapshot', revision: 1, snapshot: maskSnapshot({ sections }) });
    const heading = () => panel.page.locator('.layers .heading').innerText();
    expect(await heading()).toMatch(/blocks a column/);
    await panel.page.locator('.stage').scrollIntoViewIfNeeded();
    const box = await panel.page.locator('.stage').boundingBox();
    if (!box) throw new Error('no tracks');
    await panel.page.keyboard.down('Shift');
    await panel.page.mouse.move(box.x + 300, box.y + 200);
    await panel.page.mouse.down();
    await panel.page.mouse.move(box.x + 380, box.y + 200);
    await panel.page.mouse.up();
    await panel.page.keyboard.up('Shift');
    await panel.settle();
    expect(await heading()).not.toMatch(/blocks a column/);
    expect(await panel.page.locator('.section-heads').innerText()).toMatch(/\d+ of 1000 blocks/);
    const chosen = (await panel.sent()).findLast(({ type }) => type === 'select');
    expect(Number(chosen?.['to']) - Number(chosen?.['from'])).toBeGreaterThan(20);
    await panel.page.locator('.stage').focus();
    await panel.page.keyboard.press('Escape');
    await panel.settle();
    expect(await heading()).toMatch(/blocks a column/);
    await panel.page.keyboard.press('z');
    await panel.settle();
    expect(await heading()).not.toMatch(/blocks a column/);
    await panel.page.getByText('Show all blocks').click();
    await panel.settle();
    expect(await heading()).toMatch(/blocks a column/);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('opens a block of a range, and a tensor with its own numbers', async () => {
    const panel = await open('mask-ratios');
    await panel.page.locator('.stage').focus();
    await panel.page.keyboard.press('Shift+ArrowRight');
    const rows = drawerOf(4)
      .rows.slice(0, 2)
      .map((row, i) => ({ ...row, name: `block ${String(i)}` }));
    await panel.send({
      type: 'drawer',
      revision: 2,
      drawer: { ...drawerOf(4), by: 'block', rows },
    });
    expect(await panel.page.locator('.drawer .heading').innerText()).toMatch(
      /2 blocks.*Exclude blocks/s,
    );
    await panel.page.locator('.drawer tbody th').nth(1).dblclick();
    expect((await panel.sent()).findLast(({ type }) => type === 'select')).toMatchObject({
      component: 'dinov2',
      from: 1,
      to: 1,
    });
    await panel.send({ type: 'drawer', revision: 3, drawer: drawerOf(4) });
    await panel.page.locator('.drawer tbody [tabindex="0"]').focus();
    await panel.page.keyboard.press('Enter');
    expect((await panel.sent()).at(-1)).toEqual({ type: 'showTensor', name: 'self_attn.q_proj' });
    const { cosine, conflict, norms } = viewOf(4, sectionsOf(), maskSnapshot().recipe!.saved);
    const tensor = {
      name: 'self_attn.q_proj',
      shape: '896 × 896',
      rule: 'ties',
      active: [0.3, 0.2, 0.1, null],
      distance: [0.71, 0.8, 0.9, null],
      ...{ cosine, conflict, norms },
    };
    await panel.send({ type: 'tensor', revision: 4, tensor });
    const text = await panel.page.locator('.card.tensor').innerText();
    expect(text).toMatch(/self_attn\.q_proj/);
    expect(text).toMatch(/0\.71/);
    expect(await panel.page.locator('.card.tensor .matrix td').count()).toBeGreaterThan(15);
    await panel.page.getByText('Exclude tensor').click();
    expect((await panel.sent()).at(-1)).toEqual({ type: 'exclude', glob: 'self_attn.q_proj' });
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('follows the exact pass and stops it', async () => {
    const panel = await open('mask-ratios');
    const job = { phase: 'merge', done: 212, total: 367, unit: 'tensors' };
    await panel.send({ type: 'job', revision: 2, job });
    expect(await panel.page.locator('.toolbar').innerText()).toContain(
      'exact · 212 of 367 tensors',
    );
    await panel.page.locator('.toolbar vscode-button', { hasText: 'Stop' }).click();
    expect((await panel.sent()).at(-1)).toEqual({ type: 'action', id: 'stopJob' });
    await panel.send({ type: 'job', revision: 3, job: null });
    expect(await panel.page.locator('.toolbar').innerText()).toContain('Compute exactly');
    await panel.page.close();
  });

  it('keeps the row of a task that cannot be read, also behind JSON, and leaves it out', async () => {
    const panel = await openPanel(browser, 'mask-ratios');
    const full = maskSnapshot();
    const blocks = sectionsOf().reduce((sum, section) => sum + section.blocks.length, 0);
    const view = viewOf(3, sectionsOf(), full.recipe!.saved);
    const snapshot = {
      ...full,
      recipe: { ...full.recipe, missing: ['long'] },
      view: {
        ...view,
        active: [...view.active, ...Array.from({ length: 3 * blocks }, () => NaN)],
        totals: view.totals.map((group) => ({ ...group, active: [...group.active, null] })),
        cosine: Array.from({ length: 16 }, () => null),
        conflict: Array.from({ length: 16 }, () => null),
        norms: [...view.norms, null],
      },
      exact: undefined,
      curves: full.curves.map((curve) => ({
        ...curve,
        values: [...curve.values].map((value, i) => (i < 3 * curve.grid.length ? value : NaN)),
      })),
    };
    const message = JSON.parse(
      JSON.stringify({ type: 'snapshot', revision: 1, snapshot }),
    ) as object;
    await panel.send(message);
    const rows = panel.page.locator('.heat-row');
    expect(await rows.count()).toBe(4);
    expect(await rows.nth(3).locator('rect[stroke-dasharray]').count()).toBe(1);
    expect(await panel.page.locator('.main, main').innerText()).not.toMatch(/NaN|undefined/);
    await panel.page.keyboard.press('t');
    await panel.settle();
    expect(await panel.page.locator('.twin').innerText()).not.toMatch(/NaN|undefined/);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('gives pinned tasks a line where there are too many', async () => {
    const tasks = Array.from({ length: 9 }, (_, i) => `task_${String(i)}`);
    const panel = await openPanel(browser, 'mask-ratios');
    await panel.send({ type: 'snapshot', revision: 1, snapshot: maskSnapshot({ tasks }) });
    const key = panel.page.locator('.layers .legend button').nth(8);
    await key.focus();
    await panel.page.keyboard.press('p');
    expect(
      await panel.page.evaluate(() => (window as never as { savedState: unknown }).savedState),
    ).toMatchObject({ pinned: [8] });
    expect(await panel.page.locator('.layers .legend button.pinned').innerText()).toBe('task_8');
    await panel.page.close();
  });

  it('fits 320 px with a drawer and a tensor open', async () => {
    const panel = await open('mask-ratios', { width: 320, theme: 'light' });
    await panel.page.locator('.stage').focus();
    await panel.page.keyboard.press('Enter');
    await panel.send({ type: 'drawer', revision: 2, drawer: drawerOf(4) });
    const { cosine, conflict, norms } = viewOf(4, sectionsOf(), maskSnapshot().recipe!.saved);
    const ratios = [0.3, 0.2, 0.1, 0.4];
    const tensor = { name: 'self_attn.q_proj', shape: '896 × 896', rule: 'ties', active: ratios };
    await panel.send({
      type: 'tensor',
      revision: 3,
      tensor: { ...tensor, distance: ratios, cosine, conflict, norms },
    });
    // Escape would take the selection back, and with it what this is about.
    await panel.page.locator('.drawer').waitFor();
    await panel.page.locator('.card.tensor').waitFor();
    expect(await panel.page.evaluate(layoutFaults)).toEqual([]);
    await panel.page.close();
  });
});

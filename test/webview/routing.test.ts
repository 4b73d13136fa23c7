import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isFromRoutingPanel, parseState } from '../../server/protocol/panels/routing';
import type { OpenPanel } from './browser';
import { exportAs, launch, layoutFaults, noBrowser, openPanel } from './browser';
import { routeAnswer, routedSet, routingSnapshot } from './routing-data';

let browser: Browser;
beforeAll(async () => {
  if (!noBrowser) browser = await launch();
});
afterAll(async () => {
  await browser?.close();
});

type Snapshot = ReturnType<typeof routingSnapshot>;

async function open(change: Partial<Snapshot> = {}): Promise<OpenPanel> {
  const panel = await openPanel(browser, 'routing');
  await show(panel, 1, change);
  return panel;
}

const show = (panel: OpenPanel, revision: number, change: Partial<Snapshot>): Promise<void> =>
  panel.send({ type: 'snapshot', revision, snapshot: { ...routingSnapshot(), ...change } });

const picture = readFileSync(join(__dirname, '../fixtures/policy/obs/obs0/full_crop.png'));
const given = {
  images: [
    { id: 'p1', name: 'a.png', bytes: picture.length },
    { id: 'p2', name: 'wrist.png', bytes: 4 },
  ],
  instruction: 'push the cube',
  proprio: '',
};

/** Drops files on the page as the editor hands them over: names, kinds and bytes, no paths. */
async function drop(
  panel: OpenPanel,
  files: readonly { name: string; type: string; bytes: readonly number[] | number }[],
): Promise<void> {
  await panel.page.evaluate((list) => {
    const transfer = new DataTransfer();
    for (const { name, type, bytes } of list) {
      const content = typeof bytes === 'number' ? new Uint8Array(bytes) : Uint8Array.from(bytes);
      transfer.items.add(new File([content], name, { type }));
    }
    for (const kind of ['dragover', 'drop'])
      document
        .querySelector('main')
        ?.dispatchEvent(
          new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }),
        );
  }, files);
  await panel.page.waitForTimeout(50);
  await panel.settle();
}

describe.skipIf(noBrowser !== undefined)('the routing panel', () => {
  it('draws pictures under the patches, chooses candidates by key and opens an episode', async () => {
    const panel = await open();
    await panel.page.waitForFunction(
      () => (document.querySelector<HTMLCanvasElement>('.pictures canvas')?.width ?? 0) > 300,
    );
    const shown = await panel.page.evaluate(() =>
      document.querySelector<HTMLCanvasElement>('.pictures canvas')?.toDataURL(),
    );
    await panel.page.keyboard.press('1');
    await panel.page.waitForFunction(
      (before) =>
        document.querySelector<HTMLCanvasElement>('.pictures canvas')?.toDataURL() !== before,
      shown,
    );
    expect(await panel.page.locator('.patches [aria-checked=true]').innerText()).toBe('pick_place');
    await panel.page.keyboard.press('v');
    await panel.settle();
    expect(await panel.page.locator('.patches [aria-checked=true]').innerText()).toBe('vs 2nd');
    await panel.page.locator('.pictures canvas').first().focus();
    await panel.page.keyboard.press('ArrowRight');
    expect(await panel.page.locator('.tooltip').innerText()).toMatch(/stack_cube \d/);
    await panel.page.locator('.wrong tbody th').first().click();
    expect((await panel.sent()).at(-1)).toMatchObject({ type: 'selectFrame' });
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('says when it is nearly a tie, and keeps the order of the recipe in both tables', async () => {
    const panel = await open();
    const cards = await panel.page.locator('.pairing').allInnerTexts();
    expect(cards[0]).not.toContain('nearly a tie');
    expect(cards[1]).toContain('nearly a tie');
    const names = await panel.page.locator('.scores tbody th').allInnerTexts();
    expect(names.filter(Boolean)).toEqual(
      [...Array(2)].flatMap(() => ['pick_place', 'push_cube', 'stack_cube']),
    );
    await panel.page.close();
  });

  it('takes dropped pictures with their bytes, and names what it leaves out', async () => {
    const panel = await open({ source: 'images' });
    await drop(panel, [
      { name: 'top.png', type: 'image/png', bytes: [...picture] },
      { name: 'notes.svg', type: 'image/svg+xml', bytes: [60] },
    ]);
    const added = (await panel.sent()).at(-1);
    expect(added).toEqual({
      type: 'addPictures',
      pictures: [{ name: 'top.png', content: picture.toString('base64') }],
    });
    expect(isFromRoutingPanel(added)).toBe(true);
    expect(await panel.page.locator('.inputs .fault').innerText()).toContain('notes.svg is no PNG');
    const before = (await panel.sent()).length;
    await drop(panel, [{ name: 'huge.png', type: 'image/png', bytes: 8 * 1024 * 1024 + 1 }]);
    expect(await panel.page.locator('.inputs .fault').innerText()).toContain('huge.png');
    expect((await panel.sent()).slice(before)).toEqual([]);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('asks the host for files that are dropped from the explorer, at most eight', async () => {
    const panel = await open({ source: 'images' });
    const dropped = (count: number) =>
      panel.page.evaluate(
        (uris) => {
          const transfer = new DataTransfer();
          transfer.setData('text/uri-list', uris[0] ?? '');
          transfer.setData('application/vnd.code.uri-list', uris.join('\r\n'));
          const init = { dataTransfer: transfer, bubbles: true, cancelable: true };
          return ['dragover', 'drop'].map((kind) => {
            const event = new DragEvent(kind, init);
            document.querySelector('main')?.dispatchEvent(event);
            return event.defaultPrevented;
          });
        },
        files.slice(0, count),
      );
    const files = Array.from({ length: 9 }, (_, i) => `file:///w/${String(i)}.png`);
    expect(await dropped(2)).toEqual([true, true]);
    const asked = (await panel.sent()).at(-1);
    expect(asked).toEqual({ type: 'addFiles', uris: files.slice(0, 2) });
    expect(isFromRoutingPanel(asked)).toBe(true);
    await dropped(9);
    expect((await panel.sent()).at(-1)).toEqual({ type: 'addFiles', uris: files.slice(0, 8) });
    expect(await panel.page.locator('.inputs .fault').innerText()).toContain('at most 8 pictures');
    expect(isFromRoutingPanel({ type: 'addFiles', uris: files })).toBe(false);
    await panel.page.close();
  });

  it('shows given pictures, orders and removes them, and checks words and numbers', async () => {
    const panel = await open({ source: 'images', given, cameras: ['top', 'wrist'] });
    const asked = (await panel.sent()).filter(({ type }) => type === 'wantPicture');
    expect(asked.map(({ id }) => id)).toEqual(['p1', 'p2']);
    await panel.send({
      type: 'picture',
      revision: 2,
      id: 'p1',
      content: picture.toString('base64'),
    });
    await panel.send({ type: 'picture', revision: 3, id: 'p2', content: 'iVBORw==' });
    await panel.page.waitForFunction(() => document.querySelector('.given .broken') !== null);
    expect(await panel.page.locator('.given .broken').innerText()).toContain('cannot be decoded');
    const note = panel.page.locator('.inputs .note');
    expect(await note.innerText()).toContain('Check the order');
    await panel.page.getByLabel('Later camera: a.png').click();
    expect((await panel.sent()).at(-1)).toMatchObject({
      type: 'setObservation',
      images: ['p2', 'p1'],
    });
    await panel.page.getByLabel('Robot state').fill('0.1, nothing');
    expect(await note.innerText()).toContain('no list of numbers');
    await panel.page.getByLabel('Robot state').fill('0.1 \u22120.2');
    expect(await note.innerText()).not.toContain('no list of numbers');
    // A snapshot in between does not take what is being typed.
    await panel.page.getByLabel('Instruction', { exact: true }).fill('stack');
    await show(panel, 4, { source: 'images', given, cameras: ['top', 'wrist'] });
    expect(await panel.page.getByLabel('Instruction', { exact: true }).inputValue()).toBe('stack');
    await panel.page.keyboard.press('Enter');
    expect((await panel.sent()).at(-1)).toEqual({ type: 'route' });
    await panel.page.getByLabel('Remove: wrist.png').click();
    expect((await panel.sent()).at(-1)).toMatchObject({ images: ['p1'], instruction: 'stack' });
    await panel.settle();
    expect(await note.innerText()).toContain('takes 2 pictures (top, wrist); there are 1');
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('lists the episodes of a confusion cell, by keyboard, and comes back', async () => {
    const panel = await open();
    const wrong = panel.page.locator('.wrong');
    await panel.page.locator('.confusion').nth(1).locator('[tabindex="0"]').focus();
    await panel.page.keyboard.press('ArrowRight');
    expect(await panel.page.locator('.tooltip').innerText()).toMatch(
      /^\d+ of 100 episodes of pick_place were routed to push_cube, \d+\s%$/,
    );
    await panel.page.keyboard.press('Enter');
    await panel.settle();
    const { crossed } = routingSnapshot();
    const count = crossed?.episodes.filter((e) => e.truth === 0 && e.routed === 1).length ?? 0;
    expect(await wrong.locator('h2').innerText()).toBe(
      'pick_place routed to push_cube, crossed pairing',
    );
    expect(await wrong.locator('.heading .secondary').innerText()).toContain(`${count} of 300`);
    await wrong.getByText('Show those routed wrong').click();
    await panel.settle();
    expect(await wrong.locator('h2').innerText()).toBe('Routed wrong');
    await panel.page.close();
  });

  it('walks the marks of the margins by keyboard and opens an episode', async () => {
    const panel = await open();
    const chart = panel.page.locator('.margin-picture canvas');
    await chart.focus();
    await panel.page.keyboard.press('ArrowDown');
    expect(await panel.page.locator('.tooltip').innerText()).toMatch(
      /^push_cube, seed \d+: margin/,
    );
    await panel.page.keyboard.press('End');
    const spoken = await panel.page.locator('[aria-live="polite"]').innerText();
    expect(spoken).toContain('routed to push_cube');
    await panel.page.keyboard.press('Enter');
    const seed = Number(/seed (\d+)/.exec(spoken)?.[1]);
    expect((await panel.sent()).at(-1)).toEqual({
      type: 'selectFrame',
      id: `routed/${String(seed - 20300)}`,
    });
    await panel.page.close();
  });

  it('draws more than 400 episodes as a histogram with crosses', async () => {
    const many = routedSet(0.02, 4, 900);
    const panel = await open({ same: many });
    expect(await panel.page.locator('.margins .secondary').first().innerText()).toContain(
      'crosses routed wrong',
    );
    const summary = await panel.page.locator('.margin-picture canvas').getAttribute('aria-label');
    expect(summary).toMatch(/^Margins of 900 episodes/);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('turns every chart into a table with the same numbers, and remembers it', async () => {
    const panel = await open();
    await panel.page.locator('.margin-picture canvas').focus();
    await panel.page.keyboard.press('t');
    await panel.settle();
    const titles = await panel.page.locator('.twin h2').allInnerTexts();
    expect(titles).toEqual([
      'Scores, same pairing',
      'Scores, crossed pairing',
      'Patch scores, camera top',
      'Patch scores, camera wrist',
      'Action slots',
      'Confusion, same pairing',
      'Confusion, crossed pairing',
      'Margins, same pairing',
      'Margins, crossed pairing',
    ]);
    const rows = await panel.page
      .locator('.twin table')
      .first()
      .locator('tbody tr')
      .allInnerTexts();
    expect(rows[2].split(/\s+/)).toEqual(['stack_cube', '0.69', '9.82', '9.94', '9.70']);
    const wrist = panel.page.locator('.twin table').nth(3).locator('tbody tr').first();
    expect(await wrist.innerText()).toMatch(/row 0 column 0\s+–\s+–\s+–/);
    expect(await panel.page.evaluate(layoutFaults)).toEqual([]);
    expect(
      await panel.page.evaluate(() => (window as never as { savedState: object }).savedState),
    ).toMatchObject({ twin: true });
    // A snapshot leaves the focus where it is.
    await panel.page.locator('.twin [tabindex="0"]').first().focus();
    await show(panel, 2, {});
    expect(await panel.page.evaluate(() => document.activeElement?.closest('.twin') !== null)).toBe(
      true,
    );
    await panel.page.close();
  });

  it('exports tables at full precision and figures with the pictures in them', async () => {
    const panel = await open();
    const save = async (format: string) => {
      await exportAs(panel.page, format);
      await panel.page.waitForTimeout(300);
      return (await panel.sent()).at(-1) as { type: string; content: string };
    };
    await panel.page.waitForFunction(
      () => (document.querySelector<HTMLCanvasElement>('.pictures canvas')?.width ?? 0) > 300,
    );
    const csv = (await save('csv')).content;
    const { answer } = routingSnapshot();
    expect(csv).toContain(`stack_cube,${String(answer?.softmax['stack_cube'])},`);
    expect(csv.split('\n').filter((line) => line.startsWith('row 15 column 15'))).toHaveLength(2);
    const svg = (await save('svg')).content;
    expect(svg.match(/<image[^>]*href="data:image\/png;base64,[^"]{1000}/g)).toHaveLength(2);
    expect(svg).toContain('same pairing · CUDA:0 ·');
    const png = await save('png');
    expect(png).toMatchObject({ type: 'export', format: 'png' });
    // The picture in the figure: the red cube of the drawn camera image is found in its pixels.
    const red = await panel.page.evaluate(async (content) => {
      const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes]));
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      const context = canvas.getContext('2d');
      context?.drawImage(bitmap, 0, 0);
      const data = context?.getImageData(60, 250, 500, 500).data ?? [];
      const colours = new Set<number>();
      for (let i = 0; i < data.length; i += 4) colours.add((data[i] << 8) | data[i + 1]);
      return colours.size;
    }, png.content);
    expect(red).toBeGreaterThan(50);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('says what it is doing, stops it, and asks for trust', async () => {
    const panel = await open({ busy: 'Routing' });
    await panel.page.locator('.chip.busy').getByText('Stop').click();
    expect((await panel.sent()).at(-1)).toEqual({ type: 'stop' });
    await show(panel, 2, { trusted: false, source: 'images', given });
    await panel.page.locator('vscode-button', { hasText: 'Route' }).click({ force: true });
    expect((await panel.sent()).at(-1)).not.toEqual({ type: 'route' });
    expect(await panel.page.locator('.inputs .note').innerText()).toContain('trusted workspace');
    await show(panel, 3, { source: 'frame', frames: [] });
    await panel.page.getByText('Choose a file…').click();
    expect((await panel.sent()).at(-1)).toEqual({ type: 'pickDataset' });
    await show(panel, 4, { source: 'episode', frames: [] });
    await panel.page.getByText('Evaluate').click();
    expect((await panel.sent()).at(-1)).toEqual({ type: 'action', id: 'evaluate' });
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('keeps focus, open lists and the slider in hand while snapshots come in', async () => {
    const panel = await open();
    const range = panel.page.getByLabel('Opacity');
    await range.focus();
    await panel.page.keyboard.press('ArrowRight');
    await panel.page.keyboard.press('ArrowRight');
    expect(Number(await range.inputValue())).toBeCloseTo(0.6, 5);
    const places = ['.pictures canvas', '.margin-picture canvas', '.wrong tbody th'];
    for (const [i, place] of places.entries()) {
      await panel.page.locator(place).first().focus();
      await show(panel, i + 2, {});
      const held = await panel.page.evaluate(
        (selector) => document.activeElement?.matches(selector),
        place,
      );
      expect([place, held]).toEqual([place, true]);
    }
    const toolbar = await panel.page.locator('.toolbar vscode-button').elementHandle();
    await show(panel, 9, {});
    expect(await toolbar?.evaluate((element) => element.isConnected)).toBe(true);
    await panel.page.close();
  });

  it('labels scores that were divided by stored means', async () => {
    const panel = await open({ answer: { ...routeAnswer(), offset: 'stored' } });
    expect(await panel.page.locator('.pairing').first().innerText()).toContain(
      'outside the paper’s formula',
    );
    await panel.page.close();
  });
});

describe('messages of the routing panel', () => {
  it('with more or larger pictures than an observation has are refused', () => {
    const one = { name: 'a.png', content: 'AAAA' };
    const message = (pictures: unknown) => isFromRoutingPanel({ type: 'addPictures', pictures });
    expect(message([one])).toBe(true);
    expect(message(Array(9).fill(one))).toBe(false);
    expect(message([{ ...one, content: 'A'.repeat(12 * 1024 * 1024) }])).toBe(false);
    expect(message([{ ...one, name: 7 }])).toBe(false);
  });

  it.each([
    ['', []],
    ['[0.1, -2]', [0.1, -2]],
    ['0.1 \u22122,3e-2', [0.1, -2, 0.03]],
    ['0.1,,2', undefined],
    ['one', undefined],
    ['[1, [2]]', undefined],
  ])('read the robot state %j', (text, numbers) => {
    expect(parseState(text)).toEqual(numbers);
  });
});

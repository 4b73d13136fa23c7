import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenPanel } from './browser';
import { launch, layoutFaults, noBrowser, openPanel } from './browser';
import { maskSnapshot, sectionsOf, viewOf } from './mask-data';

const lambdas = { spatial: 0.2, object: 0.4, goal: 0.6, long: 0.4 };
const saved = { lambda: 0.4, alpha: 1, density: 1, lambdas };

let browser: Browser;
beforeAll(async () => {
  if (!noBrowser) browser = await launch();
});
afterAll(async () => {
  await browser?.close();
});

async function open(
  given: Parameters<typeof maskSnapshot>[0],
  options: Parameters<typeof openPanel>[2] = {},
): Promise<OpenPanel> {
  const panel = await openPanel(browser, 'mask-ratios', options);
  await panel.send({ type: 'snapshot', revision: 1, snapshot: maskSnapshot(given) });
  return panel;
}

const common = ({ page }: OpenPanel) => page.locator('.slider-lambda > .slider-room input');
const own = ({ page }: OpenPanel, task: string) =>
  page.locator(`.task-handles input[type=range][aria-label="λ of ${task}"]`);
const rows = ({ page }: OpenPanel) => page.locator('.task-handle');
const asked = async (panel: OpenPanel) =>
  (await panel.sent()).findLast(({ type }) => type === 'setParameters');

async function press(panel: OpenPanel, key: string, times = 1): Promise<void> {
  for (let i = 0; i < times; i += 1) await panel.page.keyboard.press(key);
  await panel.settle();
}

describe.skipIf(noBrowser !== undefined)('λ of each task', () => {
  it('moves with the others by one factor, or alone, and is written as a map', async () => {
    const panel = await open({ saved });
    expect(await common(panel).inputValue()).toBe('0.4');
    expect(await rows(panel).count()).toBe(0);
    await panel.page.locator('.expander').click();
    await panel.settle();
    expect(await rows(panel).allInnerTexts()).toEqual(
      Object.keys(lambdas).map((task) => expect.stringContaining(task) as string),
    );
    await common(panel).focus();
    await press(panel, 'PageUp', 2);
    expect(await asked(panel)).toMatchObject({
      lambda: 0.6,
      lambdas: { spatial: 0.3, object: 0.6, goal: 0.9, long: 0.6 },
    });
    expect(await own(panel, 'goal').inputValue()).toBe('0.9');
    // The ratios outlast a visit to 0.
    await press(panel, 'PageDown', 8);
    expect(await asked(panel)).toMatchObject({ lambda: 0, lambdas: { goal: 0 } });
    await press(panel, 'PageUp', 4);
    expect(await asked(panel)).toMatchObject({ lambda: 0.4, lambdas });
    await own(panel, 'object').focus();
    await press(panel, 'ArrowLeft', 2);
    expect(await asked(panel)).toMatchObject({ lambdas: { ...lambdas, object: 0.38 } });
    expect(await common(panel).inputValue()).toBe('0.4');
    await own(panel, 'long').focus();
    await panel.page.keyboard.type('0.05');
    await press(panel, 'Enter');
    const wanted = { ...lambdas, object: 0.38, long: 0.05 };
    expect(await asked(panel)).toMatchObject({ lambdas: wanted });
    await press(panel, 'Enter');
    expect((await panel.sent()).at(-1)).toEqual({
      type: 'writeRecipe',
      values: [{ parameter: 'lambda', value: wanted }],
    });
    await press(panel, 'Escape');
    expect(await asked(panel)).toMatchObject(saved);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('has its handle under the common axis, its yardstick at the saved value, and its own colour', async () => {
    const panel = await open({ saved }, { state: { expanded: true } });
    const boxes = async (selector: string) => {
      const found = await panel.page.locator(selector).all();
      return Promise.all(found.map(async (one) => (await one.boundingBox())!));
    };
    const [axis] = await boxes('.slider-lambda > .slider-room .slider-track');
    const tracks = await boxes('.task-handle .slider-track');
    expect(tracks.map(({ x, width }) => [x, width])).toEqual(
      tracks.map(() => [axis.x, axis.width]),
    );
    const marks = await boxes('.task-handle .saved-mark');
    const at = marks.map(({ x }) => (x - axis.x - 7) / (axis.width - 14));
    Object.values(lambdas).forEach((value, i) => {
      expect(at[i]).toBeCloseTo(value, 1);
    });
    const fills = await panel.page
      .locator('.task-handle svg.marker path')
      .evaluateAll((all) => all.map((one) => one.getAttribute('fill')));
    expect(new Set(fills).size).toBe(4);
    await panel.page.mouse.click(tracks[0].x + tracks[0].width / 2, tracks[0].y + 12);
    await panel.settle();
    expect(await asked(panel)).toMatchObject({ lambdas: { ...lambdas, spatial: 0.5 } });
    await panel.page.close();
  });

  it('can be given to one task where the recipe has one for all, and back', async () => {
    const panel = await open({});
    await panel.page.locator('.expander').click();
    await panel.settle();
    await own(panel, 'goal').focus();
    await press(panel, 'PageUp');
    const each = { spatial: 0.6, object: 0.6, goal: 0.7, long: 0.6 };
    expect(await asked(panel)).toMatchObject({ lambda: 0.625, lambdas: each });
    expect(await panel.page.locator('.write-buttons').innerText()).toContain(
      'Write λ\u00a00.60, 0.60, 0.70, 0.60 to recipe',
    );
    await press(panel, 'Enter');
    expect((await panel.sent()).at(-1)).toMatchObject({ values: [{ value: each }] });
    await press(panel, 'PageDown');
    expect(await panel.page.locator('.write-buttons').isVisible()).toBe(false);
    await panel.page.close();
  });

  it.each([1, 2, 8, 64])('fits %d tasks at 320 px', async (count) => {
    const tasks = Array.from({ length: count }, (_, i) => `${'x'.repeat(60)}_${String(i)}`);
    const panel = await open({ tasks }, { width: 320, state: { expanded: true } });
    expect(await rows(panel).count()).toBe(count === 1 ? 0 : count);
    expect(await panel.page.evaluate(layoutFaults)).toEqual([]);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('moves nothing but values and marks', async () => {
    for (const width of [1280, 760, 520, 320]) {
      const panel = await open({ saved }, { width, state: { expanded: true } });
      const places = () =>
        panel.page.evaluate(() =>
          [...document.querySelectorAll('body *:not(.write-buttons *, .saved-mark, option)')].map(
            (one) => {
              const { x, y, width, height } = one.getBoundingClientRect();
              return `${one.tagName} ${one.getAttribute('class') ?? ''} ${[x, y, width, height].map((v) => v.toFixed(1)).join(' ')}`;
            },
          ),
        );
      const before = await places();
      await common(panel).focus();
      await press(panel, 'PageUp');
      const parameters = { ...saved, lambda: 0.5 };
      const view = viewOf(4, sectionsOf(), parameters, { n: 1 });
      await panel.send({ type: 'view', revision: 2, view });
      await panel.settle();
      const moved = /^(path|rect|text|circle)|tip|SPAN /;
      const still = (all: readonly string[]) => all.filter((one) => !moved.test(one));
      expect(still(await places())).toEqual(still(before));
      await panel.page.close();
    }
  });
});

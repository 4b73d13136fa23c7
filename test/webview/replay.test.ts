import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodePositions, hingesOf, type EpisodeRecording } from '../../server/protocol/episode';
import type { OpenPanel } from './browser';
import { exportAs, launch, layoutFaults, noBrowser, openPanel } from './browser';
import {
  episodeList,
  olderRecording,
  replayOf,
  successSnapshot,
  wholeRecording,
} from './success-data';

let browser: Browser;
beforeAll(async () => {
  if (!noBrowser) browser = await launch();
});
afterAll(async () => {
  await browser?.close();
});

/** The panel with an episode that stands still. */
async function replaying(
  recording: EpisodeRecording = wholeRecording(),
  options: Parameters<typeof openPanel>[2] = {},
): Promise<OpenPanel> {
  const panel = await openPanel(browser, 'success-rates', options);
  await panel.page.evaluate(() => {
    document.body.classList.add('vscode-reduce-motion');
  });
  const snapshot = { ...successSnapshot(), episodes: episodeList() };
  await panel.send({ type: 'snapshot', revision: 1, snapshot });
  await panel.send({ type: 'replay', revision: 2, replay: replayOf(undefined, recording) });
  await panel.page.locator('.replay-canvas').focus();
  return panel;
}

const press = async (panel: OpenPanel, ...keys: readonly string[]) => {
  for (const key of keys) await panel.page.keyboard.press(key);
  await panel.settle();
};
const facts = (panel: OpenPanel) => panel.page.locator('.replay > .heading .secondary').innerText();
const spoken = (panel: OpenPanel) => panel.page.locator('[aria-live]').innerText();

const degrees = (recording: EpisodeRecording, step: number, joint: number): string => {
  const { address = 0 } = hingesOf(recording.scene)[joint] ?? {};
  const radians = decodePositions(recording)?.[step]?.[address] ?? Number.NaN;
  return `${((radians * 180) / Math.PI).toFixed(1).replace('-', '−')}°`;
};

describe.skipIf(noBrowser !== undefined)('the replay', () => {
  it('starts paused under reduced motion and is moved by keys', async () => {
    const panel = await replaying();
    expect(await facts(panel)).toContain('step 0 of 66');
    for (const [key, step] of [
      ['ArrowRight', 1],
      ['Shift+ArrowRight', 11],
      ['Shift+ArrowLeft', 1],
      ['e', 25],
      ['e', 45],
      ['End', 66],
      ['ArrowLeft', 65],
      ['Home', 0],
      ['ArrowLeft', 0],
    ] as const) {
      await press(panel, key);
      expect(await facts(panel), key).toContain(`step ${String(step)} of 66`);
    }
    for (const [key, view] of [
      ['2', 'top'],
      ['3', 'wrist'],
      ['1', 'orbit'],
    ] as const) {
      await press(panel, key);
      const chosen = panel.page.locator('.replay .segment[aria-checked="true"]');
      expect(await chosen.innerText()).toBe(view);
    }
    await press(panel, ' ');
    await expect.poll(() => facts(panel), { timeout: 30_000 }).not.toContain('step 0 of');
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('leaves a button its own key', async () => {
    const panel = await replaying();
    await panel.page.locator('.replay-buttons button').last().focus();
    await press(panel, ' ');
    expect(await facts(panel)).toContain('step 1 of 66');
    await panel.page.close();
  });

  it('says events and how the scene stands, also several at once', async () => {
    const panel = await replaying();
    await press(panel, 'e');
    expect(await spoken(panel)).toMatch(/^Step 25: grasp\. red: \d+ centimetres from its start/);
    await press(panel, 'End');
    expect(await spoken(panel)).toMatch(/^Step 45: lift\. Step 60: topple\. red/);
    await panel.page.close();
  });

  it('marks on its steps when the policy was asked, apart from the events', async () => {
    const panel = await replaying();
    expect(await panel.page.locator('.replay-call').count()).toBe(9);
    expect(await panel.page.locator('.replay-event').count()).toBe(3);
    await press(panel, 'Shift+ArrowRight', 'ArrowLeft', 'ArrowLeft');
    const slider = panel.page.locator('.replay-track input');
    expect(await slider.getAttribute('aria-valuetext')).toBe('step 8 of 66, policy asked');
    await panel.page.close();
  });

  it('keeps the words of events apart that follow closely', async () => {
    const panel = await replaying();
    const replay = replayOf(undefined, wholeRecording());
    const events = [
      { step: 27, name: 'touched', bad: false },
      { step: 28, name: 'lifted', bad: false },
    ];
    await panel.send({ type: 'replay', revision: 3, replay: { ...replay, events } });
    const names = panel.page.locator('.replay-event-name');
    await panel.page.locator('.replay-event-name', { hasText: 'touched' }).waitFor();
    const [first, second] = await Promise.all([0, 1].map((at) => names.nth(at).boundingBox()));
    expect((first?.x ?? 0) + (first?.width ?? 0)).toBeLessThanOrEqual(second?.x ?? 0);
    await panel.page.close();
  });

  it('without joint targets and policy calls still replays, and says what is missing', async () => {
    const panel = await replaying(olderRecording());
    expect(await facts(panel)).toContain('policy calls not recorded');
    expect(await panel.page.locator('.replay-call').count()).toBe(0);
    await press(panel, 'j');
    expect(await panel.page.locator('.joints .heading').innerText()).toContain('holds no targets');
    expect(await panel.page.locator('.joint-charts figure').count()).toBe(6);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });
});

describe.skipIf(noBrowser !== undefined)("the joints' charts", () => {
  it('open on demand, follow the step, and are remembered', async () => {
    const panel = await replaying();
    expect(await panel.page.locator('.joints').isHidden()).toBe(true);
    await press(panel, 'j', 'e');
    const recording = wholeRecording();
    const figure = panel.page.locator('.joint-charts figure');
    expect(await figure.count()).toBe(6);
    for (const [joint, { name }] of hingesOf(recording.scene).entries()) {
      const [shown, reached, target] = await figure.nth(joint).locator('figcaption > *').all();
      expect(await shown?.innerText()).toBe(name);
      expect(await reached?.innerText()).toBe(degrees(recording, 25, joint));
      // The made-up targets are two steps ahead.
      expect(await target?.innerText()).toBe(degrees(recording, 27, joint));
    }
    const state = await panel.page.evaluate(
      () => (window as never as { savedState: unknown }).savedState,
    );
    expect(state).toMatchObject({ joints: true });
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('are read by keyboard, joint by joint and step by step, and moved by the pointer', async () => {
    const panel = await replaying();
    await press(panel, 'j');
    await panel.page.locator('.joint-charts').focus();
    expect(await spoken(panel)).toMatch(/^shoulder_pan, step 0: reached .+ degrees, target .+ deg/);
    await press(panel, 'ArrowDown', 'ArrowRight');
    expect(await spoken(panel)).toMatch(/^shoulder_lift, step 1: /);
    const canvas = panel.page.locator('.joint-charts canvas').first();
    const box = await canvas.boundingBox();
    if (box) await panel.page.mouse.click(box.x + box.width - 1, box.y + box.height / 2);
    await panel.settle();
    expect(await facts(panel)).toContain('step 66 of 66');
    expect(await canvas.getAttribute('aria-label')).toMatch(
      /^shoulder_pan: [\d.]+ degrees from its target on average, [\d.]+ at most$/,
    );
    await panel.page.close();
  });

  it('have a table twin with every step, and are exported with it', async () => {
    const panel = await replaying();
    await press(panel, 'j', 't');
    expect(await panel.page.locator('.joint-charts').count()).toBe(0);
    const table = panel.page.locator('.joints table');
    expect(await panel.page.locator('.joints h2:visible').allInnerTexts()).toEqual([
      'Joints in degrees',
    ]);
    expect(await panel.page.locator('.joints .legend').count()).toBe(0);
    expect(await table.getAttribute('aria-rowcount')).toBe('68');
    expect(await table.locator('thead th').count()).toBe(2 + 12);
    await exportAs(panel.page, 'csv', '.joints .export-button');
    await panel.settle();
    const { type, name, content } = (await panel.sent()).at(-1) ?? { type: '' };
    expect([type, name]).toEqual(['export', `joints-stack_cube-${String(wholeRecording().seed)}`]);
    const lines = String(content).split('\n');
    expect(lines).toHaveLength(2 + 67);
    expect(lines[1]).toMatch(/^step,policy asked,shoulder_pan,shoulder_pan target,/);
    expect(lines[2]).toMatch(/^0,yes,-?[\d.]+,/);
    await press(panel, 't');
    await exportAs(panel.page, 'svg', '.joints .export-button');
    await panel.settle();
    const picture = String((await panel.sent()).at(-1)?.['content']);
    for (const text of ['elbow_flex', 'reached', 'target', '66 steps'])
      expect(picture).toContain(text);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it.each([1280, 760, 520])('fit %d px in four themes', async (width) => {
    const panel = await replaying(wholeRecording(), { width, state: { joints: true } });
    for (const theme of ['dark', 'light', 'hc', 'hcLight'] as const) {
      await panel.theme(theme);
      expect(await panel.page.evaluate(layoutFaults)).toEqual([]);
    }
    expect(await panel.page.locator('.joint-charts figure').count()).toBe(6);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });
});

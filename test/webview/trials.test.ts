import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrialForm } from '../../server/protocol/panels/success-rates';
import type { OpenPanel } from './browser';
import { launch, layoutFaults, noBrowser, openPanel } from './browser';
import { successSnapshot } from './success-data';

const form: TrialForm = {
  name: 'cubes',
  task: 'stack the red cube on the blue cube',
  criterion: 'The stack stands stably.',
  trial: 3,
  planned: 60,
  start: 2,
  reasons: ['slipped', 'missed'],
  voided: 1,
  canUndo: true,
  done: false,
  entry: 3,
};

let browser: Browser;
beforeAll(async () => {
  if (!noBrowser) browser = await launch();
});
afterAll(async () => {
  await browser?.close();
});

async function open(trials: TrialForm, width = 1280): Promise<OpenPanel> {
  const panel = await openPanel(browser, 'success-rates', { width });
  const snapshot = { ...successSnapshot(), trials };
  await panel.send({ type: 'snapshot', revision: 1, snapshot });
  return panel;
}

describe.skipIf(noBrowser !== undefined)('the form of manual trials', () => {
  it('hides the results and the policy, and says what is judged', async () => {
    const panel = await open(form);
    expect(await panel.page.locator('.rates, .toolbar vscode-single-select').count()).toBe(0);
    const text = await panel.page.locator('.trials').innerText();
    for (const part of [
      'Trial 3 of 60',
      form.task,
      form.criterion,
      'Start position 2',
      'policy is hidden',
      '2 of 60, 1 void',
    ])
      expect(text).toContain(part);
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('takes answers by key, with reason and note, each for the entry that was asked', async () => {
    const panel = await open(form);
    const body = async () => {
      await panel.page.evaluate(() => {
        (document.activeElement as HTMLElement).blur();
      });
    };
    await panel.page.locator('.segment', { hasText: 'slipped' }).click();
    await panel.page.locator('.trial-note').fill('s is no shortcut here');
    await panel.page.keyboard.press('s');
    await body();
    expect((await panel.sent()).filter(({ type }) => type === 'trial')).toHaveLength(0);
    await panel.page.keyboard.press('f');
    const answer = { type: 'trial', entry: 3, outcome: 'failure', reason: 'slipped' };
    expect((await panel.sent()).at(-1)).toMatchObject({
      ...answer,
      note: 's is no shortcut heres',
    });
    await panel.send({ type: 'trials', revision: 2, trials: { ...form, trial: 4, entry: 4 } });
    expect(await panel.page.locator('.trial-note').inputValue()).toBe('');
    expect(await panel.page.locator('.segment[aria-checked=true]').count()).toBe(0);
    await panel.page.keyboard.press('v');
    expect((await panel.sent()).at(-1)).toMatchObject({ type: 'trial', entry: 4, outcome: 'void' });
    await panel.page.keyboard.press('z');
    expect((await panel.sent()).at(-1)).toEqual({ type: 'undoTrial', entry: 4 });
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });

  it('ends with a choice: the results, or the last answer taken back', async () => {
    const panel = await open({ ...form, task: '', criterion: '', trial: 60, done: true });
    expect(await panel.page.locator('.trials').innerText()).toContain('All 60 planned trials');
    await panel.page.keyboard.press('s');
    expect((await panel.sent()).filter(({ type }) => type === 'trial')).toHaveLength(0);
    await panel.page.locator('vscode-button', { hasText: 'Undo' }).click();
    expect((await panel.sent()).at(-1)).toEqual({ type: 'undoTrial', entry: 3 });
    await panel.page.locator('vscode-button', { hasText: 'Show results' }).click();
    expect((await panel.sent()).at(-1)).toEqual({ type: 'finishTrials' });
    await panel.send({ type: 'snapshot', revision: 2, snapshot: successSnapshot() });
    expect(await panel.page.locator('.rates').count()).toBe(1);
    await panel.page.close();
  });

  it.each([1280, 520])('fits %i px in four themes', async (width) => {
    const panel = await open(form, width);
    for (const theme of ['dark', 'light', 'hc', 'hcLight'] as const) {
      await panel.theme(theme);
      expect(await panel.page.evaluate(layoutFaults)).toEqual([]);
    }
    expect(panel.faults).toEqual([]);
    await panel.page.close();
  });
});

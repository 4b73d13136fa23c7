import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame, Locator } from 'playwright-core';
import { parseEpisodeLines } from '../../server/protocol/episode-line';
import type { Steps } from './hand';

/** What the table shows of our own rows: rollouts so far, and the most that a later drawing may show. */
const rollouts = (panel: Frame): Promise<number> =>
  panel.evaluate(() =>
    [...document.querySelectorAll('.rate-row:not(.paper) .rate-counts')]
      .map((cell) => cell.parentElement?.querySelector('.rate-value') && cell.textContent)
      .reduce((sum, text) => sum + Number(/\/(\d+)$/.exec(text ?? '')?.[1] ?? 0), 0),
  );

/** What the recipe asks for. */
function planned(folder: string): { readonly episodes: number; readonly policies: string[] } {
  const text = readFileSync(join(folder, 'quick.mergevla.yaml'), 'utf8');
  const policies = /policies: \[(.*)\]/.exec(text)?.[1]?.split(', ') ?? [];
  return { episodes: Number(/episodes: (\d+)/.exec(text)?.[1]), policies };
}

/** Evaluating the sample on the built-in bench, replaying, and judging trials by hand. */
export const bench: Steps = [
  [
    'Evaluate on the sample fills the table while it runs',
    async (hand) => {
      await hand.page.locator('.explorer-folders-view').waitFor({ timeout: 60_000 });
      await hand.openFile('quick.mergevla.yaml');
      await hand.page.locator('.codelens-decoration', { hasText: 'Evaluate' }).first().waitFor();
      // The panel first and always in sight: a quick machine is done before one asked for later is drawn.
      await hand.palette('MergeVLA: Show Success Rates');
      const empty = await hand.panel('main');
      await empty.getByText('Evaluate', { exact: true }).last().click();
      const panel = await hand.panel('.rates');
      const { episodes, policies } = planned(hand.folder);
      const all = 3 * policies.length * episodes;
      const seen = new Set<number>();
      const row = (text: string) => panel.locator('.rate-row:not(.paper)', { hasText: text });
      await hand.settled(
        'all rollouts',
        async () => {
          seen.add(await rollouts(panel));
          return (await panel.locator('.rate-row.done').count()) === policies.length;
        },
        120_000 + 10_000 * all,
      );
      for (const policy of policies)
        for (const text of await row(policy).locator('.rate-counts').allInnerTexts())
          if (!text.endsWith(`/${String(episodes)}`))
            throw new Error(`${policy} has a cell with ${text}`);
      if ((await rollouts(panel)) !== all) throw new Error('the table has not all rollouts');
      const between = [...seen].filter((count) => count > 0 && count < all);
      if (between.length < 2)
        throw new Error(`the table did not fill live: ${[...seen].join(', ')}`);
      await hand.page.mouse.move(900, 740);
      await hand.palette('Notifications: Clear All Notifications');
      await hand.picture('success-table');
    },
  ],
  [
    'a cell lists its episodes, and one is replayed in 3D',
    async (hand) => {
      const panel = await hand.panel('.rates');
      // A success shows more of the bench than an arm that never grasps.
      const counts = panel.locator('.rate-counts', { hasText: /^[1-9]/ });
      const cells = panel.locator('.rate-row.done .rate-cell');
      await (await firstOf(cells.filter({ has: counts }), cells)).click();
      await panel.locator('.episodes .result').first().waitFor();
      const good = panel.locator('.episodes tr:has(.result.good) .play');
      await (await firstOf(good, panel.locator('.episodes .play'))).click();
      await panel.locator('.replay .heading', { hasText: 'step' }).waitFor();
      await hand.settled('a picture', () => isDrawn(panel));
      await hand.palette('View: Toggle Primary Side Bar Visibility');
      await panel.locator('.replay-controls').scrollIntoViewIfNeeded();
      await hand.picture('success-replay');
      await hand.palette('View: Toggle Primary Side Bar Visibility');
      await panel.locator('.episodes button[aria-label=Close]').click();
    },
  ],
  [
    'Routing looks again at recorded episodes, and sees in them what the rollouts saw',
    async (hand) => {
      await hand.palette('MergeVLA: Show Routing');
      const panel = await hand.panel('.confusion table');
      await panel.locator('.segment', { hasText: 'Recorded episode' }).click();
      await panel.locator('vscode-button', { hasText: 'Route' }).click();
      await panel.locator('.pairing .winner').first().waitFor({ timeout: 120_000 });
      for (const seed of [0, 1]) {
        const [task = '', line] = recorded(hand.folder, seed);
        // Counted in the list of frames, which stands in the order of the episodes.
        await hand.settled(`the scores of ${task}`, async () => {
          const rows = await panel.locator('.pairing').first().locator('tbody tr').allInnerTexts();
          return Object.entries(line).every(([name, r]) =>
            rows.some((row) => row.startsWith(name) && row.includes(r.toFixed(2))),
          );
        });
        if (seed === 0) await hand.picture('routing-episode');
        await panel.locator('button[aria-label^="Next observation"]').click();
      }
    },
  ],
  [
    'Routing takes dropped pictures with words, and says what does not fit',
    async (hand) => {
      const panel = await hand.panel('.confusion table');
      await dropPictures(panel, ['wrist.png', 'top.png']);
      await panel.locator('.given li strong', { hasText: 'top' }).waitFor();
      const names = await panel.locator('.given li[data-id] .secondary[title]').allInnerTexts();
      if (names.join() !== 'top.png,wrist.png') throw new Error(`the order is ${names.join()}`);
      await panel.getByLabel('Robot state').fill('one');
      await panel.locator('.inputs .fault', { hasText: 'no list of numbers' }).waitFor();
      await panel.getByLabel('Robot state').fill('');
      await panel.getByLabel('Instruction', { exact: true }).fill('push the cube');
      await hand.page.keyboard.press('Enter');
      await panel.locator('.fact-row code', { hasText: /^push the cube$/ }).waitFor();
      if ((await panel.locator('.banner').count()) > 0) throw new Error('there is a banner');
      await hand.picture('routing-pictures');
      await panel.getByLabel('Remove: wrist.png').press('Enter');
      await panel.getByLabel('Instruction', { exact: true }).press('Enter');
      await panel.locator('.banner.error', { hasText: 'takes 2 pictures (top, wrist)' }).waitFor();
    },
  ],
  [
    'Routing takes a picture that is dragged from the explorer',
    async (hand) => {
      const panel = await hand.panel('.confusion table');
      await hand.palette('View: Show Explorer');
      const row = hand.page
        .locator('.explorer-folders-view .monaco-list-row', { hasText: 'front.png' })
        .first();
      await row.waitFor();
      await hand.dragOnPanel(row);
      await panel.locator('.given li[data-id] .secondary[title="front.png"]').waitFor();
      await panel.getByLabel('Remove: front.png').press('Enter');
    },
  ],
  [
    'Replay Episode from the palette opens the chosen one',
    async (hand) => {
      await hand.palette('MergeVLA: Replay Episode');
      await hand.page.locator('.quick-input-title', { hasText: 'Which episode?' }).waitFor();
      await hand.page.keyboard.type('routed · stack_cube');
      await hand.page
        .locator('.quick-input-list .monaco-list-row', { hasText: 'routed · stack_cube' })
        .first()
        .click();
      const panel = await hand.panel('.episodes h2:text("routed · stack_cube")');
      await panel.locator('.replay .heading', { hasText: 'step' }).waitFor();
    },
  ],
  [
    'Show Routing draws how the rollouts were routed',
    async (hand) => {
      await hand.palette('View: Toggle Primary Side Bar Visibility');
      await hand.palette('MergeVLA: Show Routing');
      const panel = await hand.panel('.routing-panel');
      await panel.locator('.segment', { hasText: 'Recorded episode' }).click();
      await panel.locator('vscode-button', { hasText: 'Route' }).click();
      // The answer for the dropped pictures, which had no state, stays until that for the episode is there.
      await panel.locator('.fact-row', { hasText: 'proprio' }).waitFor();
      await hand.settled('no banner', async () => (await panel.locator('.banner').count()) === 0);
      await hand.page.mouse.move(900, 740);
      await hand.picture('routing');
      await hand.palette('View: Toggle Primary Side Bar Visibility');
    },
  ],
  [
    'Record Trials asks in blind order, goes on after a reload, and ends in the table',
    async (hand) => {
      await hand.palette('MergeVLA: Record Trials');
      await hand.answer('Which policies?', 'merged, routed');
      await hand.answer('Which task?', 'push the cube');
      await hand.answer('What counts as success?', 'The cube lies in the zone.');
      await hand.answer('A further task?', '');
      await hand.answer('How many trials', '1');
      await hand.answer('In which order?', 'Blind, same starts');
      await hand.answer('Reasons of a failure', 'missed, slipped');
      await hand.answer('Who judges?', 'Ada');
      const before = await hand.panel('.trials');
      await before.locator('h2', { hasText: 'Trial 1 of 2' }).click();
      await hand.page.keyboard.press('s');
      await before.locator('h2', { hasText: 'Trial 2 of 2' }).waitFor();
      await hand.picture('success-trials');
      await hand.reload('success-rates');
      await hand.page.locator('.tab', { hasText: 'Success Rates' }).first().click();
      const panel = await hand.panel('.trials');
      if ((await panel.locator('.rates').count()) > 0) throw new Error('the results are shown');
      await panel.locator('h2', { hasText: 'Trial 2 of 2' }).click();
      await panel.locator('.segment', { hasText: 'missed' }).click();
      await panel.locator('.trial-outcome.failure').click();
      const series = readdirSync(join(hand.folder, 'runs')).find((name) => /^trials-/.test(name));
      const run = join(hand.folder, 'runs', series ?? '', 'run.json');
      if (existsSync(run)) throw new Error('the series is a run before its end');
      await panel.locator('vscode-button', { hasText: 'Show results' }).click();
      const group = panel.locator('.rates tr', { hasText: 'Manual trials · blind order' });
      await group.filter({ hasText: 'judged by Ada' }).waitFor();
      if (!existsSync(run)) throw new Error('the series is no run');
    },
  ],
];

/** The first that fits, or of the others where none does. */
async function firstOf(wanted: Locator, others: Locator): Promise<Locator> {
  return ((await wanted.count()) > 0 ? wanted : others).first();
}

/** Task and raw scores of one recorded episode of the routed policy, in the order of the file. */
function recorded(folder: string, place: number): [string, Readonly<Record<string, number>>] {
  const runs = join(folder, 'runs');
  const lines = readdirSync(runs)
    .map((name) => join(runs, name, 'episodes.jsonl'))
    .filter((path) => existsSync(path))
    .flatMap((path) => parseEpisodeLines(readFileSync(path, 'utf8')))
    .filter(({ routed, replay }) => routed !== undefined && replay !== undefined);
  const line = lines[place];
  return [line?.task ?? '', line?.scores ?? {}];
}

/** Drops drawn pictures on the panel as the editor hands files over. */
function dropPictures(panel: Frame, names: readonly string[]): Promise<void> {
  return panel.evaluate(async (list) => {
    const canvas = new OffscreenCanvas(64, 64);
    const context = canvas.getContext('2d');
    const transfer = new DataTransfer();
    for (const [i, name] of list.entries()) {
      if (!context) return;
      context.fillStyle = ['tan', 'darkkhaki'][i] ?? 'gray';
      context.fillRect(0, 0, 64, 64);
      context.fillStyle = 'firebrick';
      context.fillRect(20 + 8 * i, 24, 12, 12);
      const blob = await canvas.convertToBlob({ type: 'image/png' });
      transfer.items.add(new File([blob], name, { type: 'image/png' }));
    }
    const init = { dataTransfer: transfer, bubbles: true, cancelable: true };
    for (const kind of ['dragover', 'drop'])
      document.querySelector('main')?.dispatchEvent(new DragEvent(kind, init));
  }, names);
}

/** Whether the replay shows more than a background. */
function isDrawn(panel: Frame): Promise<boolean> {
  return panel.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('.replay-canvas');
    const copy = document.createElement('canvas');
    copy.width = copy.height = 64;
    const context = copy.getContext('2d');
    if (!canvas || !context) return false;
    context.drawImage(canvas, 0, 0, 64, 64);
    const { data } = context.getImageData(0, 0, 64, 64);
    const colours = new Set<number>();
    for (let i = 0; i < data.length; i += 4)
      colours.add(((data[i] ?? 0) << 16) | ((data[i + 1] ?? 0) << 8) | (data[i + 2] ?? 0));
    return colours.size > 20;
  });
}

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Steps } from './hand';

/** Writing a recipe, merging it, and looking at its masks. */
export const user: Steps = [
  [
    'a recipe with mistakes is underlined',
    async (hand) => {
      await hand.page.locator('.explorer-folders-view').waitFor({ timeout: 60_000 });
      await hand.openFile('drawer.mergevla.yaml');
      await hand.page.locator('.squiggly-error').first().waitFor({ timeout: 30_000 });
      await hand.palette('Problems: Focus on Problems View');
      await hand.page
        .locator('.markers-panel .monaco-list-row', { hasText: 'open_drawer' })
        .first()
        .waitFor();
      await hand.bothThemes('problems');
      await hand.palette('View: Hide Panel');
    },
  ],
  [
    'the light bulb mends a typo',
    async (hand) => {
      await hand.clickText('metod');
      const action = hand.page.locator('.action-widget .monaco-list-row', { hasText: 'method' });
      // Findings that come in just then close the list: it is asked for again.
      await hand.repeated('Control+.', action.first());
      await hand.picture('quick-fix-dark');
      await hand.page.keyboard.press('Enter');
      await hand.line('method: ties').waitFor();
    },
  ],
  [
    'completion offers what fits',
    async (hand) => {
      await hand.clickText('method: ties');
      await hand.page.keyboard.press('End');
      await hand.page.keyboard.press('Enter');
      await hand.page.keyboard.press('Control+Space');
      await hand.page
        .locator('.suggest-widget .monaco-list-row', { hasText: 'density' })
        .first()
        .waitFor();
      await hand.picture('completion-dark');
      await hand.page.keyboard.press('Escape');
      await hand.palette('File: Revert File');
    },
  ],
  [
    'Merge from the palette makes a run that the tree shows',
    async (hand) => {
      await hand.openFile('cubes.mergevla.yaml');
      await hand.page.locator('.codelens-decoration', { hasText: 'Merge' }).first().waitFor();
      await hand.page.locator('.activitybar').getByRole('tab', { name: 'MergeVLA' }).click();
      await hand.openFile('cubes.mergevla.yaml');
      await hand.palette('MergeVLA: Merge');
      await hand.page
        .locator('.pane-body .monaco-list-row', { hasText: '% active' })
        .first()
        .waitFor({ timeout: 60_000 });
      const [run = ''] = readdirSync(join(hand.folder, 'runs')).filter(
        (name) => !name.startsWith('.'),
      );
      if (!existsSync(join(hand.folder, 'runs', run, 'merged/masks.safetensors')))
        throw new Error(`no masks in ${run}`);
    },
  ],
  [
    'the numbers of the run come to the recipe',
    async (hand) => {
      await hand.page.locator('.view-line', { hasText: 'kept' }).first().waitFor();
      await hand.palette('Notifications: Clear All Notifications');
      await hand.clickText('version: 1');
      // The lenses of the first line are above the view until it is scrolled.
      await hand.page.mouse.wheel(0, -1000);
      await hand.bothThemes('editor');
    },
  ],
  [
    'hovering a task tells what it shares with the others',
    async (hand) => {
      await hand.line('stack_cube').getByText('stack_cube').first().hover();
      await hand.page.locator('.monaco-hover', { hasText: 'sign conflict' }).first().waitFor();
      await hand.page.waitForFunction(() =>
        [...document.querySelectorAll('.monaco-hover')].some(
          (element) =>
            element.textContent.includes('sign conflict') &&
            getComputedStyle(element).opacity === '1' &&
            element.getAnimations({ subtree: true }).length === 0,
        ),
      );
      await hand.picture('hover-dark');
      await hand.page.keyboard.press('Escape');
    },
  ],
  [
    'a slider of the mask panel writes one edit, and the panel follows the text',
    async (hand) => {
      await hand.openFile('cubes.mergevla.yaml');
      await hand.palette('MergeVLA: Show Mask Ratios');
      const panel = await hand.panel('.slider-lambda');
      const slider = panel.locator('.slider-lambda input[type=range]');
      const saved = await slider.inputValue();
      await slider.focus();
      for (let i = 0; i < 5; i += 1) await hand.page.keyboard.press('ArrowRight');
      const moved = await slider.inputValue();
      if (moved === saved) throw new Error('the slider did not move');
      await hand.page.keyboard.press('Enter');
      await hand.line(`lambda: ${moved}`).waitFor();
      await hand.picture('mask-slider');
      // One step back is the whole way back, in the text and in the panel.
      await hand.clickText('version: 1');
      await hand.page.keyboard.press('Control+z');
      await hand.line(`lambda: ${saved}`).waitFor();
      await hand.page.keyboard.press('Control+s');
      await hand.settled('the slider', async () => (await slider.inputValue()) === saved);
    },
  ],
  [
    'the mask panel measures the singular spectra when asked',
    async (hand) => {
      const panel = await hand.panel('.spectra');
      const spectra = panel.locator('.spectra');
      if (await spectra.locator('canvas').first().isVisible())
        throw new Error('spectra are drawn before anybody asked');
      await spectra.getByText('Measure all matrices').click();
      await spectra.getByText('exact, in float64').waitFor({ timeout: 60_000 });
      await spectra.locator('canvas').first().waitFor();
      await spectra.locator('.overlap td[data-row]').first().waitFor();
      await spectra.scrollIntoViewIfNeeded();
      await hand.picture('mask-spectra');
    },
  ],
  [
    'the panel is there again after a reload, with the chosen pair and a slider that was not written',
    async (hand) => {
      const range = '.slider-lambda .slider-room input[type=range]';
      const before = await hand.panel(range);
      await before.locator('.pairs td[data-row="0"][data-column="2"]').click();
      await before.locator('.pairs td.chosen').first().waitFor();
      await before.locator(range).focus();
      for (let i = 0; i < 5; i += 1) await hand.page.keyboard.press('ArrowRight');
      const moved = await before.locator(range).inputValue();
      await hand.reload('mask-ratios', `"lambda":${moved}`, '"pair":[0,2]');
      await hand.page.locator('.tab', { hasText: 'Mask Ratios' }).first().click();
      const panel = await hand.panel(range);
      await panel.locator('.layers .heading').waitFor();
      await panel.locator('.pairs td.chosen[data-row="0"][data-column="2"]').waitFor();
      await panel.locator('.write-row', { hasText: `Write λ ${moved}` }).waitFor();
      if ((await panel.locator(range).inputValue()) !== moved)
        throw new Error('the slider is not where it was');
      const text = readFileSync(join(hand.folder, 'cubes.mergevla.yaml'), 'utf8');
      if (text.includes(`lambda: ${moved}`)) throw new Error('the slider was written');
      // The panel is in front, and the recipe beside it has its checkpoints in the tree.
      await hand.page.locator('.pane-body .monaco-list-row', { hasText: 'stack_cube' }).waitFor();
      await hand.picture('mask-restored');
    },
  ],
  [
    'Delete Run takes a run off the list, and the success panel brings it back',
    async (hand) => {
      const runs = join(hand.folder, 'runs');
      const before = readdirSync(runs);
      const row = hand.page.locator('.pane-body .monaco-list-row', { hasText: '% active' });
      await row.first().waitFor();
      await hand.palette('MergeVLA: Show Success Rates');
      await hand.palette('MergeVLA: Delete Run');
      await hand.answer('Which run?', 'cubes');
      const panel = await hand.panel('.banner:has-text("was deleted")');
      await hand.settled('a list without the run', async () => (await row.count()) === 0);
      await hand.palette('Notifications: Clear All Notifications');
      await hand.picture('success-deleted');
      await panel.locator('.banner button', { hasText: 'Undo' }).click();
      await row.first().waitFor();
      await hand.settled('no banner', async () => (await panel.locator('.banner').count()) === 0);
      const after = readdirSync(runs);
      if (after.join() !== before.join()) throw new Error(`${before.join()} is ${after.join()}`);
    },
  ],
];

import { mkdirSync, readdirSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame, Locator, Page } from 'playwright-core';

/** What the launcher gives: an open workbench on a copy of the showcase, with the package installed. */
export interface Workbench {
  readonly page: Page;
  readonly folder: string;
  /** Pictures are written here. */
  readonly pictures: string;
  /** Views are also pictured under the light theme. */
  readonly bothThemes: boolean;
}

export interface StepResult {
  readonly title: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly error?: string;
}

/** A user's path through the installed extension. Later steps stand on earlier ones: after a failure the rest is skipped. */
export async function runSteps(workbench: Workbench): Promise<StepResult[]> {
  const hand = new Hand(workbench);
  const results: StepResult[] = [];
  let broken = false;
  for (const [title, step] of steps) {
    if (broken) {
      results.push({ title, state: 'failed', error: 'not reached' });
      continue;
    }
    try {
      await step(hand);
      results.push({ title, state: 'passed' });
    } catch (error) {
      broken = true;
      await hand.picture('failed');
      results.push({ title, state: 'failed', error: String(error) });
    }
  }
  return results;
}

type Step = (hand: Hand) => Promise<void>;

/** How a person uses the workbench: palette, explorer, keyboard. */
class Hand {
  readonly page: Page;
  readonly folder: string;

  constructor(private readonly workbench: Workbench) {
    this.page = workbench.page;
    this.folder = workbench.folder;
  }

  async palette(title: string): Promise<void> {
    await this.pick('F1', `>${title}`, title);
  }

  async openFile(name: string): Promise<void> {
    await this.pick('Control+p', name, name);
    await this.page.locator('.tab.active', { hasText: name }).waitFor();
  }

  /** Opens a list and picks the row of exactly that name; anew when the list closed or stayed without it. */
  private async pick(key: string, typed: string, name: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget input.input');
    const exact = new RegExp(`^${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
    const row = this.page
      .locator('.quick-input-list .monaco-list-row .label-name', { hasText: exact })
      .first();
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.page.keyboard.press(key);
        await input.waitFor({ timeout: 10_000 });
        await input.fill(typed);
        await this.resting(row);
        await row.click({ timeout: 5000 });
        await input.waitFor({ state: 'hidden', timeout: 10_000 });
        return;
      } catch (error) {
        if (attempt === 3) throw error;
        await this.page.keyboard.press('Escape');
      }
    }
  }

  /** Waits until a row keeps its place and its text: rows are used again for others while a list is filtered. */
  private async resting(row: Locator): Promise<void> {
    await row.waitFor({ timeout: 10_000 });
    await row.evaluate(async (element) => {
      const look = () => {
        const { x, y } = element.getBoundingClientRect();
        return `${String(x)} ${String(y)} ${String(element.isConnected)} ${element.textContent}`;
      };
      const frame = () => new Promise((done) => requestAnimationFrame(done));
      let last = look();
      for (let same = 0, frames = 0; same < 20 && frames < 600; same += 1, frames += 1) {
        await frame();
        if (look() !== last) same = 0;
        last = look();
      }
    });
  }

  line(text: string) {
    return this.page.locator('.view-line', { hasText: text }).first();
  }

  async clickText(text: string): Promise<void> {
    await this.line(text).getByText(text, { exact: false }).last().click();
  }

  /** The page of the panel that has an element: a frame in a frame, which comes some time after its tab. */
  async panel(selector: string): Promise<Frame> {
    let found: Frame | undefined;
    await this.settled(`a panel with ${selector}`, async () => {
      for (const frame of this.page.frames())
        if (
          (await frame
            .locator(selector)
            .count()
            .catch(() => 0)) > 0
        )
          found = frame;
      return found !== undefined;
    });
    if (!found) throw new Error(`no panel with ${selector}`);
    return found;
  }

  /** Looks again at every frame of the page until something is so. */
  async settled(what: string, look: () => Promise<boolean>, limitMs = 60_000): Promise<void> {
    const end = Date.now() + limitMs;
    while (!(await look())) {
      if (Date.now() > end) throw new Error(`waited ${String(limitMs)} ms for ${what}`);
      await this.page.evaluate(
        () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
      );
    }
  }

  async picture(name: string): Promise<void> {
    mkdirSync(this.workbench.pictures, { recursive: true });
    await this.page.screenshot({ path: join(this.workbench.pictures, `${name}.png`) });
  }

  /** The view, and for the documentation the same view under the light theme. */
  async bothThemes(name: string): Promise<void> {
    await this.page.mouse.move(900, 740);
    await this.picture(`${name}-dark`);
    if (!this.workbench.bothThemes) return;
    await this.theme('vs');
    await this.picture(`${name}-light`);
    await this.theme('vs-dark');
  }

  private async theme(kind: 'vs' | 'vs-dark'): Promise<void> {
    const shown = this.page.locator(`.monaco-workbench.${kind}`).first();
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await this.palette('Preferences: Toggle between Light/Dark Themes');
      await shown.waitFor({ timeout: 10_000 }).catch(() => undefined);
      if (await shown.isVisible()) return;
    }
    throw new Error(`the theme did not change to ${kind}`);
  }
}

const steps: readonly (readonly [string, Step])[] = [
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
      await hand.page.keyboard.press('Control+.');
      const action = hand.page.locator('.action-widget .monaco-list-row', { hasText: 'method' });
      await action.first().waitFor();
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
    'the panel is there again after a reload',
    async (hand) => {
      await hand.page.reload();
      await hand.page.locator('.tab', { hasText: 'Mask Ratios' }).first().click();
      const panel = await hand.panel('.slider-lambda');
      await panel.locator('.layers .heading').waitFor();
      await hand.picture('mask-restored');
    },
  ],
];

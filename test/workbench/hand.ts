import { mkdirSync } from 'node:fs';
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

/** A user's path through the installed extension. Later steps stand on earlier ones: after a failure the rest is not reached. */
export async function runSteps(workbench: Workbench, steps: Steps): Promise<StepResult[]> {
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

export type Steps = readonly (readonly [string, (hand: Hand) => Promise<void>])[];

/** How a person uses the workbench: palette, explorer, keyboard. */
export class Hand {
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
        await this.settled('the list to close', () => isOver(input, typed), 10_000);
        return;
      } catch (error) {
        if (attempt === 3) throw error;
        await this.page.keyboard.press('Escape');
      }
    }
  }

  /** Answers a question that a command asks in the place of the palette. */
  async answer(title: string, text: string): Promise<void> {
    await this.page.locator('.quick-input-title', { hasText: title }).waitFor();
    const input = this.page.locator('.quick-input-widget input.input');
    await input.fill(text);
    await this.page.keyboard.press('Enter');
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

  /** Presses a key until something is there, at most three times. */
  async repeated(key: string, wanted: Locator): Promise<void> {
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await this.page.keyboard.press(key);
      await wanted.waitFor({ timeout: 10_000 }).catch(() => undefined);
      if (await wanted.isVisible()) return;
    }
    throw new Error(`${key} did not bring what was wanted`);
  }

  /** Drags a row onto the panel in sight; only with Shift the editor gives a drag to a page. */
  async dragOnPanel(row: Locator): Promise<void> {
    const from = await row.boundingBox();
    const to = await this.page.locator('iframe.webview.ready:visible').first().boundingBox();
    if (!from || !to) throw new Error('nothing to drag, or no panel in sight');
    const { mouse, keyboard } = this.page;
    await mouse.move(from.x + 40, from.y + 8);
    await mouse.down();
    await mouse.move(from.x + 60, from.y + 20, { steps: 4 });
    await keyboard.down('Shift');
    await mouse.move(to.x + 200, to.y + 150, { steps: 8 });
    await mouse.move(to.x + 220, to.y + 170, { steps: 8 });
    await mouse.up();
    await keyboard.up('Shift');
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

  /**
   * Reloads the window once the browser has stored that the panel of this name is open, with these
   * parts of its state: it does so when the window loses the focus.
   */
  async reload(panel: string, ...state: readonly string[]): Promise<void> {
    const other = await this.page.context().newPage();
    await other.bringToFront();
    await expectStored(this.page, [`mergevla.${panel}`, ...state]);
    await other.close();
    await this.page.bringToFront();
    await this.page.reload();
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

/** A command may ask its first question in the same place at once. */
async function isOver(input: Locator, typed: string): Promise<boolean> {
  return !(await input.isVisible()) || (await input.inputValue()) !== typed;
}

/** Waits until the workbench's own store holds these texts of its open editors; at the latest it is written every minute. */
async function expectStored(page: Page, texts: readonly string[]): Promise<void> {
  const end = Date.now() + 90_000;
  while (!(await page.evaluate(storesTexts, texts)))
    if (Date.now() > end) throw new Error(`not all of this was stored: ${texts.join(', ')}`);
}

async function storesTexts(texts: readonly string[]): Promise<boolean> {
  const done = <T>(request: IDBRequest<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => {
        resolve(request.result);
      };
      request.onerror = () => {
        reject(new Error(String(request.error)));
      };
    });
  for (const { name } of await indexedDB.databases()) {
    if (!name?.startsWith('vscode-web-state-db')) continue;
    const database = await done(indexedDB.open(name));
    try {
      const store = database.transaction('ItemTable').objectStore('ItemTable');
      const stored = await done<unknown>(store.get('memento/workbench.parts.editor'));
      // JSON in strings of JSON, several times over.
      const text = typeof stored === 'string' ? stored.replaceAll('\\', '') : '';
      if (texts.every((part) => text.includes(part))) return true;
    } finally {
      database.close();
    }
  }
  return false;
}

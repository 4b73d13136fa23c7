import type { Browser } from 'playwright-core';
import { launch, noBrowser, openPanel, type OpenPanel } from './browser';
import { maskSnapshot, sectionsOf, viewOf } from './mask-data';

/** `npm run bench:panels`: what the mask panel takes to draw, in a browser with the product's page. */
export async function measure(): Promise<void> {
  if (noBrowser) {
    console.log(`skipped: ${noBrowser}`);
    return;
  }
  const browser = await launch();
  try {
    await redraws(browser);
    for (const blocks of [24, 100, 1000]) await firstDrawing(browser, blocks);
  } finally {
    await browser.close();
  }
}

/** From the message with new numbers to the frame that shows them; the target is 50 ms. */
async function redraws(browser: Browser): Promise<void> {
  const panel = await openPanel(browser, 'mask-ratios');
  await panel.send({ type: 'snapshot', revision: 1, snapshot: maskSnapshot() });
  await panel.settle();
  const lambdas = Array.from({ length: 40 }, (_, i) => 0.3 + i / 100);
  const times: number[] = [];
  const work = await workOf(panel);
  for (const [i, lambda] of lambdas.entries()) {
    const view = viewOf(4, sectionsOf(), { lambda, alpha: 1, density: 1 }, { n: i + 1 });
    times.push(await drawn(panel, { type: 'view', revision: i + 2, view }));
  }
  tell('redraw after a slider moved', times);
  const spent = ((await work()) / lambdas.length).toFixed(1);
  console.log(`  the page's own work for one: ${spent} ms of processor time`);
  await panel.page.close();
}

/** Milliseconds of processor time that the page's main thread has spent since. */
async function workOf({ page }: OpenPanel): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const spent = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics');
    return 1000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN);
  };
  const before = await spent();
  return async () => (await spent()) - before;
}

async function firstDrawing(browser: Browser, blocks: number): Promise<void> {
  const sections = sectionsOf([['language_model', 'Language model', blocks]]);
  const times: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    const panel = await openPanel(browser, 'mask-ratios');
    const snapshot = maskSnapshot({ sections });
    times.push(await drawn(panel, { type: 'snapshot', revision: 1, snapshot }));
    await panel.page.close();
  }
  tell(`first drawing of ${String(blocks)} blocks`, times);
}

/** Milliseconds from the arrival of a message to the end of the frame after it. */
function drawn(panel: OpenPanel, data: object): Promise<number> {
  return panel.page.evaluate(async (message) => {
    await new Promise((done) => requestAnimationFrame(done));
    const from = performance.now();
    window.dispatchEvent(new MessageEvent('message', { data: message }));
    await new Promise((done) =>
      requestAnimationFrame(() => {
        setTimeout(done);
      }),
    );
    return performance.now() - from;
  }, data);
}

function tell(what: string, times: readonly number[]): void {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): string =>
    `${(sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(0)} ms`;
  console.log(
    `${what}: quickest ${at(0)}, median ${at(0.5)}, 95 % ${at(0.95)} (${String(times.length)} times)`,
  );
}

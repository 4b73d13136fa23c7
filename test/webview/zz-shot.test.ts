import { it } from 'vitest';
import { launch, openPanel } from './browser';
import { routingSnapshot } from './routing-data';
it('shots', async () => {
  const b = await launch();
  for (const theme of (process.env.THEMES ?? 'dark').split(',') as 'dark'[]) {
    const p = await openPanel(b, 'routing', { theme, width: Number(process.env.W ?? 1280) });
    await p.send({ type: 'snapshot', revision: 1, snapshot: routingSnapshot() });
    await p.settle();
    await p.page.waitForTimeout(300);
    await p.page.screenshot({ path: `/tmp/routing-${theme}.png`, fullPage: true });
    console.log(p.faults, (await p.sent()).slice(-3));
    await p.page.close();
  }
  await b.close();
});

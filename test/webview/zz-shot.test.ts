import { it } from 'vitest';
import { launch, openPanel } from './browser';
import { maskSnapshot, sectionsOf, viewOf, drawerOf } from './mask-data';
it('shots', async () => {
  const b = await launch();
  for (const theme of (process.env.THEMES ?? 'dark').split(',') as never[]) {
    const p = await openPanel(b, 'mask-ratios', { theme, width: Number(process.env.W ?? 1280) });
    await p.send({ type: 'snapshot', revision: 1, snapshot: maskSnapshot() });
    await p.page.locator('.slider-lambda input[type=range]').focus();
    for (let i = 0; i < 10; i++) await p.page.keyboard.press('ArrowRight');
    await p.send({
      type: 'view',
      revision: 2,
      view: viewOf(4, sectionsOf(), { lambda: 0.7, alpha: 1, density: 1 }, { n: 10 }),
    });
    await p.page.locator('.stage').focus();
    await p.page.keyboard.press('End');
    for (let i = 0; i < 6; i++) await p.page.keyboard.press('ArrowLeft');
    await p.page.keyboard.press('Enter');
    await p.send({ type: 'drawer', revision: 3, drawer: drawerOf(4) });
    await p.settle();
    await p.page.screenshot({ path: `/tmp/mask-${theme}.png`, fullPage: true });
    console.log(p.faults, (await p.sent()).slice(-3));
    await p.page.close();
  }
  await b.close();
});

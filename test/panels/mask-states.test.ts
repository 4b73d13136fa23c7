import { describe, expect, it } from 'vitest';
import type { MaskRatioReply, RecipeFacts } from '../../server/protocol/panels/mask-ratios';
import { isToMaskPanel } from '../../server/protocol/panels/mask-ratios-guards';
import { lostBanner, noRecipe, olderBanner, phaseOf, Wait } from '../../src/panels/mask-states';

const recipe: RecipeFacts = {
  name: 'r',
  hash: '3f9a01c7',
  method: 'ties',
  tasks: ['a', 'b'],
  missing: [],
  tensors: 0,
  elements: 0,
  saved: { lambda: 0.6, alpha: 1, density: 1 },
  uses: { lambda: true, alpha: true, density: true },
};
type Unready = Exclude<MaskRatioReply, { state: 'ready' }>;
const reading = (bytesRead: number): Unready => ({
  ...{ state: 'reading', bytesRead, bytesTotal: 100, recipe },
});
const silent: Unready = { state: 'none', reason: '/mnt/zoo/a has not answered for 10 s', recipe };

describe('a wait for the checkpoints', () => {
  it('is explained after ten seconds without a byte, and starts again with each', () => {
    const wait = new Wait();
    expect(wait.waitingFor(reading(0), 1000)).toBeUndefined();
    expect(wait.waitingFor(reading(0), 10_000)).toBeUndefined();
    expect(wait.waitingFor(reading(0), 11_000)).toContain('mount');
    expect(wait.waitingFor(reading(5), 12_000)).toBeUndefined();
    expect(wait.waitingFor(reading(5), 21_000)).toBeUndefined();
    expect(wait.waitingFor(silent, 40_000)).toBeUndefined();
    expect(wait.waitingFor(reading(5), 41_000)).toContain('mount');
    wait.over();
    expect(wait.waitingFor(reading(5), 60_000)).toBeUndefined();
  });

  it('tells how far it is, and once it has failed why, with a way to try again', () => {
    expect(phaseOf(reading(5), 'the disk')).toEqual({
      kind: 'loading',
      text: 'Reading a sample',
      done: 5,
      total: 100,
      waitingFor: 'the disk',
    });
    const failed = phaseOf(silent, undefined);
    expect(JSON.stringify(failed)).toContain('has not answered for 10 s');
    expect(failed).toMatchObject({
      kind: 'empty',
      actions: [{ id: 'again' }, { id: 'merge' }],
    });
  });
});

describe('older numbers stay', () => {
  it('with their time, and a way to stop or to read again', () => {
    expect(olderBanner(reading(5), '05:12')).toMatchObject({
      level: 'stale',
      text: expect.stringContaining('from 05:12') as string,
      action: { id: 'stop' },
    });
    expect(olderBanner(silent, '05:12')).toMatchObject({
      level: 'stale',
      text: 'These numbers are from 05:12: /mnt/zoo/a has not answered for 10 s',
      action: { id: 'again' },
    });
  });

  it('when the server is lost, as a message that the panel takes', () => {
    const banners = [lostBanner('05:13')];
    expect(banners[0]?.text).toContain('stopped at 05:13');
    const status = { type: 'status', revision: 2, phase: { kind: 'ready' }, banners };
    expect(isToMaskPanel(status)).toBe(true);
    const snapshot = { ...noRecipe([], false), banners };
    expect(isToMaskPanel({ type: 'snapshot', revision: 1, snapshot })).toBe(true);
  });
});

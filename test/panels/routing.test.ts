import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { isRouteAnswer, type RouteAnswer } from '../../server/protocol/routing';
import type { Asked } from '../../src/commands/asked';
import { GivenPictures } from '../../src/panels/given-pictures';
import { RouterProcess, type LoadedPolicy } from '../../src/panels/router-process';
import { fixtures, golden } from '../policy/golden';

const png = readFileSync(join(fixtures, 'obs/obs0/full_crop.png'));

describe('given pictures', () => {
  const names = (pictures: GivenPictures) => pictures.list().map(({ name }) => name);

  it('are taken by their first bytes, not by their names', async () => {
    const pictures = new GivenPictures();
    expect(pictures.add('a.png', png)).toBeUndefined();
    expect(pictures.add('b.png', Buffer.from('<svg/>'))).toBe('b.png is neither a PNG nor a JPEG');
    const huge = Buffer.concat([png, Buffer.alloc(8 * 1024 * 1024)]);
    expect(pictures.add('c.png', huge)).toBe('c.png is larger than 8 MB');
    for (let i = 0; i < 7; i++) pictures.add(`${i}.png`, png);
    expect(pictures.add('d.png', png)).toContain('at most 8 pictures');
    expect(pictures.list()).toHaveLength(8);
    await pictures.dispose();
  });

  it('are put in the order of the cameras where their names say it', async () => {
    const pictures = new GivenPictures();
    for (const name of ['Wrist_01.png', 'top_01.png']) pictures.add(name, png);
    pictures.sort(['top', 'wrist']);
    expect(names(pictures)).toEqual(['top_01.png', 'Wrist_01.png']);
    pictures.add('other.png', png);
    pictures.sort(['wrist', 'top']);
    expect(names(pictures)).toEqual(['top_01.png', 'Wrist_01.png', 'other.png']);
    const [first, second, third] = pictures.list();
    pictures.arrange([third.id, first.id, 'no such']);
    expect(names(pictures)).toEqual(['other.png', 'top_01.png']);
    expect(pictures.content(second.id)).toBeUndefined();
    await pictures.dispose();
  });

  it('are written to a folder of their own, whatever they are called, and removed', async () => {
    const pictures = new GivenPictures();
    pictures.add('../../etc/pass wd.png', png);
    const [path] = await pictures.files();
    expect(readFileSync(path)).toEqual(png);
    expect(pictures.inNames(`${path}: is damaged`)).toBe('../../etc/pass wd.png: is damaged');
    expect(path).toMatch(/mergevla-pictures-[^/\\]+[/\\]picture-1 [^/\\]+$/);
    await pictures.dispose();
    expect(existsSync(dirname(path))).toBe(false);
  });
});

describe('the router process', () => {
  let process_: RouterProcess | undefined;
  afterEach(() => {
    process_?.stop();
  });
  const command = {
    command: process.execPath,
    env: {},
    cli: join(__dirname, '../../dist/cli.js'),
  };
  const run = [join(fixtures, 'merged'), '--base', join(fixtures, 'base')];
  const request = (index: number) => ({
    images: ['full', 'wrist'].map((c) => join(fixtures, `obs/obs${index}/${c}_policy.png`)),
    instruction: golden.observations[index].instruction,
  });
  const chosen = (asked: Asked): string => {
    const value = asked.state === 'answered' ? asked.value : undefined;
    expect(isRouteAnswer(value)).toBe(true);
    expect((value as RouteAnswer).detail).toBeDefined();
    return (value as RouteAnswer).chosen;
  };

  it('answers one observation after another with one policy', async () => {
    let loaded: LoadedPolicy | undefined;
    let ends = 0;
    const router = (process_ = new RouterProcess(command, run, {
      ready: (policy) => (loaded = policy),
      ended: () => ends++,
    }));
    for (const index of [0, 1, 2])
      expect(chosen(await router.ask(request(index)))).toBe(golden.router[index].released.chosen);
    expect(loaded).toMatchObject({ device: 'cpu', cameras: ['full', 'wrist'] });
    const bad = await router.ask({ ...request(0), images: ['nowhere.png'] });
    expect(bad).toMatchObject({ state: 'failed', failure: { code: 'MV571' } });
    const few = await router.ask({ ...request(0), images: request(0).images.slice(1) });
    expect(few).toMatchObject({ state: 'failed', failure: { code: 'MV570' } });
    expect(chosen(await router.ask(request(1)))).toBe(golden.router[1].released.chosen);
    const late = router.ask(request(2));
    router.stop();
    expect(await late).toEqual({ state: 'cancelled' });
    expect(ends).toBeGreaterThan(0);
  });

  it('asks only the newest of the questions that wait', async () => {
    const router = (process_ = new RouterProcess(command, run, {
      ready: () => undefined,
      ended: () => undefined,
    }));
    const [first, second, third] = [0, 1, 2].map((index) => router.ask(request(index)));
    expect(await first).toEqual({ state: 'cancelled' });
    expect(await second).toEqual({ state: 'cancelled' });
    expect(chosen(await third)).toBe(golden.router[2].released.chosen);
  });

  it('says why a policy cannot be loaded', async () => {
    const router = (process_ = new RouterProcess(command, [join(fixtures, 'nowhere')], {
      ready: () => undefined,
      ended: () => undefined,
    }));
    expect(await router.ask(request(0))).toMatchObject({
      state: 'failed',
      failure: { code: 'MV575', message: expect.stringContaining('does not exist') },
    });
  });
});

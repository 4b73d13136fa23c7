import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeletedRuns } from '../../src/deleted-runs';
import { VanishedRuns } from '../../src/panels/vanished-runs';

let folder = '';
let discarded: string[] = [];
let deleted: DeletedRuns;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mergevla-deleted-'));
  discarded = [];
  deleted = new DeletedRuns(async (path) => {
    discarded.push(path);
    await rm(path, { recursive: true });
  });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function runAt(name: string) {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, 'run.json'), name);
  return { path, name };
}

describe('a deleted run', () => {
  it('leaves its place at once and comes back whole', async () => {
    const run = runAt('cubes-1');
    const held = deleted.hold();
    await deleted.delete(run);
    expect(readdirSync(folder)).toEqual(['.deleted']);
    expect(deleted.list()).toMatchObject([run]);
    await deleted.restore(run.path);
    expect(readdirSync(folder)).toEqual(['cubes-1']);
    expect(readdirSync(run.path)).toEqual(['run.json']);
    expect(deleted.list()).toEqual([]);
    await held.dispose();
    expect(discarded).toEqual([]);
  });

  it('goes for good when the last that offers the undo is closed, and nothing else goes', async () => {
    const [run, other] = [runAt('cubes-1'), runAt('cubes-2')];
    const [message, panel] = [deleted.hold(), deleted.hold()];
    await deleted.delete(run);
    await message.dispose();
    await message.dispose();
    expect(discarded).toEqual([]);
    expect(deleted.list()).toHaveLength(1);
    await panel.dispose();
    expect(discarded).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(['cubes-2']);
    expect(existsSync(join(other.path, 'run.json'))).toBe(true);
    await deleted.restore(run.path);
    expect(existsSync(run.path)).toBe(false);
  });

  it('never takes the place of another run', async () => {
    const run = runAt('cubes-1');
    const held = deleted.hold();
    await deleted.delete(run);
    runAt('cubes-1');
    await expect(deleted.restore(run.path)).rejects.toThrow(/ENOTEMPTY|EEXIST|EPERM/);
    expect(deleted.list()).toHaveLength(1);
    await held.dispose();
  });

  it('that cannot be moved stays where it is', async () => {
    await expect(deleted.delete({ path: join(folder, 'none'), name: 'none' })).rejects.toThrow(
      'ENOENT',
    );
    expect(deleted.list()).toEqual([]);
  });
});

describe('what the success panel says of runs that went', () => {
  it('offers the undo of what was deleted here, also to a panel that opens later', async () => {
    const [run, other] = [runAt('cubes-1'), runAt('cubes-2')];
    const vanished = new VanishedRuns(deleted);
    expect(await vanished.banners([run, other])).toEqual([]);
    const held = deleted.hold();
    await deleted.delete(run);
    const expected = [{ level: 'warning', text: 'cubes-1 was deleted', action: { label: 'Undo' } }];
    expect(await vanished.banners([other])).toMatchObject(expected);
    const [banner] = await new VanishedRuns(deleted).banners([other]);
    expect(await vanished.act(banner?.action?.id ?? '')).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(['cubes-1', 'cubes-2']);
    expect(await vanished.banners([run, other])).toEqual([]);
    await held.dispose();
  });

  it('says of a run that others removed that there is nothing to undo, until that is dismissed', async () => {
    const [run, other] = [runAt('cubes-1'), runAt('cubes-2')];
    const vanished = new VanishedRuns(deleted);
    await vanished.banners([run, other]);
    rmSync(run.path, { recursive: true });
    const [banner, ...more] = await vanished.banners([other]);
    expect(more).toEqual([]);
    expect(banner?.text).toContain('cubes-1 was removed outside of the editor');
    expect(await vanished.banners([other])).toHaveLength(1);
    expect(await vanished.act(banner?.action?.id ?? '')).toBe(true);
    expect(await vanished.banners([other])).toEqual([]);
    expect(await vanished.act('evaluate')).toBe(false);
  });

  it('says nothing of a run that a starting server does not know yet, or that lost .partial', async () => {
    const run = runAt('cubes-1');
    const vanished = new VanishedRuns(deleted);
    await vanished.banners([run, { path: `${run.path}.partial`, name: 'cubes-1' }]);
    expect(await vanished.banners([])).toEqual([]);
    rmSync(run.path, { recursive: true });
    expect(await vanished.banners([])).toHaveLength(1);
    runAt('cubes-1');
    expect(await vanished.banners([run])).toEqual([]);
  });
});

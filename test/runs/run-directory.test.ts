import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../server/protocol/events';
import { followEvents } from '../../server/runs/follow';
import { lockFolder } from '../../server/runs/lock';
import { folderName, runId } from '../../server/runs/names';
import { listRuns, readRun } from '../../server/runs/read';
import { RunDirectory } from '../../server/runs/run-directory';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mergevla-runs-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function create(path = join(folder, 'run')): RunDirectory {
  return RunDirectory.create({
    path,
    name: 'cubes',
    command: ['mergevla', 'merge'],
    version: '1.2.3',
    device: 'cpu',
    recipe: Buffer.from('version: 1\n'),
  });
}

describe('a run while it is written', () => {
  it('is listed as running, by its process, before it is published', async () => {
    const run = create();
    run.startPhase('merge');
    const [found] = await listRuns(folder);
    expect(found).toMatchObject({ name: 'cubes', state: 'running', partial: true });
    expect(found.record).toMatchObject({ pid: process.pid, host: hostname() });
    run.publish();
    expect(await readRun(run.path)).toMatchObject({ state: 'done', partial: false });
    expect(existsSync(`${run.path}.partial`)).toBe(false);
    expect(existsSync(join(run.path, '.lock'))).toBe(false);
  });

  it('is interrupted once its process has gone', async () => {
    const run = create();
    const file = run.file('run.json');
    const record = JSON.parse(readFileSync(file, 'utf8'));
    // No process has this number: the largest a system gives is far below.
    writeFileSync(file, JSON.stringify({ ...record, pid: 2 ** 30 }));
    expect((await readRun(run.path)).state).toBe('interrupted');
  });

  it('leaves nothing when it is discarded, folders that were made for it included', () => {
    const run = create(join(folder, 'deep/er/run'));
    run.discard();
    expect(existsSync(join(folder, 'deep'))).toBe(false);
    expect(existsSync(folder)).toBe(true);
  });

  it('keeps its record, not its output, when it fails', async () => {
    const run = create();
    mkdirSync(run.file('merged'));
    run.fail({ code: 'MV532', message: 'the disk is full' });
    expect(existsSync(join(`${run.path}.partial`, 'merged'))).toBe(false);
    const { state, record } = await readRun(run.path);
    expect([state, record.error?.message]).toEqual(['failed', 'the disk is full']);
  });

  it('takes the place of an empty folder, and of no other', () => {
    mkdirSync(join(folder, 'empty'));
    const run = create(join(folder, 'empty'));
    run.publish();
    expect(() => create(join(folder, 'empty'))).toThrow(/not empty/);
    writeFileSync(join(folder, 'file'), '');
    expect(() => create(join(folder, 'file'))).toThrow(/not a folder/);
  });
});

describe('a lock', () => {
  it('keeps others out while its process lives, and is taken over afterwards', () => {
    const lock = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow(`process ${process.pid}`);
    lock.release();
    const gone = JSON.stringify({ pid: 2 ** 30, host: hostname(), started: null });
    writeFileSync(join(folder, '.lock'), gone);
    lockFolder(folder).release();
    expect(existsSync(join(folder, '.lock'))).toBe(false);
  });

  it('is stale when its number belongs to a younger process', () => {
    const other = JSON.stringify({ pid: process.pid, host: hostname(), started: '1' });
    writeFileSync(join(folder, '.lock'), other);
    if (process.platform === 'linux') lockFolder(folder).release();
  });
});

describe('followEvents', () => {
  it('gives every event once, waits for whole lines, and ends with the run', async () => {
    const run = create();
    run.startPhase('merge');
    const seen: RunEvent[] = [];
    const reading = (async () => {
      for await (const events of followEvents(run.path, { intervalMs: 10 })) {
        seen.push(...events);
        if (seen.length === 1) {
          const log = run.file('events.jsonl');
          appendFileSync(log, 'not json\n{"type":"warning","code":"MV1",');
          appendFileSync(log, '"message":"half"}\n');
          run.emit({ type: 'metric', name: 'total.active', value: 0.5 });
          run.publish();
        }
      }
    })();
    await reading;
    expect(seen.map(({ type }) => type)).toEqual(['phase', 'warning', 'metric', 'phase']);
  });

  it('stops when told to', async () => {
    const run = create();
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 30);
    for await (const events of followEvents(run.path, { signal: controller.signal })) void events;
    expect(controller.signal.aborted).toBe(true);
    run.discard();
  });
});

describe('names of runs', () => {
  it('sort by time and fit every file system', () => {
    const id = runId('Würfel: a/b', new Date('2026-01-02T03:04:05Z'));
    expect(id).toMatch(/^Würfel-a-b-20260102-030405-[0-9a-f]{4}$/);
    expect(['..', '', '///', 'x'.repeat(300)].map(folderName)).toEqual([
      'merge',
      'merge',
      'merge',
      'x'.repeat(80),
    ]);
  });
});

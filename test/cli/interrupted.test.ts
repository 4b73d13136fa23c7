import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listRuns, readRun } from '../../server/runs/read';
import { answerOf, mergevla, startCommand, temporaryFolder } from './command';
import { writeSafetensors, type RawTensor } from './zoo';

const folder = temporaryFolder();
const recipe = join(folder, 'large.mergevla.yaml');
const rows = 2048;

/** 10 matrices of 4 Mi elements that differ from the base everywhere: a merge takes part of a second. */
function largeModel(seed: number): Record<string, RawTensor> {
  const values = new Uint16Array(rows * rows);
  for (let i = 0; i < values.length; i++)
    values[i] = 0x3c00 + ((Math.imul(i + seed, 2654435761) >>> 20) & 0x3ff);
  const data = new Uint8Array(values.buffer);
  return Object.fromEntries(
    Array.from({ length: 10 }, (_, layer) => [
      `model.layers.${layer}.mlp.up_proj.weight`,
      { dtype: 'BF16', shape: [rows, rows], data },
    ]),
  );
}

beforeAll(() => {
  writeSafetensors(join(folder, 'base/model.safetensors'), largeModel(0));
  writeSafetensors(join(folder, 'one/model.safetensors'), largeModel(77));
  writeSafetensors(join(folder, 'two/model.safetensors'), largeModel(991));
  writeFileSync(
    recipe,
    'version: 1\nbase: base\nexperts: { one: one, two: two }\nmerge: { method: ties, density: 0.3 }\nrun: { threads: 1 }\n',
  );
});

async function until(test: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!test()) {
    if (Date.now() > end) throw new Error('it did not come to that in 20 s');
    await sleep(5);
  }
}

/** True once some units of the merge are written. */
function isUnderWay(out: string): boolean {
  const journal = `${out}.partial/merge.journal.jsonl`;
  return existsSync(journal) && readFileSync(journal, 'utf8').split('\n').length > 2;
}

const merged = ['task_vector.safetensors', 'masks.safetensors', 'manifest.json'];

function expectSame(a: string, b: string): void {
  for (const name of merged)
    expect([
      name,
      readFileSync(join(a, 'merged', name)).equals(readFileSync(join(b, 'merged', name))),
    ]).toEqual([name, true]);
}

describe('a merge that is stopped', () => {
  const whole = join(folder, 'whole');

  beforeAll(async () => {
    expect((await mergevla(['merge', recipe, '--out', whole])).code).toBe(0);
  });

  it('goes on after kill -9 with the same command, to the same bits', async () => {
    const out = join(folder, 'killed');
    const child = startCommand(['merge', recipe, '--out', out]);
    const ended = answerOf(child);
    await until(() => isUnderWay(out));
    child.kill('SIGKILL');
    await ended;
    expect(existsSync(out)).toBe(false);
    expect((await readRun(out)).state).toBe('interrupted');
    expect((await listRuns(folder)).map(({ state }) => state).sort()).toEqual([
      'done',
      'interrupted',
    ]);
    const again = await mergevla(['merge', recipe, '--out', out]);
    expect(again.stderr).not.toContain('error');
    expect(again.code).toBe(0);
    expect(existsSync(`${out}.partial`)).toBe(false);
    expect((await readRun(out)).state).toBe('done');
    expectSame(out, whole);
    expect(readdirSync(join(out, 'merged')).filter((name) => name.endsWith('.partial'))).toEqual(
      [],
    );
  });

  for (const [signal, code] of [['SIGINT', 130] as const, ['SIGTERM', 143] as const])
    it(`ends on ${signal} with ${code} before the merge is done`, async () => {
      const out = join(folder, signal);
      const child = startCommand(['merge', recipe, '--out', out]);
      const ended = answerOf(child);
      await until(() => isUnderWay(out));
      child.kill(signal);
      const answer = await ended;
      expect([answer.code, answer.stdout]).toEqual([code, '']);
      expect(answer.stderr).toContain('interrupted');
      expect(existsSync(out)).toBe(false);
      expect((await readRun(out)).state).toBe('cancelled');
      expect((await mergevla(['merge', recipe, '--out', out])).code).toBe(0);
      expectSame(out, whole);
    });

  it('is not written by two processes at once', async () => {
    const out = join(folder, 'twice');
    const child = startCommand(['merge', recipe, '--out', out]);
    const ended = answerOf(child);
    await until(() => existsSync(`${out}.partial/run.json`));
    // The first one is held, so that it is still at work however fast it is.
    child.kill('SIGSTOP');
    const second = await mergevla(['merge', recipe, '--out', out]);
    child.kill('SIGCONT');
    expect([second.code, second.stderr]).toEqual([
      1,
      expect.stringContaining(`process ${child.pid}`),
    ]);
    expect((await ended).code).toBe(0);
    expectSame(out, whole);
  });

  it('may run beside another one in the same folder', async () => {
    const answers = await Promise.all([1, 2].map(() => mergevla(['merge', recipe, '--json'])));
    const runs = answers.map(({ stdout }) => String(JSON.parse(stdout).run));
    expect(new Set(runs).size).toBe(2);
    for (const run of runs) {
      expect(run).toMatch(/\/runs\/large-\d{8}-\d{6}-[0-9a-f]{4}$/);
      expectSame(run, whole);
    }
  });
});

const disk = join(folder, 'disk');

/** Only the administrator may mount a small disk. */
function mountSmallDisk(): boolean {
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=150m', 'tmpfs', disk], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!mountSmallDisk())('a disk that is full', () => {
  afterAll(() => {
    execFileSync('umount', [disk]);
    rmSync(disk, { recursive: true, force: true });
  });

  const filler = join(disk, 'filler');

  it('before the merge is told of with 65, and nothing is written', async () => {
    writeFileSync(filler, Buffer.alloc(100 << 20));
    const out = join(disk, 'run');
    const answer = await mergevla(['merge', recipe, '--out', out]);
    expect(answer.code).toBe(65);
    expect(answer.stderr).toMatch(/error: the result needs [^]*MB left/);
    expect(readdirSync(disk)).toEqual(['filler']);
    rmSync(filler);
  });

  it('ends the merge with 1 and one sentence, and leaves nothing half-written', async () => {
    const out = join(disk, 'run');
    const child = startCommand(['merge', recipe, '--out', out]);
    const ended = answerOf(child);
    await until(() => isUnderWay(out));
    // Somebody else takes the room that was there at the start.
    child.kill('SIGSTOP');
    expect(() => {
      writeFileSync(filler, Buffer.alloc(150 << 20));
    }).toThrow('ENOSPC');
    child.kill('SIGCONT');
    const answer = await ended;
    expect(answer.code).toBe(1);
    expect(answer.stderr).toMatch(/error: .*(disk|space)/);
    expect(answer.stderr).not.toMatch(/^\s+at /m);
    expect(existsSync(out)).toBe(false);
    expect(existsSync(join(`${out}.partial`, 'merged'))).toBe(false);
    expect((await readRun(out)).state).toBe('failed');
  });
});

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseEpisodeLines } from '../../server/protocol/episode-line';
import { mergevla, temporaryFolder } from './command';

const folder = temporaryFolder();
const fixture = (name: string) => join(__dirname, '../fixtures/evaluate', name);
const log = fixture('EVAL-libero_spatial-openvla_oft-2025_06_01-12_00_00.txt');

describe('mergevla import', () => {
  it('prints counts with intervals and writes a run that panels read', async () => {
    const out = join(folder, 'imported');
    const { code, stdout } = await mergevla([
      'import',
      log,
      fixture('counts.csv'),
      '--out',
      out,
      '--json',
    ]);
    expect(code).toBe(0);
    const answer = JSON.parse(stdout) as { run: string; rates: unknown[] };
    expect(answer.run).toBe(out);
    expect(answer.rates).toContainEqual(
      expect.objectContaining({ policy: 'TA', task: 'pick', successes: 14, trials: 20 }),
    );
    expect(parseEpisodeLines(readFileSync(join(out, 'episodes.jsonl'), 'utf8'))).toHaveLength(10);
    expect(JSON.parse(readFileSync(join(out, 'import.json'), 'utf8'))).toMatchObject({
      seeds: false,
      counts: [{ policy: 'TA' }, { policy: 'TA' }],
    });
    expect(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'))).toMatchObject({
      state: 'done',
    });
  });

  it('refuses a file that is no result, one that needs a number, and a folder in use (MV558, MV530)', async () => {
    const out = join(folder, 'refused');
    const foreign = await mergevla(['import', join(__dirname, 'import.test.ts'), '--out', out]);
    expect([foreign.code, foreign.stderr]).toEqual([65, expect.stringContaining('MV558')]);
    expect(existsSync(out)).toBe(false);
    const rate = await mergevla(['import', fixture('_result.txt')]);
    expect([rate.code, rate.stderr]).toEqual([65, expect.stringContaining('--trials')]);
    expect(
      (await mergevla(['import', fixture('_result.txt'), '--trials', '100'])).stdout,
    ).toContain('87/100');
    expect((await mergevla(['import', fixture('_result.txt'), '--trials', 'many'])).code).toBe(2);
    expect((await mergevla(['import', log, log])).code).toBe(2);
    const used = await mergevla(['import', log, '--out', join(folder, 'imported')]);
    expect([used.code, used.stderr]).toEqual([65, expect.stringContaining('MV530')]);
  });

  it('is reported like any other run, alone and beside others', async () => {
    const run = join(folder, 'imported');
    const alone = await mergevla(['report', run]);
    expect(alone.code).toBe(0);
    expect(alone.stdout).toMatch(/Success rates \(imported\)/);
    expect(alone.stdout).toMatch(/TA\b.*14\/20 {2}70 %/);
    for (const format of ['markdown', 'latex', 'csv', 'html']) {
      const answer = await mergevla(['report', run, '--format', format]);
      expect([answer.code, answer.stdout]).toEqual([0, expect.stringContaining('TA')]);
    }
    const [first] = JSON.parse((await mergevla(['report', run, '--json'])).stdout).runs;
    expect(first.success.cells).toContainEqual(
      expect.objectContaining({ policy: 'TA', task: 'pick', successes: 14, trials: 20, errors: 0 }),
    );
    const two = await mergevla(['report', run, run]);
    expect(two.stdout.match(/14\/20/g)).toHaveLength(4);
    expect(two.stdout).not.toContain('Merged parameters');
    mkdirSync(join(folder, 'nothing'));
    writeFileSync(join(folder, 'nothing/run.json'), readFileSync(join(run, 'run.json')));
    const nothing = await mergevla(['report', join(folder, 'nothing')]);
    expect([nothing.code, nothing.stderr]).toEqual([65, expect.stringContaining('MV533')]);
  });

  it('makes a run of a series of trials where it was recorded, also after a first try was cut off', async () => {
    const trials = join(folder, 'trials-1');
    const plan = {
      ...{ version: 1, name: 'cubes', tasks: [{ task: 'push', criterion: 'In the zone.' }] },
      ...{ policies: ['a', 'b'], trials: 1, blind: true, sharedStarts: true, seed: 1, reasons: [] },
      judge: 'Ada',
    };
    const entry = { outcome: 'success', reason: '', note: '', seconds: 4, time: 'now' };
    mkdirSync(trials);
    writeFileSync(join(trials, 'trials.json'), JSON.stringify(plan));
    const refused = await mergevla(['import', trials, '--out', trials]);
    expect([refused.code, refused.stderr]).toEqual([65, expect.stringContaining('MV558')]);
    expect(existsSync(join(trials, 'run.json'))).toBe(false);
    writeFileSync(join(trials, 'trials.jsonl'), `${JSON.stringify(entry)}\n`.repeat(2));
    writeFileSync(join(trials, 'episodes.jsonl'), '{"policy":"a"');
    expect((await mergevla(['import', trials, '--out', trials])).code).toBe(0);
    const report = await mergevla(['report', trials]);
    expect(report.stdout).toContain('manual trials, blind order, judged by Ada');
    expect(report.stdout.match(/1\/1/g)).toHaveLength(2);
    const again = await mergevla(['import', trials, '--out', trials]);
    expect([again.code, again.stderr]).toEqual([65, expect.stringContaining('MV530')]);
  });
});

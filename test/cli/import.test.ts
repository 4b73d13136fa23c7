import { existsSync, readFileSync } from 'node:fs';
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
    const used = await mergevla(['import', log, '--out', join(folder, 'imported')]);
    expect([used.code, used.stderr]).toEqual([65, expect.stringContaining('MV530')]);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCsv } from '../../server/evaluate/import/csv';
import { withoutTwins } from '../../server/evaluate/import/pairs';
import { importResults } from '../../server/evaluate/import/read';
import { readSimplerEnv } from '../../server/evaluate/import/simpler-env';
import type { ImportedRun, ImportOptions } from '../../server/evaluate/import/types';

const folder = join(__dirname, '../fixtures/evaluate');
const text = (name: string) => readFileSync(join(folder, name), 'utf8');

function accepted(name: string, content = text(name), options: ImportOptions = {}): ImportedRun {
  const { run, refusal } = importResults({ name, text: content }, options);
  if (!run) throw new Error(refusal);
  return run;
}

function refused(name: string, content: string, options: ImportOptions = {}): string {
  const { run, refusal } = importResults({ name, text: content }, options);
  expect(run).toBeUndefined();
  return refusal ?? '';
}

const successes = (run: ImportedRun) => run.episodes.filter((e) => e.success).length;
const oft = 'EVAL-libero_spatial-openvla_oft-2025_06_01-12_00_00.txt';
const mergevla = '2025_12_07-10_00_00-mergevla-EVAL-libero_goal-4--ta.txt';

describe('LIBERO logs', () => {
  it('reads OpenVLA-OFT with its summary and keeps a crashed episode apart', () => {
    const run = accepted(oft);
    expect(run).toMatchObject({ format: 'openvla-oft', file: oft });
    expect(run.partial).toBeUndefined();
    expect([run.episodes.length, successes(run)]).toEqual([10, 8]);
    expect(run.episodes.filter((e) => e.error)).toEqual([
      expect.objectContaining({ episode: 4, error: 'mujoco: unstable simulation', success: false }),
    ]);
    expect(new Set(run.episodes.map((e) => e.suite))).toEqual(new Set(['libero_spatial']));
  });

  it('reads OpenVLA, which never writes a summary, as partial', () => {
    const run = accepted('EVAL-libero_spatial-openvla-2025_06_01-12_00_00--first.txt');
    expect(run).toMatchObject({ format: 'openvla', partial: 'the log has no summary' });
    expect(run.episodes[0]?.policy).toBe('openvla');
    expect(successes(run)).toBe(9);
  });

  it('reads MergeVLA and shows that the router chose the wrong expert', () => {
    const run = accepted(mergevla);
    expect(run.format).toBe('mergevla');
    expect(run.routing).toEqual({ expected: 'libero_goal', routed: 'libero_object', index: 1 });
    expect(run.warnings[0]).toContain('the router chose libero_object for libero_goal');
    expect(run.episodes[0]).toMatchObject({
      policy: 'merged_4_libero_task_arithmetic',
      task: 'open the middle drawer of the cabinet',
      routed: 'libero_object',
    });
    expect(run.partial).toBeUndefined();
  });

  it('reads the consoles of openpi and VLA-Adapter', () => {
    const openpi = accepted('openpi-console.log');
    expect([openpi.format, openpi.episodes.length, successes(openpi)]).toEqual(['openpi', 6, 4]);
    expect(openpi.partial).toBeUndefined();
    const adapter = accepted('vla-adapter-console.log');
    expect([adapter.episodes.length, successes(adapter)]).toEqual([2, 1]);
    expect(adapter.episodes[0]?.task).toBe('pick up the black bowl');
  });

  it('counts what is there when a log was cut anywhere, and never calls it complete', () => {
    const whole = text(mergevla);
    const total = accepted(mergevla).episodes.length;
    for (let end = 0; end < whole.length - 200; end += 97) {
      const { run, refusal } = importResults({ name: mergevla, text: whole.slice(0, end) });
      if (!run) {
        expect(refusal).toMatch(/none of the known|no episode was finished|is empty/);
        continue;
      }
      expect(run.episodes.length).toBeLessThanOrEqual(total);
      if (run.episodes.length < total) expect(run.partial).toBeDefined();
    }
  });

  it('refuses two evaluations in one file', () => {
    expect(refused('both.txt', text(oft) + text(mergevla))).toContain('holds 2 evaluations');
  });

  it('marks a summary that contradicts its episodes', () => {
    const odd = text(oft).replace('Total successes: 8', 'Total successes: 9');
    expect(accepted(oft, odd).partial).toBe('the summary counts 9 successes, the episodes 8');
  });
});

describe('JSON results', () => {
  it('reads both forms of LeRobot, with NaN', () => {
    const multi = accepted('eval_info.json');
    expect([multi.format, multi.episodes.length, successes(multi)]).toEqual(['lerobot', 6, 4]);
    expect(multi.episodes[5]).toMatchObject({ task: 'libero_spatial 1', episode: 2 });
    const single = accepted('eval_info-single.json');
    expect(single.episodes.map((e) => e.seed)).toEqual([1000, 1001, 1002, 1003]);
    expect(successes(single)).toBe(3);
  });

  it('reads vla-eval, recounts from the episodes and keeps errors apart', () => {
    const run = accepted('LIBEROBenchmark_aggregate.json');
    expect(run.episodes.map((e) => [e.success, e.error])).toEqual([
      [true, undefined],
      [false, 'connection lost'],
      [true, undefined],
    ]);
    const shard = accepted(
      'LIBERO_libero_spatial_shard0of10.json',
      text('LIBEROBenchmark_aggregate.json'),
    );
    expect(shard.partial).toBe('shard 0 of 10');
  });

  it('marks a file with fewer episodes than it promises as partial', () => {
    const short = text('eval_info.json').replace(
      '"n_episodes": 6,\n  "eval_s"',
      '"n_episodes": 60,\n  "eval_s"',
    );
    expect(accepted('eval_info.json', short).partial).toBe('6 of 60 episodes are in the file');
  });

  it('refuses foreign, cut and empty JSON', () => {
    expect(refused('package.json', '{"name": "x"}')).toContain('neither LeRobot');
    expect(refused('eval_info.json', text('eval_info.json').slice(0, 200))).toContain(
      'not a complete JSON',
    );
    expect(refused('eval_info.json', '{"per_task": []}')).toContain('no finished episode');
    expect(refused('list.json', '[1, 2]')).toContain('not a complete JSON object');
    expect(refused('eval_info.json', '{"per_task": [null, 7, {"metrics": 3}]}')).toContain(
      'no finished',
    );
  });
});

describe('RoboTwin', () => {
  it('needs the number of rollouts', () => {
    const file = 'eval_result/place_container/ACT/_result.txt';
    expect(refused(file, text('_result.txt'))).toContain('--trials');
    expect(accepted(file, text('_result.txt'), { trials: 100, policy: 'ACT' }).counts).toEqual([
      { policy: 'ACT', task: 'place_container', successes: 87, trials: 100 },
    ]);
    expect(accepted(file, text('batch_result.txt'), { trials: 50 }).counts[0]?.successes).toBe(43);
  });

  it('adds the batches of older scripts up', () => {
    expect(
      accepted('x_result.txt', 'Instruction Type: seen\n0.8\n0.9\n', { trials: 10 }).counts[0],
    ).toMatchObject({ successes: 17, trials: 20 });
  });

  it('takes the counts of the console line', () => {
    const line = 'Final success rate: 87/100 = 87.0%\n';
    expect(accepted('log.txt', line).counts[0]).toMatchObject({ successes: 87, trials: 100 });
    expect(refused('log.txt', 'Final success rate: 187/100 = 187.0%')).toContain('more successes');
  });

  it('refuses a rate that is no whole count, and a file without its last line', () => {
    expect(refused('_result.txt', text('_result.txt'), { trials: 7 })).toContain('no whole number');
    expect(refused('_result.txt', 'Instruction Type: unseen\n\n', { trials: 9 })).toContain(
      'ends before',
    );
  });
});

describe('SimplerEnv', () => {
  it('takes outcome and condition from the names', () => {
    const base = 'rt1/google_pick/arm_pd/GraspSingle-v0/rob_0.35_0.2_rot_0_0_0_rgb_overlay_none';
    const { run } = readSimplerEnv(
      'rt1',
      [
        `${base}/success_obj_episode_3_stats.mp4`,
        `${base}/failure_obj_episode_4_stats.mp4`,
        `${base}/notes.txt`,
      ],
      {},
    );
    expect(run?.episodes.map((e) => [e.policy, e.suite, e.task, e.success])).toEqual([
      ['rt1', 'google_pick', 'GraspSingle-v0', true],
      ['rt1', 'google_pick', 'GraspSingle-v0', false],
    ]);
    expect(readSimplerEnv('x', ['a/b.mp4'], {}).refusal).toContain('holds no video');
  });
});

describe('CSV', () => {
  it('reads episodes and counts, with quotes', () => {
    const episodes = accepted('episodes.csv');
    expect(episodes.episodes[2]).toMatchObject({
      task: 'stack "red" on blue',
      seed: 40001,
      success: true,
    });
    expect(episodes.episodes[0]?.policy).toBe('TIES, masked');
    expect(accepted('counts.csv').counts[1]).toMatchObject({
      task: 'push',
      successes: 14,
      trials: 20,
    });
  });

  it('names the row and what is wrong with it', () => {
    const head = 'policy,task,seed,success\n';
    expect(refused('a.csv', `${head}p,t,1,maybe\n`)).toContain('row 2: success is "maybe"');
    expect(refused('a.csv', `${head}p,t,1,true\np,t,x,true\n`)).toContain('row 3: seed is "x"');
    expect(refused('a.csv', `${head}p,t,true\n`)).toContain('3 fields instead of 4');
    expect(refused('a.csv', `${head}"p,t,1,true\n`)).toContain('never ends');
    expect(refused('a.csv', head)).toContain('no row');
    expect(refused('a.csv', 'task,success_rate\nt,0.9\n')).toContain('needs the columns');
    expect(refused('a.csv', 'task,successes,trials\nt,9,8\n')).toContain('9 successes of 8');
  });

  it('gives every field back', () => {
    const field = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', ' ', 'é', '=') });
    fc.assert(
      fc.property(
        fc.array(fc.array(field, { minLength: 3, maxLength: 3 }), { minLength: 1 }),
        (rows) => {
          const filled = rows.map((row) => ['x', ...row]);
          const quoted = filled
            .map((row) => row.map((f) => `"${f.replace(/"/g, '""')}"`).join(','))
            .join('\r\n');
          expect(parseCsv(quoted)).toEqual(filled);
        },
      ),
    );
  });
});

describe('episodes that cannot be pairs', () => {
  const csv = (rows: string) => accepted('x.csv', `policy,task,seed,success\n${rows}`);

  it('lose their seeds and stay counted, within a file and across files', () => {
    const once = withoutTwins([csv('a,t,1,1\na,t,2,0\nb,t,1,1')]);
    expect([once.warning, once.runs[0]?.episodes[0]?.seed]).toEqual([undefined, 1]);
    for (const runs of [[csv('a,t,1,1\na,t,1,0')], [csv('a,t,1,1'), csv('a,t,1,0')]]) {
      const twice = withoutTwins(runs);
      expect(twice.warning).toContain('1 episodes have the policy, task and seed of another');
      const episodes = twice.runs.flatMap((run) => run.episodes);
      expect(episodes.map(({ seed, success }) => [seed, success])).toEqual([
        [undefined, true],
        [undefined, false],
      ]);
    }
  });
});

describe('truncated and mixed files', () => {
  const whole = {
    'eval_info.json': text('eval_info.json'),
    'LIBEROBenchmark_aggregate.json': text('LIBEROBenchmark_aggregate.json'),
  };

  it.each(Object.entries(whole))('%s cut anywhere is refused by name', (name, content) => {
    for (let end = 1; end < content.trimEnd().length; end += 37)
      expect(refused(name, content.slice(0, end))).toMatch(new RegExp(`^${name} `));
  });

  it('a JSON result with another one behind it is refused', () => {
    for (const [name, content] of Object.entries(whole))
      expect(refused(name, content + content)).toContain('is not a complete JSON object');
  });

  it('an episode without an outcome is no failure', () => {
    const single = accepted(
      'eval_info.json',
      '{"per_episode":[{"success":true},{"episode_ix":1}]}',
    );
    expect(single.episodes.map(({ success, error }) => [success, error])).toEqual([
      [true, undefined],
      [false, 'no outcome recorded'],
    ]);
  });

  it('a CSV with a second head, a short row or an open quote is refused at its row', () => {
    const head = 'policy,task,success\n';
    expect(refused('a.csv', `${head}a,t,1\n${head}a,t,1`)).toContain('row 3 is a second head');
    expect(refused('a.csv', `${head}a,t,1\na,t`)).toContain('row 3 has 2 fields instead of 3');
    expect(refused('a.csv', `${head}"a,t,1`)).toContain('quoted field that never ends');
    expect(refused('a.csv', 'task,successes,trials\nt,5,4')).toContain('5 successes of 4 trials');
  });

  it('a RoboTwin file that ends before its number, or holds an impossible one, is refused', () => {
    const cut = text('_result.txt').replace(/[\d.]+\s*$/, '');
    expect(refused('_result.txt', cut, { trials: 100 })).toContain('ends before its success rate');
    expect(refused('_result.txt', text('_result.txt'), { trials: 7 })).toContain('no whole number');
  });

  it('a SimplerEnv folder without videos of outcomes is refused', () => {
    expect(readSimplerEnv('videos', ['a/b.mp4', 'notes.txt'], {}).refusal).toContain(
      'holds no video',
    );
  });
});

describe('any other file', () => {
  it('is refused by name', () => {
    expect(refused('README.md', '# Success rates\nvery good\n')).toContain(
      'none of the known results',
    );
    expect(refused('a.bin', 'PK\0\0')).toContain('not a text file');
    expect(refused('a.txt', ' \n')).toContain('is empty');
  });

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.constantFrom(oft, 'a.csv', 'eval_info.json', '_result.txt'),
        (noise, name) => {
          importResults({ name, text: noise });
          importResults({ name, text: text(oft).slice(0, 300) + noise }, { trials: 10 });
          importResults({ name, text: `{"per_task": ${noise}}` });
        },
      ),
    );
  });
});

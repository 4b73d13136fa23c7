import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeProgressBar } from '../../server/cli/progress';
import { makeStyle, wantsColour } from '../../server/cli/style';
import { formatBytes, formatCount, formatSeconds } from '../../server/cli/units';
import { verbs } from '../../server/cli/verbs';
import { mergevla, temporaryFolder } from './command';
import { writeZoo } from './zoo';

const folder = temporaryFolder();
let recipe = '';

beforeAll(() => {
  recipe = writeZoo(join(folder, 'zoo')).recipe;
});

describe('the command line', () => {
  it('prints its version and its verbs', async () => {
    expect((await mergevla(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const { code, stdout } = await mergevla(['--help']);
    expect(code).toBe(0);
    for (const { name } of verbs) expect(stdout).toContain(`  ${name}`);
  });

  it('explains every verb without running it', async () => {
    for (const { name, options } of verbs) {
      const { code, stdout } = await mergevla([name, '--help']);
      expect([name, code]).toEqual([name, 0]);
      for (const option of Object.keys(options)) expect(stdout).toContain(`--${option}`);
    }
  });

  for (const [args, says] of [
    [['merg', 'x'], 'did you mean merge'],
    [['merge'], 'needs RECIPE'],
    [['merge', 'a', 'b'], 'does not take "b"'],
    [['merge', 'a', '--ouut', 'b'], 'no option --ouut; did you mean --out'],
    [['merge', 'a', '--out'], '--out needs a value'],
    [['merge', 'a', '--only', 'b['], 'the glob --only b[ cannot be used: its bracket'],
    [['merge', 'a', '--out', '--json'], '--out needs a value'],
    [['merge', 'a', '--out', ''], '--out needs a value'],
    [['evaluate', 'a', '--workers', '2000'], 'from 1 to 1024, not 2000'],
    [['check', 'a', '--json=yes'], '--json takes no value'],
    [['export', 'a'], 'needs --form'],
    [['export', 'a', '--form', 'weigths'], 'did you mean weights'],
    [['report', 'a', '--format', 'pdf'], '--format pdf is not known'],
  ] as const)
    it(`answers wrong usage: ${args.join(' ')}`, async () => {
      const { code, stderr } = await mergevla(args);
      expect(code).toBe(2);
      expect(stderr).toContain(says);
      expect(stderr.trim().split('\n')).toHaveLength(1);
    });

  it('takes options before, between and after operands', async () => {
    for (const args of [
      ['--quiet', recipe],
      [recipe, '--quiet'],
    ]) {
      const answer = await mergevla(['check', ...args]);
      expect(answer).toEqual({ code: 0, stdout: '', stderr: '' });
    }
  });

  it('prints one JSON document also when it fails', async () => {
    const { code, stdout } = await mergevla(['plan', join(folder, 'none.yaml'), '--json']);
    expect(code).toBe(65);
    expect(JSON.parse(stdout).error).toMatchObject({ code: 'MV539' });
  });

  it('explains a verb also after `help`', async () => {
    const one = await mergevla(['help', 'merge']);
    expect(one).toEqual(await mergevla(['merge', '--help']));
    expect((await mergevla(['help', 'mrge'])).code).toBe(2);
  });

  it('says which glob leaves nothing to merge', async () => {
    const { code, stderr } = await mergevla(['merge', recipe, '--only', 'nothing.*']);
    expect([code, stderr]).toEqual([65, expect.stringContaining('matches `nothing.*` [MV405]')]);
  });

  it('tells a mergekit recipe that is not there from a failure', async () => {
    const { code, stderr } = await mergevla(['import-recipe', join(folder, 'none.yaml')]);
    expect([code, stderr]).toEqual([65, expect.stringContaining('no such file [MV539]')]);
  });

  it('names the part of a path that is a file', async () => {
    const { code, stderr } = await mergevla(['merge', recipe, '--out', join(recipe, 'run')]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('a part of the path is a file')]);
  });
});

describe('mergevla check', () => {
  it('gives a recipe that cannot be read as a problem of its own', async () => {
    const path = join(folder, 'none.yaml');
    const text = await mergevla(['check', path]);
    expect(text.code).toBe(65);
    expect(text.stdout).toMatch(/none\.yaml:1:1: error: .* there is no such file \[MV539\]\n$/);
    expect(text.stderr).toBe('');
    const { stdout } = await mergevla(['check', path, '--json']);
    expect(JSON.parse(stdout).problems).toMatchObject([{ code: 'MV539', path, line: 1 }]);
  });

  it('warns when `run.memory` is less than a merge can do with', async () => {
    const zoo = writeZoo(join(folder, 'memory'), { lines: ['run: { memory: 64MiB }'] });
    const { code, stdout } = await mergevla(['check', zoo.recipe]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/4:16: warning: .*64 MiB.*MV469/)]);
  });

  it('gives problems with places counted from one, and a fix', async () => {
    const zoo = writeZoo(join(folder, 'typo'), { lines: ['merge: { method: tie }'] });
    const text = await mergevla(['check', zoo.recipe]);
    expect(text.code).toBe(65);
    expect(text.stdout).toMatch(/small\.mergevla\.yaml:4:18: error: .* \[MV2\d\d\]/);
    const { stdout } = await mergevla(['check', zoo.recipe, '--json']);
    const [first] = JSON.parse(stdout).problems;
    expect(first).toMatchObject({ severity: 'error', path: zoo.recipe, line: 4, column: 18 });
    expect(first.fix.edits[0]).toMatchObject({ line: 4, column: 18, newText: 'ties' });
  });
});

describe('mergevla plan and inspect', () => {
  it('says from headers what a merge would do', async () => {
    const { code, stdout } = await mergevla(['plan', recipe, '--json']);
    expect(code).toBe(0);
    const plan = JSON.parse(stdout);
    expect(plan).toMatchObject({ tasks: ['one', 'two'], layout: 'generic', form: 'compact' });
    expect(plan.tensors).toHaveLength(3);
    expect(plan.bytes.read).toBeGreaterThan(0);
    expect(plan.memory).toBeGreaterThan(0);
  });

  it('gives the metrics of a merge without writing', async () => {
    const { stdout } = await mergevla(['inspect', recipe, '--exact', '--json']);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ layout: 'generic', exact: true, tasks: ['one', 'two'] });
    expect(Object.keys(report.total.cosine)).toEqual(['one|two']);
  });

  it('describes a checkpoint', async () => {
    const { stdout } = await mergevla(['inspect', join(folder, 'zoo/base'), '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ layout: 'generic', elements: 56, bytes: 224 });
  });
});

describe('output for people', () => {
  it('has three digits and a unit', () => {
    expect([0, 999, 1234, 56_789_000, 1.5e12].map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '1.23 kB',
      '56.8 MB',
      '1.50 TB',
    ]);
    expect([12, 99_999, 357_826_560].map(formatCount)).toEqual(['12', '99,999', '358 M']);
    expect([0.42, 75, 300, 9000].map(formatSeconds)).toEqual([
      '0.4 s',
      '75 s',
      '5 min',
      '2 h 30 min',
    ]);
  });

  it('is coloured on a terminal only, unless NO_COLOR forbids it', () => {
    expect(wantsColour({ isTTY: true }, {}, false)).toBe(true);
    expect(wantsColour({}, {}, false)).toBe(false);
    expect(wantsColour({ isTTY: true }, { NO_COLOR: '1' }, false)).toBe(false);
    expect(wantsColour({ isTTY: true }, { TERM: 'dumb' }, false)).toBe(false);
    expect(wantsColour({ isTTY: true }, {}, true)).toBe(false);
  });

  it('draws a bar with amount, rate and remaining time', () => {
    let drawn = '';
    let now = 0;
    const target = { columns: 100, write: (text: string) => (drawn = text) };
    const bar = makeProgressBar(target, makeStyle(false), () => now);
    const at = (done: number): void =>
      bar.update({ phase: 'merge', done, total: 4e9, unit: 'bytes' });
    at(0);
    now = 1000;
    at(1e9);
    expect(drawn).toContain(
      'merge  ██████░░░░░░░░░░░░░░░░░░  25 %  1.00 GB of 4.00 GB  1.00 GB/s  3.0 s left',
    );
    bar.clear();
    expect(drawn).toBe('\r\x1b[K');
  });
});

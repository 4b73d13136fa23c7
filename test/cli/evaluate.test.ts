import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { readEpisodes } from '../../server/runs/episodes';
import { readRun } from '../../server/runs/read';
import type { EpisodeLine } from '../../server/protocol/episode-line';
import { writeBenchZoo } from '../evaluate/zoo';
import { answerOf, mergevla, startCommand, temporaryFolder } from './command';

// Each test starts the command several times, which a busy machine makes slow.
vi.setConfig({ testTimeout: 180_000 });

const folder = temporaryFolder();
const run = join(folder, 'run');
const quick = ['--episodes', '2', '--max-steps', '10', '--workers', '2'];
let recipe = '';

const timeless = (lines: readonly EpisodeLine[]) =>
  lines
    .map((line) => ({ ...line, seconds: 0 }))
    .sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));

/** Waits for a condition that another process brings about. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((again) => setTimeout(again, 10));
}

describe('run', () => {
  beforeAll(async () => {
    recipe = await writeBenchZoo(join(folder, 'zoo'), 'evaluate: {policies: [masked, routed]}\n');
  });

  it('merges, rolls out and answers with counts, rates and intervals', async () => {
    const answer = await mergevla(['run', recipe, '--out', run, '--json', ...quick]);
    expect(answer.stderr).toContain('routed stack_cube: 0/2');
    expect(answer.code).toBe(0);
    const json = JSON.parse(answer.stdout);
    expect(json).toMatchObject({
      run,
      state: 'done',
      suite: 'so101-cubes',
      shift: 'colours',
      seeds: { first: 200_000, last: 200_001 },
      policies: ['masked', 'routed'],
    });
    expect(json.rates).toHaveLength(6);
    expect(json.rates[0]).toMatchObject({
      policy: 'masked',
      task: 'pick_place',
      successes: 0,
      trials: 2,
      rate: 0,
      low: 0,
      steps: 10,
    });
    expect(json.rates[0].high).toBeCloseTo(0.6576, 4);
    expect(json.averages[1].routed).toMatchObject({ known: 6 });
  });

  it('leaves rates, episodes and replays in the run directory', async () => {
    const lines = readEpisodes(run);
    expect(lines).toHaveLength(12);
    for (const { replay } of lines) expect(existsSync(join(run, replay ?? ''))).toBe(true);
    expect(lines.at(-1)?.routed).toBeTypeOf('string');
    expect(Object.keys(lines.at(-1)?.scores ?? {})).toEqual([
      'pick_place',
      'push_cube',
      'stack_cube',
    ]);
    const metrics = JSON.parse(readFileSync(join(run, 'metrics.json'), 'utf8'));
    expect(metrics).toMatchObject({ 'success.masked.pick_place': 0, 'success.routed.average': 0 });
    const card = readFileSync(join(run, 'README.md'), 'utf8');
    expect(card).toContain('| masked | 0/2  0 %  [0, 66] |');
    expect(card.match(/^## Success rates$/gm)).toHaveLength(1);
    const record = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'));
    expect(record.phases.map(({ name }: { name: string }) => name)).toEqual(['merge', 'evaluate']);
    const events = readFileSync(join(run, 'events.jsonl'), 'utf8').trim().split('\n');
    expect(events.filter((line) => line.includes('"type":"episode"'))).toHaveLength(12);
  });

  it('shows the rates in reports', async () => {
    const { stdout } = await mergevla(['report', run, '--format', 'csv']);
    expect(stdout).toContain('Success rates,run,masked,,push_cube,0,2,0,0,0.65');
    const markdown = await mergevla(['report', run, '--format', 'markdown']);
    expect(markdown.stdout).toContain('0/2  0 %  [0, 66]');
  });

  it('refuses what cannot be evaluated before anything is merged', async () => {
    const out = join(folder, 'refused');
    const far = await mergevla(['run', recipe, '--out', out, '--seed', '99999', '--episodes', '2']);
    expect(far.code).toBe(65);
    expect(far.stderr).toContain('MV553');
    const wrong = await mergevla(['run', recipe, '--out', out, '--policies', 'maskd']);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('did you mean masked');
    expect(existsSync(out) || existsSync(`${out}.partial`)).toBe(false);
  });
});

describe('evaluate', () => {
  const asked = ['--policies', 'experts,merged', '--episodes', '3', '--max-steps', '20'];

  it('goes on after a kill and gives what an evaluation in one go gives', async () => {
    const whole = await mergevla(['evaluate', recipe, '--out', join(folder, 'whole'), ...asked]);
    expect(whole.code).toBe(0);
    const out = join(folder, 'killed');
    const child = startCommand(['evaluate', recipe, '--out', out, ...asked, '--workers', '2']);
    const ended = answerOf(child);
    await until(() => readEpisodes(out).length >= 4);
    child.kill('SIGKILL');
    await ended;
    expect((await readRun(out)).state).toBe('interrupted');
    const before = readEpisodes(out).length;
    expect(before).toBeLessThan(18);
    const eventsBefore = episodeEvents(out);
    const again = await mergevla(['evaluate', recipe, '--out', out, ...asked]);
    expect(again.code).toBe(0);
    expect(episodeEvents(out) - eventsBefore).toBe(18 - before);
    expect(timeless(readEpisodes(out))).toEqual(timeless(readEpisodes(join(folder, 'whole'))));
    expect((await readRun(out)).state).toBe('done');
  });

  it('stops on a signal, keeps what was played and can be resumed', async () => {
    const out = join(folder, 'whole');
    const child = startCommand([
      'evaluate',
      out,
      ...asked,
      '--episodes',
      '200',
      '--max-steps',
      '20',
    ]);
    const ended = answerOf(child);
    await until(() => readEpisodes(out).length >= 20);
    child.kill('SIGINT');
    const { code } = await ended;
    // It was far from its end: the signal stopped it, not the last episode.
    expect(readEpisodes(out).length).toBeLessThan(200);
    expect(code).toBe(130);
    expect((await readRun(out)).state).toBe('cancelled');
    expect(existsSync(join(out, 'merged', 'manifest.json'))).toBe(true);
    const again = await mergevla(['evaluate', out, ...asked, '--json']);
    expect(JSON.parse(again.stdout).rates[0].trials).toBe(3);
  });

  it('puts episodes of other settings aside instead of mixing them', async () => {
    const out = join(folder, 'whole');
    const before = readEpisodes(out).length;
    const answer = await mergevla([
      ...['evaluate', out, '--policies', 'merged', '--episodes', '1'],
      ...['--max-steps', '10', '--shift', 'none'],
    ]);
    expect(answer.code).toBe(0);
    expect(readEpisodes(out)).toHaveLength(3);
    const aside = readFileSync(join(out, 'episodes-1.jsonl'), 'utf8').trim().split('\n');
    expect(aside).toHaveLength(before);
  });

  it('labels figures of validation seeds wherever they stand', async () => {
    const out = join(folder, 'tuned');
    const asked = ['--policies', 'merged', '--episodes', '1', '--max-steps', '5'];
    const answer = await mergevla([
      ...['evaluate', recipe, '--out', out, '--range', 'validation', '--json'],
      ...asked,
    ]);
    expect(JSON.parse(answer.stdout)).toMatchObject({
      range: 'validation',
      seeds: { first: 100_000, last: 100_000 },
    });
    const labels = 'validation seeds 100000 to 100000';
    expect(readFileSync(join(out, 'README.md'), 'utf8')).toContain(labels);
    const metrics = JSON.parse(readFileSync(join(out, 'metrics.json'), 'utf8'));
    const names = Object.keys(metrics).filter((name) => name.startsWith('success.'));
    expect(names).toContain('success.validation.merged.average');
    expect(names.every((name) => name.startsWith('success.validation.'))).toBe(true);
    const { stdout: text } = await mergevla(['report', out]);
    expect(text).toContain(labels);
    const { stdout: csv } = await mergevla(['report', out, '--format', 'csv']);
    expect(csv).toContain(',merged (validation seeds),,push_cube,0,1,');
    const { stdout: both } = await mergevla(['report', out, run, '--json']);
    const { runs, tables } = JSON.parse(both);
    expect(runs[0].success.range).toBe('validation');
    const policies = tables[0].rows.map(([, policy]: string[]) => policy);
    expect(policies).toEqual(expect.arrayContaining(['merged (validation seeds)', 'masked']));
    // Back on test seeds the others are put aside, and no figure of theirs is left.
    await mergevla(['evaluate', out, ...asked]);
    expect(readEpisodes(out).map(({ seed }) => seed)).toEqual([200_000, 200_000, 200_000]);
    expect(Object.keys(JSON.parse(readFileSync(join(out, 'metrics.json'), 'utf8')))).not.toContain(
      'success.validation.merged.average',
    );
  });

  it('fills the same table from an external harness', async () => {
    const command = `node -e 'const j=JSON.parse(require("fs").readFileSync(0)); for (const e of j.indices) console.log(JSON.stringify({episode:e, success: j.policy==="routed", steps: 5}))'`;
    const external = await writeBenchZoo(
      join(folder, 'external'),
      `evaluate: {suite: mine, episodes: 4, policies: [merged, routed], command: ${JSON.stringify(command)}}\n`,
    );
    const answer = await mergevla(['run', external, '--json']);
    expect(answer.code).toBe(0);
    const { rates, averages } = JSON.parse(answer.stdout);
    expect(rates.map((cell: { successes: number }) => cell.successes)).toEqual([0, 0, 0, 4, 4, 4]);
    expect(averages[1]).toMatchObject({ policy: 'routed', successes: 12, trials: 12, rate: 1 });
  });

  it('leaves out policies that the merge does not have, and says so', async () => {
    const plain = await writeBenchZoo(
      join(folder, 'plain'),
      'masks: none\nrouter: none\nevaluate: {episodes: 1, max_steps: 5}\n',
    );
    const answer = await mergevla(['evaluate', plain, '--json']);
    expect(answer.code).toBe(0);
    expect(JSON.parse(answer.stdout).policies).toEqual(['blind', 'experts', 'merged']);
    expect(answer.stderr).toContain('masked is left out: the merge has no masks');
    const none = await mergevla(['evaluate', plain, '--policies', 'routed']);
    expect(none.code).toBe(65);
    expect(none.stderr).toContain('MV554');
  });
});

function episodeEvents(out: string): number {
  const text = readFileSync(join(out, 'events.jsonl'), 'utf8');
  return text.split('\n').filter((line) => line.includes('"type":"episode"')).length;
}

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { planEpisodes } from '../../server/evaluate/episodes';
import { playHarness, type HarnessOptions } from '../../server/evaluate/harness';
import { LineSplitter, parseAnswer } from '../../server/evaluate/harness-answers';
import type { EpisodeLine } from '../../server/protocol/episode-line';

const folder = mkdtempSync(join(tmpdir(), 'mergevla-harness-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const jobs = planEpisodes({
  policies: ['experts', 'masked'],
  tasks: ['goal', 'spatial'],
  episodes: 3,
  seedOf: (index) => 7 + index,
});

/** A harness of a few lines: gets `job` and `say`. */
function harness(name: string, body: string): string[] {
  const file = join(folder, `${name}.cjs`);
  writeFileSync(
    file,
    `const job = JSON.parse(require('fs').readFileSync(0, 'utf8'));
     const say = (value) => console.log(JSON.stringify(value));
     ${body}`,
  );
  return [process.execPath, file];
}

async function play(
  command: string | readonly string[],
  more: Partial<HarnessOptions> = {},
  asked = jobs,
): Promise<{ lines: EpisodeLine[]; error: Error | undefined; logs: string }> {
  const lines: EpisodeLine[] = [];
  const logs = mkdtempSync(join(folder, 'logs-'));
  const facts = {
    run: '/run',
    merged: '/run/merged',
    experts: { goal: '/zoo/goal', spatial: '/zoo/spatial' },
    suite: 'libero',
    shift: 'none',
    execute: null,
    maxSteps: 300,
  };
  const options = { command, timeoutSeconds: 30, workers: 2, folder, logs, facts };
  const error = await playHarness(asked, {
    ...options,
    onEpisode: (_job, line) => lines.push(line),
    ...more,
  }).then(
    () => undefined,
    (reason: Error) => reason,
  );
  return { lines, error, logs };
}

describe('an external harness', () => {
  it('is started once for each policy and task and fills their episodes', async () => {
    const body = `console.log('loading', job.task);
      for (const [i, index] of job.indices.entries())
        say({ episode: index, success: job.seeds[i] % 2 === 0, steps: 10 + index, seconds: 0.5 });
      require('fs').appendFileSync('started.txt', job.policy + ' ' + job.task + '\\n');
      console.error(JSON.stringify(job));`;
    const { lines, error, logs } = await play(harness('good', body));
    expect(error).toBeUndefined();
    expect(lines).toHaveLength(12);
    expect(lines).toContainEqual({
      policy: 'masked',
      task: 'spatial',
      seed: 8,
      success: true,
      steps: 11,
      seconds: 0.5,
      suite: 'libero',
    });
    const started = readFileSync(join(folder, 'started.txt'), 'utf8').trim().split('\n');
    expect(started.sort()).toEqual([
      'experts goal',
      'experts spatial',
      'masked goal',
      'masked spatial',
    ]);
    const log = readFileSync(join(logs, 'experts-goal.log'), 'utf8');
    expect(log).toContain('loading goal');
    const job: unknown = JSON.parse(
      log.split('\n').find((line) => line.includes('"version"')) ?? '',
    );
    expect(job).toMatchObject({
      version: 1,
      policy: 'experts',
      task: 'goal',
      checkpoint: '/zoo/goal',
      run: '/run',
      episodes: 3,
      indices: [0, 1, 2],
      seeds: [7, 8, 9],
      max_steps: 300,
    });
  });

  it('may be a line for the shell', async () => {
    const command = harness(
      'shell',
      'for (const i of job.indices) say({episode: i, success: true});',
    );
    const { lines, error } = await play(command.map((part) => JSON.stringify(part)).join(' '));
    expect(error).toBeUndefined();
    expect(lines).toHaveLength(12);
  });

  it('keeps crashed episodes apart from failed ones', async () => {
    const body = `say({episode: 0, success: false, error: 'the simulator lost a body'});
      say({episode: 1, success: false}); say({episode: 2, success: true});`;
    const { lines } = await play(harness('crashes', body));
    const own = lines.filter(({ policy, task }) => policy === 'masked' && task === 'goal');
    expect(own.map(({ success, error }) => [success, error])).toEqual([
      [false, 'the simulator lost a body'],
      [false, undefined],
      [true, undefined],
    ]);
  });

  it('is named when it ends with an error, and what it answered before stays', async () => {
    const body = `say({episode: 0, success: true}); console.error('out of memory'); process.exitCode = 3;`;
    const { lines, error } = await play(harness('dies', body));
    expect(lines).toHaveLength(4);
    expect(error).toMatchObject({ code: 'MV555' });
    expect(error?.message).toMatch(
      /ended with status 3 \(out of memory\); its output is in .*\.log$/,
    );
  });

  it('is not started again for other cells when it answers nothing at all', async () => {
    const body = `require('fs').appendFileSync('vain.txt', 'x'); process.exit(1);`;
    const { lines, error } = await play(harness('vain', body), { workers: 1 });
    expect(lines).toEqual([]);
    expect(error).toMatchObject({ code: 'MV555' });
    expect(readFileSync(join(folder, 'vain.txt'), 'utf8')).toBe('x');
  });

  it.each([
    ['a program that is not there', ['/nowhere/harness'], /cannot be started/],
    ['episodes that are missing', `say({episode: 1, success: true})`, /answered 1 of 3 episodes/],
    ['an answer without an outcome', `say({episode: 0})`, /neither success .* nor error/],
    ['an episode that is no number', `say({episode: 'a', success: true})`, /no number from 0 on/],
    [
      'a line without end',
      `process.stdout.write('{' + 'x'.repeat(2e6))`,
      /more than 1048576 bytes/,
    ],
  ])('is refused for %s', async (name, body, message) => {
    const command = typeof body === 'string' ? harness(name.replaceAll(' ', '-'), body) : body;
    const { error } = await play(command, { workers: 1 });
    expect(error).toMatchObject({ code: 'MV555' });
    expect(error?.message).toMatch(message);
  });

  it('is ended with all its children when it is silent for too long', async () => {
    const body = `say({episode: 0, success: true});
      process.on('SIGTERM', () => {});
      const child = require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)']);
      require('fs').writeFileSync('child.txt', String(child.pid));
      setInterval(() => {}, 1e6);`;
    const oneCell = jobs.slice(0, 3);
    const { lines, error } = await play(harness('hangs', body), { timeoutSeconds: 1.5 }, oneCell);
    expect(error?.message).toMatch(/was silent for 1.5 s/);
    expect(lines).not.toEqual([]);
    expect(isAlive(Number(readFileSync(join(folder, 'child.txt'), 'utf8')))).toBe(false);
  });

  it('is ended at once when the user stops', async () => {
    const controller = new AbortController();
    const body = `process.on('SIGTERM', () => {}); say({episode: 0, success: true});
      setInterval(() => {}, 1e6);`;
    const { error } = await play(harness('stopped', body), {
      signal: controller.signal,
      onEpisode: () => {
        controller.abort();
      },
    });
    expect(error?.name).toBe('Cancelled');
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A killed process stays listed until its new parent has looked at it.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('answers of a harness', () => {
  it('are found among whatever a program prints', () => {
    expect(parseAnswer('Loading model...')).toBeUndefined();
    expect(parseAnswer('{"loss": 1}')).toBeUndefined();
    expect(parseAnswer('{broken')).toBeUndefined();
    expect(parseAnswer('{"episode": 2, "success": true, "routed": "goal"}')).toEqual({
      episode: 2,
      outcome: { success: true, steps: 0, routed: 'goal' },
    });
  });

  it('are whole lines, however the stream is cut', () => {
    const text = '{"a": "ü"}\nsecond\nlast';
    const bytes = Buffer.from(text);
    for (let size = 1; size <= bytes.length; size++) {
      const lines: string[] = [];
      const splitter = new LineSplitter((line) => lines.push(line));
      for (let at = 0; at < bytes.length; at += size) splitter.add(bytes.subarray(at, at + size));
      splitter.end();
      expect(lines).toEqual(text.split('\n'));
    }
  });
});

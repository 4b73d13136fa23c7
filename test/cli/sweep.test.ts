import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { answerOf, fixtures, mergevla, startCommand, temporaryFolder } from './command';

const zoo = join(fixtures, 'golden/models/qwen-f32');
const recipe = `version: 1
base: ${join(zoo, 'base')}
experts:
  alpha: ${join(zoo, 'alpha')}
  beta: ${join(zoo, 'beta')}
  gamma: ${join(zoo, 'gamma')}
merge: {method: task_arithmetic}
router: none
sweep:
  merge.alpha: [0.5, 1]
  masks.lambda: [0.2, 0.6]
`;

function write(folder: string, text: string): string {
  const path = join(folder, 'study.mergevla.yaml');
  writeFileSync(path, text);
  return path;
}

function results(sweep: string): Map<string, number> {
  const points = join(sweep, 'points');
  if (!existsSync(points)) return new Map();
  return new Map(
    readdirSync(points)
      .map((id) => [id, join(points, id, 'result.json')] as const)
      .filter(([, file]) => existsSync(file))
      .map(([id, file]) => [id, statSync(file).ino]),
  );
}

/** Settles as soon as so many points have a result. */
function someResults(sweep: string, least: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (results(sweep).size < least) return;
      clearInterval(timer);
      resolve();
    }, 10);
  });
}

function json(path: string): Record<string, never> {
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, never>;
}

describe('sweep', () => {
  it('runs every point once and tells what came out', async () => {
    const folder = temporaryFolder();
    const path = write(folder, recipe);
    const first = await mergevla(['sweep', path, '--parallel', '2', '--json']);
    expect(first.code, first.stderr).toBe(0);
    const summary = JSON.parse(first.stdout) as {
      folder: string;
      states: object;
      points: { label: string; metrics: Record<string, number> }[];
    };
    expect(summary.states).toEqual({ done: 4 });
    expect(summary.points.map(({ label }) => label)).toEqual([
      'alpha=0.5 lambda=0.2',
      'alpha=0.5 lambda=0.6',
      'alpha=1 lambda=0.2',
      'alpha=1 lambda=0.6',
    ]);
    const [low, high] = summary.points.map(({ metrics }) => metrics['total.active.alpha'] ?? 0);
    expect(low).toBeGreaterThan(high ?? 1);
    for (const name of ['summary.json', 'metrics.json', 'README.md', 'points.jsonl'])
      expect(existsSync(join(summary.folder, name)), name).toBe(true);
    const before = results(summary.folder);
    const again = await mergevla(['sweep', path, '--json']);
    expect(again.code).toBe(0);
    expect((JSON.parse(again.stdout) as { folder: string }).folder).toBe(summary.folder);
    expect(results(summary.folder)).toEqual(before);
  });

  it('computes only what is missing after kill -9', async () => {
    const folder = temporaryFolder();
    const path = write(folder, recipe);
    const out = join(folder, 'killed');
    const child = startCommand(['sweep', path, '--out', out]);
    const ended = answerOf(child);
    await someResults(out, 1);
    child.kill('SIGKILL');
    await ended;
    const before = results(out);
    expect(before.size).toBeLessThan(4);
    const again = await mergevla(['sweep', path, '--out', out]);
    expect(again.code, again.stderr).toBe(0);
    expect(again.stderr).toContain('there already');
    const after = results(out);
    expect(after.size).toBe(4);
    for (const [id, file] of before) expect(after.get(id)).toBe(file);
    const left = readdirSync(join(out, 'points')).flatMap((id) =>
      readdirSync(join(out, 'points', id)).filter((name) => /partial|tmp/.test(name)),
    );
    expect(left).toEqual([]);
  });

  it('lets two pools work in one folder', async () => {
    const folder = temporaryFolder();
    const path = write(folder, recipe);
    const out = join(folder, 'shared');
    const first = mergevla(['sweep', path, '--out', out, '--parallel', '2']);
    const second = mergevla(['sweep', path, '--out', out, '--parallel', '2']);
    for (const answer of await Promise.all([first, second]))
      expect(answer.code, answer.stderr).toBe(0);
    expect(results(out).size).toBe(4);
    const failures = readdirSync(join(out, 'points')).filter((id) =>
      existsSync(join(out, 'points', id, 'failure.json')),
    );
    expect(failures).toEqual([]);
  });

  it('stops on SIGTERM and keeps what is done', async () => {
    const folder = temporaryFolder();
    const path = write(folder, recipe);
    const out = join(folder, 'stopped');
    const child = startCommand(['sweep', path, '--out', out]);
    const ended = answerOf(child);
    await someResults(out, 1);
    child.kill('SIGTERM');
    expect((await ended).code).toBe(143);
    const collected = await mergevla(['collect', out, '--json']);
    expect(collected.code).toBe(0);
    const { states } = JSON.parse(collected.stdout) as { states: Record<string, number> };
    expect(states['done']).toBe(results(out).size);
    expect(states['failed']).toBeUndefined();
  });
});

describe('sweep with bad input', () => {
  it('refuses a recipe with errors and writes nothing', async () => {
    const folder = temporaryFolder();
    const path = write(folder, recipe.replace('[0.5, 1]', '[0.5, much]'));
    const answer = await mergevla(['sweep', path]);
    expect(answer.code).toBe(65);
    expect(answer.stderr).toMatch(/MV\d+/);
    expect(readdirSync(folder)).toEqual(['study.mergevla.yaml']);
  });

  it('names the point whose files are refused', async () => {
    const folder = temporaryFolder();
    const text = recipe.replace('merge.alpha: [0.5, 1]', 'base: [nowhere]');
    const answer = await mergevla(['sweep', write(folder, text)]);
    expect(answer.code).toBe(65);
    expect(answer.stderr).toContain('nowhere');
  });

  it('goes on when a point fails, and says why', async () => {
    const folder = temporaryFolder();
    const text = `${recipe.replace('masks.lambda: [0.2, 0.6]', 'output.dtype: [float16, float32]').replace('[0.5, 1]', '[1e9]')}masks: none\n`;
    const answer = await mergevla(['sweep', write(folder, text), '--json']);
    expect(answer.code, answer.stderr).toBe(1);
    const { states, points } = JSON.parse(answer.stdout) as {
      states: object;
      points: { state: string; reason?: string }[];
    };
    expect(states).toEqual({ failed: 1, done: 1 });
    expect(points[0]?.reason).toContain('too large');
  });

  it('tells another sweep, a missing point and wrong numbers apart', async () => {
    const folder = temporaryFolder();
    const path = write(folder, recipe);
    const out = join(folder, 'one');
    expect((await mergevla(['sweep', path, '--out', out])).code).toBe(0);
    const wrong = await mergevla(['run-point', '--sweep', out, '--index', '4']);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('0 to 3')]);
    expect((await mergevla(['run-point', '--sweep', out, '--index', 'one'])).code).toBe(2);
    expect((await mergevla(['run-point', '--sweep', folder, '--index', '0'])).code).toBe(65);
    const last = ['run-point', '--sweep', out, '--index', '1', '--per-task', '3', '--json'];
    const known = await mergevla(last);
    const { points } = JSON.parse(known.stdout) as { points: { computed: boolean }[] };
    expect(points).toMatchObject([{ index: 3, computed: false }]);
    write(folder, recipe.replace('0.6', '0.7'));
    const other = await mergevla(['sweep', path, '--out', out]);
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('another sweep')]);
    expect(json(join(out, 'sweep.json'))).toMatchObject({ points: 4 });
  });
});

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ServedEpisodes } from '../../server/jobs/served-episodes';
import { readEpisodes } from '../../server/runs/episodes';
import { lockFolder } from '../../server/runs/lock';

const folder = mkdtempSync(join(tmpdir(), 'mergevla-served-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function makeRun(name: string): string {
  const run = join(folder, name);
  mkdirSync(run);
  const record = { version: 1, id: name, state: 'done', pid: 1, host: 'elsewhere', phases: [] };
  writeFileSync(join(run, 'run.json'), JSON.stringify(record));
  writeFileSync(join(run, 'recipe.resolved.json'), '{"recipe": {}}');
  return run;
}

const policy = { tasks: ['libero_goal', 'libero_spatial'], routes: true };
const episode = { suite: 'libero_goal', task: 'open the drawer', steps: 80, routed: 'libero_goal' };

describe('episodes that clients of the server report', () => {
  it('fill the table of the run that is served', async () => {
    const run = makeRun('served');
    const served = await ServedEpisodes.open(run, policy);
    served?.add({ ...episode, success: true });
    served?.add({ ...episode, success: false, task: 'push the plate' });
    served?.add({ ...episode, success: null });
    expect(readEpisodes(run).map(({ task, seed, success }) => [task, seed, success])).toEqual([
      ['libero_goal', 0, true],
      ['libero_goal', 1, false],
      ['libero_goal', 2, false],
    ]);
    expect(readEpisodes(run)[2]?.error).toBeTypeOf('string');
    const metrics: unknown = JSON.parse(readFileSync(join(run, 'metrics.json'), 'utf8'));
    expect(metrics).toMatchObject({ 'success.routed.libero_goal': 0.5 });
    const events = readFileSync(join(run, 'events.jsonl'), 'utf8').trim().split('\n');
    expect(events).toHaveLength(3);
  });

  it('are left to the evaluation that writes the run', async () => {
    const run = makeRun('evaluated');
    const served = await ServedEpisodes.open(run, policy);
    const lock = lockFolder(run);
    expect(() => served?.add({ ...episode, success: true })).toThrow(/is being written by/);
    lock.release();
    expect(readEpisodes(run)).toEqual([]);
  });

  it('go nowhere when what is served is no run', async () => {
    expect(await ServedEpisodes.open(join(folder, 'nothing'), policy)).toBeUndefined();
  });
});

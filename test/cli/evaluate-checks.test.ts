import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { writeBenchZoo } from '../evaluate/zoo';
import { mergevla, temporaryFolder, type Answer } from './command';
import { writeZoo } from './zoo';

vi.setConfig({ testTimeout: 60_000 });

const folder = temporaryFolder();
const zoo = join(folder, 'zoo');
const tasks = ['pick_place', 'push_cube', 'stack_cube'];

/** A recipe beside the zoo; `experts` names a folder for each task. */
function recipe(name: string, experts: Readonly<Record<string, string>>, lines: string): string {
  const path = join(zoo, `${name}.mergevla.yaml`);
  const head = `version: 1\nbase: base\nexperts: ${JSON.stringify(experts)}\n`;
  writeFileSync(path, `${head}output: { directory: runs-${name} }\n${lines}\n`);
  return path;
}

/** Refused for the reason given, with nothing merged. */
function expectRefused(answer: Answer, name: string, reason: string | RegExp): void {
  expect(answer.stderr).toMatch(reason);
  expect([answer.code, answer.stdout]).toEqual([65, '']);
  expect(existsSync(join(zoo, `runs-${name}`))).toBe(false);
}

beforeAll(() => writeBenchZoo(zoo, ''));

const own = Object.fromEntries(tasks.map((task) => [task, task]));

describe('what evaluate and run cannot play is known before the merge', () => {
  it.each(['evaluate', 'run'])('%s: tasks that the suite does not have', async (verb) => {
    const path = recipe('foreign', { lift: 'pick_place' }, 'evaluate: { episodes: 1 }');
    expectRefused(await mergevla([verb, path]), 'foreign', 'lift is no task');
  });

  it('policies of which the merge has none', async () => {
    const path = recipe('none', own, 'router: none\nmasks: none\nevaluate: { episodes: 1 }');
    const answer = await mergevla(['evaluate', path, '--policies', 'routed,masked']);
    expectRefused(answer, 'none', 'routed cannot be evaluated: the merge has no router');
  });

  it('seeds beyond the suite, devices that are not there', async () => {
    const path = recipe('far', own, '');
    const seeds = await mergevla(['evaluate', path, '--seed', '99999', '--episodes', '2']);
    expectRefused(seeds, 'far', 'MV553');
    const device = await mergevla(['evaluate', path, '--device', 'abacus']);
    expectRefused(device, 'far', 'there is no device abacus');
  });

  it('validation seeds where only a harness knows seeds', async () => {
    const lines = "evaluate: { suite: mine, range: validation, command: 'true' }";
    const answer = await mergevla(['run', recipe('harness', own, lines)]);
    expectRefused(answer, 'harness', 'only the built-in bench has validation seeds');
  });

  it('an expert that is no whole policy', async () => {
    const statistics = join(zoo, 'push_cube', 'dataset_statistics.json');
    renameSync(statistics, `${statistics}.aside`);
    const path = recipe('bare', own, 'evaluate: { episodes: 1 }');
    const answer = await mergevla(['run', path]);
    const check = await mergevla(['check', path]);
    renameSync(`${statistics}.aside`, statistics);
    expectRefused(answer, 'bare', 'dataset_statistics.json is missing');
    expect(check.stdout).toMatch(/warning: .*dataset_statistics\.json is missing/);
    expect(check.code).toBe(0);
  });

  it('models that no policy can act with', async () => {
    const small = writeZoo(join(folder, 'small'));
    const text = 'version: 1\nbase: base\nexperts: { pick_place: one, push_cube: two }\n';
    writeFileSync(small.recipe, text);
    const answer = await mergevla(['evaluate', small.recipe]);
    expect(answer.stderr).toContain('no action expert of MergeVLA');
    expect([answer.code, existsSync(join(small.folder, 'runs'))]).toEqual([65, false]);
  });

  it('check warns of it, and the merge itself goes on', async () => {
    const path = recipe('warned', { lift: 'pick_place' }, 'evaluate: { episodes: 1 }');
    const check = await mergevla(['check', path, '--json']);
    expect(JSON.parse(check.stdout).problems).toEqual([
      expect.objectContaining({ code: 'MV553', severity: 'warning', line: 5 }),
    ]);
    expect(check.code).toBe(0);
    expect((await mergevla(['merge', path])).code).toBe(0);
  });
});

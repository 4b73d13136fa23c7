import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { mergeStatistics } from '../../server/runs/companions';

const root = mkdtempSync(join(tmpdir(), 'mergevla-statistics-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let count = 0;

function expert(task: string, statistics: object): { task: string; folder: string } {
  const folder = join(root, String(count++));
  mkdirSync(folder);
  writeFileSync(join(folder, 'dataset_statistics.json'), JSON.stringify(statistics));
  return { task, folder };
}

function merged(...experts: { task: string; folder: string }[]): unknown {
  const target = join(root, String(count++));
  mkdirSync(target);
  mergeStatistics(experts, target);
  return JSON.parse(readFileSync(join(target, 'dataset_statistics.json'), 'utf8'));
}

describe('the statistics of a merge', () => {
  it('are the union where the names tell the tasks', () => {
    expect(merged(expert('a', { a_no_noops: 1 }), expert('b', { b: 2 }))).toEqual({
      a_no_noops: 1,
      b: 2,
    });
  });

  it('are found under the task’s name where the expert calls them otherwise', () => {
    expect(merged(expert('a', { robot_a: 1 }), expert('b', { robot_b: 2 }))).toEqual({
      robot_a: 1,
      a: 1,
      robot_b: 2,
      b: 2,
    });
  });

  it('keep apart what two experts call by one name', () => {
    expect(merged(expert('a', { robot: 1 }), expert('b', { robot: 2 }))).toEqual({ a: 1, b: 2 });
  });

  it('are refused where one task would get the other’s', () => {
    const disputed = [expert('a', { robot: 1, more: 1 }), expert('b', { robot: 2 })] as const;
    expect(() => merged(...disputed)).toThrow(/"robot".*rename the entry/);
  });
});

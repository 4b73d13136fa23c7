import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mergevla, temporaryFolder } from './command';
import { writeZoo } from './zoo';

const folder = temporaryFolder();

// A file system that has no room for anyone.
describe.runIf(process.platform === 'linux')('room for the result', () => {
  const { recipe } = writeZoo(folder, { lines: ['output: { directory: /proc/runs }'] });

  it('is looked for where the result goes', async () => {
    const out = join(folder, 'elsewhere');
    const merged = await mergevla(['merge', recipe, '--out', out, '--quiet']);
    expect([merged.code, merged.stdout.trim()]).toEqual([0, out]);
    const below = await mergevla(['merge', recipe]);
    expect([below.code, below.stderr]).toEqual([65, expect.stringContaining('MV451')]);
  });

  it('is looked for at --out, whatever the recipe names', async () => {
    const { recipe: plain } = writeZoo(join(folder, 'plain'));
    for (const verb of ['merge', 'run', 'sweep']) {
      const answer = await mergevla([verb, plain, '--out', '/proc/run']);
      expect([verb, answer.code, answer.stderr]).toEqual([
        verb,
        65,
        expect.stringMatching(/needs \d+ bytes and the disk of \/proc has 0 bytes left \[MV451\]/),
      ]);
    }
    expect(existsSync(join(folder, 'plain', 'runs'))).toBe(false);
  });
});

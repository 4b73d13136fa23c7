import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { readSweep } from '../../src/panels/study-files';
import { studiesOf } from '../../src/panels/study-view';
import { mergevla } from './command';

vi.setConfig({ testTimeout: 180_000 });

const sample = resolve(__dirname, '../../samples/so101-cubes');

/** A harness in which one task succeeds as long as two blocks are merged, or the vision backbone alone. */
const harness = `let text = '';
process.stdin.on('data', (data) => (text += data));
process.stdin.on('end', () => {
  const { task, run, indices } = JSON.parse(text);
  const recipe = require('node:fs').readFileSync(run + '/recipe.mergevla.yaml', 'utf8');
  const few = / to: [12] /.test(recipe) || /components: \\[A\\]/.test(recipe);
  for (const episode of indices)
    console.log(JSON.stringify({ episode, success: few && recipe.includes('rest: ' + task), steps: 5 }));
});
`;

/** A study of the sample, with the harness for the bench. */
function study(name: string, points: readonly (readonly [RegExp, string])[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'mergevla-study-'));
  writeFileSync(join(folder, 'harness.cjs'), harness);
  const command = JSON.stringify([process.execPath, join(folder, 'harness.cjs')]);
  let text = readFileSync(join(sample, `${name}.mergevla.yaml`), 'utf8')
    .replaceAll('zoo/', `${sample}/zoo/`)
    .replace('suite: so101-cubes', `suite: none\n  command: ${command}\n  episodes: 2`)
    .replace(/\n {2}execute: \d+/, '');
  for (const [pattern, replacement] of points) {
    expect(text).toMatch(pattern);
    text = text.replace(pattern, replacement);
  }
  const path = join(folder, `${name}.mergevla.yaml`);
  writeFileSync(path, text);
  return path;
}

/** What the success-rate panel draws of a sweep's folder. */
async function studyOf(path: string) {
  const { code, stdout, stderr } = await mergevla(['sweep', path, '--json']);
  expect(code, stderr).toBe(0);
  const { folder } = JSON.parse(stdout) as { folder: string };
  const place = { name: 'study', run: (id: string) => join(folder, 'points', id, 'run') };
  const sweep = await readSweep(place, (...parts) =>
    readFile(join(folder, ...parts), 'utf8').catch(() => ''),
  );
  const [found] = studiesOf(sweep ? [sweep] : [], 'wilson');
  return found;
}

describe('a study from the sample to the panel', () => {
  it('blocks: success over merged blocks, on the task of the rest', async () => {
    const path = study('blocks', [[/to: \[1, 2, 3, 4\]/, 'to: [1, 4]']]);
    const found = await studyOf(path);
    expect(found?.kind).toBe('progressive');
    expect(found?.title).toContain('cubes-blocks · 2 points · 12 rollouts');
    expect(found?.points.map(({ x, cell }) => [x, cell?.successes, cell?.trials])).toEqual([
      [1, 2, 2],
      [4, 0, 2],
    ]);
  });

  it('components: one row a combination, each task on its own rest', async () => {
    const path = study('components', [
      [/ {4}- \[B\]\n {4}- \[A, B\]\n/, ''],
      [/ {4}- \[A, B, C\]\n/, ''],
    ]);
    const found = await studyOf(path);
    expect(found?.kind).toBe('components');
    const measured = found?.points.filter(({ cell }) => cell !== null) ?? [];
    expect(measured.map(({ label, cell }) => [label, cell?.successes, cell?.trials])).toEqual([
      ['A vision', 6, 6],
      ['C LM body', 0, 6],
    ]);
  });
});

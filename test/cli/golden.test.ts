import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bitAt, golden, readTensors } from '../engine/driver';
import { fileOf, goldenCases } from '../engine/golden-cases';
import { mergevla, temporaryFolder } from './command';

const folder = temporaryFolder();
const chosen = [
  'linear-average',
  'task-arithmetic-l0.4',
  'ties-d0.2',
  'slerp-0.3',
  'model-stock-filterwise',
  'breadcrumbs-ties',
  'f16-ties-d0.2',
  'task-arithmetic-filters',
];

/** Position of a 16-bit float among all of its kind, so that neighbours differ by one. */
function rank(bits: number): number {
  return bits & 0x8000 ? 0x8000 - (bits & 0x7fff) : 0x8000 + bits;
}

/** A mergekit recipe of the golden data, run by our command from its own text. */
async function replay(id: string): Promise<string> {
  const mergekit = readFileSync(join(golden, 'cases', id, 'recipe.yaml'), 'utf8');
  const source = join(folder, `${id}.yaml`);
  writeFileSync(source, mergekit.replaceAll('models/', `${golden}/models/`));
  const recipe = join(folder, `${id}.mergevla.yaml`);
  const imported = await mergevla(['import-recipe', source, '--out', recipe]);
  expect([imported.code, imported.stderr]).toEqual([0, expect.not.stringContaining('error')]);
  const out = join(folder, id);
  const merged = await mergevla(['merge', '--json', '--out', out, recipe]);
  expect(merged.stderr).not.toContain('error');
  expect(JSON.parse(merged.stdout).run).toBe(out);
  return join(out, 'merged/model.safetensors');
}

describe('a mergekit recipe, imported and merged by the command', () => {
  for (const item of goldenCases.filter(({ id }) => chosen.includes(id)))
    it(`gives the peer's weights: ${item.id}`, async () => {
      const found = readTensors(await replay(item.id));
      const ambiguous = fileOf(item.ambiguous);
      const unsure = ambiguous ? readTensors(ambiguous) : undefined;
      let equal = 0;
      let compared = 0;
      for (const [name, expected] of readTensors(join(golden, item.expected ?? ''))) {
        const ours = found.get(name);
        const skip = unsure?.get(name)?.bytes;
        expect([name, ours?.dtype]).toEqual([name, expected.dtype]);
        const a = new Uint16Array(Uint8Array.from(ours?.bytes ?? []).buffer);
        const b = new Uint16Array(Uint8Array.from(expected.bytes).buffer);
        expect(a.length).toBe(b.length);
        for (let i = 0; i < b.length; i++) {
          if (skip && bitAt(skip, i) === 1) continue;
          compared++;
          if (a[i] === b[i] || (expected.values[i] === 0 && ours?.values[i] === 0)) equal++;
          else expect([name, i, Math.abs(rank(a[i]) - rank(b[i])) <= 1]).toEqual([name, i, true]);
        }
      }
      expect(equal / compared).toBeGreaterThanOrEqual(item.tolerance.min_equal_fraction ?? 1);
    });
});

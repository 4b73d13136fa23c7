import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { MergeReport } from '../../server/protocol/report';
import { golden, readTensors } from '../engine/driver';
import { goldenCases, goldenReport, recipeOf } from '../engine/golden-cases';
import { baseTensors, checkGolden, type GoldenResult } from '../engine/golden-checks';
import { mergevla, temporaryFolder } from './command';

const folder = temporaryFolder();

/** The fixtures, wherever a recipe lies. */
const placed = (text: string): string => text.replaceAll(/(models|adapters)\//g, `${golden}/$1/`);

/** What the built command leaves of a recipe. */
async function merged(recipe: string): Promise<GoldenResult> {
  const out = recipe.replace('.mergevla.yaml', '');
  const answer = await mergevla(['merge', recipe, '--out', out, '--json']);
  expect([answer.code, answer.stderr]).toEqual([0, expect.not.stringContaining('error')]);
  const { run, tasks } = JSON.parse(answer.stdout) as { run: string; tasks: string[] };
  expect(run).toBe(out);
  const read = (name: string): string => readFileSync(join(out, name), 'utf8');
  return {
    form: (JSON.parse(read('merged/manifest.json')) as { form: string }).form,
    tasks,
    report: JSON.parse(read('report.json')) as MergeReport,
    tensors: (file) => readTensors(join(out, 'merged', file)),
  };
}

function written(id: string, text: string): string {
  const path = join(folder, `${id}.mergevla.yaml`);
  writeFileSync(path, placed(text));
  return path;
}

const tensors = goldenCases.filter(({ method }) => method !== 'dare');

describe('a recipe of ours, merged by the command', () => {
  it.each(tensors.map((item) => [item.id, item] as const))(
    'gives what the peer gives: %s',
    async (id, item) => {
      checkGolden(item, await merged(written(id, recipeOf(item))));
    },
  );
});

const imported = [
  'linear-average',
  'task-arithmetic-l0.4',
  'ties-d0.2',
  'slerp-0.3',
  'model-stock-filterwise',
  'breadcrumbs-ties',
  'f16-ties-d0.2',
  'task-arithmetic-filters',
];

describe('a mergekit recipe, imported and merged by the command', () => {
  it.each(goldenCases.filter(({ id }) => imported.includes(id)).map((item) => [item.id, item]))(
    'gives the peer’s weights: %s',
    async (id, item) => {
      const source = join(folder, `${String(id)}.yaml`);
      const mergekit = readFileSync(join(golden, 'cases', String(id), 'recipe.yaml'), 'utf8');
      writeFileSync(source, placed(mergekit));
      const recipe = join(folder, `${String(id)}-imported.mergevla.yaml`);
      const answer = await mergevla(['import-recipe', source, '--out', recipe]);
      expect([answer.code, answer.stderr]).toEqual([0, expect.not.stringContaining('error')]);
      if (typeof item !== 'string') checkGolden(item, await merged(recipe));
    },
  );
});

describe('elements dropped at random, by the command', () => {
  const [item] = goldenCases.filter(({ method }) => method === 'dare');
  if (!item) throw new Error('there is no case of a random method');
  const { tensor, must_hold: must } = goldenReport(item) as unknown as {
    tensor: string;
    must_hold: { kept_within: [number, number] };
  };
  const start = baseTensors(item).get(tensor);
  const [expert = ''] = item.experts;
  const tuned = readTensors(join(golden, expert, 'model.safetensors')).get(tensor);

  it.each(['keep_probability', 'l1'])('keep their size on average: rescale %s', async (rescale) => {
    const recipe = JSON.parse(recipeOf(item)) as { merge: object };
    const text = JSON.stringify({ ...recipe, merge: { ...recipe.merge, rescale } });
    const { tensors: read } = await merged(written(`dare-${rescale}`, text));
    const vector = read('task_vector.safetensors').get(tensor)?.values;
    if (!start || !tuned || !vector) throw new Error(`${tensor} is missing`);
    const delta = tuned.values.map((value, i) => value - start.values[i]);
    const factors = [...vector].flatMap((value, i) => (value === 0 ? [] : [value / delta[i]]));
    expect(factors.length).toBeGreaterThan(must.kept_within[0]);
    expect(factors.length).toBeLessThan(must.kept_within[1]);
    const size = (values: Float32Array): number => values.reduce((a, b) => a + Math.abs(b), 0);
    const factor =
      rescale === 'l1' ? size(vector) / size(vector.map((v, i) => (v === 0 ? 0 : delta[i]))) : 5;
    for (const each of factors) expect(Math.abs(each / factor - 1)).toBeLessThan(1e-5);
    if (rescale === 'l1') expect(size(vector) / size(delta)).toBeCloseTo(1, 5);
  });
});

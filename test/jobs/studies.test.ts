import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkRecipeText } from '../../server/jobs/check-recipe';
import { runMerge } from '../../server/jobs/merge-job';
import { writeSample } from '../../server/jobs/sample-zoo';
import { writeStudies } from '../../server/jobs/study-zoo';
import { parseRecipe } from '../../server/recipe/parse';
import { expandSweep, type SweepPoint } from '../../server/recipe/sweep';
import { readTensors, type StoredTensor } from '../engine/driver';

const samples = resolve(__dirname, '../../samples/so101-cubes');
const folder = mkdtempSync(join(tmpdir(), 'mergevla-studies-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function pointsOf(path: string): SweepPoint[] {
  return expandSweep(parseRecipe(readFileSync(path, 'utf8')).value);
}

async function planOf(path: string, point: SweepPoint) {
  const checked = await checkRecipeText(new TextEncoder().encode(point.text), path);
  const errors = checked.problems.filter(({ severity }) => severity === 'error');
  expect(errors, `${path} ${point.label}`).toEqual([]);
  return checked.plan;
}

async function mergePoint(path: string, point: SweepPoint): Promise<Map<string, StoredTensor>> {
  const out = join(folder, `${point.index}-${point.label.replace(/\W+/g, '-')}`);
  const text = new TextEncoder().encode(point.text);
  const outcome = await runMerge({ recipePath: path, text, out, command: [], version: 'test' });
  expect(outcome.kind).toBe('done');
  return readTensors(join(out, 'merged', 'model.safetensors'));
}

const keptFrom = ({ values }: SweepPoint): string => {
  const task = values['merge.keep_from'];
  return typeof task === 'string' ? task : 'pick_place';
};

const isC = (name: string): boolean => name.startsWith('language_model.model.');

describe('the studies of the supplement on a zoo of the shape of OpenVLA', () => {
  const place = join(folder, 'openvla');
  let recipes: readonly string[] = [];
  beforeAll(() => {
    mkdirSync(place);
    recipes = writeStudies(place);
  });

  const model = (task: string) => readTensors(join(place, 'zoo', task, 'model.safetensors'));

  it('Table 2 has a point for each combination and task', async () => {
    const path = recipes[0] ?? '';
    const points = pointsOf(path);
    expect(points.length).toBe(7 * 4);
    for (const point of points.filter((_, i) => i % 5 === 0)) {
      const plan = await planOf(path, point);
      expect(plan?.jobs.some(({ rule }) => rule.kind === 'merge')).toBe(true);
    }
  });

  it('merges vision and projector and keeps the rest of one task', async () => {
    const path = recipes[0] ?? '';
    const point = pointsOf(path).find(
      ({ label }) => label === 'components=["A","B"] keep_from=goal',
    );
    expect(point).toBeDefined();
    const merged = await mergePoint(path, point!);
    const goal = model('goal');
    const spatial = model('spatial');
    let moved = 0;
    for (const [name, { bytes }] of merged) {
      const same = Buffer.compare(bytes, goal.get(name)!.bytes) === 0;
      if (name.startsWith('language_model.')) expect(same, name).toBe(true);
      else if (!same) moved++;
    }
    expect(moved).toBeGreaterThan(10);
    const head = 'language_model.lm_head.weight';
    expect(Buffer.compare(goal.get(head)!.bytes, spatial.get(head)!.bytes)).not.toBe(0);
  });

  it('Figure 1 merges the first k blocks and nothing else', async () => {
    const path = recipes[1] ?? '';
    const points = pointsOf(path);
    expect(points.map(({ values }) => values['merge.scope.blocks.to'])).toEqual(
      Array.from({ length: 32 }, (_, i) => i + 1),
    );
    const merged = await mergePoint(path, points[7]);
    const spatial = model('spatial');
    for (const [name, { bytes, shape }] of merged) {
      const block = Number(/layers\.(\d+)\./.exec(name)?.[1] ?? NaN);
      const isMerged = isC(name) && block < 8 && shape.length === 2;
      const same = Buffer.compare(bytes, spatial.get(name)!.bytes) === 0;
      expect(same, name).toBe(!isMerged);
    }
  });
});

describe('the same studies on the cubes', () => {
  it.each([
    ['components', 15],
    ['blocks', 4],
  ])('%s plans every point', async (name, count) => {
    const place = mkdtempSync(join(folder, 'cubes-'));
    await writeSample(place);
    const path = join(place, `${name}.mergevla.yaml`);
    cpSync(join(samples, `${name}.mergevla.yaml`), path);
    const points = pointsOf(path);
    expect(points.length).toBe(count);
    for (const point of points) {
      const plan = await planOf(path, point);
      const keep = keptFrom(point);
      const taken = plan?.jobs.find(({ place: { component } }) => component === 'expert.stem');
      expect(taken?.rule).toMatchObject({ kind: 'take', task: plan?.tasks.indexOf(keep) });
    }
  });
});

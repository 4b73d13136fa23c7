import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { golden } from '../engine/driver';
import { mergevla, temporaryFolder } from './command';

const folder = temporaryFolder();

interface Figures {
  readonly name?: string;
  readonly [key: string]: unknown;
}

interface Report {
  readonly tensors: readonly Figures[];
  readonly blocks: readonly Figures[];
  readonly components: Readonly<Record<string, Figures>>;
  readonly total: Figures;
}

/** Every number of some figures by its path; estimates by their value, which must be their bounds too. */
function numbersOf(figures: unknown, path = ''): [string, number][] {
  if (typeof figures === 'number') return [[path, figures]];
  if (typeof figures !== 'object' || figures === null) return [];
  if ('value' in figures) {
    const { value, low, high } = figures as Record<string, unknown>;
    expect([path, low, high]).toEqual([path, value, value]);
    return [[path, Number(value)]];
  }
  return Object.entries(figures).flatMap(([key, value]) => numbersOf(value, `${path}/${key}`));
}

const counted = ['elements', 'active', 'coverage', 'sign_conflict'];

function expectSame(sampled: Figures, exact: Figures): void {
  const found = new Map(numbersOf(sampled));
  let compared = 0;
  for (const [path, value] of numbersOf(exact)) {
    if (/^\/(block|shape)/.test(path)) continue;
    const own = found.get(path);
    if (own === undefined) continue;
    compared++;
    if (counted.includes(path.split('/')[1] ?? '')) expect([path, own]).toEqual([path, value]);
    else expect([path, Math.abs(own - value) <= 1e-6 * Math.max(1, value)]).toEqual([path, true]);
  }
  expect(compared).toBeGreaterThan(8);
}

async function inspect(recipe: string, ...more: readonly string[]): Promise<Report> {
  const { code, stdout, stderr } = await mergevla(['inspect', recipe, '--json', ...more]);
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('error')]);
  return JSON.parse(stdout);
}

const zoos = {
  'qwen-bf16': ['alpha', 'beta', 'gamma'],
  'qwen-f32': ['alpha', 'beta'],
  'vla-bf16': ['spatial', 'object', 'goal', 'long'],
};
const merges = {
  task_arithmetic: '{ alpha: 0.4 }',
  ties: '{ method: ties, density: 0.2 }',
  'ties as mergekit': '{ method: ties, density: 0.5, trim_scope: tensor, agree: mean }',
  emr: '{ method: emr }',
  breadcrumbs: '{ method: breadcrumbs, density: 0.8, gamma: 0.05 }',
  dare_ties: '{ method: dare_ties, density: 0.3, seed: 7 }',
  dare_linear: '{ method: dare_linear, density: 0.5, seed: 3 }',
  breadcrumbs_ties: '{ method: breadcrumbs_ties, density: 0.8 }',
  della: '{ method: della, density: 0.5, seed: 5 }',
  della_linear: '{ method: della_linear, density: 0.5, rescale: l1 }',
  model_stock: '{ method: model_stock }',
  'model_stock by filter': '{ method: model_stock, filter_wise: true }',
};
const pairs = Object.entries(merges).map(([name, merge], i) => {
  const zoo = Object.entries(zoos)[i % 3];
  return [name, merge, zoo?.[0] ?? '', zoo?.[1] ?? []] as const;
});

describe('a sample that holds every element', () => {
  it.each(pairs)('gives the exact figures of %s', async (name, merge, zoo, tasks) => {
    const path = (model: string): string => join(golden, 'models', zoo, model);
    const recipe = join(folder, `${name.replaceAll(' ', '-')}.mergevla.yaml`);
    const lines = [
      'version: 1',
      `base: ${path('base')}`,
      'experts:',
      ...tasks.map((task) => `  ${task}: ${path(task)}`),
      `merge: ${merge}`,
      '',
    ];
    writeFileSync(recipe, lines.join('\n'));
    const sampled = await inspect(recipe);
    const exact = await inspect(recipe, '--exact');
    const tensors = new Map(exact.tensors.map((tensor) => [tensor.name, tensor]));
    expect(sampled.tensors.length).toBeGreaterThan(10);
    for (const tensor of sampled.tensors) {
      const twin = tensors.get(tensor.name);
      expect([tensor.name, twin !== undefined]).toEqual([tensor.name, true]);
      if (twin) expectSame(tensor, twin);
    }
    expectSame(sampled.total, exact.total);
    for (const [component, figures] of Object.entries(sampled.components))
      expectSame(figures, exact.components[component] ?? {});
  });
});

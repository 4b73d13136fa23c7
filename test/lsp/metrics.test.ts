import { cpSync, existsSync, readFileSync, renameSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CurveRequest, MaskRatioRequest } from '../../server/protocol/panels/mask-ratios';
import type { MergeReport } from '../../server/protocol/report';
import { Client, marked, until } from './client';

const golden = resolve(__dirname, '../fixtures/golden/models/vla-bf16');
const recipe = `version: 1
base: zoo/base
experts:
  spatial: zoo/spatial
  object: zoo/object
  goal: zoo/goal
merge: { method: task_arithmetic }
masks: { lambda: 0.6 }
router: none
`;

let client: Client;
let uri: string;

beforeAll(async () => {
  client = await Client.start();
  cpSync(golden, join(client.folder, 'zoo'), { recursive: true });
  uri = await client.open(recipe);
});
afterAll(() => client.stop());

async function hover(textWithCursor: string): Promise<string> {
  const { position } = marked(textWithCursor);
  const answer = await client.ask<{ contents: { value: string } } | null>('textDocument/hover', {
    textDocument: { uri },
    position,
  });
  return answer?.contents.value ?? '';
}

/** Asks until the numbers are there: headers and samples are read in the background. */
async function hoverWith(text: string, part: RegExp): Promise<string> {
  const end = Date.now() + 20_000;
  let answer = '';
  while (Date.now() < end) {
    answer = await hover(text);
    if (part.test(answer)) return answer;
    await new Promise((resolveSoon) => setTimeout(resolveSoon, 50));
  }
  throw new Error(`no ${String(part)} in: ${answer}`);
}

describe('metrics at the cursor', () => {
  it('come with a task: conflict with the others and activity by component', async () => {
    const text = await hoverWith(recipe.replace('  object:', '  obj|ect:'), /sign conflict/);
    expect(text).toContain('spatial');
    expect(text).toContain('goal');
    expect(text).toMatch(/lm.*block/);
    expect(text).toMatch(/\d+\.\d/);
  });

  it('show the curve over lambda with the present value pointed at', async () => {
    const text = await hoverWith(recipe.replace('lambda: 0.6', 'lambda: 0|.6'), /▸/);
    expect(text).toContain('0.9');
    const row = text.split('\n').find((line) => line.startsWith('| spatial')) ?? '';
    const values = row
      .split('|')
      .slice(2, -2)
      .map((cell) => Number(cell.replaceAll(/\*|&ensp;/g, '')));
    expect(values).toHaveLength(8);
    expect(row).toMatch(/`[▁-█]{8}` \|$/);
    expect(values).toEqual([...values].sort((a, b) => b - a));
  });

  it('follow the text while it is edited', async () => {
    const before = await hoverWith(recipe.replace('lambda: 0.6', 'lambda: 0|.6'), /▸\u00a00\.6/);
    const edited = recipe.replace('lambda: 0.6', 'lambda: 0.3');
    await client.change(uri, edited);
    const after = await hoverWith(edited.replace('lambda: 0.3', 'lambda: 0|.3'), /▸\u00a00\.3/);
    expect(after).not.toBe(before);
    await client.change(uri, recipe);
  });

  it('compare the method with others on the same inputs', async () => {
    const text = await hoverWith(
      recipe.replace('task_arithmetic', 'task_|arithmetic'),
      /same inputs/,
    );
    expect(text).toMatch(/\| ties \|/);
    expect(text.split('\n')[0]).toContain('command:mergevla.showMaskRatios');
  });

  it('show the curve over alpha and over density, and where the method has none of it', async () => {
    const ties = recipe.replace('task_arithmetic', 'ties, alpha: 0.9, density: 0.35');
    await client.change(uri, ties);
    for (const [line, present] of [
      ['alpha: 0|.9', '0.9'],
      ['densi|ty: 0.35', '0.35'],
    ] as const) {
      const at = ties.replace(line.replace('|', ''), line);
      const text = await hoverWith(at, new RegExp(`▸\\u00a0${present}`));
      const rows = text.split('\n').filter((row) => /^\| (spatial|object|goal|_selfish)/.test(row));
      expect(rows).toHaveLength(4);
      for (const row of rows) expect(row).toMatch(/\*\*\d+\.\d\*\*/);
    }
    const plain = recipe.replace('task_arithmetic', 'task_arithmetic, density: 0.35');
    await client.change(uri, plain);
    expect(await hover(plain.replace('densi', 'den|si'))).toContain('does not use density');
    await client.change(uri, recipe);
  });

  it('tell what the tasks keep of a component, a block range and a glob', async () => {
    const scope =
      "components: [lm.block], blocks: { from: 0, to: 2 }, exclude: ['**.layers.1.mlp.*']";
    const scoped = recipe.replace('task_arithmetic', `task_arithmetic, scope: { ${scope} }`);
    await client.change(uri, scoped);
    for (const [place, found] of [
      ['lm.bl|ock', /\d+\stensors\*\* in blocks 0 to /],
      ['from: |0', /\d+\stensors\*\* in blocks 0 to 1/],
      ["'**.layers.|1.mlp", /\*\*3\stensors\*\* in blocks 1 to 1/],
    ] as const) {
      const at = scoped.replace(place.replace('|', ''), place);
      expect(await hoverWith(at, /active, by block|None of them is merged/)).toMatch(found);
    }
    await client.change(uri, recipe);
  });

  it('say why there are none when a checkpoint is missing', async () => {
    const missing = recipe.replace('zoo/goal', 'zoo/nowhere');
    await client.change(uri, missing);
    const text = await hover(missing.replace('  object:', '  obj|ect:'));
    expect(text).not.toContain('undefined');
    await client.change(uri, recipe);
  });
});

/** Asks until there are numbers: a busy machine takes longer than the server waits. */
async function ready(request: Omit<MaskRatioRequest, 'uri'>) {
  return until('numbers', async () => {
    const reply = await client.own('mergevla/masks/answer', { uri, ...request });
    return reply.state === 'ready' ? reply : undefined;
  });
}

async function curveOf(request: Omit<CurveRequest, 'uri'>) {
  return until('a curve', async () => {
    return (await client.own('mergevla/masks/curve', { uri, ...request })) ?? undefined;
  });
}

describe('numbers for the mask-ratio panel', () => {
  it('move with the parameters and say what they stand on', async () => {
    const saved = await ready({ n: 1 });
    const moved = await ready({ n: 2, parameters: { lambda: 0.9 } });
    expect(saved.answer).toMatchObject({
      n: 1,
      source: { kind: 'estimate', fractionRead: 1 },
      recipe: { tasks: ['spatial', 'object', 'goal'], uses: { lambda: true, density: false } },
    });
    const active = ({ answer }: typeof saved): number =>
      Number(answer.report.total.active?.['spatial']);
    expect(active(moved)).toBeLessThan(active(saved));
  });

  it('draw a curve that falls with lambda, and name tensors of one block', async () => {
    const grid = [0.2, 0.5, 0.8];
    const curve = await curveOf({ n: 3, parameter: 'lambda', grid });
    const first = [...(curve.values ?? [])].slice(0, 3);
    expect(first).toHaveLength(3);
    expect(first).toEqual([...first].sort((a, b) => Number(b) - Number(a)));
    const layer = await client.own('mergevla/masks/layer', {
      uri,
      n: 4,
      component: 'lm.block',
      from: 0,
      to: 0,
    });
    expect(layer.tensors.length).toBeGreaterThan(3);
    expect(layer.tensors.every(({ block }) => block === 0)).toBe(true);
  });

  it('take what is in no block for the place before the first block', async () => {
    const { blocks } = (await ready({ n: 1 })).answer.report;
    const component = blocks.find(
      (one) =>
        one.block === null && blocks.some((b) => b.component === one.component && b.block === 0),
    )?.component;
    if (component === undefined) throw new Error('no component has blocks and a rest');
    const names = async (from: number | null, to: number | null): Promise<string[]> => {
      const range = { uri, n: 2, component, from, to };
      return (await client.own('mergevla/masks/layer', range)).tensors.map(({ name }) => name);
    };
    const [rest, block, both] = [await names(null, null), await names(0, 0), await names(null, 0)];
    expect(rest.length).toBeGreaterThan(0);
    expect(block.length).toBeGreaterThan(0);
    expect(both.toSorted()).toEqual([...rest, ...block].toSorted());
  });

  it('are those of the text with the parameters written into it', async () => {
    const each = recipe.replace('lambda: 0.6', 'lambda: { spatial: 0.2, object: 0.4, goal: 0.6 }');
    const written = [
      [
        recipe,
        { lambda: 0.9, alpha: 0.8 },
        [
          ['lambda: 0.6', 'lambda: 0.9'],
          ['arithmetic', 'arithmetic, alpha: 0.8'],
        ],
      ],
      [
        each,
        { lambda: 0.8 },
        [
          ['0.2,', '0.4,'],
          ['object: 0.4', 'object: 0.8'],
          ['goal: 0.6', 'goal: 1.2'],
        ],
      ],
      [
        recipe,
        { lambdas: { spatial: 0.3, object: 0.6, goal: 0.9 } },
        [['lambda: 0.6', 'lambda: { spatial: 0.3, object: 0.6, goal: 0.9 }']],
      ],
      [each, { lambdas: { spatial: 0.2, object: 0.4, goal: 0.9 } }, [['goal: 0.6', 'goal: 0.9']]],
    ] as const;
    for (const [from, parameters, changes] of written) {
      await client.change(uri, from);
      const moved = await ready({ n: 1, parameters });
      const text = changes.reduce((sum, [a, b]) => sum.replace(a, b), from);
      await client.change(uri, text);
      const own = await ready({ n: 1 });
      expect(moved.answer.parameters.lambda).toBeCloseTo(own.answer.parameters.lambda, 12);
      expect(moved.answer.report).toEqual(own.answer.report);
    }
    await client.change(uri, recipe);
  });

  it('are those of the merge where tasks have their own λ and weight', async () => {
    const own = recipe
      .replace('spatial: zoo/spatial', 'spatial: { path: zoo/spatial, weight: 0.5 }')
      .replace('lambda: 0.6', 'lambda: { spatial: 0.3, object: 0.6, goal: 0.9 }');
    await client.change(uri, own);
    const { answer } = await ready({ n: 1 });
    expect(answer.source.kind).toBe('estimate');
    expect(answer.recipe.saved.lambdas).toEqual({ spatial: 0.3, object: 0.6, goal: 0.9 });
    client.write('own.mergevla.yaml', own);
    const { run } = await client.own('mergevla/job/start', {
      ...{ action: 'merge', uri: client.uri('own.mergevla.yaml'), device: 'cpu' },
    });
    const file = join(run, 'report.json');
    await until('the run', () => existsSync(file) || undefined);
    const exact = JSON.parse(readFileSync(file, 'utf8')) as MergeReport;
    const { total, components } = answer.report;
    expect(total.active).toEqual(exact.total.active);
    expect(total.coverage).toEqual(exact.total.coverage);
    for (const [name, { active }] of Object.entries(components))
      expect(active).toEqual(exact.components[name]?.active);
    await client.change(uri, recipe);
  });

  it('draw each task over its own λ, and write the λs of a map one by one', async () => {
    const grid = [0.2, 0.5, 0.8];
    const plain = await curveOf({ n: 3, parameter: 'lambda', grid });
    const each = recipe.replace(
      'masks: { lambda: 0.6 }',
      'masks:\n  lambda:\n    spatial: 0.2 # little\n    # between\n    object: 0.4\n',
    );
    await client.change(uri, each);
    const curve = await curveOf({ n: 3, parameter: 'lambda', grid });
    expect(curve).toEqual(plain);
    const edits = async (value: number | Record<string, number>) =>
      (
        await client.own('mergevla/recipe/edit', { uri, values: [{ parameter: 'lambda', value }] })
      ).map(({ newText }) => newText);
    expect(await edits({ spatial: 0.3, object: 0.4, goal: 0.9 })).toEqual([
      '0.3',
      '\n    goal: 0.9',
    ]);
    // 0.2, 0.4 and the default 0.6, by a factor of 1.5.
    expect(await edits(0.6)).toEqual(['0.3', '0.6', '\n    goal: 0.9']);
    await client.change(uri, recipe);
    expect(await edits({ spatial: 0.3, object: 0.4, goal: 0.9 })).toEqual([
      '{ spatial: 0.3, object: 0.4, goal: 0.9 }',
    ]);
  });

  it('draw every curve of a method with three parameters', async () => {
    await client.change(uri, recipe.replace('task_arithmetic', 'ties, density: 0.4'));
    const grid = Array.from({ length: 20 }, (_, i) => (i + 1) / 20);
    const names = ['lambda', 'alpha', 'density'] as const;
    const curves = await Promise.all(names.map((parameter) => curveOf({ n: 5, parameter, grid })));
    expect(curves.map((curve) => curve.values.length)).toEqual([60, 60, 60]);
    await client.change(uri, recipe);
  });

  it('are there for the tasks that can be read when an expert is missing', async () => {
    await client.change(uri, recipe.replace('zoo/goal', 'zoo/nowhere'));
    const found = await ready({ n: 1 });
    const { recipe: facts, report } = found.answer;
    expect(facts).toMatchObject({ tasks: ['spatial', 'object', 'goal'], missing: ['goal'] });
    expect(facts.tensors).toBeGreaterThan(0);
    expect(Object.keys(report.total.active ?? {})).toEqual(['spatial', 'object']);
    expect(report.total.coverage).toHaveLength(3);
    const curve = await curveOf({ n: 2, parameter: 'lambda', grid: [0.5] });
    // Two tasks are compared with two unrelated ones: 1 − (2/π)·atan(λ).
    expect(found.answer.unrelated?.coverage).toHaveLength(3);
    expect(curve.unrelated?.[0]).toBeCloseTo(1 - (2 / Math.PI) * Math.atan(0.5), 12);
    expect(Array.from(curve.values ?? [], (value) => typeof value)).toEqual([
      'number',
      'number',
      'object',
    ]);
    await client.change(uri, recipe);
  });

  it('are not read when somebody says stop before the first round, until asked again', async () => {
    await client.own('mergevla/masks/again', { uri });
    await client.close(uri);
    await client.open(recipe);
    await client.own('mergevla/masks/stop', { uri });
    const stopped = await client.own('mergevla/masks/answer', { uri, n: 1 });
    expect(stopped).toMatchObject({ state: 'none', reason: 'reading the sample was stopped' });
    await client.own('mergevla/masks/again', { uri });
    expect((await ready({ n: 2 })).answer.report.tasks).toHaveLength(3);
  });

  it('tell which files a vanished mount took, and come back with it', async () => {
    const zoo = join(client.folder, 'zoo');
    renameSync(zoo, `${zoo}-away`);
    await client.own('mergevla/masks/again', { uri });
    const gone = await until('a reason', async () => {
      const reply = await client.own('mergevla/masks/answer', { uri, n: 1 });
      return reply.state === 'none' ? reply : undefined;
    });
    expect(gone.reason).toMatch(/zoo/);
    renameSync(`${zoo}-away`, zoo);
    await client.own('mergevla/masks/again', { uri });
    expect((await ready({ n: 2 })).answer.report.tasks).toHaveLength(3);
  });
});

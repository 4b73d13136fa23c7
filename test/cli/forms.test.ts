import { cpSync, existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../server/tensors/checkpoint';
import { mergevla, temporaryFolder } from './command';
import { bytesOf } from './tensors';

const folder = temporaryFolder();
const sample = join(folder, 'sample');
const recipe = join(sample, 'cubes.mergevla.yaml');

async function merge(name: string, lines: string): Promise<string> {
  const path = join(sample, `${name}.mergevla.yaml`);
  writeFileSync(path, `${readFileSync(recipe, 'utf8')}${lines}\n`);
  const out = join(folder, name);
  const answer = await mergevla(['merge', path, '--out', out]);
  expect([answer.code, answer.stderr.includes('error')]).toEqual([0, false]);
  return out;
}

/** Relative paths of all files below a folder, with their bytes. */
function filesOf(top: string): Map<string, Buffer> {
  const walk = (path: string): string[] =>
    statSync(path).isDirectory()
      ? readdirSync(path).flatMap((name) => walk(join(path, name)))
      : [path];
  return new Map(walk(top).map((path) => [relative(top, path), readFileSync(path)]));
}

function expectSameFiles(a: string, b: string): void {
  const [first, second] = [filesOf(a), filesOf(b)];
  expect([...second.keys()].sort()).toEqual([...first.keys()].sort());
  for (const [name, bytes] of first)
    expect([name, second.get(name)?.equals(bytes)]).toEqual([name, true]);
}

let compact = '';

beforeAll(async () => {
  expect((await mergevla(['init', sample])).code).toBe(0);
  compact = await merge('compact', '');
});

describe('mergevla export', () => {
  it('gives the bits of a direct merge to weights', async () => {
    const direct = await merge('weights', 'output: { form: weights }');
    const out = join(folder, 'exported-weights');
    const answer = await mergevla(['export', compact, '--form', 'weights', '--out', out, '--json']);
    expect(JSON.parse(answer.stdout)).toEqual({ form: 'weights', path: out });
    expectSameFiles(out, join(direct, 'merged'));
  });

  it('gives τ and masks back from plain checkpoints', async () => {
    const out = join(folder, 'exported-compact');
    const run = join(folder, 'weights');
    expect((await mergevla(['export', run, '--form', 'compact', '--out', out])).code).toBe(0);
    const names = ['task_vector', 'masks', 'rest', 'router'].map((name) => `${name}.safetensors`);
    const same = (name: string): boolean =>
      readFileSync(join(out, name)).equals(readFileSync(join(compact, 'merged', name)));
    expect(names.filter(same)).toEqual(names);
  });

  it('gives the bits of a direct merge to the released layout', async () => {
    const direct = await merge('released', 'output: { form: mergevla }');
    const out = join(folder, 'exported-released');
    expect((await mergevla(['export', compact, '--form', 'mergevla', '--out', out])).code).toBe(0);
    expectSameFiles(out, join(direct, 'merged'));
  });

  it('writes plain checkpoints with head and projector in files of their own', async () => {
    const checkpoint = await openCheckpoint(join(folder, 'exported-weights/push_cube'));
    const expert = await openCheckpoint(join(sample, 'zoo/push_cube'));
    expect([...checkpoint.tensors.keys()].sort()).toEqual([...expert.tensors.keys()].sort());
    const last = 'action_head.model.mlp_resnet_blocks.3.v_task.weight';
    const ours = bytesOf(checkpoint.files);
    const theirs = bytesOf(expert.files);
    const own = expert.tensors.get(last);
    const found = checkpoint.tensors.get(last);
    expect(found && own && Buffer.compare(ours.bytes(found), theirs.bytes(own))).toBe(0);
    ours.close();
    theirs.close();
  });

  it('refuses when an input has changed since', async () => {
    const moved = join(folder, 'changed');
    cpSync(compact, moved, { recursive: true });
    const path = join(moved, 'recipe.resolved.json');
    writeFileSync(path, readFileSync(path, 'utf8').replace(/"hash": "\w{8}/, '"hash": "00000000'));
    const answer = await mergevla([
      'export',
      moved,
      '--form',
      'weights',
      '--out',
      join(folder, 'x'),
    ]);
    expect([answer.code, answer.stderr]).toEqual([
      65,
      expect.stringContaining('has changed since'),
    ]);
    expect(existsSync(join(folder, 'x'))).toBe(false);
  });

  it('prints a mergekit recipe and says what is lost, which import-recipe reads back', async () => {
    const answer = await mergevla(['export', compact, '--form', 'mergekit']);
    expect(answer.stdout).toContain('merge_method: task_arithmetic');
    expect(answer.stderr).toContain('lost: task masks');
    const path = join(folder, 'mergekit.yaml');
    writeFileSync(path, answer.stdout);
    const imported = await mergevla(['import-recipe', path, '--json']);
    expect(JSON.parse(imported.stdout).recipe).toContain('method: task_arithmetic');
  });

  it('prints the model card', async () => {
    const { stdout } = await mergevla(['export', compact, '--form', 'model-card']);
    expect(stdout).toMatch(/^---\nbase_model:\n/);
    expect(stdout).toContain('| total |');
  });
});

describe('a run directory', () => {
  it('holds what the design names', () => {
    const names = readdirSync(compact).sort();
    expect(names).toEqual([
      'README.md',
      'events.jsonl',
      'merged',
      'metrics.json',
      'params.yaml',
      'recipe.mergevla.yaml',
      'recipe.resolved.json',
      'report.json',
      'run.json',
    ]);
    expect(readdirSync(join(compact, 'merged')).sort()).toEqual([
      'config.json',
      'dataset_statistics.json',
      'manifest.json',
      'masks.safetensors',
      'preprocessor_config.json',
      'rest.safetensors',
      'router.safetensors',
      'task_vector.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    const read = (name: string): Record<string, unknown> =>
      JSON.parse(readFileSync(join(compact, name), 'utf8'));
    expect(readFileSync(join(compact, 'recipe.mergevla.yaml'))).toEqual(
      readFileSync(join(sample, 'compact.mergevla.yaml')),
    );
    expect(read('run.json')).toMatchObject({
      state: 'done',
      phases: [{ name: 'merge', state: 'done' }],
      device: 'cpu',
    });
    expect(read('metrics.json')['total.active.pick_place']).toBeGreaterThan(0.1);
    expect(read('merged/manifest.json')).toMatchObject({
      form: 'compact',
      layout: 'mergevla',
      router: { rank: 8, valueBlock: 2, hiddenEntry: 4 },
      heads: { unmergedBlocks: 1, blocks: 4 },
    });
    const events = readFileSync(join(compact, 'events.jsonl'), 'utf8').trimEnd().split('\n');
    expect(JSON.parse(events[0])).toMatchObject({
      type: 'phase',
      phase: 'merge',
      state: 'started',
    });
    expect(JSON.parse(events.at(-1) ?? '')).toMatchObject({ phase: 'merge', state: 'done' });
  });
});

describe('mergevla report', () => {
  for (const [format, sign] of [
    ['text', 'component'],
    ['markdown', '| component |'],
    ['latex', '\\toprule'],
    ['csv', 'table,component,elements'],
    ['html', '<!doctype html>'],
    ['json', '"tables"'],
  ] as const)
    it(`writes ${format}`, async () => {
      const { code, stdout } = await mergevla(['report', compact, '--format', format]);
      expect(code).toBe(0);
      expect(stdout).toContain(sign);
      expect(stdout).toContain('vision.siglip');
    });

  it('puts several runs side by side', async () => {
    const { stdout } = await mergevla([
      'report',
      compact,
      join(folder, 'weights'),
      '--format',
      'csv',
    ]);
    expect(stdout.split('\r\n')[1]).toMatch(/^Merged parameters,compact,task_arithmetic,1,0\.6,/);
  });
});

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readMergedDirectory, type MergedCheckpoint } from '../../server/runs/merged';
import { fixtures, mergevla, temporaryFolder } from './command';
import { bytesOf, unpack } from './tensors';

const zoo = join(fixtures, 'policy');
const folder = temporaryFolder();
const tasks = ['libero_spatial', 'libero_object', 'libero_goal'];

function recipe(form: string): string {
  const path = join(folder, `${form}.mergevla.yaml`);
  const experts = tasks.map((task) => `  ${task}: ${zoo}/experts/${task}`);
  writeFileSync(
    path,
    `version: 1
base: ${zoo}/base
experts:
${experts.join('\n')}
merge: { method: task_arithmetic, precision: native }
output: { form: ${form} }
`,
  );
  return path;
}

/** Every tensor of a merge in a form that both layouts have: bytes by a name that says where it is. */
function contents(merged: MergedCheckpoint): Map<string, Uint8Array> {
  const source = bytesOf(merged.files);
  const all = new Map<string, Uint8Array>();
  const add = (prefix: string, map: MergedCheckpoint['shared']): void => {
    for (const [name, info] of map) {
      const bytes = source.bytes(info);
      // The released layout stores zeros where nothing was merged.
      if (prefix !== 'vector' || bytes.some((byte) => byte !== 0))
        all.set(`${prefix}/${name}`, bytes);
    }
  };
  add('vector', merged.taskVector);
  add('shared', merged.shared);
  merged.own.forEach((own, task) => add(`own${task}`, own));
  merged.masks?.forEach((masks, task) => {
    for (const [name, { info, packed }] of masks) {
      const elements = merged.taskVector.get(name)?.elements ?? 0;
      const bits = packed ? unpack(source.bytes(info), elements) : source.bytes(info);
      all.set(`mask${task}/${name}`, bits);
    }
  });
  merged.router?.bases.forEach((bases, task) => {
    all.set(`router${task}/task`, source.bytes(bases.task));
    all.set(`router${task}/action`, source.bytes(bases.action));
  });
  source.close();
  return all;
}

/** |cosine| of rows of two bf16 matrices. */
function rowCosines(a: Float32Array, b: Float32Array, width: number): number[] {
  return Array.from({ length: a.length / width }, (_, row) => {
    let [ab, aa, bb] = [0, 0, 0];
    for (let i = row * width; i < (row + 1) * width; i++) {
      ab += a[i] * b[i];
      aa += a[i] ** 2;
      bb += b[i] ** 2;
    }
    return Math.abs(ab) / Math.sqrt(aa * bb);
  });
}

let released: MergedCheckpoint;
let ours: MergedCheckpoint;
let compact: MergedCheckpoint;

beforeAll(async () => {
  for (const form of ['mergevla', 'compact']) {
    const answer = await mergevla(['merge', recipe(form), '--out', join(folder, form), '--json']);
    expect(answer.stderr + answer.stdout).toContain('"state": "done"');
    expect(answer.code).toBe(0);
  }
  released = await readMergedDirectory(join(zoo, 'merged'));
  ours = await readMergedDirectory(join(folder, 'mergevla'));
  compact = await readMergedDirectory(join(folder, 'compact'));
});

describe('a native merge in the released layout', () => {
  it('equals the released scripts’ output bit for bit, the router’s rows apart', () => {
    const expected = contents(released);
    const found = contents(ours);
    expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
    const different = [...expected].filter(
      ([name, bytes]) =>
        !name.startsWith('router') && Buffer.compare(bytes, found.get(name) ?? bytes) !== 0,
    );
    expect(different.map(([name]) => name)).toEqual([]);
    expect(ours.tasks).toEqual(released.tasks);
    expect(ours.router).toMatchObject({ rank: 8, valueBlock: 2, hiddenEntry: 4 });
  });

  it('has the released router’s rows up to sign and rounding', () => {
    const theirs = bytesOf(released.files);
    const own = bytesOf(ours.files);
    released.router?.bases.forEach((bases, task) => {
      for (const path of ['task', 'action'] as const) {
        const basis = ours.router?.bases[task][path];
        expect(basis?.shape).toEqual([8, 64]);
        if (!basis) continue;
        const cosines = rowCosines(theirs.values(bases[path]), own.values(basis), 64);
        for (const cosine of cosines) expect(cosine).toBeGreaterThan(0.9999);
      }
    });
    theirs.close();
    own.close();
  });

  it('has the same configuration and the statistics of every task', () => {
    const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
    const statistics = read(join(folder, 'mergevla/merged/dataset_statistics.json'));
    expect(statistics).toEqual(read(join(zoo, 'merged/dataset_statistics.json')));
    for (const name of ['config.json', 'tokenizer.json', 'preprocessor_config.json'])
      expect(readFileSync(join(folder, 'mergevla/merged', name), 'utf8')).toBe(
        readFileSync(join(zoo, 'base', name), 'utf8'),
      );
  });

  it('holds what the compact form holds', () => {
    const expected = contents(compact);
    const found = contents(ours);
    expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [name, bytes] of expected)
      expect([name, Buffer.compare(bytes, found.get(name) ?? Buffer.alloc(0))]).toEqual([name, 0]);
  });
});

describe('a merge that the released layout cannot hold', () => {
  it.each([
    ['without masks', 'masks: none', /a merge without masks/],
    ['without router', 'router: none', /a merge without router/],
    [
      'with early blocks per task',
      "heads: { per_task: ['*v_task*'] }",
      /blocks\.0\.v_task.* once for each task/,
    ],
    ['with all parts per task', 'merge: { rest: per_task }', /once for each task/],
    [
      'with a task’s own weights outside the scope',
      'merge: { keep_from: libero_goal, scope: { components: [lm.block] } }',
      /neither from the base nor from a task vector/,
    ],
  ])('is refused before any work %s', async (name, line, says) => {
    const path = join(folder, 'refused.mergevla.yaml');
    const text = readFileSync(recipe('mergevla'), 'utf8').replace(/^merge:.*$/m, line);
    writeFileSync(path, text);
    const checked = await mergevla(['check', path]);
    expect([name, checked.code, checked.stdout]).toEqual([name, 65, expect.stringMatching(says)]);
    const merged = await mergevla(['merge', path, '--out', join(folder, 'refused')]);
    expect([merged.code, existsSync(join(folder, 'refused'))]).toEqual([65, false]);
  });
});

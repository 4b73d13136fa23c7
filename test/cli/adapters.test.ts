import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { bitAt, golden, readTensors } from '../engine/driver';
import { mergevla, temporaryFolder } from './command';

const folder = temporaryFolder();
const family = 'lora-base-bf16';
const base = join(golden, `models/${family}/base`);
const adapter = (name: string): string => join(golden, `adapters/${family}/${name}`);

async function merge(name: string, lines: readonly string[]): Promise<string> {
  const recipe = join(folder, `${name}.mergevla.yaml`);
  writeFileSync(recipe, ['version: 1', ...lines, ''].join('\n'));
  const out = join(folder, name);
  const { code, stderr } = await mergevla(['merge', recipe, '--out', out, '--quiet']);
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('error')]);
  return join(out, 'merged');
}

describe('adapters beside fused experts', () => {
  let experts: string;
  let compact: string;

  beforeAll(async () => {
    const fused = await merge('fused', [
      `base: ${base}`,
      `experts: { tuned: { adapter: ${adapter('rslora')} } }`,
      'masks: none',
      'output: { form: weights }',
    ]);
    cpSync(fused, join(folder, 'copy'), { recursive: true });
    experts = `experts: { a: { adapter: ${adapter('plain')} }, b: { adapter: ${adapter('modules_to_save')} }, c: copy, d: { path: copy, adapter: ${adapter('patterns')} } }`;
    compact = await merge('compact', [`base: ${base}`, experts, 'output: { dtype: float32 }']);
  });

  it('are whole models each', async () => {
    const merged = await merge('weights', [
      `base: ${base}`,
      experts,
      'output: { form: weights, dtype: float32 }',
    ]);
    const start = readTensors(join(base, 'model.safetensors'));
    const vector = readTensors(join(compact, 'task_vector.safetensors'));
    const masks = readTensors(join(compact, 'masks.safetensors'));
    for (const task of ['a', 'b', 'c', 'd']) {
      const model = readTensors(join(merged, task, 'model.safetensors'));
      expect([...model.keys()].sort()).toEqual([...start.keys()].sort());
      expect(existsSync(join(merged, task, 'config.json'))).toBe(true);
      for (const [name, { values }] of start) {
        const bits = masks.get(`${task}/${name}`)?.bytes;
        const delta = vector.get(name)?.values;
        const expected = values.map((value, i) =>
          bits && delta && bitAt(bits, i) ? value + delta[i] : value,
        );
        expect([name, model.get(name)?.values]).toEqual([name, expected]);
      }
    }
  });

  it('give each task the positions that its adapter changed', () => {
    const masks = readTensors(join(compact, 'masks.safetensors'));
    const head = (task: string): number =>
      (masks.get(`${task}/lm_head.weight`)?.bytes ?? new Uint8Array()).reduce((a, b) => a + b, 0);
    expect([head('a'), head('c'), head('d')]).toEqual([0, 0, 0]);
    expect(head('b')).toBeGreaterThan(0);
  });

  it('are told apart from the same adapter twice', async () => {
    const recipe = join(folder, 'twice.mergevla.yaml');
    const plain = `{ adapter: ${adapter('plain')} }`;
    writeFileSync(recipe, `version: 1\nbase: ${base}\nexperts: { a: ${plain}, b: ${plain} }\n`);
    const { code, stdout } = await mergevla(['check', recipe]);
    expect([code, stdout]).toEqual([65, expect.stringMatching(/`b` and `a` are one checkpoint/)]);
  });
});

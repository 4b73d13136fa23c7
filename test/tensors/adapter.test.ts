import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { openAdapter } from '../../server/tensors/adapter';
import { adapterDeltaRows } from '../../server/tensors/adapter-delta';
import { openCheckpoint } from '../../server/tensors/checkpoint';
import { isFloat, narrow, widen } from '../../server/tensors/dtypes';
import { TensorReader } from '../../server/tensors/reader';
import type { Checkpoint, TensorInfo } from '../../server/tensors/types';
import { expectFault, temporaryFolder, writeModel } from './files';

const fixtures = resolve(__dirname, '../fixtures/tensors/lora');
const folder = temporaryFolder();

function values(checkpoint: { files: Checkpoint['files'] }, info: TensorInfo): Float32Array {
  const reader = new TensorReader(checkpoint.files);
  const target = new Float32Array(info.elements);
  reader.readFloat32(info, 0, target);
  reader.close();
  return target;
}

/** Base plus adapter, added in float32 and rounded once to the base's dtype. */
async function fused(basePath: string, adapterPath: string): Promise<Map<string, Float32Array>> {
  const base = await openCheckpoint(basePath);
  const adapter = await openAdapter(adapterPath, base);
  const result = new Map<string, Float32Array>();
  for (const info of base.tensors.values()) {
    const replacement = adapter.replacements.get(info.name);
    const weights = replacement ? values(adapter, replacement) : values(base, info);
    const delta = adapter.deltas.get(info.name);
    if (delta) {
      const rows = info.shape[0];
      const into = new Float32Array(info.elements);
      const factors = { a: values(adapter, delta.a), b: values(adapter, delta.b) };
      // Halves, so that ranges of rows are used as the engine uses them.
      const middle = rows >> 1;
      const columns = info.elements / rows;
      adapterDeltaRows(delta, factors, { from: 0, to: middle }, into.subarray(0, middle * columns));
      adapterDeltaRows(delta, factors, { from: middle, to: rows }, into.subarray(middle * columns));
      into.forEach((d, i) => (weights[i] += d));
    }
    if (!isFloat(info.dtype)) throw new Error('an integer weight');
    const rounded = new Uint8Array(weights.length * 8);
    narrow(info.dtype, weights, rounded);
    widen(info.dtype, rounded, weights);
    result.set(info.name, weights);
  }
  return result;
}

describe('a LoRA adapter', () => {
  it.each(['plain', 'rslora', 'modules_to_save', 'patterns'])(
    'fused into bfloat16 gives what peft gives (%s)',
    async (name) => {
      const place = join(fixtures, `bf16-${name}`);
      const ours = await fused(join(fixtures, 'base-bf16'), place);
      const theirs = await openCheckpoint(join(place, 'expected.safetensors'));
      let equal = 0;
      let total = 0;
      for (const info of theirs.tensors.values()) {
        const expected = values(theirs, info);
        ours.get(info.name)!.forEach((value, i) => {
          total++;
          if (value === expected[i]) equal++;
          else expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(Math.abs(value) / 128);
        });
      }
      expect(equal / total).toBeGreaterThanOrEqual(0.99);
    },
  );

  it.each(['plain', 'rslora'])('fused into float32 gives what peft gives (%s)', async (name) => {
    const place = join(fixtures, `f32-${name}`);
    const ours = await fused(join(fixtures, 'base-f32'), place);
    const theirs = await openCheckpoint(join(place, 'expected.safetensors'));
    for (const info of theirs.tensors.values()) {
      const expected = values(theirs, info);
      ours.get(info.name)!.forEach((value, i) => {
        expect(Math.abs(value - expected[i])).toBeLessThanOrEqual(
          1e-6 + 1e-6 * Math.abs(expected[i]),
        );
      });
    }
  });
});

describe('an adapter by hand', () => {
  const basePath = join(folder, 'base.safetensors');
  const place = join(folder, 'adapter');
  const weights = join(place, 'adapter_model.safetensors');
  const configure = (config: object) =>
    writeFileSync(
      join(place, 'adapter_config.json'),
      JSON.stringify({ peft_type: 'LORA', r: 1, lora_alpha: 2, ...config }),
    );
  const open = async () => openAdapter(place, await openCheckpoint(basePath));
  const add = (tensors: Record<string, number[]>) =>
    writeModel(
      weights,
      Object.fromEntries(Object.entries(tensors).map(([k, v]) => [`base_model.model.${k}`, v])),
      (_, i) => i + 1,
    );

  beforeEach(() => {
    rmSync(place, { recursive: true, force: true });
    mkdirSync(place);
    writeModel(basePath, {
      'layers.0.q.weight': [2, 3],
      'layers.0.q.bias': [2],
      'conv.weight': [2, 1, 2, 2],
      'embed_tokens.weight': [3, 2],
      'lm_head.weight': [3, 2],
    });
    configure({});
  });

  async function delta(name: string): Promise<number[]> {
    const adapter = await open();
    const info = (await openCheckpoint(basePath)).tensors.get(name)!;
    const found = adapter.deltas.get(name)!;
    const into = new Float32Array(info.elements);
    const factors = { a: values(adapter, found.a), b: values(adapter, found.b) };
    adapterDeltaRows(found, factors, { from: 0, to: info.shape[0] }, into);
    return [...into];
  }

  it('adds alpha / r times B·A', async () => {
    add({ 'layers.0.q.lora_A.weight': [1, 3], 'layers.0.q.lora_B.weight': [2, 1] });
    expect(await delta('layers.0.q.weight')).toEqual([2, 4, 6, 4, 8, 12]);
  });

  it('takes live names, transposed layers and patterns', async () => {
    configure({ fan_in_fan_out: true, alpha_pattern: { '^layers\\.\\d+\\.q': 1 } });
    add({ 'layers.0.q.lora_A.default.weight': [1, 2], 'layers.0.q.lora_B.default.weight': [3, 1] });
    expect(await delta('layers.0.q.weight')).toEqual([1, 2, 3, 2, 4, 6]);
  });

  it('adds to convolutions and embeddings', async () => {
    add({
      'conv.lora_A.weight': [1, 1, 2, 2],
      'conv.lora_B.weight': [2, 1, 1, 1],
      'embed_tokens.lora_embedding_A': [1, 3],
      'embed_tokens.lora_embedding_B': [2, 1],
    });
    expect(await delta('conv.weight')).toEqual([2, 4, 6, 8, 4, 8, 12, 16]);
    expect(await delta('embed_tokens.weight')).toEqual([2, 4, 4, 8, 6, 12]);
  });

  it('replaces biases and saved modules, and passes over copies of the base', async () => {
    configure({ modules_to_save: ['embed_tokens'] });
    add({
      'layers.0.q.base_layer.bias': [2],
      'embed_tokens.weight': [3, 2],
      'lm_head.weight': [3, 2],
    });
    const adapter = await open();
    expect([...adapter.replacements.keys()].sort()).toEqual([
      'embed_tokens.weight',
      'layers.0.q.bias',
    ]);
  });

  it('is refused with the reason when it cannot be a sum', async () => {
    add({ 'layers.0.q.lora_A.weight': [1, 3], 'layers.0.q.lora_B.weight': [2, 1] });
    configure({ use_dora: true });
    await expectFault(open, 'MV441', /DoRA.*fused checkpoint/);
    configure({ peft_type: 'IA3' });
    await expectFault(open, 'MV440', /only LoRA/);
    configure({ r: undefined, lora_alpha: 'x' });
    await expectFault(open, 'MV440', /no valid "lora_alpha"/);
    configure({ alpha_pattern: { '(a+)+$': 2 } });
    await expectFault(open, 'MV440', /pattern "\(a\+\)\+\$" is not supported/);
    configure({});
    add({ 'layers.0.q.lora_magnitude_vector': [2] });
    await expectFault(open, 'MV441', /DoRA/);
    add({ 'layers.0.q.lora_A.weight': [1, 3] });
    await expectFault(open, 'MV440', /both factors of layers\.0\.q/);
    add({ 'lm_head.weight': [3, 2] });
    await expectFault(open, 'MV440', /holds no LoRA tensors/);
    rmSync(weights);
    await expectFault(open, 'MV440', /holds no adapter_model/);
    writeFileSync(join(place, 'adapter_config.json'), '{"r":1');
    await expectFault(open, 'MV440', /not valid JSON/);
  });

  it('is refused for another base, naming the first tensor', async () => {
    add({ 'layers.9.q.lora_A.weight': [1, 3], 'layers.9.q.lora_B.weight': [2, 1] });
    await expectFault(open, 'MV442', /another base.*layers\.9\.q\.weight/);
    add({ 'layers.0.q.lora_A.weight': [1, 4], 'layers.0.q.lora_B.weight': [2, 1] });
    await expectFault(open, 'MV442', /layers\.0\.q\.weight is \[2, 4\] there and \[2, 3\]/);
  });
});

import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Cancelled } from '../../server/protocol/merge-error';
import { openCheckpoint } from '../../server/tensors/checkpoint';
import { describeTensor, detectLayout } from '../../server/tensors/modules';
import { alignNames } from '../../server/tensors/names';
import { expectFault, temporaryFolder, writeModel } from './files';

const folder = temporaryFolder();
const torch = resolve(__dirname, '../fixtures/tensors/torch');
let serial = 0;

function place(): string {
  const path = join(folder, String(serial++));
  mkdirSync(path);
  return path;
}

function sharded(weightMap: Record<string, string>): string {
  const path = place();
  writeModel(join(path, 'one.safetensors'), { a: [1] });
  writeModel(join(path, 'two.safetensors'), { b: [2] });
  writeFileSync(
    join(path, 'model.safetensors.index.json'),
    JSON.stringify({ metadata: {}, weight_map: weightMap }),
  );
  return path;
}

describe('a checkpoint', () => {
  it('opens from a folder, a file and an index alike', async () => {
    const path = sharded({ a: 'one.safetensors', b: 'two.safetensors' });
    const byFolder = await openCheckpoint(path);
    expect([...byFolder.tensors.keys()]).toEqual(['a', 'b']);
    const byIndex = await openCheckpoint(join(path, 'model.safetensors.index.json'));
    expect(byIndex.tensors).toEqual(byFolder.tensors);
    expect((await openCheckpoint(join(path, 'one.safetensors'))).files).toHaveLength(1);
  });

  it.each([
    ['a parent folder', { a: '../one.safetensors' }, 'MV416', /outside its folder/],
    ['a parent folder on Windows', { a: 'x\\..\\..\\one.safetensors' }, 'MV416', /outside/],
    ['an absolute path', { a: '/etc/one.safetensors' }, 'MV416', /outside its folder/],
    ['an absolute path on Windows', { a: 'C:\\one.safetensors' }, 'MV416', /outside its folder/],
    ['a missing shard', { a: 'three.safetensors' }, 'MV416', /three\.safetensors, which does not/],
    [
      'a tensor that is not there',
      { a: 'one.safetensors', c: 'one.safetensors' },
      'MV417',
      /tensor c is in one/,
    ],
    [
      'a tensor in another shard',
      { a: 'two.safetensors', b: 'two.safetensors' },
      'MV417',
      /tensor a is in two/,
    ],
    [
      'a tensor unlisted',
      { a: 'one.safetensors', c: 'two.safetensors' },
      'MV417',
      /holds tensor b, which/,
    ],
  ])('is refused when its index names %s', async (...[, weightMap, code, sentence]) => {
    await expectFault(() => openCheckpoint(sharded(weightMap)), code, sentence);
  });

  it('is refused when two shards hold one tensor', async () => {
    const path = sharded({ a: 'one.safetensors', b: 'two.safetensors' });
    writeModel(join(path, 'two.safetensors'), { a: [1], b: [2] });
    await expectFault(() => openCheckpoint(path), 'MV417', /tensor a is in two shards/);
  });

  it('takes head and projector files along, without `module.`', async () => {
    const path = place();
    writeModel(join(path, 'model.safetensors'), { 'projector.fc1.weight': [1] });
    const source = join(torch, 'proprio_projector--30000_checkpoint.pt');
    copyFileSync(source, join(path, 'proprio_projector--30000_checkpoint.pt'));
    const { tensors, files } = await openCheckpoint(path);
    expect(files).toHaveLength(2);
    expect(tensors.get('proprio_projector.fc1.weight')).toMatchObject({
      part: 'proprio_projector',
      dtype: 'BF16',
      shape: [64, 8],
    });
    copyFileSync(source, join(path, 'proprio_projector--latest_checkpoint.pt'));
    await expectFault(() => openCheckpoint(path), 'MV420', /holds 2 files.*leave one/);
  });

  it('says when it is the result of a masked merge', async () => {
    const path = place();
    writeModel(join(path, 'model.safetensors'), { a: [1] });
    writeFileSync(join(path, 'tall_masks.pt'), '');
    expect((await openCheckpoint(path)).mergedMarkers).toEqual(['tall_masks.pt']);
  });

  it('says what a folder without weights is', async () => {
    const empty = place();
    await expectFault(() => openCheckpoint(empty), 'MV412', /holds no weights/);
    writeFileSync(join(empty, 'adapter_config.json'), '{}');
    await expectFault(() => openCheckpoint(empty), 'MV412', /LoRA adapter.*`adapter:`/);
    const jax = place();
    mkdirSync(join(jax, 'params'));
    await expectFault(() => openCheckpoint(jax), 'MV412', /openpi JAX/);
    await expectFault(() => openCheckpoint(join(jax, 'none')), 'MV410', /does not exist/);
    const text = join(empty, 'weights.txt');
    writeFileSync(text, '');
    await expectFault(() => openCheckpoint(text), 'MV412', /not a weight file/);
  });

  it('finds the policy inside a LeRobot run', async () => {
    const path = place();
    writeModel(join(path, 'pretrained_model', 'model.safetensors'), {
      'model.state_proj.weight': [1],
    });
    writeFileSync(join(path, 'pretrained_model', 'config.json'), '{"type":"smolvla"}');
    expect(detectLayout(await openCheckpoint(path))).toBe('smolvla');
  });

  it('reads whether the embedding is tied, and refuses a broken configuration', async () => {
    const path = place();
    writeModel(join(path, 'model.safetensors'), { 'model.embed_tokens.weight': [2, 1] });
    writeFileSync(join(path, 'config.json'), '{"text_config":{"tie_word_embeddings":true}}');
    expect((await openCheckpoint(path)).tiedEmbeddings).toBe(true);
    writeModel(join(path, 'model.safetensors'), {
      'model.embed_tokens.weight': [2, 1],
      'lm_head.weight': [2, 1],
    });
    expect([...(await openCheckpoint(path)).tensors.keys()]).toEqual(['model.embed_tokens.weight']);
    writeFileSync(join(path, 'config.json'), '{"tie_word_embeddings":false}');
    expect((await openCheckpoint(path)).tiedEmbeddings).toBe(false);
    writeFileSync(join(path, 'config.json'), '{');
    await expectFault(() => openCheckpoint(path), 'MV421', /config\.json is not valid JSON/);
  });

  it('is read from the cache until a file changes', async () => {
    const path = sharded({ a: 'one.safetensors', b: 'two.safetensors' });
    const cache = new Map();
    const first = await openCheckpoint(path, { cache });
    const held = cache.get(join(path, 'one.safetensors'));
    await openCheckpoint(path, { cache });
    expect(cache.get(join(path, 'one.safetensors'))).toBe(held);
    writeModel(join(path, 'one.safetensors'), { a: [3] });
    const second = await openCheckpoint(path, { cache });
    expect([first, second].map((c) => c.tensors.get('a')?.elements)).toEqual([1, 3]);
    rmSync(join(path, 'one.safetensors'));
    await expectFault(() => openCheckpoint(path, { cache }), 'MV416', /does not exist/);
  });

  it('stops when it is cancelled', async () => {
    const signal = AbortSignal.abort();
    await expect(openCheckpoint(place(), { signal })).rejects.toBeInstanceOf(Cancelled);
  });

  it('takes the base’s spelling of π0 names', async () => {
    const [base, expert] = [place(), place()];
    const stem = 'paligemma_with_expert.paligemma';
    writeModel(join(base, 'model.safetensors'), {
      [`${stem}.model.language_model.layers.0.mlp.up_proj.weight`]: [1],
      'state_proj.weight': [1],
    });
    writeModel(join(expert, 'model.safetensors'), {
      [`model.${stem}.language_model.model.layers.0.mlp.up_proj.weight`]: [1],
      'model.state_proj.weight': [1],
    });
    const own = await openCheckpoint(base);
    const aligned = alignNames(own, await openCheckpoint(expert));
    expect([...aligned.tensors.keys()]).toEqual([...own.tensors.keys()]);
    expect(alignNames(own, own)).toBe(own);
  });
});

describe('the place of a tensor', () => {
  it.each([
    [
      'vision_backbone.featurizer.blocks.23.attn.qkv.bias',
      'mergevla',
      'vision.dino',
      23,
      'attn.qkv',
    ],
    ['vision_backbone.featurizer.cls_token', 'mergevla', 'vision.dino', null, 'token'],
    ['vision_backbone.featurizer.blocks.2.ls1.scale_factor', 'mergevla', 'vision.dino', 2, 'ls'],
    [
      'vision_backbone.fused_featurizer.blocks.0.attn.proj.weight',
      'mergevla',
      'vision.siglip',
      0,
      'attn.o',
    ],
    [
      'vision_backbone.fused_featurizer.attn_pool.kv.weight',
      'mergevla',
      'vision.siglip',
      null,
      'attn.qkv',
    ],
    [
      'vision_backbone.fused_featurizer.patch_embed.proj.weight',
      'mergevla',
      'vision.siglip',
      null,
      'patch_embed',
    ],
    ['projector.fc2.weight', 'openvla', 'projector', 2, 'mlp.fc2'],
    ['language_model.model.layers.7.self_attn.o_proj.weight', 'openvla', 'lm.block', 7, 'attn.o'],
    ['language_model.model.layers.7.input_layernorm.weight', 'openvla', 'lm.block', 7, 'norm'],
    ['language_model.lm_head.weight', 'openvla', 'lm.head', null, 'head'],
    ['action_queries.weight', 'mergevla', 'action_queries', null, 'token'],
    ['proprio_projector.fc1.weight', 'mergevla', 'proprio', null, 'mlp.fc1'],
    [
      'action_head.model.mlp_resnet_blocks.3.v_task.bias',
      'mergevla',
      'expert.block',
      3,
      'xattn.v.task',
    ],
    ['action_head.model.mlp_resnet_blocks.3.ffn.0.weight', 'mergevla', 'expert.block', 3, 'norm'],
    [
      'action_head.model.mlp_resnet_blocks.3.ffn.1.weight',
      'mergevla',
      'expert.block',
      3,
      'mlp.fc1',
    ],
    ['action_head.model.mlp_resnet_blocks.3.gating_factor', 'mergevla', 'expert.block', 3, 'gate'],
    ['action_head.model.layer_norm1.weight', 'mergevla', 'expert.stem', null, 'norm'],
    ['action_head.model.layer_norm2.weight', 'mergevla', 'expert.norm', null, 'norm'],
    ['action_head.model.fc2.weight', 'mergevla', 'expert.out', null, 'mlp.fc2'],
    [
      'model.paligemma_with_expert.paligemma.model.vision_tower.vision_model.encoder.layers.4.mlp.fc1.weight',
      'pi0',
      'vision',
      4,
      'mlp.fc1',
    ],
    [
      'paligemma_with_expert.paligemma.language_model.model.layers.5.mlp.down_proj.weight',
      'pi0',
      'lm.block',
      5,
      'mlp.down',
    ],
    ['paligemma_with_expert.paligemma.lm_head.weight', 'pi0', 'lm.head', null, 'head'],
    [
      'paligemma_with_expert.gemma_expert.model.layers.6.input_layernorm.dense.weight',
      'pi0',
      'expert.block',
      6,
      'norm',
    ],
    ['action_time_mlp_in.weight', 'pi0', 'time_mlp', null, 'mlp.fc1'],
    [
      'model.vlm_with_expert.lm_expert.layers.1.self_attn.k_proj.weight',
      'smolvla',
      'expert.block',
      1,
      'attn.k',
    ],
    [
      'model.vlm_with_expert.vlm.model.connector.modality_projection.proj.weight',
      'smolvla',
      'projector',
      null,
      'linear',
    ],
    ['normalize_inputs.buffer_observation_state.mean', 'smolvla', 'norm_buffers', null, 'norm'],
    ['model.layers.11.mlp.gate_proj.weight', 'generic', 'lm.block', 11, 'mlp.gate'],
    ['model.language_model.layers.11.mlp.gate_proj.weight', 'generic', 'lm.block', 11, 'mlp.gate'],
    ['model.embed_tokens.weight', 'generic', 'lm.embed', null, 'embed'],
    ['model.norm.weight', 'generic', 'lm.norm', null, 'norm'],
    ['visual.blocks.3.attn.qkv.weight', 'generic', 'vision', 3, 'attn.qkv'],
    ['tower.layers.2.linear.weight', 'generic', 'other', 2, 'linear'],
  ] as const)('%s', (...[name, layout, component, block, kind]) => {
    expect(describeTensor(name, layout)).toEqual({ component, block, kind });
  });
});

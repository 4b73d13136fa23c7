import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { OnnxGraph } from '../../server/compute/onnx-graph';
import { createSession, loadOnnx, runSession } from '../../server/compute/onnx-session';
import { writeStages } from '../../server/policy/dump';
import { GraphWeights } from '../../server/policy/graph/weights';
import { loadPolicy } from '../../server/policy/policy';
import { bfloat16Rounding } from '../../server/policy/rope';
import type { TensorInfo } from '../../server/tensors/types';
import { writeTorchFile } from '../../server/tensors/torch-writer';
import { fixtures, relativeError } from './golden';

const folder = mkdtempSync(join(tmpdir(), 'mergevla-sizes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Small numbers that repeat from run to run. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32 - 0.5) * 0.8;
  };
}

type Shapes = Record<string, number[]>;

const width = 24;
const towerWidth = 10;

function linear(name: string, rows: number, columns: number, bias = true): Shapes {
  return { [`${name}.weight`]: [rows, columns], ...(bias ? { [`${name}.bias`]: [rows] } : {}) };
}
function norm(name: string, size: number): Shapes {
  return { [`${name}.weight`]: [size], [`${name}.bias`]: [size] };
}

/** One tower without prefix or scales, three cameras of 24 pixels, two layers, five queries. */
function modelShapes(): Shapes {
  const tower = 'vision_backbone.featurizer.';
  const shapes: Shapes = {
    'action_queries.weight': [5, width],
    'language_model.model.embed_tokens.weight': [448, width],
    'language_model.model.norm.weight': [width],
    [`${tower}pos_embed`]: [1, 9, towerWidth],
    [`${tower}patch_embed.proj.weight`]: [towerWidth, 3, 8, 8],
    [`${tower}patch_embed.proj.bias`]: [towerWidth],
    ...linear('projector.fc1', 30, towerWidth),
    ...linear('projector.fc2', width, 30),
  };
  for (const block of [0, 1])
    Object.assign(shapes, {
      ...norm(`${tower}blocks.${block}.norm1`, towerWidth),
      ...norm(`${tower}blocks.${block}.norm2`, towerWidth),
      ...linear(`${tower}blocks.${block}.attn.qkv`, 3 * towerWidth, towerWidth),
      ...linear(`${tower}blocks.${block}.attn.proj`, towerWidth, towerWidth),
      ...linear(`${tower}blocks.${block}.mlp.fc1`, 21, towerWidth),
      ...linear(`${tower}blocks.${block}.mlp.fc2`, towerWidth, 21),
    });
  for (const index of [0, 1]) {
    const layer = `language_model.model.layers.${index}.`;
    Object.assign(shapes, {
      [`${layer}input_layernorm.weight`]: [width],
      [`${layer}post_attention_layernorm.weight`]: [width],
      ...linear(`${layer}self_attn.q_proj`, width, width),
      ...linear(`${layer}self_attn.k_proj`, 12, width),
      ...linear(`${layer}self_attn.v_proj`, 12, width),
      ...linear(`${layer}self_attn.o_proj`, width, width, false),
      ...linear(`${layer}mlp.gate_proj`, 40, width, false),
      ...linear(`${layer}mlp.up_proj`, 40, width, false),
      ...linear(`${layer}mlp.down_proj`, width, 40, false),
    });
  }
  return shapes;
}

function headShapes(): Shapes {
  const shapes: Shapes = {
    ...norm('model.layer_norm1', 6 * width),
    ...linear('model.fc1', width, 6 * width),
    ...norm('model.layer_norm2', width),
    ...linear('model.fc2', 6, width),
  };
  for (const block of [0, 1]) {
    const name = `model.mlp_resnet_blocks.${block}.`;
    for (const part of ['q_proj_adapter', 'k_adapter', 'v_adapter', 'q_proj_task', 'k_task'])
      Object.assign(shapes, linear(name + part, width, width));
    Object.assign(shapes, {
      ...linear(`${name}v_task`, width, width),
      ...linear(`${name}o_proj`, width, width),
      ...norm(`${name}ffn.0`, width),
      ...linear(`${name}ffn.1`, width, width),
      [`${name}gating_factor`]: [1],
    });
  }
  return shapes;
}

function fill(shapes: Shapes, next: () => number) {
  return Object.entries(shapes).map(([name, shape]) => {
    const length = shape.reduce((product, n) => product * n, 1);
    return [name, { shape, data: Float32Array.from({ length }, next) }] as const;
  });
}

async function writeTorch(path: string, shapes: Shapes, next: () => number): Promise<void> {
  await writeTorchFile(path, {
    kind: 'dictionary',
    entries: fill(shapes, next).map(([name, { shape, data }]) => [
      name,
      {
        kind: 'tensor' as const,
        dtype: 'F32' as const,
        shape,
        chunks: () => [new Uint8Array(data.buffer)],
      },
    ]),
  });
}

async function writeSmallPolicy(path: string, entry: object): Promise<void> {
  cpSync(join(fixtures, 'base'), path, { recursive: true });
  const next = randomNumbers(7);
  writeStages(join(path, 'model.safetensors'), new Map(fill(modelShapes(), next)));
  await writeTorch(join(path, 'action_head--checkpoint.pt'), headShapes(), next);
  const projector = { ...linear('fc1', width, 6), ...linear('fc2', width, width) };
  await writeTorch(join(path, 'proprio_projector--checkpoint.pt'), projector, next);
  const config = {
    image_sizes: [24, 24],
    text_config: {
      hidden_size: width,
      num_attention_heads: 2,
      num_key_value_heads: 1,
      num_hidden_layers: 2,
    },
    mergevla: {
      cameras: ['top', 'side', 'wrist'],
      vision_heads: 2,
      head_heads: 3,
      chunk: 5,
      prompt: '{instruction}',
      action_norm: 'mean_std',
      proprio_norm: 'min_max',
      ...entry,
    },
  };
  writeFileSync(join(path, 'config.json'), JSON.stringify(config));
  const list = (value: number): number[] => Array<number>(6).fill(value);
  const action = { mean: list(0.5), std: list(2) };
  const proprio = { min: list(-1), max: list(1) };
  writeFileSync(
    join(path, 'dataset_statistics.json'),
    JSON.stringify({ cubes: { action, proprio } }),
  );
}

describe('a policy of other sizes', () => {
  const images = [1, 2, 3].map((seed) => {
    const next = randomNumbers(seed);
    return {
      width: 24,
      height: 24,
      data: Uint8Array.from({ length: 24 * 24 * 3 }, () => (next() + 0.4) * 300),
    };
  });
  const observation = { images, instruction: 'push', proprio: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6] };

  it('runs from its tensors and its mergevla entry', async () => {
    const path = join(folder, 'small');
    await writeSmallPolicy(path, { execute: 3 });
    const policy = await loadPolicy(path, { task: 'cubes' });
    expect(policy.config).toMatchObject({
      imageSize: 24,
      chunk: 5,
      execute: 3,
      taskTokens: 27,
      shape: {
        patches: 9,
        layers: 2,
        queries: 5,
        head: { blocks: 2, width, actionSize: 6, proprioSize: 6 },
      },
    });
    const { actions, normalized } = await policy.act(observation, 'cubes');
    expect(actions.map((row) => row.length)).toEqual([6, 6, 6, 6, 6]);
    // mean_std: every number is 2x + 0.5.
    normalized.forEach((row, i) =>
      row.forEach((value, k) => expect(actions[i][k]).toBeCloseTo(2 * value + 0.5, 5)),
    );
    const stages = await policy.stages(observation, 'cubes');
    expect(stages.get('vision.dino#2')?.shape).toEqual([1, 9, towerWidth]);
    expect(stages.has('vision.siglip')).toBe(false);
    expect(stages.get('head.input_hidden')?.shape).toEqual([1, 3, 32, width]);
    const last = images.slice(0, 2).concat({ ...images[2], data: images[0].data });
    const other = await policy.act({ ...observation, images: last }, 'cubes');
    expect(relativeError(other.normalized[0], normalized[0])).toBeGreaterThan(1e-6);
    await policy.close();
  });

  it('adds the state to relative actions', async () => {
    const [absolute, relative] = await Promise.all(
      [false, true].map(async (relative_actions) => {
        const path = join(folder, `relative-${relative_actions}`);
        await writeSmallPolicy(path, { relative_actions });
        const policy = await loadPolicy(path);
        const chunk = await policy.act(observation, policy.tasks[0]);
        await policy.close();
        return chunk.actions;
      }),
    );
    relative.forEach((row, i) =>
      row.forEach((value, k) =>
        expect(value - absolute[i][k]).toBeCloseTo(observation.proprio[k], 9),
      ),
    );
  });
});

describe('weights of any length', () => {
  // 15 elements: the mask's last byte is half used, and rows do not end on bytes.
  const cases = [
    { shape: [3, 5], dtype: 'F32' },
    { shape: [4, 8], dtype: 'F32' },
    { shape: [7, 3], dtype: 'BF16' },
    { shape: [5, 16], dtype: 'BF16' },
  ] as const;
  for (const { shape, dtype } of cases)
    for (const arithmetic of [false, true])
      it(`[${shape.join(', ')}] ${dtype} are masked ${arithmetic ? 'by arithmetic' : 'by bits'}, whole and by rows`, async () => {
        const [rows, columns] = shape;
        const elements = rows * columns;
        const next = randomNumbers(elements);
        const round = bfloat16Rounding();
        const numbers = () => Float32Array.from({ length: elements }, () => round(next()));
        const [base, vector] = [numbers(), numbers()];
        const file = join(folder, `${shape.join('x')}-${dtype}`);
        const size = dtype === 'F32' ? 4 : 2;
        const stored = (values: Float32Array): Uint8Array =>
          dtype === 'F32'
            ? new Uint8Array(values.buffer.slice(0))
            : new Uint8Array(
                Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16).buffer,
              );
        writeFileSync(file, Buffer.concat([stored(base), stored(vector)]));
        const info = (offset: number): TensorInfo => ({
          ...{ name: 'w', part: 'model', dtype, shape, elements, file, offset },
        });
        const bits = Uint8Array.from(
          { length: Math.ceil(elements / 8) },
          () => (next() + 0.4) * 320,
        );
        const graph = new OnnxGraph();
        const weights = new GraphWeights({
          graph,
          where: 'test',
          tensors: new Map([['w', info(0)]]),
          vector: new Map([['w', info(elements * size)]]),
          masks: new Map([['w', { offset: 0, bytes: bits.length }]]),
          arithmeticUnpack: arithmetic,
          locate: (path) => path.slice(1),
          read: () => new Uint8Array(),
        });
        weights.declareMask(bits.length, false);
        const ids = graph.input('ids', 'int64', [2]);
        graph.output('rows', weights.rows('w', ids));
        graph.output('whole', weights.weight('w'));
        const onnx = await loadOnnx();
        const session = await createSession(onnx, graph.encode(), {
          device: 'cpu',
          lean: true,
          folder: '/',
        });
        const mask = arithmetic
          ? new onnx.Tensor('float32', Float32Array.from(bits), [bits.length])
          : new onnx.Tensor('uint8', bits, [bits.length]);
        const picked = new onnx.Tensor('int64', BigInt64Array.of(2n, 0n), [2]);
        const out = await runSession(session, { mask, ids: picked }, 'cpu');
        await session.release();
        const expected = base.map((value, i) => {
          const sum = Math.fround(value + ((bits[i >> 3] >> (i & 7)) & 1 ? vector[i] : 0));
          return dtype === 'F32' ? sum : round(sum);
        });
        expect(out['whole'].data).toEqual(expected);
        const byRow = [2, 0].flatMap((row) => [
          ...expected.slice(row * columns, (row + 1) * columns),
        ]);
        expect([...(out['rows'].data as Float32Array)]).toEqual(byRow);
      });
});

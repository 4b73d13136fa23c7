import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode as encodePng } from 'fast-png';
import { encode as encodeJpeg } from 'jpeg-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSession, loadOnnx, runSession } from '../../server/compute/onnx-session';
import { OnnxGraph } from '../../server/compute/onnx-graph';
import { MergeError } from '../../server/protocol/merge-error';
import { decodePicture, turnPicture } from '../../server/policy/pictures';
import { loadPolicy } from '../../server/policy/policy';
import { writeTorchFile } from '../../server/tensors/torch-writer';
import { PromptTokenizer } from '../../server/policy/prompt';
import { parseFileConfig } from '../../server/policy/config';
import type { LoadOptions, Policy } from '../../server/policy/types';
import { fixtures, golden, observation } from './golden';

const folder = mkdtempSync(join(tmpdir(), 'mergevla-policy-'));
const base = join(fixtures, 'base');
let expert: Policy;

beforeAll(async () => {
  expert = await loadPolicy(join(fixtures, 'experts/libero_goal'));
});
afterAll(async () => {
  await expert.close();
  rmSync(folder, { recursive: true, force: true });
});

async function failure(work: Promise<unknown>): Promise<MergeError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(MergeError);
  expect((error as MergeError).message).not.toMatch(/\.$|\n/);
  return error as MergeError;
}

/** A copy of a fixture that may be damaged. */
function copy(source: string): string {
  const target = mkdtempSync(join(folder, 'copy-'));
  cpSync(join(fixtures, source), target, { recursive: true });
  return target;
}

type Json = Readonly<Record<string, unknown>>;

function edit(path: string, change: (value: Json) => unknown): void {
  writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')) as Json)));
}

const load = (path: string, options: LoadOptions = {}): Promise<Policy> =>
  loadPolicy(path, options);

describe('observations', () => {
  it('with the wrong number of pictures are refused', async () => {
    const one = { ...observation(0), images: observation(0).images.slice(1) };
    const { code, message } = await failure(expert.act(one, 'libero_goal'));
    expect(code).toBe('MV570');
    expect(message).toBe('1 picture was given; this policy takes 2 (full, wrist)');
  });

  it('with a state of the wrong length, without one, or with NaN in it are refused', async () => {
    const act = (proprio?: number[]) =>
      failure(
        expert.act(
          proprio
            ? { ...observation(0), proprio }
            : { images: observation(0).images, instruction: 'push' },
          'libero_goal',
        ),
      );
    expect((await act([1, 2])).message).toBe('the robot state has 2 numbers; this policy takes 8');
    expect((await act()).message).toBe("this policy needs the robot's state, 8 numbers");
    const bad = await act([0, 0, NaN, 0, 0, 0, 0, 0]);
    expect(bad.message).toBe('number 3 of the robot state is NaN');
  });

  it('with an instruction beyond the context, or empty, are refused', async () => {
    const long = { ...observation(0), instruction: 'place it '.repeat(20_000) };
    const { code, message } = await failure(expert.act(long, 'libero_goal'));
    expect(code).toBe('MV570');
    expect(message).toMatch(/gives \d+ tokens; 32671 fit into the model's context$/);
    const empty = { ...observation(0), instruction: ' ' };
    expect((await failure(expert.act(empty, 'libero_goal'))).message).toBe(
      'the instruction is empty',
    );
  });

  it('cannot be routed by one expert, and tasks must exist', async () => {
    expect((await failure(expert.route(observation(0)))).code).toBe('MV576');
    const { code, message } = await failure(expert.act(observation(0), 'goal'));
    expect(code).toBe('MV575');
    expect(message).toContain('has no task goal; it has libero_goal');
  });
});

describe('pictures', () => {
  const size = { width: 3, height: 2 };
  const rgb = Uint8Array.from({ length: 18 }, (_, i) => i * 14);
  const png = (data: Uint8Array | Uint16Array, channels: number, depth: 8 | 16 = 8) =>
    decodePicture(new Uint8Array(encodePng({ ...size, data, channels, depth })), 'a.png');

  it('of 8 bits, 16 bits, grey and opaque alpha become RGB', () => {
    expect(png(rgb, 3)).toEqual({ ...size, data: rgb });
    expect(
      png(
        Uint16Array.from(rgb, (v) => v * 257),
        3,
        16,
      ).data,
    ).toEqual(rgb);
    const grey = Uint8Array.of(0, 50, 100, 150, 200, 255);
    expect([...png(grey, 1).data.slice(3, 9)]).toEqual([50, 50, 50, 100, 100, 100]);
    const alpha = Uint8Array.from({ length: 24 }, (_, i) => (i % 4 === 3 ? 255 : 7));
    expect(png(alpha, 4).data).toEqual(new Uint8Array(18).fill(7));
  });

  it('of a palette are looked up', () => {
    // 2 × 1 pixels of one bit each: indices 1 and 0 of the palette (red, blue).
    const bytes = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAIAAAABAQMAAADO7O3JAAAABlBMVEX/AAAAAP9sof2OAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==',
      'base64',
    );
    expect([...decodePicture(bytes, 'p.png').data]).toEqual([0, 0, 255, 255, 0, 0]);
  });

  it('are read from JPEG', () => {
    const data = Buffer.alloc(16 * 16 * 4, 200);
    const jpeg = encodeJpeg({ width: 16, height: 16, data }, 95).data;
    const { width, height, data: out } = decodePicture(jpeg, 'a.jpg');
    expect([width, height, out.length]).toEqual([16, 16, 16 * 16 * 3]);
    expect(Math.abs(out[100] - 200)).toBeLessThan(3);
  });

  it('that are transparent, cut short, or something else are refused by name', () => {
    const bytes = new Uint8Array(encodePng({ ...size, data: rgb, channels: 3, depth: 8 }));
    const refuse = (data: Uint8Array) => () => decodePicture(data, 'cam.png');
    expect(() => png(new Uint8Array(24).fill(9), 4)).toThrow('a.png: is partly transparent');
    for (const length of [9, 30, bytes.length - 20, bytes.length - 5])
      expect(refuse(bytes.subarray(0, length))).toThrow(/cam\.png: is a damaged or truncated PNG/);
    expect(refuse(Uint8Array.of(71, 73, 70))).toThrow('cam.png: is neither a PNG nor a JPEG');
    expect(refuse(Uint8Array.of(0xff, 0xd8, 0xff))).toThrow('damaged or truncated JPEG');
    const huge = bytes.slice();
    new DataView(huge.buffer).setUint32(16, 1_000_000);
    expect(refuse(huge)).toThrow(/damaged|above the limit/);
  });

  it('turn by 180 degrees', () => {
    const { data } = turnPicture({ ...size, data: rgb });
    expect([...data.slice(0, 3)]).toEqual([...rgb.slice(15, 18)]);
    expect([...data.slice(15)]).toEqual([...rgb.slice(0, 3)]);
  });
});

describe('checkpoints', () => {
  it('without tokenizer, statistics or head name what is missing', async () => {
    const cases = [
      ['tokenizer.json', 'MV573', /tokenizer\.json is missing/],
      ['tokenizer_config.json', 'MV573', /tokenizer_config\.json is missing/],
      ['dataset_statistics.json', 'MV572', /dataset_statistics\.json is missing/],
      ['action_head--30000_checkpoint.pt', 'MV561', /no tensor model\.fc1\.weight/],
      ['proprio_projector--30000_checkpoint.pt', 'MV561', /no tensor fc1\.weight/],
    ] as const;
    for (const [name, code, words] of cases) {
      const path = copy('experts/libero_goal');
      rmSync(join(path, name));
      const error = await failure(load(path));
      expect(error.message).toMatch(words);
      expect(error.code).toBe(code);
    }
  });

  it('without the statistics of a task name those there are', async () => {
    const path = copy('experts/libero_goal');
    edit(join(path, 'dataset_statistics.json'), ({ libero_goal_no_noops: entry }) => ({
      a: entry,
      b: entry,
    }));
    const policy = await load(path, { task: 'goal' });
    const { code, message } = await failure(policy.act(observation(0), 'goal'));
    expect(code).toBe('MV572');
    expect(message).toBe('dataset_statistics.json has no entry goal or goal_no_noops; it has a, b');
    await policy.close();
  });

  it('with a head of VLA-Adapter are told from others', async () => {
    for (const [name, family] of [
      ['k_self', 'VLA-Adapter Pro'],
      ['k_proj', 'VLA-Adapter'],
    ] as const) {
      const path = copy('experts/libero_goal');
      const block = 'model.mlp_resnet_blocks.0.';
      const tensor = {
        kind: 'tensor',
        dtype: 'BF16',
        shape: [64, 64],
        chunks: () => [new Uint8Array(64 * 64 * 2)],
      } as const;
      const names = ['q_proj', name, 'v_proj', 'o_proj'].map((part) => `${block}${part}.weight`);
      await writeTorchFile(join(path, 'action_head--30000_checkpoint.pt'), {
        kind: 'dictionary',
        entries: names.map((entry) => [entry, tensor] as const),
      });
      const { code, message } = await failure(load(path));
      expect(message).toContain(` is ${family}'s, whose blocks attend to their own tokens`);
      expect(code).toBe('MV564');
    }
  });

  it('with keys of config.json that do not fit are refused by key', async () => {
    const cases: [(config: Json) => unknown, string, RegExp][] = [
      [(c) => ({ ...c, mergevla: { chunks: 8 } }), 'MV563', /mergevla: .*chunks/],
      [(c) => ({ ...c, mergevla: { prompt: 'go' } }), 'MV563', /must hold \{instruction\} once/],
      [(c) => ({ ...c, mergevla: { vision_heads: 7 } }), 'MV563', /vision_heads is 7/],
      [(c) => ({ ...c, mergevla: { head_heads: 5 } }), 'MV563', /head_heads is 5/],
      [(c) => ({ ...c, image_sizes: [112, 112] }), 'MV562', /pos_embed has shape/],
      [(c) => ({ ...c, image_sizes: undefined }), 'MV563', /image_sizes/],
      [
        (c) => ({ ...c, text_config: { ...(c['text_config'] as Json), num_hidden_layers: 5 } }),
        'MV563',
        /num_hidden_layers is 5 but .* holds 4 layers/,
      ],
    ];
    for (const [change, code, words] of cases) {
      const path = copy('experts/libero_goal');
      edit(join(path, 'config.json'), change);
      const error = await failure(load(path));
      expect(error.message).toMatch(words);
      expect(error.code).toBe(code);
    }
  });

  it('merged on another base, or without one, are refused', async () => {
    expect((await failure(load(join(fixtures, 'merged')))).message).toContain('--base');
    const other = copy('base');
    const file = join(other, 'model.safetensors');
    const bytes = readFileSync(file).toString('latin1');
    writeFileSync(file, Buffer.from(bytes.replaceAll('projector.fc3', 'projector.fc4'), 'latin1'));
    const { code, message } = await failure(load(join(fixtures, 'merged'), { base: other }));
    expect(code).toBe('MV574');
    expect(message).toContain('it was merged on another base');
  });

  it('that are no policy say so', async () => {
    expect((await failure(load(folder))).code).toBe('MV575');
    expect((await failure(load(join(folder, 'nowhere')))).message).toContain('does not exist');
  });
});

describe('devices', () => {
  it('that are not there are refused, not replaced', async () => {
    const error = await failure(load(join(fixtures, 'experts/libero_goal'), { device: 'tpu' }));
    expect(error.code).toBe('MV585');
    expect(error.message).toContain('there is no device tpu');
  });

  it('without enough memory say how much was asked for', async () => {
    const graph = new OnnxGraph();
    const x = graph.input('x', 'float', [1, 1]);
    const wide = graph.node('Expand', [x, graph.integers(2 ** 20, 2 ** 21)]);
    graph.output('y', graph.node('Add', [wide, wide]));
    const onnx = await loadOnnx();
    const session = await createSession(onnx, graph.encode(), {
      device: 'cpu',
      lean: true,
      folder: '/',
    });
    const feeds = { x: new onnx.Tensor('float32', new Float32Array(1), [1, 1]) };
    const error = await failure(runSession(session, feeds, 'cpu'));
    expect(error.code).toBe('MV581');
    expect(error.message).toMatch(/on cpu: out of memory when 8388608 MiB were asked for/);
    await session.release();
  });
});

describe('prompts', () => {
  const { entry } = parseFileConfig(
    JSON.parse(readFileSync(join(base, 'config.json'), 'utf8')),
    'config.json',
  );
  const limits = { vocabulary: 151936, tokens: 4096 };

  it('become the reference token ids', () => {
    const tokenizer = PromptTokenizer.load(base, entry, limits);
    for (const { instruction, input_ids } of golden.observations)
      expect(tokenizer.encode(instruction)).toEqual(input_ids);
  });

  it('keep what looks like a replacement pattern', () => {
    const tokenizer = PromptTokenizer.load(base, entry, limits);
    expect(tokenizer.prompt("pick $& up $1 $' now")).toContain("pick $& up $1 $' now?");
  });

  it('refuse a tokenizer of another model', () => {
    const tokenizer = PromptTokenizer.load(base, entry, { vocabulary: 100, tokens: 4096 });
    expect(() => tokenizer.encode('push')).toThrow('it belongs to another model');
  });

  const qwen = process.env['MERGEVLA_QWEN_TOKENIZER'];
  it.skipIf(qwen === undefined)(
    'agree with Qwen2.5 (skipped unless MERGEVLA_QWEN_TOKENIZER names a folder with its cases)',
    () => {
      const source = copy('base');
      cpSync(join(qwen!, 'tokenizer.json'), join(source, 'tokenizer.json'));
      const cases: { cases: { prompt: string; input_ids: number[] }[] } = JSON.parse(
        readFileSync(join(qwen!, 'cases.json'), 'utf8'),
      );
      const plain = { ...entry, prompt: '{instruction}', lower_case: false };
      const tokenizer = PromptTokenizer.load(source, plain, limits);
      for (const { prompt, input_ids } of cases.cases)
        expect(tokenizer.encode(prompt)).toEqual(input_ids);
      expect(cases.cases.length).toBeGreaterThan(3);
    },
  );
});

import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OnnxGraph } from '../../server/compute/onnx-graph';
import { createSession, loadOnnx, runSession } from '../../server/compute/onnx-session';
import { policyConfig } from '../../server/policy/policy';
import { headRope } from '../../server/policy/rope';
import { PolicyRunner } from '../../server/policy/runner';
import { openPolicyParts } from '../../server/policy/source';
import { packBits } from '../../server/policy/source-merged';
import { Preprocessor } from '../../server/policy/preprocess';
import { fixtures, golden, observation, readTensors, relativeError } from './golden';

describe('masked weights', () => {
  it('are the same composed in memory, by bit operations, and by arithmetic', async () => {
    const parts = await openPolicyParts(join(fixtures, 'merged'), { base: join(fixtures, 'base') });
    const config = policyConfig(parts);
    const onnx = await loadOnnx();
    const input = {
      ids: golden.observations[0].input_ids,
      pixels: new Preprocessor(config).prepare(observation(0).images).pixels,
    };
    const hidden = async (options: { compose: boolean; arithmetic: boolean; masked: boolean }) => {
      const runner = new PolicyRunner(parts, config, {
        onnx,
        device: 'cpu',
        lean: !options.compose,
        ...options,
      });
      const out = await runner.hidden(input, { task: 'libero_goal', masked: options.masked });
      await runner.close();
      return out;
    };
    for (const masked of [true, false]) {
      const composed = await hidden({ compose: true, arithmetic: false, masked });
      const bitwise = await hidden({ compose: false, arithmetic: false, masked });
      const arithmetic = await hidden({ compose: false, arithmetic: true, masked });
      expect(relativeError(bitwise, composed)).toBeLessThan(1e-5);
      // Rounding without a bfloat16 type may take the other neighbour where a sum lies in the middle.
      expect(relativeError(arithmetic, composed)).toBeLessThan(2e-3);
    }
  });

  it('are packed least significant bit first', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 70 }), (flags) => {
        const bytes = new Uint8Array(Math.ceil(flags.length / 8));
        packBits(Uint8Array.from(flags, Number), bytes, 0);
        flags.forEach((flag, i) => expect((bytes[i >> 3] >> (i & 7)) & 1).toBe(Number(flag)));
      }),
    );
  });
});

describe('the head', () => {
  it('turns by the released tables of its real size', async () => {
    const released = await readTensors('runs/head_rope_112.safetensors');
    const { cos, sin } = headRope(512, 112, 'bfloat16');
    expect(cos).toEqual(released.get('released.cos')!.data);
    expect(sin).toEqual(released.get('released.sin')!.data);
  });

  it('turns by exact tables when told so', () => {
    const { cos, sin } = headRope(300, 8, 'float32');
    const angle = 299 * 10000 ** (-2 / 8);
    expect(cos[299 * 8 + 1]).toBeCloseTo(Math.cos(angle), 5);
    expect(sin[299 * 8 + 5]).toBeCloseTo(Math.sin(angle), 5);
  });
});

describe('the ONNX writer', () => {
  it('writes models that compute what was built', async () => {
    const graph = new OnnxGraph();
    const x = graph.input('x', 'float', ['rows', 4]);
    const [left = '', right = ''] = graph.split(x, 2, 1);
    const sum = graph.node('Add', [left, graph.node('Mul', [right, graph.scalar(10)])]);
    const turned = graph.transpose(graph.concat([sum, graph.slice(x, 1, 3, 4)], 1), 1, 0);
    graph.output('y', graph.reshape(turned, -1));
    const onnx = await loadOnnx();
    const session = await createSession(onnx, graph.encode(), {
      device: 'cpu',
      lean: false,
      folder: '/',
    });
    const data = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const { y } = await runSession(session, { x: new onnx.Tensor('float32', data, [2, 4]) }, 'cpu');
    expect([...(y.data as Float32Array)]).toEqual([31, 75, 42, 86, 4, 8]);
    await session.release();
  });
});

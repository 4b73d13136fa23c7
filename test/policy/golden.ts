import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensorsHeader } from '../../server/tensors/safetensors';
import { decodePicture } from '../../server/policy/pictures';
import type { Observation } from '../../server/policy/types';

/** Small checkpoints in the released layout, and what the reference implementation computes with them. */
export const fixtures = join(__dirname, '../fixtures/policy');

export interface GoldenRouter {
  readonly logits: readonly number[];
  readonly softmax: readonly number[];
  readonly chosen: string;
  readonly margin: number;
}

export interface Golden {
  readonly tasks: readonly string[];
  readonly observations: readonly {
    readonly instruction: string;
    readonly input_ids: readonly number[];
    readonly state: readonly number[];
  }[];
  readonly runs: readonly {
    readonly policy: string;
    readonly obs: number;
    readonly file: string | null;
    readonly proprio_normalized: readonly number[];
    readonly actions_normalized: readonly (readonly number[])[];
    readonly actions: readonly (readonly number[])[];
  }[];
  readonly router: readonly ({ readonly obs: number } & Readonly<
    Record<'released' | 'crossed', GoldenRouter>
  >)[];
}

export const golden: Golden = JSON.parse(readFileSync(join(fixtures, 'golden.json'), 'utf8'));

/** Observation `index` with pictures at the policy's size, before the centre crop. */
export function observation(index: number, kind = 'policy'): Observation {
  const { instruction, state } = golden.observations[index];
  const images = ['full', 'wrist'].map((camera) => {
    const path = join(fixtures, `obs/obs${index}/${camera}_${kind}.png`);
    return decodePicture(readFileSync(path), path);
  });
  return { images, instruction, proprio: state };
}

/** Float tensors of a safetensors file of the fixtures. */
export async function readTensors(
  file: string,
): Promise<Map<string, { shape: readonly number[]; data: Float32Array }>> {
  const path = join(fixtures, file);
  const { tensors } = await readSafetensorsHeader(path);
  const bytes = readFileSync(path);
  const out = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const { name, dtype, shape, offset, elements } of tensors) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
    const read = {
      F32: (i: number) => view.getFloat32(i * 4, true),
      F64: (i: number) => view.getFloat64(i * 8, true),
      I64: (i: number) => Number(view.getBigInt64(i * 8, true)),
      BF16: (i: number) => {
        const scratch = new DataView(new ArrayBuffer(4));
        scratch.setUint32(0, view.getUint16(i * 2, true) << 16);
        return scratch.getFloat32(0);
      },
    }[dtype as string];
    if (read)
      out.set(name, { shape, data: Float32Array.from({ length: elements }, (_, i) => read(i)) });
  }
  return out;
}

/** Largest difference relative to the largest expected entry, at least 1. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let difference = 0;
  let top = 1;
  for (let i = 0; i < expected.length; i++) {
    top = Math.max(top, Math.abs(expected[i]));
    const gap = Math.abs(actual[i] - expected[i]);
    if (!(gap <= difference)) difference = gap;
  }
  return difference / top;
}

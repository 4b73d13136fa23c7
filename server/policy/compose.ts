import { bfloat16Bits, isFloat, narrow, widen } from '../tensors/dtypes';
import type { TensorReader } from '../tensors/reader';
import type { TensorInfo } from '../tensors/types';
import type { Weight } from './graph/weights';
import { readWhole, type PolicyParts } from './parts';

/**
 * One task's weights in memory: round(base + vector ⊙ mask · scale) for every vector tensor, rounded
 * to the dtype the base is stored in, exactly as the graph does it. `readMask` absent: no mask.
 */
export function composeWeights(
  parts: PolicyParts,
  reader: TensorReader,
  task: {
    readonly readMask?: ((name: string, target: Uint8Array) => void) | undefined;
    readonly scale?: number | undefined;
  },
): ReadonlyMap<string, Weight> {
  const composed = new Map<string, Weight>();
  for (const [name, vector] of parts.vector ?? []) {
    const base = parts.model.get(name);
    if (!base) continue;
    const values = readWhole(reader, base);
    const delta = readWhole(reader, vector);
    const bits = new Uint8Array(Math.ceil(vector.elements / 8)).fill(0xff);
    if (parts.masked.has(name)) task.readMask?.(name, bits);
    addMasked(values, delta, bits, Math.fround(task.scale ?? 1));
    roundTo(base, values);
    composed.set(name, { shape: base.shape, values });
  }
  return composed;
}

function addMasked(
  values: Float32Array,
  delta: Float32Array,
  bits: Uint8Array,
  scale: number,
): void {
  for (let i = 0; i < values.length; i++)
    if (((bits[i >> 3] ?? 0) >> (i & 7)) & 1)
      values[i] = (values[i] ?? 0) + Math.fround((delta[i] ?? 0) * scale);
}

function roundTo(base: TensorInfo, values: Float32Array): void {
  if (base.dtype === 'F32' || !isFloat(base.dtype)) return;
  if (base.dtype === 'BF16') {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < bits.length; i++) bits[i] = bfloat16Bits(bits[i] ?? 0) << 16;
    return;
  }
  const narrowed = new Uint8Array(values.length * 2);
  narrow(base.dtype, values, narrowed);
  widen(base.dtype, narrowed, values);
}

import { bfloat16Bits } from '../tensors/dtypes';

/** Rotary tables, row-major [positions, size]. */
export interface RopeTable {
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/**
 * Tables of the language model (reference: policy forward §6): frequencies and angles in float32,
 * the two halves of a row alike.
 */
export function languageRope(positions: number, size: number, theta: number): RopeTable {
  return table(positions, size, theta, Math.fround);
}

/**
 * Tables of the action head, base 10000. The released head is bfloat16 as a whole, buffers included,
 * so frequencies, positions, their product, cosine and sine are each rounded to bfloat16; the weights
 * were trained with these tables, and exact ones give other actions (reference: policy forward §8).
 */
export function headRope(
  positions: number,
  size: number,
  rounding: 'bfloat16' | 'float32',
): RopeTable {
  return table(positions, size, 10000, rounding === 'bfloat16' ? bfloat16Rounding() : Math.fround);
}

function table(
  positions: number,
  size: number,
  base: number,
  round: (value: number) => number,
): RopeTable {
  const half = size / 2;
  const cos = new Float32Array(positions * size);
  const sin = new Float32Array(positions * size);
  for (let i = 0; i < half; i++) {
    const power = Math.fround(base ** Math.fround((2 * i) / size));
    const frequency = round(Math.fround(1 / power));
    for (let position = 0; position < positions; position++) {
      const angle = round(Math.fround(round(position) * frequency));
      const at = position * size + i;
      cos[at] = cos[at + half] = round(Math.cos(angle));
      sin[at] = sin[at + half] = round(Math.sin(angle));
    }
  }
  return { cos, sin };
}

/** A function giving the nearest bfloat16, half to even. */
export function bfloat16Rounding(): (value: number) => number {
  const scratch = new Float32Array(1);
  const bits = new Uint32Array(scratch.buffer);
  return (value) => {
    scratch[0] = value;
    bits[0] = bfloat16Bits(bits[0] ?? 0) << 16;
    return scratch[0];
  };
}

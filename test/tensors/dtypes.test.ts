import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bfloat16Bits, narrow, widen, type FloatDtype } from '../../server/tensors/dtypes';

const sizes = { BF16: 2, F16: 2, F32: 4, F64: 8, F8_E4M3: 1, F8_E5M2: 1 } as const;

function widened(dtype: FloatDtype, bytes: readonly number[]): number[] {
  const target = new Float32Array(bytes.length / sizes[dtype]);
  widen(dtype, Uint8Array.from(bytes), target);
  return [...target];
}

function narrowed(dtype: FloatDtype, ...values: number[]): number[] {
  const target = new Uint8Array(values.length * sizes[dtype]);
  narrow(dtype, Float32Array.from(values), target);
  return [...target];
}

/** The value of a small float by its definition, independent of the code under test. */
function defined(code: number, exponentBits: number, mantissaBits: number): number {
  const bias = 2 ** (exponentBits - 1) - 1;
  const sign = code >> (exponentBits + mantissaBits) ? -1 : 1;
  const exponent = (code >> mantissaBits) & (2 ** exponentBits - 1);
  const fraction = (code & (2 ** mantissaBits - 1)) / 2 ** mantissaBits;
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias);
  return sign * (1 + fraction) * 2 ** (exponent - bias);
}

describe('widening', () => {
  it('gives every F16 and F8 value by its definition', () => {
    for (let code = 0; code < 65536; code++) {
      if ((code & 0x7c00) === 0x7c00) continue;
      expect(widened('F16', [code & 255, code >> 8])[0]).toBe(defined(code, 5, 10));
    }
    for (let code = 0; code < 256; code++) {
      if ((code & 0x7c) !== 0x7c) expect(widened('F8_E5M2', [code])[0]).toBe(defined(code, 5, 2));
      if ((code & 0x7f) !== 0x7f) expect(widened('F8_E4M3', [code])[0]).toBe(defined(code, 4, 3));
    }
  });

  it('keeps infinities and NaN apart', () => {
    expect(widened('F16', [0, 0x7c, 0, 0xfc, 1, 0x7c])).toEqual([Infinity, -Infinity, NaN]);
    expect(widened('F8_E5M2', [0x7c, 0xfc, 0x7d])).toEqual([Infinity, -Infinity, NaN]);
    expect(widened('F8_E4M3', [0x7f, 0xff, 0x7e])).toEqual([NaN, NaN, 448]);
    expect(widened('BF16', [0x80, 0x7f, 0x80, 0xff, 0xc0, 0x7f])).toEqual([
      Infinity,
      -Infinity,
      NaN,
    ]);
  });

  it('reads bytes at odd offsets', () => {
    const bytes = Uint8Array.from([9, 0x80, 0x3f, 0, 0x40]);
    const target = new Float32Array(2);
    widen('BF16', bytes.subarray(1), target);
    expect([...target]).toEqual([1, 2]);
  });
});

describe('narrowing', () => {
  it('rounds half to even and overflows to infinity', () => {
    const bf16 = (value: number) => bfloat16Bits(new Uint32Array(Float32Array.of(value).buffer)[0]);
    expect(bf16(1 + 2 ** -8)).toBe(0x3f80);
    expect(bf16(1 + 3 * 2 ** -8)).toBe(0x3f82);
    expect(bf16(3.4e38)).toBe(0x7f80);
    expect(bf16(NaN) & 0x7fc0).toBe(0x7fc0);
    expect(narrowed('F16', 65519, 65520, -65520, 2 ** -25, 1.5 * 2 ** -24, NaN)).toEqual([
      0xff, 0x7b, 0, 0x7c, 0, 0xfc, 0, 0, 2, 0, 0, 0x7e,
    ]);
    expect(narrowed('F8_E4M3', 448, 464, 465, Infinity)).toEqual([0x7e, 0x7e, 0x7f, 0x7f]);
    expect(narrowed('F8_E5M2', 57344, 61440, 1e9)).toEqual([0x7b, 0x7c, 0x7c]);
  });

  it.each(['BF16', 'F16', 'F32', 'F64', 'F8_E4M3', 'F8_E5M2'] as const)(
    'gives the nearest %s of any float32, and widening it back loses nothing more',
    (dtype) => {
      fc.assert(
        fc.property(fc.float(), (value) => {
          const [once] = widened(dtype, narrowed(dtype, value));
          expect(widened(dtype, narrowed(dtype, once))[0]).toBe(once);
          if (!Number.isFinite(once)) return;
          // No other value of the dtype is nearer: moving a little towards it stays at `once`.
          const code = narrowed(dtype, value);
          const away = Math.abs(once - value);
          for (const step of [-1, 1]) {
            const neighbour = [...code];
            neighbour[0] = (neighbour[0] + step) & 255;
            if (code[0] === 0 && step < 0) continue;
            if (code[0] === 255 && step > 0) continue;
            const [other] = widened(dtype, neighbour);
            if (Number.isFinite(other))
              expect(Math.abs(other - value)).toBeGreaterThanOrEqual(away);
          }
        }),
        { numRuns: 2000 },
      );
    },
  );
});

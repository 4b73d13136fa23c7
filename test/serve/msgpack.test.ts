import { decode, encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pack, unpack, type Packable } from '../../server/serve/msgpack';

describe('msgpack', () => {
  it('reads what another implementation writes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(unpack(encode(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    const numbers = [
      0,
      127,
      128,
      255,
      256,
      65535,
      65536,
      2 ** 32,
      -1,
      -32,
      -33,
      -129,
      -40000,
      -3e9,
      0.5,
    ];
    expect(unpack(encode(numbers))).toEqual(numbers);
    expect(unpack(encode({ bytes: Uint8Array.of(1, 2) }))).toEqual({ bytes: Uint8Array.of(1, 2) });
    expect(unpack(encode('ä'.repeat(70_000)))).toBe('ä'.repeat(70_000));
  });

  it('writes what another implementation reads', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const plain = JSON.parse(JSON.stringify(value)) as Packable;
        expect(decode(pack(plain))).toEqual(plain);
      }),
    );
  });

  it('writes maps with keys as bytes and leaves absent entries out', () => {
    expect(unpack(pack(new Map([['a', 1]])))).toEqual({ a: 1 });
    expect([...pack(new Map([['a', 1]]))].slice(5, 11)).toEqual([0xc6, 0, 0, 0, 1, 0x61]);
    expect(unpack(pack({ a: 1, b: undefined }))).toEqual({ a: 1 });
  });

  it('refuses frames cut at any byte, deep nesting, lies about lengths and extensions', () => {
    const whole = pack({ images: [Uint8Array.of(1, 2, 3), 'x', 1.5], n: null });
    for (let length = 0; length < whole.length; length++)
      expect(() => unpack(whole.subarray(0, length))).toThrow('cut short');
    expect(() => unpack(new Uint8Array(1_000_000).fill(0x91))).toThrow('nested');
    expect(() => unpack(Uint8Array.of(0xdd, 255, 255, 255, 255))).toThrow('cut short');
    expect(() => unpack(Uint8Array.of(0xc6, 255, 255, 255, 255))).toThrow('cut short');
    expect(() => unpack(Uint8Array.of(0xd4, 1, 1))).toThrow('not understood');
    expect(() => unpack(Uint8Array.of(1, 1))).toThrow('left over');
  });
});

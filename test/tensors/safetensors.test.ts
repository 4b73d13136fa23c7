import { createHash } from 'node:crypto';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MergeError } from '../../server/protocol/merge-error';
import {
  maximumHeaderBytes,
  parseSafetensorsHeader,
  readSafetensorsHeader,
} from '../../server/tensors/safetensors';
import { planOutput } from '../../server/tensors/writer';
import { expectFault, safetensorsBytes, temporaryFolder } from './files';

const folder = temporaryFolder();

/** Writes and reads one file; `header` may be text that is no JSON. */
async function read(header: unknown, dataBytes: number) {
  const path = join(folder, 'model.safetensors');
  writeFileSync(path, safetensorsBytes(header, Buffer.alloc(dataBytes)));
  return readSafetensorsHeader(path);
}

const f32 = (shape: unknown, ...data_offsets: unknown[]) => ({ dtype: 'F32', shape, data_offsets });

describe('a safetensors header', () => {
  it('gives names, shapes and file offsets in data order', async () => {
    const header = { b: f32([2], 4, 12), a: f32([], 0, 4), __metadata__: { format: 'pt' } };
    const { tensors, metadata, headerHash } = await read(header, 12);
    const start = 8 + JSON.stringify(header).length;
    expect(tensors.map((t) => [t.name, t.offset - start, t.elements])).toEqual([
      ['a', 0, 1],
      ['b', 4, 2],
    ]);
    expect(metadata).toEqual({ format: 'pt' });
    const bytes = safetensorsBytes(header, Buffer.alloc(0));
    expect(headerHash).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  it('may hold zero-sized and 0-d tensors, no tensors at all, and spaces at its end', async () => {
    const { tensors } = await read({ z: f32([0, 3], 0, 0), s: f32([], 0, 4) }, 4);
    expect(tensors.map((t) => t.elements)).toEqual([0, 1]);
    expect((await read('{}   ', 0)).tensors).toEqual([]);
  });

  it.each([
    ['an offset beyond the file', { a: f32([4], 0, 16) }, 12, 'MV414', /tensor a ends 4 bytes/],
    ['overlapping tensors', { a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12, 'MV413', /overlap/],
    ['a hole', { a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12, 'MV413', /in front of tensor b/],
    ['bytes behind the last tensor', { a: f32([1], 0, 4) }, 8, 'MV413', /4 bytes at its end/],
    ['offsets of the wrong size', { a: f32([3], 0, 8) }, 8, 'MV413', /takes 12 bytes.*span 8/],
    ['offsets the wrong way round', { a: f32([1], 4, 0) }, 8, 'MV413', /span -4/],
    ['a negative offset', { a: f32([1], -4, 0) }, 8, 'MV413', /no valid data_offsets/],
    ['a fractional shape', { a: f32([0.5], 0, 2) }, 2, 'MV413', /no valid shape/],
    ['a shape whose product overflows', { a: f32([2 ** 50, 2 ** 50], 0, 4) }, 4, 'MV413', /span 4/],
    ['an overflowing shape with a zero', { a: f32([2 ** 52, 0], 0, 4) }, 4, 'MV413', /span 4/],
    ['too many axes', { a: f32(Array(33).fill(1), 0, 4) }, 4, 'MV413', /no valid shape/],
    ['an unknown dtype', { a: { ...f32([1], 0, 4), dtype: 'F4' } }, 4, 'MV415', /tensor a .* F4/],
    [
      'a dtype from the prototype',
      { a: { ...f32([1], 0, 4), dtype: 'toString' } },
      4,
      'MV415',
      /a/,
    ],
    ['an entry that is no object', { a: 3 }, 0, 'MV413', /tensor a is not an object/],
    ['metadata that is no text', { __metadata__: { a: 1 } }, 0, 'MV413', /"a" is not a string/],
    ['a list', '[]', 0, 'MV413', /not a JSON object/],
    ['no JSON', '{"a":', 0, 'MV413', /not JSON/],
    [
      'a name given twice',
      '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
      0,
      'MV413',
      /names "a" twice/,
    ],
    [
      'a field given twice',
      '{"a":{"dtype":"U8","dtype":"F32","shape":[0],"data_offsets":[0,0]}}',
      0,
      'MV413',
      /names "dtype" twice/,
    ],
  ])('is refused with %s', async (...[, header, dataBytes, code, sentence]) => {
    await expectFault(() => read(header, dataBytes), code, sentence);
  });

  it('is refused when its length is beyond the file or the limit', async () => {
    const path = join(folder, 'long.safetensors');
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(100n);
    writeFileSync(path, length);
    await expectFault(() => readSafetensorsHeader(path), 'MV414', /claims 100 bytes.*has 8/);
    length.writeBigUInt64LE(BigInt(maximumHeaderBytes) + 1n);
    writeFileSync(path, length);
    await expectFault(() => readSafetensorsHeader(path), 'MV413', /above the limit/);
    length.writeBigUInt64LE(2n ** 64n - 1n);
    writeFileSync(path, length);
    await expectFault(() => readSafetensorsHeader(path), 'MV413', /above the limit/);
    truncateSync(path, 7);
    await expectFault(() => readSafetensorsHeader(path), 'MV414', /has 7 bytes/);
    await expectFault(() => readSafetensorsHeader(`${path}.x`), 'MV410', /does not exist/);
    await expectFault(() => readSafetensorsHeader(folder), 'MV411', /folder where a file/);
  });

  it('never fails but with a sentence, whatever the bytes', () => {
    const json = fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), json), fc.nat(1000), (text, size) => {
        try {
          parseSafetensorsHeader(text, { path: 'x', size: 8 + text.length + size });
        } catch (error) {
          expect(error).toBeInstanceOf(MergeError);
        }
      }),
    );
  });

  it('gives back whatever tensors were laid out', () => {
    const spec = fc.record({
      name: fc.string({ minLength: 1 }).filter((name) => name !== '__metadata__'),
      dtype: fc.constantFrom('F32' as const, 'BF16' as const, 'U8' as const, 'I64' as const),
      shape: fc.array(fc.nat(5), { maxLength: 4 }),
    });
    const specs = fc.uniqueArray(spec, { selector: (s) => s.name, maxLength: 12 });
    fc.assert(
      fc.property(specs, (tensors) => {
        const [file] = planOutput(tensors, { folder: 'out', stem: 'model' }).files;
        const parsed = parseSafetensorsHeader(file.header.subarray(8), {
          path: 'x',
          size: file.size,
        });
        const key = (t: { name: string; dtype: string; shape: readonly number[] }) =>
          JSON.stringify([t.name, t.dtype, t.shape]);
        expect(parsed.tensors.map(key).sort()).toEqual(tensors.map(key).sort());
      }),
    );
  });
});

import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MergeError } from '../../server/protocol/merge-error';
import { checksum, tableChecksum } from '../../server/tensors/checksum';
import { readPickle } from '../../server/tensors/pickle';
import { TensorReader } from '../../server/tensors/reader';
import { readTorchFile, stateDict } from '../../server/tensors/torch-zip';
import { writeTorchFile, type TorchValue } from '../../server/tensors/torch-writer';
import { expectFault, temporaryFolder } from './files';

const folder = temporaryFolder();
const fixtures = resolve(__dirname, '../fixtures/tensors/torch');

/** A zip of entries, written independently of the writer under test. */
function zip(entries: Readonly<Record<string, Uint8Array>>, deflate = false): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, bytes] of Object.entries(entries)) {
    const data = deflate ? deflateRawSync(bytes) : Buffer.from(bytes);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(deflate ? 8 : 0, 4);
    fields.writeUInt32LE(tableChecksum(bytes), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(bytes.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), data]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\0\0'), fields, tail, Buffer.from(name)]));
    parts.push(local);
    offset += local.length;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(listing.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, listing, end]);
}

const text = (value: string): string => `X${String.fromCharCode(value.length)}\0\0\0${value}`;
const pickle = (body: string): Buffer => Buffer.from(`\x80\x02${body}.`, 'latin1');
const storage = (type: string, key: string, elements: number): string =>
  `(${text('storage')}ctorch\n${type}\n${text(key)}${text('cpu')}K${String.fromCharCode(elements)}tQ`;
const numbers = (...values: number[]): string =>
  `(${values.map((n) => `K${String.fromCharCode(n)}`).join('')}t`;
const tensor = (from: string, offset: number, shape: number[], strides: number[]): string =>
  `ctorch._utils\n_rebuild_tensor_v2\n(${from}K${String.fromCharCode(offset)}${numbers(...shape)}${numbers(...strides)}\x89ccollections\nOrderedDict\n)RtR`;

function file(body: string, data: Readonly<Record<string, Uint8Array>> = {}, deflate = false) {
  const path = join(folder, 'x.pt');
  const storages = Object.entries(data).map(([key, bytes]) => [`x/data/${key}`, bytes]);
  writeFileSync(
    path,
    zip({ 'x/data.pkl': pickle(body), ...Object.fromEntries(storages) }, deflate),
  );
  return path;
}

async function values(path: string): Promise<Record<string, number[]>> {
  const torch = await readTorchFile(path);
  const reader = new TensorReader([{ path, ...torch }]);
  const read = [...stateDict(torch, path)].map(([name, info]) => {
    const target = new Float32Array(info.elements);
    reader.readFloat32(info, 0, target);
    return [name, [...target]];
  });
  reader.close();
  return Object.fromEntries(read);
}

const eight = new Uint8Array(Float32Array.from([0, 1, 2, 3, 4, 5, 6, 7]).buffer);

describe('a torch file', () => {
  it('written by torch gives names, dtypes and shapes', async () => {
    const path = join(fixtures, 'proprio_projector--30000_checkpoint.pt');
    const torch = await readTorchFile(path);
    expect([...stateDict(torch, path).values()].map((t) => [t.name, t.dtype, t.shape])).toEqual([
      ['module.fc1.weight', 'BF16', [64, 8]],
      ['module.fc1.bias', 'BF16', [64]],
      ['module.fc2.weight', 'BF16', [64, 64]],
      ['module.fc2.bias', 'BF16', [64]],
    ]);
  });

  it('reads the released TaskSuite keys as their strings', async () => {
    const { root } = await readTorchFile(join(fixtures, 'task2idx.pt'));
    expect(root).toEqual({
      kind: 'map',
      entries: [
        ['libero_spatial', 0],
        ['libero_object', 1],
        ['libero_goal', 2],
      ],
    });
  });

  it('honours offsets, strides and shared storages', async () => {
    const shared = storage('FloatStorage', '0', 8);
    const body = `}(${text('t')}${tensor(shared, 1, [2, 3], [1, 2])}${text('e')}${tensor(shared, 7, [3], [0])}${text('r')}${tensor(shared, 4, [2, 2], [2, 1])}u`;
    expect(await values(file(body, { 0: eight }))).toEqual({
      t: [1, 3, 5, 2, 4, 6],
      e: [7, 7, 7],
      r: [4, 5, 6, 7],
    });
  });

  it('reads a strided tensor the same in any pieces', async () => {
    const path = file(
      `}${text('t')}${tensor(storage('FloatStorage', '0', 8), 0, [2, 2, 2], [1, 4, 2])}s`,
      { 0: eight },
    );
    const torch = await readTorchFile(path);
    const info = stateDict(torch, path).get('t')!;
    const reader = new TensorReader([{ path, ...torch }]);
    const whole = [0, 2, 4, 6, 1, 3, 5, 7];
    for (let start = 0; start < 8; start++)
      for (let count = 0; start + count <= 8; count++) {
        const piece = new Float32Array(count);
        reader.readFloat32(info, start, piece);
        expect([...piece]).toEqual(whole.slice(start, start + count));
      }
    reader.close();
  });

  it('reads module metadata and parameters past', async () => {
    const parameter = `ctorch._utils\n_rebuild_parameter\n(${tensor(storage('FloatStorage', '0', 8), 0, [1], [1])}\x88ccollections\nOrderedDict\n)RtR`;
    const body = `ccollections\nOrderedDict\n)R(${text('p')}${parameter}u}${text('_metadata')}}sb`;
    expect(await values(file(body, { 0: eight }))).toEqual({ p: [0] });
  });

  it.each([
    ['a foreign global', 'cos\nsystem\n(X\x04\0\0\0truetR', 'MV419', /"os\.system"/],
    ['eval', 'cbuiltins\neval\n(X\x01\0\0\x001tR', 'MV419', /"builtins\.eval"/],
    ['a global by the stack', `${text('os')}${text('system')}\x93`, 'MV419', /"os\.system"/],
    ['another class of torch', 'ctorch\nload\n', 'MV419', /"torch\.load"/],
    ['a prototype name', 'c__proto__\nconstructor\n', 'MV419', /__proto__/],
    ['INST', '(ios\nsystem\n', 'MV419', /operation 0x69/],
    ['EXT1', '\x82\x01', 'MV419', /operation 0x82/],
    ['NEWOBJ', 'ccollections\nOrderedDict\n)\x81', 'MV419', /operation 0x81/],
    ['state of an object', `${text('a')}}b`, 'MV419', /state of a Python object/],
    ['a call with other arguments', 'ccollections\nOrderedDict\nK\x01\x85R', 'MV418', /wrong kind/],
    ['an empty stack', 'a', 'MV418', /stack empty/],
    ['a popped mark', '(a', 'MV418', /stack empty/],
    ['a missing mark', 't', 'MV418', /no mark/],
    ['a missing memo', 'h\x07', 'MV418', /never stored/],
    ['values left', 'NN', 'MV418', /left on its stack/],
    ['a text beyond its end', 'X\xff\xff\xff\x7fa', 'MV418', /ends too early/],
    [
      'a negative shape',
      tensor(storage('FloatStorage', '0', 8), 0, [1], [1]).replace('K\x01t', 'J\xff\xff\xff\xfft'),
      'MV418',
      /wrong kind/,
    ],
    [
      'a tensor beyond its storage',
      tensor(storage('FloatStorage', '0', 8), 4, [5], [1]),
      'MV418',
      /outside its storage/,
    ],
    [
      'a storage larger than its entry',
      tensor(storage('DoubleStorage', '0', 8), 0, [1], [1]),
      'MV418',
      /has 32 bytes.*need 64/,
    ],
    [
      'a storage that is missing',
      tensor(storage('FloatStorage', '../0', 8), 0, [1], [1]),
      'MV418',
      /is missing/,
    ],
  ])('is refused with %s', async (_, body, code, sentence) => {
    await expectFault(() => readTorchFile(file(body, { 0: eight })), code, sentence);
  });

  it('is refused when a shared storage is first told small and then large', async () => {
    const both = `(${tensor(storage('FloatStorage', '0', 8), 0, [1], [1])}${tensor(storage('FloatStorage', '0', 9), 8, [1], [1])}t`;
    const body = both
      .replace(/^\(/, `}(${text('a')}`)
      .replace('Rct', `R${text('b')}ct`)
      .replace(/t$/, 'u');
    await expectFault(() => readTorchFile(file(body, { 0: eight })), 'MV418', /need 36/);
  });

  it('is refused when cut at any place, and never fails otherwise', async () => {
    const whole = readFileSync(join(fixtures, 'task2idx.pt'));
    const path = join(folder, 'cut.pt');
    for (let length = 0; length < whole.length; length += 7) {
      writeFileSync(path, whole.subarray(0, length));
      await expectFault(() => readTorchFile(path), 'MV418', /not a valid torch file/);
    }
  });

  it('is refused with deflated weights and taken with a deflated pickle', async () => {
    const body = `}${text('a')}${tensor(storage('FloatStorage', '0', 8), 0, [1], [1])}s`;
    await expectFault(
      () => readTorchFile(file(body, { 0: eight }, true)),
      'MV418',
      /compressed weights/,
    );
    expect((await readTorchFile(file('}', {}, true))).root).toEqual({ kind: 'map', entries: [] });
  });

  it('must be a plain dictionary of tensors to be a checkpoint', async () => {
    const path = file(`}${text('epoch')}K\x01s`);
    const torch = await readTorchFile(path);
    await expectFault(() => stateDict(torch, path), 'MV418', /its entry epoch is not a tensor/);
  });

  it('never fails but with a sentence, whatever the pickle', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          readPickle(bytes, 'x');
        } catch (error) {
          expect(error).toBeInstanceOf(MergeError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('the torch writer', () => {
  it('writes what the reader reads back, aligned as torch aligns it', async () => {
    const path = join(folder, 'out.pt');
    const bools = Uint8Array.from([1, 0, 1]);
    const root: TorchValue = {
      kind: 'dictionary',
      entries: [
        [
          { kind: 'suite', value: 'libero_goal' },
          {
            kind: 'dictionary',
            entries: [
              ['a.weight', { kind: 'tensor', dtype: 'BOOL', shape: [3], chunks: () => [bools] }],
              [
                'b',
                {
                  kind: 'tensor',
                  dtype: 'F32',
                  shape: [2, 4],
                  chunks: () => [eight.subarray(0, 5), eight.subarray(5)],
                },
              ],
              ['empty', { kind: 'tensor', dtype: 'F32', shape: [0, 2], chunks: () => [] }],
              [
                'scalar',
                { kind: 'tensor', dtype: 'I64', shape: [], chunks: () => [new Uint8Array(8)] },
              ],
            ],
          },
        ],
        [
          'numbers',
          {
            kind: 'dictionary',
            entries: [
              ['n', -7],
              ['big', 2 ** 40],
              ['f', 0.5],
              ['t', true],
              ['z', null],
            ],
          },
        ],
      ],
    };
    await writeTorchFile(path, root);
    const torch = await readTorchFile(path);
    const outer = new Map(
      torch.root !== null && typeof torch.root === 'object' && torch.root.kind === 'map'
        ? torch.root.entries
        : [],
    );
    expect(outer.get('numbers')).toEqual({
      kind: 'map',
      entries: [
        ['n', -7],
        ['big', 2 ** 40],
        ['f', 0.5],
        ['t', true],
        ['z', null],
      ],
    });
    expect([...torch.placed.values()].map((t) => [t.dtype, t.shape]).sort()).toEqual(
      [
        ['BOOL', [3]],
        ['F32', [2, 4]],
        ['F32', [0, 2]],
        ['I64', []],
      ].sort(),
    );
    const bytes = readFileSync(path);
    for (const info of torch.placed.values()) expect(info.offset % 64).toBe(0);
    const stored = [...torch.placed.values()].find((t) => t.dtype === 'F32' && t.elements === 8)!;
    expect(bytes.subarray(stored.offset, stored.offset + 32)).toEqual(Buffer.from(eight));
  });

  it('leaves nothing behind when its data ends early', async () => {
    const path = join(folder, 'short.pt');
    const short = {
      kind: 'tensor',
      dtype: 'F32',
      shape: [2],
      chunks: () => [eight.subarray(0, 4)],
    } as const;
    await expect(writeTorchFile(path, short)).rejects.toThrow(/declared with 8 bytes and has 4/);
    expect(() => readFileSync(path)).toThrow();
    expect(() => readFileSync(`${path}.partial`)).toThrow();
  });

  it('sums bytes like the runtime does', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        expect(tableChecksum(b, tableChecksum(a))).toBe(checksum(Buffer.concat([a, b])));
      }),
    );
  });
});

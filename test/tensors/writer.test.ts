import {
  existsSync,
  readFileSync,
  readdirSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../server/tensors/checkpoint';
import { TensorReader } from '../../server/tensors/reader';
import {
  createOutput,
  discardOutput,
  finishOutput,
  planOutput,
  TensorWriter,
} from '../../server/tensors/writer';
import { expectFault, temporaryFolder, writeModel } from './files';

const folder = temporaryFolder();
let serial = 0;
const fresh = (): string => join(folder, String(serial++));

const specs = [
  { name: 'a', dtype: 'F32', shape: [4, 3] },
  { name: 'b', dtype: 'BF16', shape: [5] },
  { name: 'empty', dtype: 'F32', shape: [0] },
  { name: 'c', dtype: 'F32', shape: [] },
] as const;

describe('the writer', () => {
  it('gives the same tensors for any shard size and any order of pieces', async () => {
    const pieces = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], { minLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 80 }), pieces, async (shardBytes, order) => {
        const plan = planOutput(specs, { folder: fresh(), stem: 'model', shardBytes });
        createOutput(plan);
        const writer = new TensorWriter();
        for (const i of order)
          writer.write(plan.slots.get('a')!, i, new Uint8Array(Float32Array.of(i).buffer));
        writer.write(plan.slots.get('b')!, 0, Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
        writer.close();
        finishOutput(plan);
        const checkpoint = await openCheckpoint(plan.folder);
        const reader = new TensorReader(checkpoint.files);
        const read = new Float32Array(12);
        reader.readFloat32(checkpoint.tensors.get('a')!, 0, read);
        const bytes = new Uint8Array(10);
        reader.readBytes(checkpoint.tensors.get('b')!, 0, bytes);
        reader.close();
        expect([...read]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        expect([...bytes]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        expect([...checkpoint.tensors.keys()].sort()).toEqual(['a', 'b', 'c', 'empty']);
      }),
      { numRuns: 30 },
    );
  });

  it('names shards and index as transformers does', () => {
    const plan = planOutput(specs, { folder: 'x', stem: 'model', shardBytes: 48 });
    expect(plan.files.map((file) => file.path)).toEqual([
      join('x', 'model-00001-of-00002.safetensors'),
      join('x', 'model-00002-of-00002.safetensors'),
    ]);
    expect(JSON.parse(plan.index!.text)).toEqual({
      metadata: { total_size: 62 },
      weight_map: {
        a: 'model-00001-of-00002.safetensors',
        b: 'model-00002-of-00002.safetensors',
        empty: 'model-00002-of-00002.safetensors',
        c: 'model-00002-of-00002.safetensors',
      },
    });
  });

  it('shows no file under its name before it is finished, and none after it is discarded', () => {
    const plan = planOutput(specs, { folder: fresh(), stem: 'model' });
    createOutput(plan);
    expect(readdirSync(plan.folder)).toEqual(['model.safetensors.partial']);
    discardOutput(plan);
    expect(readdirSync(plan.folder)).toEqual([]);
  });

  it('tells a folder that cannot be written, as the system’s fault', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const plan = planOutput(specs, { folder: join(file, 'out'), stem: 'model' });
    await expectFault(() => createOutput(plan), 'MV452', /cannot be written/);
  });

  it.runIf(existsSync('/dev/full'))('tells a full disk, as the system’s fault', async () => {
    const plan = planOutput(specs, { folder: fresh(), stem: 'model' });
    const slot = { ...plan.slots.get('a')!, file: '/dev/full' };
    const write = () => new TensorWriter().write(slot, 0, new Uint8Array(4));
    await expectFault(write, 'MV451', /no space left/);
    expect(write).toThrow(expect.objectContaining({ fault: 'system' }));
  });

  it('refuses pieces that do not fit their tensor', () => {
    const plan = planOutput(specs, { folder: fresh(), stem: 'model' });
    createOutput(plan);
    const write = () => new TensorWriter().write(plan.slots.get('a')!, 10, new Uint8Array(12));
    expect(write).toThrow(RangeError);
    expect(() => planOutput([specs[0], specs[0]], { folder, stem: 'x' })).toThrow(RangeError);
  });
});

describe('the reader', () => {
  it('tells a file that changed after its header was read', async () => {
    const path = join(fresh(), 'model.safetensors');
    writeModel(path, { a: [8] });
    const { files, tensors } = await openCheckpoint(path);
    const target = new Float32Array(8);
    const read = () => new TensorReader(files).readFloat32(tensors.get('a')!, 0, target);
    read();
    utimesSync(path, 1, 1);
    await expectFault(read, 'MV422', /was written to while it was being read/);
    truncateSync(path, readFileSync(path).length - 4);
    await expectFault(read, 'MV422', /changed its size/);
  });

  it('tells a file that shrinks or is written to while it is open', async () => {
    const path = join(fresh(), 'model.safetensors');
    writeModel(path, { a: [8] });
    const { files, tensors } = await openCheckpoint(path);
    const reader = new TensorReader(files);
    const target = new Float32Array(8);
    reader.readFloat32(tensors.get('a')!, 0, target);
    reader.checkUnchanged();
    truncateSync(path, readFileSync(path).length - 4);
    await expectFault(() => reader.readFloat32(tensors.get('a')!, 0, target), 'MV422', /shorter/);
    await expectFault(() => reader.checkUnchanged(), 'MV422', /changed its size/);
    reader.close();
  });

  it('holds no more files open than it may', async () => {
    const place = fresh();
    const names = Array.from({ length: 9 }, (_, i) => `${i}`);
    for (const name of names) writeModel(join(place, `${name}.safetensors`), { [name]: [2] });
    const all = await Promise.all(
      names.map((n) => openCheckpoint(join(place, `${n}.safetensors`))),
    );
    const reader = new TensorReader(
      all.flatMap((c) => c.files),
      { maximumOpen: 2 },
    );
    const before = existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0;
    const target = new Float32Array(2);
    for (const checkpoint of [...all, ...all])
      for (const info of checkpoint.tensors.values()) reader.readFloat32(info, 0, target);
    if (before > 0) expect(readdirSync('/proc/self/fd').length - before).toBeLessThanOrEqual(2);
    reader.close();
    expect([...target]).toEqual([0, 1]);
  });

  it('does not take integers for numbers, nor elements that do not exist', async () => {
    const info = {
      name: 'i',
      part: 'model',
      dtype: 'I64',
      shape: [1],
      elements: 1,
      file: 'f',
      offset: 0,
    } as const;
    const reader = new TensorReader([]);
    await expectFault(() => reader.readFloat32(info, 0, new Float32Array(1)), 'MV433', /holds I64/);
    expect(() => reader.readBytes(info, 1, new Uint8Array(8))).toThrow(RangeError);
  });
});

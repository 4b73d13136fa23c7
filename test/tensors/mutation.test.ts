import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MergeError } from '../../server/protocol/merge-error';
import { openAdapter } from '../../server/tensors/adapter';
import { openCheckpoint } from '../../server/tensors/checkpoint';
import { elementBytes } from '../../server/tensors/dtypes';
import { readPickle } from '../../server/tensors/pickle';
import { TensorReader } from '../../server/tensors/reader';
import type { CheckpointFile, TensorInfo } from '../../server/tensors/types';
import { temporaryFolder, writeModel } from './files';
import { copies, mutate } from './mutate';

const folder = temporaryFolder();
const fixtures = resolve(__dirname, '../fixtures/tensors');

/** Runs an action that either works or ends in one sentence for people. */
async function worksOrSays(action: () => unknown, what: string): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    if (!(error instanceof MergeError)) throw new Error(what, { cause: error });
    expect(error.message, what).not.toMatch(/\.$|\n/);
    expect(error.message.length, what).toBeLessThan(1000);
    return false;
  }
}

/** What was believed has to be in the file: first and last element of every tensor are read. */
function readEnds(files: readonly CheckpointFile[], tensors: Iterable<TensorInfo>): void {
  const reader = new TensorReader(files);
  try {
    for (const info of tensors) {
      if (info.elements === 0) continue;
      const target = new Uint8Array(elementBytes(info.dtype));
      reader.readBytes(info, 0, target);
      reader.readBytes(info, info.elements - 1, target);
    }
  } finally {
    reader.close();
  }
}

async function open(path: string): Promise<void> {
  const { files, tensors } = await openCheckpoint(path);
  readEnds(files, tensors.values());
}

/** Every damaged copy is written to `path` and opened; some have to be refused and some not. */
async function damageAll(
  path: string,
  original: Uint8Array,
  action: () => unknown,
  limit = Infinity,
): Promise<void> {
  let refused = 0;
  for (let seed = 0; seed < copies; seed++) {
    const head = Buffer.from(original.subarray(0, limit));
    writeFileSync(path, Buffer.concat([mutate(head, seed), original.subarray(head.length)]));
    if (!(await worksOrSays(action, `copy ${String(seed)} of ${path}`))) refused++;
  }
  expect(refused).toBeGreaterThan(copies / 20);
}

describe('a damaged file works or says in one sentence why not', () => {
  it('safetensors', async () => {
    const path = join(folder, 'model.safetensors');
    writeModel(path, { 'a.weight': [4, 3], 'b.weight': [2], scalar: [], none: [0, 3] });
    await damageAll(path, readFileSync(path), () => open(path));
  });

  it('an index and its shards', async () => {
    const place = join(folder, 'sharded');
    writeModel(join(place, 'one.safetensors'), { a: [4], b: [3] });
    writeModel(join(place, 'two.safetensors'), { c: [2] });
    const index = join(place, 'model.safetensors.index.json');
    const weights = { a: 'one.safetensors', b: 'one.safetensors', c: 'two.safetensors' };
    const text = JSON.stringify({ metadata: { total_size: 36 }, weight_map: weights });
    await damageAll(index, Buffer.from(text), () => open(place));
  });

  it('a configuration', async () => {
    const place = join(folder, 'configured');
    writeModel(join(place, 'model.safetensors'), { a: [4] });
    const text = Buffer.from(
      '{"model_type":"qwen2","tie_word_embeddings":true,"x":[1,2,{"y":null}]}',
    );
    await damageAll(join(place, 'config.json'), text, () => open(place));
  });

  it.each(readdirSync(join(fixtures, 'torch')))('%s', async (name) => {
    const original = readFileSync(join(fixtures, 'torch', name));
    const path = join(folder, name);
    await damageAll(path, original, () => open(path), 4000);
  });

  it.each(readdirSync(join(fixtures, 'torch')))('the pickle of %s', async (name) => {
    const original = readFileSync(join(fixtures, 'torch', name));
    const start = original.indexOf('\x80\x02', 0, 'latin1');
    const body = original.subarray(start, original.indexOf('PK', start, 'latin1'));
    for (let seed = 0; seed < copies * 4; seed++)
      await worksOrSays(() => readPickle(mutate(body, seed), 'x.pt'), `pickle ${String(seed)}`);
  });

  it.each(['bf16-patterns', 'f32-rslora', 'bf16-modules_to_save'])(
    'the adapter %s',
    async (name) => {
      const source = join(fixtures, 'lora', name);
      const place = join(folder, name);
      mkdirSync(place);
      const files = ['adapter_config.json', 'adapter_model.safetensors'];
      for (const file of files) copyFileSync(join(source, file), join(place, file));
      const base = await openCheckpoint(join(fixtures, 'lora', `base-${name.split('-')[0] ?? ''}`));
      for (const file of files) {
        const original = readFileSync(join(source, file));
        const action = async (): Promise<void> => {
          const adapter = await openAdapter(place, base);
          const factors = [...adapter.deltas.values()].flatMap(({ a, b }) => [a, b]);
          readEnds(adapter.files, [...factors, ...adapter.replacements.values()]);
        };
        await damageAll(join(place, file), original, action, 3000);
        copyFileSync(join(source, file), join(place, file));
      }
    },
  );
});

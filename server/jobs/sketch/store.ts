import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterElements } from '../../engine/sketch/positions';
import { clustersUpTo } from '../../engine/sketch/sketch';
import type { CheckpointFile } from '../../tensors/types';
import { lastRound, type ModelReader } from './build';
import type { ModelSamples, SampledTensor, SampleRequest } from './model-samples';

/** Raised when positions or the file's form change, so that old samples are not taken for new ones. */
const version = 1;
/** Least recently used samples are removed above this. */
const maximumBytes = 512 * 1024 * 1024;
const suffix = '.sample';

/**
 * Keeps finished samples of one model each on disk, keyed by the headers, sizes and times of its files
 * and by the positions taken: when one expert changes, its samples alone are read again.
 */
export function storedSamples(folder: string, read: ModelReader): ModelReader {
  return async (model, round) => {
    const known = await load(folder, model);
    if (known) return firstRounds(known, model, round);
    const samples = await read(model, round);
    if (round === lastRound) await save(folder, model, samples);
    return samples;
  };
}

/** The part of a finished sample that earlier rounds have. */
function firstRounds(samples: ModelSamples, { requests }: Model, round: number): ModelSamples {
  if (round === lastRound) return samples;
  const parts = requests.map(({ name, sample }): [string, SampledTensor] => {
    const { stored = null, delta = null } = samples.get(name) ?? {};
    const kept = clustersUpTo(sample, lastRound).flatMap((cluster, at) =>
      sample.whole || cluster.round <= round ? [at] : [],
    );
    return [name, { stored: stored && gather(stored, kept), delta: delta && gather(delta, kept) }];
  });
  return new Map(parts);
}

function gather(values: Float32Array, clusters: readonly number[]): Float32Array {
  const out = new Float32Array(clusters.length * clusterElements);
  clusters.forEach((at, i) => {
    const from = at * clusterElements;
    out.set(values.subarray(from, from + clusterElements), i * clusterElements);
  });
  return out;
}

type Model = Parameters<ModelReader>[0];

function pathOf(folder: string, { requests, files }: Model): string {
  const hash = createHash('sha256').update(JSON.stringify([version, files.map(fileKey)]));
  for (const { name, sample, stored, delta } of requests) {
    const places = sample.clusters.map(({ start }) => start);
    const delta0 = delta && [delta.a.offset, delta.b.offset, delta.scale, delta.transpose];
    hash.update(
      JSON.stringify([name, stored?.file, stored?.offset, stored?.dtype, delta0, places]),
    );
  }
  return join(folder, `${hash.digest('hex').slice(0, 40)}${suffix}`);
}

/** What a file is told from an earlier one by. */
export function fileKey({ path, size, mtimeMs, headerHash }: CheckpointFile): unknown[] {
  return [path, size, mtimeMs, headerHash];
}

/** Values of a whole model one after the other: stored ones, then the adapter's, tensor by tensor. */
function lengthsOf({ stored, delta, sample }: SampleRequest): readonly [number, number] {
  const length = clustersUpTo(sample, lastRound).length * clusterElements;
  return [stored ? length : 0, delta ? length : 0];
}

async function load(folder: string, model: Model): Promise<ModelSamples | undefined> {
  const path = pathOf(folder, model);
  const bytes = await readFile(path).catch(() => undefined);
  const expected =
    4 *
    model.requests.reduce((sum, request) => sum + lengthsOf(request)[0] + lengthsOf(request)[1], 0);
  if (bytes?.length !== expected) return undefined;
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined);
  const values = new Float32Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
  );
  let at = 0;
  const take = (length: number): Float32Array | null => {
    at += length;
    return length > 0 ? values.subarray(at - length, at) : null;
  };
  return new Map(
    model.requests.map((request): [string, SampledTensor] => {
      const [stored, delta] = lengthsOf(request);
      return [request.name, { stored: take(stored), delta: take(delta) }];
    }),
  );
}

/** A store that cannot be written is only slower: nothing fails for it. */
async function save(folder: string, model: Model, samples: ModelSamples): Promise<void> {
  const path = pathOf(folder, model);
  const temporary = `${path}.${String(process.pid)}.partial`;
  try {
    await mkdir(folder, { recursive: true });
    const parts = model.requests.flatMap(({ name }) => {
      const { stored, delta } = samples.get(name) ?? { stored: null, delta: null };
      return [stored, delta].flatMap((values) => (values ? [bytesOf(values)] : []));
    });
    await writeFile(temporary, Buffer.concat(parts));
    await rename(temporary, path);
    await trim(folder);
  } catch {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

async function trim(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(suffix));
  const entries = await Promise.all(
    names.map(async (name) => ({ path: join(folder, name), ...(await stat(join(folder, name))) })),
  );
  entries.sort((a, b) => b.mtimeMs - a.mtimeMs);
  let total = 0;
  for (const { path, size } of entries) {
    total += size;
    if (total > maximumBytes) await rm(path, { force: true });
  }
}

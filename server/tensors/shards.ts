import { dirname, isAbsolute, join, win32 } from 'node:path';
import { MergeError } from '../protocol/merge-error';
import { readHeader, type FileHeader, type OpenOptions } from './headers';
import { isObject, readJsonObject } from './json-file';
import type { TensorInfo } from './types';

/** Shards opened at once; a reader holds one descriptor for each. */
const concurrency = 16;

/**
 * Reads a sharded checkpoint by its `.index.json`. Throws `MergeError` MV416 when the index is not
 * valid, names a file outside its folder or a file that is missing, MV417 when index and shards
 * disagree about a tensor.
 */
export async function readShards(index: string, options: OpenOptions): Promise<FileHeader[]> {
  const weightMap = parseIndex(index, await readJsonObject(index, 'MV416'));
  const names = [...new Set(weightMap.values())];
  const headers: FileHeader[] = [];
  for (let i = 0; i < names.length; i += concurrency) {
    const some = names.slice(i, i + concurrency);
    headers.push(...(await Promise.all(some.map((name) => readShard(index, name, options)))));
  }
  checkAgreement(index, weightMap, headers);
  return headers;
}

function parseIndex(
  index: string,
  content: Readonly<Record<string, unknown>>,
): ReadonlyMap<string, string> {
  const entries = content['weight_map'];
  if (!isObject(entries)) throw new MergeError('MV416', `${index} has no "weight_map"`);
  const weightMap = new Map<string, string>();
  for (const [tensor, file] of Object.entries(entries)) {
    if (typeof file !== 'string' || file === '')
      throw new MergeError('MV416', `${index} names no file for tensor ${tensor}`);
    if (leavesFolder(file))
      throw new MergeError(
        'MV416',
        `${index} names ${file} for tensor ${tensor}, which lies outside its folder`,
      );
    weightMap.set(tensor, file);
  }
  return weightMap;
}

/** True for absolute paths of any system and for anything with `..` in it. */
function leavesFolder(file: string): boolean {
  return isAbsolute(file) || win32.isAbsolute(file) || file.split(/[\\/]/).includes('..');
}

async function readShard(index: string, name: string, options: OpenOptions): Promise<FileHeader> {
  try {
    return await readHeader(join(dirname(index), name), options);
  } catch (cause) {
    if (cause instanceof MergeError && cause.code === 'MV410')
      throw new MergeError('MV416', `${index} names the shard ${name}, which does not exist`, {
        cause,
      });
    throw cause;
  }
}

function checkAgreement(
  index: string,
  weightMap: ReadonlyMap<string, string>,
  headers: readonly FileHeader[],
): void {
  const found = new Map<string, TensorInfo>();
  for (const { tensors } of headers)
    for (const tensor of tensors) {
      const other = found.get(tensor.name);
      if (other)
        throw new MergeError(
          'MV417',
          `tensor ${tensor.name} is in two shards, ${other.file} and ${tensor.file}`,
        );
      found.set(tensor.name, tensor);
      if (!weightMap.has(tensor.name))
        throw new MergeError(
          'MV417',
          `${tensor.file} holds tensor ${tensor.name}, which ${index} does not list`,
        );
    }
  const folder = dirname(index);
  const paths = new Map([...new Set(weightMap.values())].map((file) => [file, join(folder, file)]));
  for (const [name, file] of weightMap)
    if (found.get(name)?.file !== paths.get(file))
      throw new MergeError(
        'MV417',
        `${index} says that tensor ${name} is in ${file}, but it is not there`,
      );
}

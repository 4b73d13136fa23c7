import { readFile } from 'node:fs/promises';
import { MergeError } from '../protocol/merge-error';
import { unreadable } from './file-errors';
import { statFile } from './open-file';
import { duplicateKey } from './json-keys';

/** A config with the statistics of 25 data sets has 61 kB, the index of a large model a few MB. */
export const maximumJsonBytes = 64 * 1024 * 1024;

/** Reads a JSON object from a file. Throws `MergeError` with `code` when it is not one. */
export async function readJsonObject(
  path: string,
  code: string,
): Promise<Readonly<Record<string, unknown>>> {
  let text: string;
  try {
    const { size } = await statFile(path);
    if (size > maximumJsonBytes)
      throw new MergeError(code, `${path} is larger than ${maximumJsonBytes} bytes`);
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw cause instanceof MergeError ? cause : unreadable(path, cause);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new MergeError(code, `${path} is not valid JSON`, { cause });
  }
  if (!isObject(value)) throw new MergeError(code, `${path} does not hold a JSON object`);
  const twice = duplicateKey(text);
  if (twice !== undefined) throw new MergeError(code, `${path} names "${twice}" twice`);
  return value;
}

/** True for a JSON object, not an array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

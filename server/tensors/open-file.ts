import type { Stats } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { MergeError } from '../protocol/merge-error';
import { unreadable } from './file-errors';

/** Of a plain file; a pipe or a device could keep its reader waiting for ever. Throws MV410, MV411. */
export async function statFile(path: string): Promise<Stats> {
  const found = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  if (found.isFile() || found.isDirectory()) return found;
  throw new MergeError('MV411', `${path} is a pipe or a device where a file is needed`);
}

/** Opens a plain file to read it. Throws MV410, MV411. */
export async function openFile(path: string): Promise<FileHandle> {
  await statFile(path);
  return open(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
}

import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { CheckpointFile } from '../tensors/types';

/** SHA-256 over the names and header hashes of a checkpoint's files, in name order. */
export function hashOf(files: readonly CheckpointFile[]): string {
  const hash = createHash('sha256');
  for (const { path, headerHash } of [...files].sort((a, b) => (a.path < b.path ? -1 : 1)))
    hash.update(`${basename(path)}\0${headerHash}\n`);
  return hash.digest('hex');
}

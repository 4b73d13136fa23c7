import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { unreadable } from '../tensors/file-errors';
import type { CheckpointFile } from '../tensors/types';

/** Tells recipes apart in figures: the first eight digits of SHA-256 over the text. */
export function recipeHash(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** SHA-256 over the names and header hashes of a checkpoint's files, in name order. */
export function hashOf(files: readonly CheckpointFile[]): string {
  const hash = createHash('sha256');
  for (const { path, headerHash } of [...files].sort((a, b) => (a.path < b.path ? -1 : 1)))
    hash.update(`${basename(path)}\0${headerHash}\n`);
  return hash.digest('hex');
}

/** Places in a file, and bytes at each, that a sample reads: two models differ almost everywhere. */
const places = 64;
const placeBytes = 1024;

/**
 * SHA-256 over the sizes and bytes from 64 places all over each file, in name order: milliseconds, however
 * large the files are. Equal headers say that two models have one shape, equal samples that they are one.
 */
export async function sampleHash(files: readonly CheckpointFile[]): Promise<string> {
  const hash = createHash('sha256');
  for (const { path, size } of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    hash.update(`${size}\n`);
    const file = await open(path).catch((cause: unknown) => {
      throw unreadable(path, cause);
    });
    try {
      const piece = Buffer.alloc(Math.min(placeBytes, size));
      for (let place = 0; place < places; place++) {
        const at = Math.floor(((size - piece.length) * place) / (places - 1));
        const { bytesRead } = await file.read(piece, 0, piece.length, at);
        hash.update(piece.subarray(0, bytesRead));
      }
    } finally {
      await file.close();
    }
  }
  return hash.digest('hex');
}

import type { Checkpoint } from './types';

/**
 * Reads the headers of a checkpoint: a directory, a `.safetensors`, an `.index.json`, or a torch zip
 * (`.pt`, `.bin`). Throws `MergeError` (MV4xx) naming the file or tensor, or `Cancelled`.
 */
export function openCheckpoint(
  path: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Checkpoint> {
  void options;
  return Promise.reject(new Error(`not built yet: ${path}`));
}

import type { LoadOptions, Policy } from './types';

/**
 * Loads a policy from a run directory (any output form), a released merged directory (its base in
 * `options.base`), or one expert's checkpoint directory.
 * Throws `MergeError` (MV5xx) in one sentence where something is missing or does not fit.
 */
export function loadPolicy(source: string, options: LoadOptions = {}): Promise<Policy> {
  void options;
  return Promise.reject(new Error(`not built yet: ${source}`));
}

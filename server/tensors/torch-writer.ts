import type { Dtype } from './types';

/** A value that a released loader reads back with `torch.load`. */
export type TorchValue =
  | string
  | number
  | boolean
  | null
  | TorchTensor
  | {
      readonly kind: 'dictionary';
      readonly entries: readonly (readonly [TorchKey, TorchValue])[];
    };

/** `suite` is pickled as the enum member `__main__.TaskSuite(value)`, as the released scripts do. */
export type TorchKey = string | { readonly kind: 'suite'; readonly value: string };

export interface TorchTensor {
  readonly kind: 'tensor';
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** The tensor's little-endian bytes in order, in pieces of any size; called once. */
  readonly chunks: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** Writes `path` as a torch zip with stored entries: to a temporary name, flushed, then renamed. */
export function writeTorchFile(
  path: string,
  root: TorchValue,
  options: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  void root;
  void options;
  return Promise.reject(new Error(`not built yet: ${path}`));
}

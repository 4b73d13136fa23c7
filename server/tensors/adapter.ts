import type { Adapter, AdapterDelta, Checkpoint } from './types';

/**
 * Reads the headers of a PEFT LoRA directory and ties each delta to a tensor of `base`.
 * Throws `MergeError` for DoRA, for other PEFT types, and for an adapter of another base.
 */
export function openAdapter(
  path: string,
  base: Checkpoint,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Adapter> {
  void options;
  return Promise.reject(new Error(`not built yet: ${path} ${base.path}`));
}

/** Both factors of one delta, widened to float32: A and B as stored, row-major. */
export interface AdapterFactors {
  readonly a: Float32Array;
  readonly b: Float32Array;
}

/**
 * Rows `from` to `to` (exclusive) of scale · B·A in the base tensor's layout [rows, columns]
 * (a convolution's trailing axes are flattened), in float32, ranks summed in order.
 * `into` holds (to − from) · columns elements. Pure.
 */
export function adapterDeltaRows(
  delta: AdapterDelta,
  factors: AdapterFactors,
  rows: { readonly from: number; readonly to: number },
  into: Float32Array,
): void {
  throw new Error(`not built yet: ${delta.a.name} ${factors.a.length} ${rows.from} ${into.length}`);
}

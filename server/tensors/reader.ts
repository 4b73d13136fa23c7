import type { CheckpointFile, TensorInfo } from './types';

/** Reads elements of tensors; opens files when first asked and holds few of them open. */
export class TensorReader {
  constructor(
    readonly files: readonly CheckpointFile[],
    readonly options: { readonly maximumOpen?: number } = {},
  ) {}

  /**
   * Fills `target` (whole elements, stored dtype, row-major order) from element `start` on.
   * Synchronous: worker threads call it for large pieces, the server for small samples.
   * Throws `MergeError` when the file was cut short or changed since its header was read.
   */
  readBytes(info: TensorInfo, start: number, target: Uint8Array): void {
    throw new Error(`not built yet: ${info.name} ${start} ${target.length}`);
  }

  /** Same, widened to float32; one element of `target` for each element read. Float dtypes only. */
  readFloat32(info: TensorInfo, start: number, target: Float32Array): void {
    throw new Error(`not built yet: ${info.name} ${start} ${target.length}`);
  }

  close(): void {
    throw new Error('not built yet');
  }
}

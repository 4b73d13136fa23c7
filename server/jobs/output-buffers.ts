import type { Kernels } from '../compute/kernels/wasm';
import { blockElements } from '../engine/plan-cost';
import type { MergePlan } from '../engine/plan-types';
import { elementBytes, isFloat, narrow } from '../tensors/dtypes';
import type { Dtype } from '../tensors/types';

/** Results of one piece before they are written: numbers of up to one model a task, and mask bits. */
export class OutputBuffers {
  /** One a model that is written; index 0 also holds τ_merge. */
  readonly values: readonly Uint8Array[];
  /** One a task. */
  readonly masks: readonly Uint8Array[];
  /** Bytes between two masks. */
  readonly maskStride: number;
  /** A block of numbers on their way out. */
  readonly block: Float32Array;
  /** The same for a second step. */
  readonly other: Float32Array;
  /** Coverage histogram of a block. */
  readonly histogram: Uint32Array;
  /** All masks, `maskStride` bytes apart. */
  readonly bits: Uint8Array;
  /** Σ of squares that the mask rule leaves. */
  readonly distance: Float64Array;
  private readonly views: readonly (readonly Uint8Array[])[];

  /** Bytes of kernel memory that the buffers take. */
  static size(plan: MergePlan, pieceBytes: number): number {
    const models = modelCount(plan);
    const largest = largestPiece(pieceBytes);
    return (
      models * (largest * widest(plan) + 128) +
      plan.tasks.length * (largest / 8 + 64) +
      3 * blockElements * 4 +
      4096
    );
  }

  constructor(plan: MergePlan, kernels: Kernels, pieceBytes: number) {
    const largest = largestPiece(pieceBytes);
    const size = largest * widest(plan) + 64;
    this.values = Array.from({ length: modelCount(plan) }, () => kernels.bytes(size));
    this.maskStride = largest / 8;
    this.bits = kernels.bytes(plan.tasks.length * this.maskStride);
    this.masks = plan.tasks.map((_, m) =>
      this.bits.subarray(m * this.maskStride, (m + 1) * this.maskStride),
    );
    this.block = kernels.floats(blockElements);
    this.other = kernels.floats(blockElements);
    this.histogram = kernels.words(plan.tasks.length + 1);
    this.distance = kernels.doubles(1);
    this.views = Array.from({ length: largest / blockElements }, (_, block) =>
      this.masks.map((bits) => bits.subarray((block * blockElements) / 8)),
    );
  }

  /** Each task's mask from a block of the piece on, as views made once. */
  masksAt(offset: number): readonly Uint8Array[] {
    return this.views[offset / blockElements] ?? [];
  }

  /** Rounds once to the output dtype; true when a result is not finite. */
  store(
    kernels: Kernels,
    source: Float32Array,
    to: { readonly model: number; readonly offset: number; readonly dtype: Dtype },
    size: { readonly n: number; readonly padded: number },
  ): boolean {
    const bytes = this.values[to.model];
    if (!bytes || !isFloat(to.dtype)) throw new Error(`no room for ${to.dtype}`);
    const from = to.offset * elementBytes(to.dtype);
    if (to.dtype === 'BF16') return kernels.bf16.narrow(source, { bytes, from }, size.padded);
    const target = bytes.subarray(from);
    narrow(to.dtype, source.subarray(0, size.n), target);
    return to.dtype !== 'F32' && hasNonfinite(to.dtype, target, size.n);
  }
}

function modelCount(plan: MergePlan): number {
  return plan.form === 'weights' && plan.masks ? plan.tasks.length : 1;
}

/** Elements of a piece of the narrowest float, which has the most. */
function largestPiece(pieceBytes: number): number {
  return Math.max(1, Math.floor(pieceBytes / 2 / blockElements)) * blockElements;
}

function widest(plan: MergePlan): number {
  return plan.jobs.reduce((size, job) => Math.max(size, elementBytes(job.outputDtype)), 2);
}

function hasNonfinite(dtype: Dtype, bytes: Uint8Array, n: number): boolean {
  if (dtype !== 'F16') return false;
  for (let i = 0; i < n; i++) if (((bytes[2 * i + 1] ?? 0) & 0x7c) === 0x7c) return true;
  return false;
}

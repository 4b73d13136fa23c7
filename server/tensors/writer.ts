import type { Dtype } from './types';

export interface TensorSpec {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** Where a declared tensor's bytes go: plain data that worker threads can carry. */
export interface TensorSlot extends TensorSpec {
  /** Path of the file while it is being written (`….partial`). */
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

export interface PlannedFile {
  /** Final path; written as `path.partial` until `finishOutput`. */
  readonly path: string;
  readonly header: Uint8Array;
  readonly size: number;
}

export interface OutputPlan {
  readonly folder: string;
  readonly files: readonly PlannedFile[];
  readonly slots: ReadonlyMap<string, TensorSlot>;
  /** Present when there is more than one shard. */
  readonly index?: { readonly path: string; readonly text: string };
}

export interface OutputOptions {
  readonly folder: string;
  /** `model` gives `model.safetensors`, or `model-00001-of-00003.safetensors` and an index. */
  readonly stem: string;
  /** Largest size of the tensors of one file in bytes; one larger tensor gets a file of its own. */
  readonly shardBytes?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Lays out files and offsets, tensors in the order given. Pure. */
export function planOutput(specs: readonly TensorSpec[], options: OutputOptions): OutputPlan {
  throw new Error(`not built yet: ${specs.length} ${options.stem}`);
}

/** Makes every file at its full length with its header. Disk full is a `MergeError` of the system. */
export function createOutput(plan: OutputPlan): void {
  throw new Error(`not built yet: ${plan.folder}`);
}

/** Writes pieces of tensors into files made by `createOutput`, in any order, from any thread. */
export class TensorWriter {
  /** Writes `bytes` (whole elements, stored dtype) from element `start` on. */
  write(slot: TensorSlot, start: number, bytes: Uint8Array): void {
    throw new Error(`not built yet: ${slot.name} ${start} ${bytes.length}`);
  }
  close(): void {
    throw new Error('not built yet');
  }
}

/** Flushes every file, gives them their names, writes the index and flushes the folder. */
export function finishOutput(plan: OutputPlan): void {
  throw new Error(`not built yet: ${plan.folder}`);
}

/** Removes what `createOutput` made. */
export function discardOutput(plan: OutputPlan): void {
  throw new Error(`not built yet: ${plan.folder}`);
}

import type { Layout } from '../tensors/types';

/** A merged checkpoint as other programs find it: where its parts come from and how they were made. */
export interface Manifest {
  readonly version: 1;
  readonly form: 'compact' | 'weights' | 'mergevla';
  readonly layout: Layout;
  readonly tasks: readonly string[];
  /** The pretrained model τ is added to; null for an average without a base. */
  readonly base: {
    readonly path: string;
    /** SHA-256 over the headers of its files in name order. */
    readonly hash: string;
    /** SHA-256 over bytes from all over its files: models of one shape share their headers. */
    readonly sample: string;
  } | null;
  /** Experts by task, with the same kind of hash. */
  readonly experts: Readonly<
    Record<string, { readonly path: string; readonly adapter?: string; readonly hash: string }>
  >;
  /** Tensors that were made by one rule, with its parameters. */
  readonly groups: readonly {
    readonly rule: string;
    readonly parameters: Readonly<Record<string, unknown>>;
    readonly components: readonly string[];
    readonly tensors: readonly string[];
    readonly elements: number;
  }[];
  readonly masks: {
    readonly rule: string;
    readonly lambda?: unknown;
    readonly consensus?: number;
  } | null;
  readonly heads: { readonly unmergedBlocks: number; readonly blocks: number } | null;
  readonly router: {
    readonly rank: number;
    readonly pairing: 'same' | 'crossed';
    readonly valueBlock: number;
    readonly hiddenEntry: number;
    readonly temperature: number;
    readonly per: 'episode' | 'suite';
    /** Mean scores over so many stored first frames, in task order, which scores are divided by. */
    readonly offsets?: {
      readonly frames: number;
      readonly same: readonly number[];
      readonly crossed: readonly number[];
    };
  } | null;
  /** How τ is stored: its dtype, and whether numbers in `weights` form follow exactly from it. */
  readonly taskVector: { readonly dtype: string; readonly precision: string } | null;
}

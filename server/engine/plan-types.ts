import type { MethodName, MethodParameters } from '../recipe/methods';
import type {
  AdapterDelta,
  CheckpointFile,
  Dtype,
  ModulePlace,
  TensorInfo,
} from '../tensors/types';

export type { MethodName };

/** One model's version of a tensor: stored, or an adapter's product, or both added. */
export interface TensorSource {
  readonly stored: TensorInfo | null;
  readonly delta: AdapterDelta | null;
}

/** Numbers of one tensor after gradients and globs are resolved. Lists have one entry a task. */
export interface MergeParameters {
  readonly weights: readonly number[];
  readonly alpha: number;
  readonly density: readonly number[];
  readonly gamma: readonly number[];
  readonly epsilon: readonly number[];
  readonly t: number;
  /** λ of the mask rule. */
  readonly lambda: readonly number[];
}

/**
 * What happens to a tensor. `merge`: the method, on task vectors. `average`: the plain mean of the
 * experts. `take`: one task's tensor. `per_task`: every task's own. `base`: the base's, untouched.
 * `copy`: integers and booleans, which must be equal everywhere.
 */
export type TensorRule =
  | { readonly kind: 'merge'; readonly parameters: MergeParameters }
  | { readonly kind: 'average' }
  | { readonly kind: 'take'; readonly task: number; readonly reason: 'keep' | 'rest' }
  | { readonly kind: 'per_task' }
  | { readonly kind: 'base' }
  | { readonly kind: 'copy' };

/** One tensor of the output: where it is read, what is done, how it is written. */
export interface TensorJob {
  readonly name: string;
  readonly place: ModulePlace;
  readonly shape: readonly number[];
  readonly elements: number;
  readonly dtype: Dtype;
  readonly outputDtype: Dtype;
  readonly rule: TensorRule;
  /** Null for tensors without a pretrained start, and for the two-expert slerp and average without base. */
  readonly base: TensorSource | null;
  /** In task order. */
  readonly experts: readonly TensorSource[];
}

/** The mask rule of a plan; λ is per tensor and task, in the jobs' parameters. */
export interface MaskPlan {
  readonly rule: 'tall' | 'emr';
  /** 0 is off; k replaces the task masks by the positions active in at least k of them. */
  readonly consensus: number;
}

/** Settings of the method that are the same for every tensor, by their recipe names. */
export type MethodSettings = Readonly<
  Omit<MethodParameters, 'density' | 'epsilon' | 'gamma' | 't'> & { method: MethodName }
>;

/** A pass reads every merged tensor once, except `scan`, which stops at the first difference. */
export type Pass = 'scan' | 'threshold' | 'statistics' | 'merge';

/** Everything that a merge will do, as plain JSON, made from headers alone. */
export interface MergePlan {
  readonly version: 1;
  readonly tasks: readonly string[];
  readonly settings: MethodSettings;
  readonly precision: 'float32' | 'native';
  readonly form: 'compact' | 'weights' | 'mergevla';
  readonly masks: MaskPlan | null;
  readonly jobs: readonly TensorJob[];
  readonly passes: readonly Pass[];
  readonly files: readonly CheckpointFile[];
  readonly shardBytes: number;
  /** Upper bounds: tensors equal to the base everywhere are found only while merging. */
  readonly bytesToRead: number;
  readonly bytesToWrite: number;
  readonly diskBytes: number;
  /** Working memory of one thread. */
  readonly memoryPerThread: number;
}

/** Dtypes as safetensors names them. */
export type Dtype =
  | 'BF16'
  | 'F16'
  | 'F32'
  | 'F64'
  | 'F8_E4M3'
  | 'F8_E5M2'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U64'
  | 'U32'
  | 'U16'
  | 'U8'
  | 'BOOL';

/** Which file family of a checkpoint directory a tensor comes from. */
export type Part = 'model' | 'action_head' | 'proprio_projector';

/** Where and what a stored tensor is: plain data, so that plans and worker threads can carry it. */
export interface TensorInfo {
  /**
   * Unique in its checkpoint. Tensors of companion files carry their part as a prefix
   * (`action_head.model.fc1.weight`, `proprio_projector.fc1.weight`); a leading `module.` is stripped.
   */
  readonly name: string;
  readonly part: Part;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly elements: number;
  /** Absolute path of the file that holds the data. */
  readonly file: string;
  /** Byte offset of the first element in `file`. */
  readonly offset: number;
  /** Strides in elements, only where the data is not contiguous in row-major order (torch files). */
  readonly strides?: readonly number[];
}

export interface CheckpointFile {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
  /** SHA-256 of the header bytes (safetensors) or of the archive's index and pickle (torch). */
  readonly headerHash: string;
}

/** A checkpoint known by its headers alone; holds no open file. */
export interface Checkpoint {
  /** Absolute path as named in the recipe: a directory, a `.safetensors` or an `.index.json`. */
  readonly path: string;
  readonly files: readonly CheckpointFile[];
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Parsed `config.json`, when there is one. */
  readonly config: unknown;
  /** True when `lm_head` and `embed_tokens` are one tensor (config) and only one is stored. */
  readonly tiedEmbeddings: boolean;
  /**
   * File names that mark the output of a MergeVLA merge (`tall_masks.pt`, `task2idx.pt`): the weights
   * of such a directory are a task vector. Empty for every other checkpoint.
   */
  readonly mergedMarkers: readonly string[];
}

/** What one LoRA adapter adds to one tensor of its base: `scale · B·A`, in float32. */
export interface AdapterDelta {
  readonly kind: 'linear' | 'embedding' | 'conv';
  readonly a: TensorInfo;
  readonly b: TensorInfo;
  /** alpha / r, or alpha / √r with rslora, after the patterns. */
  readonly scale: number;
  /** True when the base tensor is (B·A)ᵀ: embeddings, and linear layers with `fan_in_fan_out`. */
  readonly transpose: boolean;
  /** PEFT rounds an embedding's product to the base's dtype before it adds; null: not rounded. */
  readonly roundProduct: 'BF16' | 'F16' | null;
}

/** A PEFT LoRA directory known by its headers alone. */
export interface Adapter {
  readonly path: string;
  readonly files: readonly CheckpointFile[];
  /** Keyed by the base tensor's name. */
  readonly deltas: ReadonlyMap<string, AdapterDelta>;
  /** Whole tensors that replace the base's (`modules_to_save`, biases), keyed by the base tensor's name. */
  readonly replacements: ReadonlyMap<string, TensorInfo>;
}

export type Layout = 'mergevla' | 'openvla' | 'openvla-oft' | 'pi0' | 'smolvla' | 'generic';

/** Place of a tensor in its model. Vocabulary: reference, checkpoint layouts §0. */
export interface ModulePlace {
  readonly component: string;
  readonly block: number | null;
  readonly kind: string;
}

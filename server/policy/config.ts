import { z } from 'zod';
import { badConfig } from './errors';
import type { ModelShape } from './shape';

/** The chat template of the released model, around the lower-cased instruction. */
export const releasedPrompt =
  '<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n<|im_start|>user\nWhat action should the robot take to {instruction}?<|im_end|>\n<|im_start|>assistant\n';

const norm = z.enum(['q99', 'min_max', 'mean_std']);
const count = z.int().positive();

/** The `mergevla` entry of `config.json` (docs/policy-config.md); defaults are the released model's. */
const entrySchema = z.strictObject({
  cameras: z.array(z.string().min(1)).min(1).max(8).default(['full', 'wrist']),
  vision_heads: z.union([count, z.array(count).min(1).max(2)]).default(16),
  head_heads: count.default(8),
  head_rope: z.enum(['bfloat16', 'float32']).default('bfloat16'),
  chunk: count.max(4096).default(8),
  execute: count.optional(),
  task_tokens: count.optional(),
  stop_token: z.int().nonnegative().default(2),
  prompt: z
    .string()
    .refine((text) => text.split('{instruction}').length === 2, 'must hold {instruction} once')
    .default(releasedPrompt),
  lower_case: z.boolean().default(true),
  center_crop: z.number().gt(0).max(1).default(0.9),
  jpeg: z.boolean().default(true),
  action_norm: norm.default('q99'),
  proprio_norm: norm.default('q99'),
  relative_actions: z.boolean().default(false),
});

export type PolicyEntry = z.infer<typeof entrySchema>;
export type NormKind = z.infer<typeof norm>;

/** Keys of `text_config`; absent ones mean the defaults of the configuration class that wrote the file. */
const textSchema = z.looseObject({
  hidden_size: count.default(4096),
  num_attention_heads: count.default(32),
  num_key_value_heads: count.default(32),
  num_hidden_layers: count.default(32),
  head_dim: count.optional(),
  rope_theta: z.number().positive().default(10000),
  rms_norm_eps: z.number().positive().default(1e-6),
  max_position_embeddings: count.default(32768),
  hidden_act: z.string().default('silu'),
});

const fileSchema = z.looseObject({
  image_sizes: z.array(count).min(1),
  text_config: textSchema.default(textSchema.parse({})),
  mergevla: entrySchema.default(entrySchema.parse({})),
});

export interface LanguageConfig {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly ropeTheta: number;
  readonly eps: number;
  readonly context: number;
}

/** What `config.json` says, before the tensors are looked at. */
export interface FileConfig {
  readonly file: string;
  readonly imageSize: number;
  readonly language: LanguageConfig;
  readonly entry: PolicyEntry;
}

/** Everything about a policy but its weights: sizes from tensors, the rest from JSON files. */
export interface PolicyConfig {
  readonly imageSize: number;
  readonly cameras: readonly string[];
  readonly language: LanguageConfig;
  readonly shape: ModelShape;
  readonly entry: PolicyEntry;
  /** Tokens of the head's task path and where the action path begins relative to the prompt. */
  readonly taskTokens: number;
  readonly chunk: number;
  readonly execute: number;
  /** Per tower, per colour: `(v / 255 − mean) / std`. */
  readonly normalization: readonly { readonly mean: Rgb; readonly std: Rgb }[];
}

export type Rgb = readonly [number, number, number];

/** Reads `config.json`. Throws `MergeError` MV563 naming the first key that does not fit. */
export function parseFileConfig(config: unknown, file: string): FileConfig {
  const parsed = fileSchema.safeParse(config);
  if (!parsed.success) throw badConfig(file, describeIssue(parsed.error));
  const { image_sizes: sizes, text_config: text, mergevla: entry } = parsed.data;
  if (text.hidden_act !== 'silu')
    throw badConfig(file, `text_config.hidden_act is ${text.hidden_act}; only silu can run here`);
  return {
    file,
    imageSize: sizes[0] ?? 224,
    entry,
    language: {
      width: text.hidden_size,
      layers: text.num_hidden_layers,
      heads: text.num_attention_heads,
      kvHeads: text.num_key_value_heads,
      headDim: text.head_dim ?? text.hidden_size / text.num_attention_heads,
      ropeTheta: text.rope_theta,
      eps: text.rms_norm_eps,
      context: text.max_position_embeddings,
    },
  };
}

const triple = z.tuple([z.number(), z.number(), z.number()]);
const preprocessorSchema = z.looseObject({
  tvf_normalize_params: z
    .array(z.looseObject({ mean: triple, std: triple }))
    .min(1)
    .optional(),
  means: z.array(triple).optional(),
  stds: z.array(triple).optional(),
});

/**
 * Mean and deviation of each tower's pictures. `tvf_normalize_params` win over `means` and `stds`,
 * because loading the processor overwrites the latter with the former (reference: policy forward §2).
 */
export function parseNormalization(
  preprocessor: unknown,
  towers: number,
  file: string,
): PolicyConfig['normalization'] {
  const parsed = preprocessorSchema.safeParse(preprocessor ?? {});
  if (!parsed.success) throw badConfig(file, describeIssue(parsed.error));
  const { tvf_normalize_params: params, means, stds } = parsed.data;
  const stated = params ?? (means ?? []).map((mean, i) => ({ mean, std: stds?.[i] ?? half }));
  return Array.from({ length: towers }, (_, tower) => {
    const found = stated[tower];
    if (found) return { mean: found.mean, std: found.std };
    return tower === 0 ? imageNet : { mean: half, std: half };
  });
}

const half: Rgb = [0.5, 0.5, 0.5];
const imageNet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

/** The first issue as `key: what`. */
function describeIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  if (!issue) return 'does not fit';
  const key = issue.path.join('.');
  return `${key === '' ? 'the file' : key}: ${issue.message}`;
}

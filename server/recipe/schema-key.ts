import { z } from 'zod';

/** What is known of a key beside its type: source of hovers, completion, the reference page and JSON Schema. */
export interface KeyInfo {
  /** Markdown. */
  readonly doc: string;
  readonly default?: unknown;
  readonly required?: boolean;
  readonly examples?: readonly unknown[];
  /** Values in words, where the type alone does not tell: `0 < density ≤ 1`. */
  readonly range?: string;
  /** What the value names, for completion and links. */
  readonly names?: 'path' | 'task' | 'component' | 'glob' | 'device';
  /** What each value of a choice means, in Markdown. */
  readonly values?: Readonly<Record<string, string>>;
}

/** Holds the documentation of every key of the schema. */
export const keyRegistry = z.registry<KeyInfo>();

/** An optional key with its documentation. Whether it is required is told by a rule, so that half a recipe parses. */
export function key<Schema extends z.ZodType>(schema: Schema, info: KeyInfo) {
  const optional = schema.optional();
  keyRegistry.add(optional, info);
  return optional;
}

export interface NumberRange {
  readonly min?: number;
  readonly max?: number;
  /** The lower bound itself is refused. */
  readonly above?: number;
}

/** A number, a gradient, or a list by tensor name, each number in the range. */
export function numberSpec(range: NumberRange = {}) {
  const value = boundedNumber(range);
  const gradient = z.strictObject({ gradient: required(z.array(value).min(1).max(1024), along) });
  const line = z.strictObject({
    match: key(z.string(), { doc: 'Glob over tensor names; absent: every tensor.', names: 'glob' }),
    value: required(z.union([value, gradient]), 'The number where the glob matches.'),
  });
  return z.union([value, gradient, z.array(line).min(1).max(1024)]);
}

const along =
  'Values along the blocks of a component, interpolated from the first block to the last; tensors outside blocks take the first.';

function required<Schema extends z.ZodType>(schema: Schema, doc: string): Schema {
  keyRegistry.add(schema, { doc, required: true });
  return schema;
}

export function boundedNumber({ min, max, above }: NumberRange) {
  let value = z.number();
  if (min !== undefined) value = value.min(min);
  if (max !== undefined) value = value.max(max);
  if (above !== undefined) value = value.gt(above);
  return value;
}

export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER) {
  return z.number().int().min(min).max(max);
}

/** A path or a name: text that is not empty. */
export const text = z.string().min(1);

import { z } from 'zod';
import type { RecipePath } from './located';
import { recipeSchema } from './schema';
import { type KeyInfo, keyRegistry } from './schema-key';

/** What completion, hovers and the reference page tell of one key. */
export interface KeyDescription extends KeyInfo {
  readonly key: string;
  /** The type in words: `number`, `text or mapping`. */
  readonly type: string;
  /** Values of a choice, in order; also `none` beside a mapping. */
  readonly choices: readonly (string | number)[];
  /** Kinds of value it takes. */
  readonly kinds: readonly ValueKind[];
}

export type ValueKind = 'text' | 'number' | 'boolean' | 'choice' | 'mapping' | 'list' | 'anything';

/** The key at a path, or nothing where the language has none. Task names and list indices are followed. */
export function describeKey(path: RecipePath): KeyDescription | undefined {
  const schemas = schemasAt(path);
  const last = path.at(-1);
  return schemas.length === 0 || last === undefined ? undefined : describe(String(last), schemas);
}

/** The keys that may stand in the mapping at a path, in the order of the schema. Empty for free names. */
export function childKeys(path: RecipePath): KeyDescription[] {
  return schemasAt(path)
    .flatMap(alternatives)
    .flatMap((schema) => (schema instanceof z.ZodObject ? Object.entries(shapeOf(schema)) : []))
    .map(([key, schema]) => describe(key, [schema]));
}

/** The schemas a value at a path may follow; several where a key takes different forms. */
export function schemasAt(path: RecipePath): z.core.$ZodType[] {
  let schemas: z.core.$ZodType[] = [recipeSchema];
  for (const step of path)
    schemas = schemas.flatMap(alternatives).flatMap((s) => stepInto(s, step));
  return schemas;
}

/** The forms of a schema: optional unwrapped, unions opened. */
export function alternatives(schema: z.core.$ZodType): z.core.$ZodType[] {
  if (schema instanceof z.ZodOptional) return alternatives(schema.unwrap());
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(alternatives);
  return [schema];
}

export function shapeOf(schema: z.ZodObject): Record<string, z.core.$ZodType> {
  return schema.shape;
}

function stepInto(schema: z.core.$ZodType, step: string | number): z.core.$ZodType[] {
  if (schema instanceof z.ZodObject) {
    const shape = shapeOf(schema);
    const next = Object.hasOwn(shape, step) ? shape[String(step)] : undefined;
    return next ? [next] : [];
  }
  if (schema instanceof z.ZodRecord) return [schema.valueType];
  if (schema instanceof z.ZodArray && typeof step === 'number') return [schema.element];
  return [];
}

function describe(key: string, schemas: readonly z.core.$ZodType[]): KeyDescription {
  const forms = schemas.flatMap(alternatives);
  const kinds = [...new Set(forms.map(kindOf))];
  const inner = forms.flatMap((form) =>
    form instanceof z.ZodArray ? alternatives(form.element) : [form],
  );
  return {
    doc: '',
    ...infoOf(schemas),
    key,
    kinds,
    type: typeInWords(forms),
    choices: [...new Set(inner.flatMap(choicesOf))],
  };
}

function infoOf(schemas: readonly z.core.$ZodType[]): Partial<KeyInfo> {
  const schema = schemas[0];
  return (schema && keyRegistry.get(schema)) ?? {};
}

const kinds: readonly (readonly [new (...args: never[]) => unknown, ValueKind])[] = [
  [z.ZodEnum, 'choice'],
  [z.ZodLiteral, 'choice'],
  [z.ZodString, 'text'],
  [z.ZodNumber, 'number'],
  [z.ZodBoolean, 'boolean'],
  [z.ZodObject, 'mapping'],
  [z.ZodRecord, 'mapping'],
  [z.ZodArray, 'list'],
];

function kindOf(schema: z.core.$ZodType): ValueKind {
  return kinds.find(([type]) => schema instanceof type)?.[1] ?? 'anything';
}

function choicesOf(schema: z.core.$ZodType): (string | number)[] {
  if (schema instanceof z.ZodEnum) return schema.options;
  if (schema instanceof z.ZodLiteral)
    return [...schema.values].filter((v) => typeof v === 'string' || typeof v === 'number');
  return [];
}

/** `a number, a gradient, or a list`: for messages and the reference page. */
export function typeInWords(forms: readonly z.core.$ZodType[]): string {
  const words = [...new Set(forms.map(oneInWords))];
  if (words.length < 2) return words[0] ?? 'nothing';
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}

function oneInWords(schema: z.core.$ZodType): string {
  if (schema instanceof z.ZodObject)
    return 'gradient' in shapeOf(schema) ? 'a gradient' : 'a mapping';
  if (schema instanceof z.ZodArray) return 'a list';
  if (schema instanceof z.ZodNumber) return schema.isInt ? 'a whole number' : 'a number';
  const choices = choicesOf(schema);
  if (choices.length > 0) return choices.map((choice) => `\`${String(choice)}\``).join(', ');
  const kind = kindOf(schema);
  if (kind === 'boolean') return '`true` or `false`';
  return kind === 'mapping' ? 'a mapping' : kind;
}

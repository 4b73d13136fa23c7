/**
 * Small guards for values that crossed a process. A message from a webview, a line of a file or the
 * answer of a command is `unknown` until one of these has looked at it.
 */
export interface Guard<T> {
  (value: unknown): value is T;
  /** Set by `optional`: the field may be absent. */
  readonly optional?: true;
}

export const isString: Guard<string> = (value): value is string => typeof value === 'string';
export const isBoolean: Guard<boolean> = (value): value is boolean => typeof value === 'boolean';
/** NaN and infinities are refused: JSON cannot carry them and no panel can draw them. */
export const isNumber: Guard<number> = (value): value is number =>
  typeof value === 'number' && Number.isFinite(value);
export const isCount: Guard<number> = (value): value is number =>
  isNumber(value) && Number.isInteger(value) && value >= 0;

/** Numbers in bulk: a typed array where the channel keeps it, a plain array otherwise. What is missing is NaN or, behind JSON, null. */
export type Numbers = readonly (number | null)[] | Float32Array;
export const isNumbers: Guard<Numbers> = (value): value is Numbers =>
  value instanceof Float32Array ||
  (Array.isArray(value) && value.every((item) => item === null || typeof item === 'number'));

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function literal<const T extends string | number | boolean | null>(
  ...allowed: readonly T[]
): Guard<T> {
  return (value): value is T => allowed.some((item) => item === value);
}

export function arrayOf<T>(item: Guard<T>): Guard<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.every((v) => item(v));
}

export function recordOf<T>(item: Guard<T>): Guard<Readonly<Record<string, T>>> {
  return (value): value is Readonly<Record<string, T>> =>
    isRecord(value) && Object.values(value).every((v) => item(v));
}

export function oneOf<A, B>(a: Guard<A>, b: Guard<B>): Guard<A | B> {
  return (value): value is A | B => a(value) || b(value);
}

export function orNull<T>(guard: Guard<T>): Guard<T | null> {
  return (value): value is T | null => value === null || guard(value);
}

export function optional<T>(guard: Guard<T>): Guard<T> {
  const copy = (value: unknown): value is T => guard(value);
  return Object.assign(copy, { optional: true as const });
}

/** Every named field must fit; further fields are allowed, so that versions can differ by one. */
export function object<T>(fields: { readonly [K in keyof T]-?: Guard<T[K]> }): Guard<T> {
  const entries = Object.entries<Guard<unknown>>(fields);
  return (value): value is T =>
    isRecord(value) &&
    entries.every(([key, guard]) =>
      value[key] === undefined ? guard.optional === true : guard(value[key]),
    );
}

/** A union told apart by its `type`: the guards are the whole union, none can be forgotten. */
export function tagged<T extends { readonly type: string }>(variants: {
  readonly [K in T['type']]: Guard<Extract<T, { readonly type: K }>>;
}): Guard<T> {
  const table = new Map<string, Guard<unknown>>(Object.entries<Guard<unknown>>(variants));
  return (value): value is T => {
    if (!isRecord(value) || typeof value['type'] !== 'string') return false;
    return table.get(value['type'])?.(value) ?? false;
  };
}

/** Values of a text with one JSON value a line, as far as they fit: a process that was killed leaves half a line. */
export function linesThat<T>(guard: Guard<T>, text: string): readonly T[] {
  return text.split('\n').flatMap((line) => {
    try {
      const value: unknown = JSON.parse(line);
      return guard(value) ? [value] : [];
    } catch {
      return [];
    }
  });
}

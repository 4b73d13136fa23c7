import { matchesGlob } from './globs';

/** Values along the blocks of a component: the first block takes the first, the last block the last. */
export interface Gradient {
  readonly gradient: readonly number[];
}

/** One line of a list of values; the first whose glob matches wins, one without `match` is the default. */
export interface MatchedNumber {
  readonly match?: string | undefined;
  readonly value: number | Gradient;
}

/** A number of the recipe: one for all tensors, along the blocks, or by tensor name. */
export type NumberSpec = number | Gradient | readonly MatchedNumber[];

/** Where a tensor stands: `block` is its block, `blocks` how many its component has; null outside blocks. */
export interface TensorPlace {
  readonly tensorName: string;
  readonly block: number | null;
  readonly blocks: number;
}

/**
 * The number a tensor gets. Gradients are interpolated linearly at t = block / (blocks − 1), with t = 1
 * for a single block and t = 0 outside blocks, as mergekit does. A list without a matching line gives
 * `fallback`; resolved recipes always end their lists with a default.
 */
export function resolveNumber(spec: NumberSpec, place: TensorPlace, fallback = 1): number {
  if (typeof spec === 'number') return spec;
  if (isGradient(spec)) return alongBlocks(spec.gradient, place, fallback);
  const line = spec.find((item) => !item.match || matchesGlob(item.match, place.tensorName));
  if (!line) return fallback;
  return typeof line.value === 'number'
    ? line.value
    : alongBlocks(line.value.gradient, place, fallback);
}

/** True when the number may differ from tensor to tensor. */
export function variesByTensor(spec: NumberSpec): boolean {
  return new Set(numbersIn(spec)).size > 1;
}

/** Every number written in a specification, in order. */
export function numbersIn(spec: NumberSpec): number[] {
  if (typeof spec === 'number') return [spec];
  if (isGradient(spec)) return [...spec.gradient];
  return spec.flatMap((item) => numbersIn(item.value));
}

/** The same specification with every number mapped. */
export function mapNumbers(spec: NumberSpec, map: (value: number) => number): NumberSpec {
  if (typeof spec === 'number') return map(spec);
  if (isGradient(spec)) return { gradient: spec.gradient.map(map) };
  return spec.map((item) => ({
    ...item,
    value:
      typeof item.value === 'number' ? map(item.value) : { gradient: item.value.gradient.map(map) },
  }));
}

/** Adds the default line to a list that has none. */
export function withFallback(spec: NumberSpec, fallback: number): NumberSpec {
  if (typeof spec === 'number' || isGradient(spec)) return spec;
  return spec.some((item) => !item.match) ? spec : [...spec, { value: fallback }];
}

export function isGradient(spec: NumberSpec): spec is Gradient {
  return typeof spec === 'object' && 'gradient' in spec;
}

/** Linear interpolation of a gradient at a block; the first value outside blocks. */
export function alongBlocks(
  values: readonly number[],
  place: TensorPlace,
  fallback: number,
): number {
  const first = values[0];
  if (first === undefined) return fallback;
  if (place.block === null) return first;
  const t = place.blocks > 1 ? place.block / (place.blocks - 1) : 1;
  const position = Math.min(Math.max(t, 0), 1) * (values.length - 1);
  const low = Math.floor(position);
  const from = values[low] ?? first;
  const to = values[low + 1] ?? from;
  return from + (to - from) * (position - low);
}

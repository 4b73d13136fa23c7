/**
 * Seeds of the bench. The ranges are disjoint, so that nothing seen in training or used for a
 * choice can be met again in a table.
 */
export const SEED_RANGES = {
  train: { first: 0, last: 99_999 },
  validation: { first: 100_000, last: 199_999 },
  test: { first: 200_000, last: 299_999 },
} as const;

export type SeedRange = keyof typeof SEED_RANGES;

/** The seed of episode `index` in a range; throws when the range has no such episode. */
export function seedOf(range: SeedRange, index: number): number {
  const { first, last } = SEED_RANGES[range];
  const seed = first + index;
  if (!Number.isInteger(index) || index < 0 || seed > last) {
    throw new RangeError(`the ${range} range has no episode ${index}`);
  }
  return seed;
}

export type Random = () => number;

/** Mulberry32: 32 bits of state, the same numbers on every machine, uniform in [0, 1). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function uniform(random: Random, low: number, high: number): number {
  return low + (high - low) * random();
}

/** Sum of three uniform numbers: bell-shaped, mean 0, standard deviation 1, never beyond 3. */
export function bell(random: Random): number {
  return 2 * (random() + random() + random() - 1.5);
}

/** A pair of places in the list of policies and the p-value of their comparison. */
export interface PairTest {
  readonly a: number;
  readonly b: number;
  readonly p: number;
}

/** Pairs told apart at level `alpha` after Holm's step-down correction (1979). */
export function holm(tests: readonly PairTest[], alpha = 0.05): readonly PairTest[] {
  const sorted = [...tests].sort((x, y) => x.p - y.p);
  const stop = sorted.findIndex((test, i) => test.p > alpha / (sorted.length - i));
  return stop < 0 ? sorted : sorted.slice(0, stop);
}

/**
 * Compact letter display by insert and absorb (Piepho 2004): policies that share a letter are not told
 * apart. `order` lists the policies by descending rate, so `a` is the best group. Returns the letters
 * of each policy by its place.
 */
export function compactLetters(
  count: number,
  different: readonly { readonly a: number; readonly b: number }[],
  order: readonly number[],
): readonly string[] {
  let sets: ReadonlySet<number>[] = [new Set(Array.from({ length: count }, (_, i) => i))];
  for (const { a, b } of different) sets = absorb(sets.flatMap((set) => split(set, a, b)));
  const place = new Map(order.map((policy, i) => [policy, i]));
  const key = (set: ReadonlySet<number>) => [...set].map((p) => place.get(p) ?? 0).sort(ascending);
  const sorted = [...sets].sort((x, y) => compareLists(key(x), key(y)));
  return Array.from({ length: count }, (_, policy) =>
    sorted.map((set, i) => (set.has(policy) ? letter(i) : '')).join(''),
  );
}

function split(set: ReadonlySet<number>, a: number, b: number): ReadonlySet<number>[] {
  if (!set.has(a) || !set.has(b)) return [set];
  const without = (gone: number) => new Set([...set].filter((item) => item !== gone));
  return [without(a), without(b)];
}

function absorb(sets: readonly ReadonlySet<number>[]): ReadonlySet<number>[] {
  const inside = (x: ReadonlySet<number>, y: ReadonlySet<number>) => [...x].every((i) => y.has(i));
  return sets.filter(
    (set, i) =>
      !sets.some((other, j) => i !== j && inside(set, other) && (other.size > set.size || j < i)),
  );
}

const ascending = (x: number, y: number) => x - y;

function compareLists(x: readonly number[], y: readonly number[]): number {
  for (let i = 0; i < Math.min(x.length, y.length); i += 1) {
    const difference = (x[i] ?? 0) - (y[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return x.length - y.length;
}

/** a … z, then A … Z: more than 52 groups would need policies in the hundreds. */
function letter(i: number): string {
  return 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'[i] ?? '?';
}

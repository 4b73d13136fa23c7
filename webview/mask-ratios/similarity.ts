/** A group of tasks in the order in which they are drawn. */
type Group = readonly number[];

/**
 * An order in which alike tasks stand next to each other: groups are joined by their mean similarity, most
 * alike first (average linkage), and turned so that the alike ends meet. A missing number counts as 0.
 */
export function orderBySimilarity(
  count: number,
  similarity: (a: number, b: number) => number,
): readonly number[] {
  const between = (a: number, b: number) => {
    const value = similarity(a, b);
    return Number.isFinite(value) ? value : 0;
  };
  const mean = (a: Group, b: Group) =>
    a.reduce((sum, i) => b.reduce((inner, j) => inner + between(i, j), sum), 0) /
    (a.length * b.length);
  let groups: Group[] = Array.from({ length: count }, (_, i) => [i]);
  while (groups.length > 1) {
    const [a, b] = closest(groups, mean);
    groups = [joined(a, b, between), ...groups.filter((group) => group !== a && group !== b)];
  }
  return groups[0] ?? [];
}

function closest(
  groups: readonly Group[],
  mean: (a: Group, b: Group) => number,
): readonly [Group, Group] {
  let best: readonly [Group, Group] = [[], []];
  let most = -Infinity;
  groups.forEach((a, i) => {
    for (const b of groups.slice(i + 1)) {
      const value = mean(a, b);
      if (value > most) [best, most] = [[a, b], value];
    }
  });
  return best;
}

/** One after the other, each as it is or turned. */
function joined(a: Group, b: Group, between: (a: number, b: number) => number): Group {
  const ways = [a, a.toReversed()].flatMap((left) =>
    [b, b.toReversed()].map((right) => ({
      order: [...left, ...right],
      seam: between(left.at(-1) ?? 0, right[0] ?? 0),
    })),
  );
  return ways.reduce((best, way) => (way.seam > best.seam ? way : best)).order;
}

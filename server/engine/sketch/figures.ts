import type { Estimate, Metrics } from '../../protocol/report';
import type { Strata } from './moments';
import { shareOf } from './moments';
import type { InputTotals, MergeTotals } from './totals';
import { pairsOf } from './totals';

/** A figure: exact, with its interval, or approximate without one. */
export type Figure = number | Estimate;

/** What one tensor contributes to any group that it is in. */
export interface TensorTotals {
  readonly elements: number;
  readonly whole: boolean;
  readonly input: InputTotals;
  readonly merge: MergeTotals;
}

/** Metrics of a group of tensors. */
export type GroupFigures = Metrics<Figure>;

/** Tensors whose figures are added up, with those that no method, α or λ changes. */
export interface Group {
  readonly members: readonly TensorTotals[];
  readonly elements: number;
  readonly exact: boolean;
  /** Σ τ_m² of each task. */
  readonly squares: readonly number[];
  readonly baseNorm: Figure;
  readonly taskNorms: Readonly<Record<string, Figure>>;
  readonly cosine: Readonly<Record<string, Figure>>;
  readonly signConflict: Readonly<Record<string, Figure>>;
}

/** Adds tensors up: an aggregate is just more strata. `tasks` in recipe order. */
export function groupOf(tasks: readonly string[], members: readonly TensorTotals[]): Group {
  const exact = members.every(({ whole }) => whole);
  const squares = tasks.map((_, m) => total(members, ({ input }) => input.squares[m]));
  return {
    members,
    elements: members.reduce((sum, { elements }) => sum + elements, 0),
    exact,
    squares,
    baseNorm: approximate(Math.sqrt(total(members, ({ input }) => input.baseSquare)), exact),
    taskNorms: byTask(tasks, (m) => approximate(Math.sqrt(squares[m]), exact)),
    cosine: byPair(tasks, (pair, a, b) => {
      const norm = Math.sqrt(squares[a] * squares[b]);
      return norm > 0
        ? approximate(total(members, ({ input }) => input.dots[pair]) / norm, exact)
        : null;
    }),
    signConflict: byPair(tasks, (pair) =>
      shareOf(
        members.map(({ input }) => input.conflict[pair]),
        { randomDenominator: true },
      ),
    ),
  };
}

/** Which figures of a merge are known of a group: of some methods a sample tells nothing. */
export interface Known {
  readonly merged: boolean;
  readonly masked: boolean;
}

/** Figures of a group with what its members' `merge` totals hold now. */
export function groupFigures(
  tasks: readonly string[],
  group: Group,
  { merged, masked }: Known,
): GroupFigures {
  const { elements, members, exact, baseNorm, taskNorms, cosine, signConflict } = group;
  const mergedNorm = () => Math.sqrt(total(members, ({ merge }) => merge.mergedSquare));
  return {
    elements,
    ...(masked && members.length > 0 ? maskFigures(tasks, group) : {}),
    norm: {
      base: baseNorm,
      ...(merged ? { merged: approximate(mergedNorm(), exact) } : {}),
      ...taskNorms,
    },
    cosine,
    sign_conflict: signConflict,
  };
}

function maskFigures(tasks: readonly string[], group: Group): Partial<GroupFigures> {
  const { members, elements, exact, squares } = group;
  const count = (pick: (totals: MergeTotals) => Strata): Figure => {
    const share = shareOf(
      members.map(({ merge }) => pick(merge)),
      { randomDenominator: false },
    );
    return scaled(share ?? 0, elements);
  };
  return {
    active: byTask(tasks, (m) => count(({ active }) => active[m])),
    coverage: Array.from({ length: tasks.length + 1 }, (_, c) =>
      count(({ coverage }) => coverage[c]),
    ),
    selfish_of_retained: shareOf(
      members.map(({ merge }) => merge.selfish),
      { randomDenominator: true },
    ),
    distance: byTask(tasks, (m) => {
      const square = total(members, ({ merge }) => merge.distances[m]);
      return squares[m] > 0 ? approximate(Math.sqrt(square / squares[m]), exact) : null;
    }),
  };
}

/** A count from a share: exact counts are whole numbers. */
function scaled(share: Figure, elements: number): Figure {
  if (typeof share === 'number') return Math.round(share * elements);
  const times = (value: number | null): number | null => (value === null ? null : value * elements);
  return { value: share.value * elements, low: times(share.low), high: times(share.high) };
}

/** A figure without an interval: exact from whole tensors, otherwise said to be approximate. */
function approximate(value: number, exact: boolean): Figure {
  return exact ? value : { value, low: null, high: null };
}

function total(members: readonly TensorTotals[], of: (member: TensorTotals) => number): number {
  return members.reduce((sum, member) => sum + of(member), 0);
}

function byTask(
  tasks: readonly string[],
  of: (task: number) => Figure | null,
): Record<string, Figure> {
  return withoutNull(tasks.map((task, m) => [task, of(m)] as const));
}

function byPair(
  tasks: readonly string[],
  of: (pair: number, a: number, b: number) => Figure | null,
): Record<string, Figure> {
  return withoutNull(
    pairsOf(tasks.length).map(
      ([a, b], pair) => [`${tasks[a]}|${tasks[b]}`, of(pair, a, b)] as const,
    ),
  );
}

/** Leaves out what has no value: a cosine with a zero vector, a share of nothing. */
function withoutNull(
  entries: readonly (readonly [string, Figure | null])[],
): Record<string, Figure> {
  return Object.fromEntries(
    entries.flatMap(([key, value]) => (value === null ? [] : [[key, value]])),
  );
}

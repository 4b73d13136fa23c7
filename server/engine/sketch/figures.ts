import type { Estimate, Metrics } from '../../protocol/report';
import type { BandMoments } from './moments';
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
  readonly merge: MergeTotals | null;
}

/** Metrics of a group of tensors, and what only a sample has: shares of the positions that any task keeps. */
export interface GroupFigures extends Metrics<Figure> {
  /** Share of positions active in exactly one mask, among those active in any; null when not to be told. */
  readonly selfish_of_retained?: Figure | null;
}

/** Adds tensors up: an aggregate is just more strata. `tasks` in recipe order. */
export function groupFigures(
  tasks: readonly string[],
  members: readonly TensorTotals[],
): GroupFigures {
  const elements = members.reduce((sum, { elements: n }) => sum + n, 0);
  const exact = members.every(({ whole }) => whole);
  const masked = members.flatMap(({ merge }) => (merge?.masks ? [merge.masks] : []));
  const hasMasks = masked.length > 0 && masked.length === members.length;
  const squares = tasks.map((_, m) => total(members, ({ input }) => input.squares[m]));
  return {
    elements,
    ...(hasMasks ? maskFigures(tasks, { elements, exact, masked, squares }) : {}),
    norm: {
      base: approximate(Math.sqrt(total(members, ({ input }) => input.baseSquare)), exact),
      ...(members.every(({ merge }) => merge)
        ? {
            merged: approximate(
              Math.sqrt(total(members, ({ merge }) => merge?.mergedSquare ?? 0)),
              exact,
            ),
          }
        : {}),
      ...byTask(tasks, (m) => approximate(Math.sqrt(squares[m]), exact)),
    },
    cosine: byPair(tasks, (pair, a, b) => {
      const norm = Math.sqrt(squares[a] * squares[b]);
      return norm > 0
        ? approximate(total(members, ({ input }) => input.dots[pair]) / norm, exact)
        : null;
    }),
    sign_conflict: byPair(tasks, (pair) =>
      shareOf(
        members.flatMap(({ input }) => input.conflict[pair]),
        { randomDenominator: true },
      ),
    ),
  };
}

interface MaskGroup {
  readonly elements: number;
  readonly exact: boolean;
  readonly masked: readonly NonNullable<MergeTotals['masks']>[];
  readonly squares: readonly number[];
}

function maskFigures(tasks: readonly string[], group: MaskGroup): Partial<GroupFigures> {
  const { masked, elements, exact, squares } = group;
  const count = (bands: readonly BandMoments[]): Figure =>
    scaled(shareOf(bands, { randomDenominator: false }) ?? 0, elements);
  return {
    active: byTask(tasks, (m) => count(masked.flatMap(({ active }) => active[m]))),
    coverage: Array.from({ length: tasks.length + 1 }, (_, c) =>
      count(masked.flatMap(({ coverage }) => coverage[c])),
    ),
    selfish_of_retained: shareOf(
      masked.flatMap(({ selfish }) => selfish),
      { randomDenominator: true },
    ),
    distance: byTask(tasks, (m) => {
      const square = masked.reduce((sum, { distances }) => sum + distances[m], 0);
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

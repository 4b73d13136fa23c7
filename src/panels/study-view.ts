import type { EpisodeLine } from '../../server/protocol/episode-line';
import type { IntervalName, RateCell, Study } from '../../server/protocol/panels/success-rates';
import { componentRows, progressiveStatements } from '../../server/evaluate/rates/paper';
import { plus, sumEpisodes } from '../../server/evaluate/rates/rollouts';
import { cellOf } from '../../server/evaluate/rates/table';

/** One run of a sweep, as far as it has got. */
export interface StudyPoint {
  /** Path of its run. */
  readonly run: string;
  /** Swept keys, dotted, and their values. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Task whose checkpoint everything unmerged comes from: only its rate tells something. */
  readonly rest?: string;
  /** Rolled out on seeds for tuning. */
  readonly range?: 'validation';
  readonly lines: readonly EpisodeLine[];
}

/** A sweep over one of the two keys that the paper's studies are about. */
export interface StudySweep {
  readonly name: string;
  readonly created: string;
  readonly points: readonly StudyPoint[];
}

const blocksKey = 'merge.scope.blocks.to';
const componentsKey = 'merge.scope.components';

/** The newest sweep of each kind that has rollouts, in the form that the panel draws. */
export function studiesOf(sweeps: readonly StudySweep[], interval: IntervalName): readonly Study[] {
  const newest = [...sweeps]
    .filter(({ points }) => points.some(({ lines }) => lines.length > 0))
    .sort((a, b) => b.created.localeCompare(a.created));
  const blocks = newest.find(({ points }) => points.every(({ values }) => blocksKey in values));
  const parts = newest.find(({ points }) => points.every(({ values }) => componentsKey in values));
  return [
    ...(blocks ? [progressive(blocks, interval)] : []),
    ...(parts ? [components(parts, interval)] : []),
  ];
}

/** Success over the number k of merged blocks, supplement Figure 1. */
function progressive(sweep: StudySweep, interval: IntervalName): Study {
  const groups = grouped(sweep.points, ({ values }) => String(values[blocksKey]));
  const points = [...groups].map(([k, members]) => ({
    label: `k ${k}`,
    x: Number(k),
    ...measured(members, interval),
  }));
  return {
    kind: 'progressive',
    title: titleOf(sweep),
    points: points.sort((a, b) => a.x - b.x),
    statements: progressiveStatements,
  };
}

/** Success by the components merged, supplement Table 2: the paper's rows first, then all others. */
function components(sweep: StudySweep, interval: IntervalName): Study {
  const groups = grouped(sweep.points, ({ values }) => componentLabel(values[componentsKey]));
  const printed = new Map(componentRows);
  const labels = [...new Set([...printed.keys(), ...groups.keys()])];
  const points = labels.map((label, x) => {
    const paper = printed.get(label);
    return {
      label,
      x,
      ...measured(groups.get(label) ?? [], interval),
      ...(paper === undefined ? {} : { paper: paper / 100 }),
    };
  });
  return { kind: 'components', title: titleOf(sweep), points, statements: [] };
}

const componentNames: Readonly<Record<string, string>> = {
  A: 'A vision',
  B: 'B projector',
  C: 'C LM body',
  D: 'D lm_head',
};

/** `A vision` for one component, `A + B` for several, as the paper's table names them. */
function componentLabel(value: unknown): string {
  const names = Array.isArray(value) ? value.map(String) : [String(value)];
  const [only = ''] = names;
  return names.length === 1 ? (componentNames[only] ?? only) : names.join(' + ');
}

function grouped(
  points: readonly StudyPoint[],
  key: (point: StudyPoint) => string,
): ReadonlyMap<string, readonly StudyPoint[]> {
  const groups = new Map<string, readonly StudyPoint[]>();
  for (const point of points) {
    const name = key(point);
    groups.set(name, [...(groups.get(name) ?? []), point]);
  }
  return groups;
}

/** Rollouts of all points of a group together; a group of one names its run. */
function measured(
  points: readonly StudyPoint[],
  interval: IntervalName,
): { readonly cell: RateCell | null; readonly run?: string } {
  const sums = points.flatMap((point) => [...sumEpisodes(telling(point)).values()]);
  const run = points.length === 1 ? points[0]?.run : undefined;
  const cell =
    sums.length === 0
      ? null
      : cellOf(
          sums.reduce((a, b) => plus(a, b)),
          interval,
        );
  return { cell, ...(run === undefined ? {} : { run }) };
}

/** Rollouts of the merged policy; on the task of the unmerged rest alone, where there is one. */
function telling({ lines, rest }: StudyPoint): readonly EpisodeLine[] {
  const merged = lines.filter(({ policy }) => policy === 'merged');
  const own = merged.filter(({ task }) => task === rest);
  return own.length > 0 ? own : merged;
}

function titleOf({ name, points }: StudySweep): string {
  const finished = points.filter(({ lines }) => lines.length > 0).length;
  const rollouts = points.reduce((sum, { lines }) => sum + lines.length, 0);
  const some = finished < points.length ? `${String(finished)} of ` : '';
  const tuning = points.some(({ range }) => range !== undefined) ? ' · validation seeds' : '';
  return `${name} · ${some}${String(points.length)} points · ${String(rollouts)} rollouts${tuning}`;
}

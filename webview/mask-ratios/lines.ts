import type { AnyDataset } from '../shared/chart';
import { baseOptions, Picture } from '../shared/chart';
import { withAlpha } from '../shared/colours';
import { percent } from '../shared/format';
import { markedTasks, markerOf, taskMark } from '../shared/tasks';
import { activeAt } from './model';
import type { TrackInput } from './tracks';
import { depthTop, meanOver } from './tracks';

/** Lines of active ratio with their interval bands, on the tracks' own horizontal scale. */
export class LinesTrack {
  readonly picture = new Picture('lines');

  draw(input: TrackInput, isolated: number | undefined, summary: string): void {
    const { layout, view, blocks, theme } = input;
    const top = depthTop(view, blocks);
    const options = baseOptions(theme, {
      x: { min: 0, max: Math.max(1, layout.width), show: false, grid: false },
      y: { min: 0, max: top, step: top > 0.4 ? 0.2 : 0.1, label: (y) => `${percent(y, 0)} %` },
    });
    const y = options.scales?.['y'];
    // The plot starts exactly where the tracks below it start.
    if (y) y.afterFit = (axis) => (axis.width = layout.gutter);
    this.picture.show(
      { type: 'line', data: { datasets: this.datasets(input, isolated) }, options },
      summary,
    );
  }

  private datasets(input: TrackInput, isolated: number | undefined): AnyDataset[] {
    const shown = isolated === undefined ? lined(input) : [isolated];
    const others = input.tasks.map((_, task) => task).filter((task) => !shown.includes(task));
    const band = others.length > 0 ? rangeBand(input, others) : [];
    return [...band, ...shown.flatMap((task) => taskLine(input, task))];
  }
}

/** With more than six tasks, those that the user pinned, and then those that differ most over the blocks. */
function lined({ tasks, view, blocks, missing, pinned }: TrackInput): readonly number[] {
  const there = tasks.map((_, task) => task).filter((task) => !missing.has(tasks[task] ?? ''));
  if (there.length <= markedTasks) return there;
  const spread = (task: number) => {
    const values = Array.from({ length: blocks }, (_, b) =>
      activeAt(view, blocks, [task, b, 0]),
    ).filter(Number.isFinite);
    return Math.max(...values) - Math.min(...values);
  };
  const order = there
    .filter((task) => !pinned.includes(task))
    .sort((a, b) => spread(b) - spread(a));
  return [...pinned.filter((task) => there.includes(task)), ...order].slice(0, markedTasks);
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** One point a column, with a gap between sections. */
function points(
  input: TrackInput,
  pick: (column: TrackInput['layout']['columns'][number]) => number,
): Point[] {
  return input.layout.sections.flatMap(({ columns, x, width }) => [
    ...columns.map((column) => ({ x: column.x + column.width / 2, y: pick(column) })),
    { x: x + width, y: Number.NaN },
  ]);
}

function taskLine(input: TrackInput, task: number): AnyDataset[] {
  const { view, blocks, theme, layout } = input;
  const mark = taskMark(theme, task);
  const part = (index: 0 | 1 | 2) => (column: TrackInput['layout']['columns'][number]) => {
    // Binned columns show the extremes of their blocks instead of the interval.
    if (column.to > column.from && index > 0)
      return extreme(input, task, column, index === 1 ? Math.min : Math.max);
    return meanOver(column, (b) => activeAt(view, blocks, [task, b, index]));
  };
  const edge = { type: 'line', pointRadius: 0, borderWidth: 0 } as const;
  const radius = layout.columns.map((_, i) => ((i + 3 * task) % 8 === 3 ? 3.5 : 0));
  const line = {
    type: 'line',
    data: points(input, part(0)),
    borderColor: mark.colour,
    borderWidth: 1.75,
    borderDash: [...mark.dash],
    pointStyle: markerOf(mark.point).pointStyle,
    pointRotation: markerOf(mark.point).rotation,
    pointBackgroundColor: mark.colour,
    pointBorderColor: mark.colour,
    pointRadius: withGaps(input, radius),
  };
  return [
    { ...edge, data: points(input, part(2)) },
    {
      ...edge,
      data: points(input, part(1)),
      fill: '-1',
      backgroundColor: withAlpha(mark.colour, 0.22),
    },
    line as AnyDataset,
  ];
}

function withGaps(input: TrackInput, values: readonly number[]): number[] {
  let place = 0;
  return input.layout.sections.flatMap(({ columns }) => [
    ...columns.map(() => values[place++] ?? 0),
    0,
  ]);
}

function extreme(
  input: TrackInput,
  task: number,
  column: { from: number; to: number },
  pick: (...values: number[]) => number,
): number {
  const values = Array.from({ length: column.to - column.from + 1 }, (_, i) =>
    activeAt(input.view, input.blocks, [task, column.from + i, 0]),
  ).filter(Number.isFinite);
  return values.length === 0 ? Number.NaN : pick(...values);
}

/** Tasks without a line of their own: one grey band from the lowest to the highest. */
function rangeBand(input: TrackInput, tasks: readonly number[]): AnyDataset[] {
  const { view, blocks, theme } = input;
  const across =
    (pick: (...values: number[]) => number) =>
    (column: TrackInput['layout']['columns'][number]) => {
      const values = tasks
        .map((task) => meanOver(column, (b) => activeAt(view, blocks, [task, b, 0])))
        .filter(Number.isFinite);
      return values.length === 0 ? Number.NaN : pick(...values);
    };
  const edge = {
    type: 'line',
    pointRadius: 0,
    borderWidth: 0.5,
    borderColor: theme.muted,
  } as const;
  return [
    { ...edge, data: points(input, across(Math.max)) },
    {
      ...edge,
      data: points(input, across(Math.min)),
      fill: '-1',
      backgroundColor: withAlpha(theme.muted, 0.2),
    },
  ];
}

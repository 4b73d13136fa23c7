import { drawPoint } from 'chart.js/helpers';
import type { Curve } from '../../server/protocol/panels/mask-ratios';
import { lambdaOfTask } from '../../server/protocol/panels/mask-ratios';
import type { AnyDataset, Overlay } from '../shared/chart';
import { percent } from '../shared/format';
import { markedTasks, markerOf, taskMark } from '../shared/tasks';
import type { MaskModel } from './model';
import { symbols } from './model';

/** Where the handles stand now and in the recipe. */
export interface Marked {
  readonly value: number;
  readonly saved: number;
}

/** The accent line at the present value, the dashed one at the recipe's, and markers on the curves. */
export function curveMarks(
  model: MaskModel,
  curve: Curve | undefined,
  { value, saved }: Marked,
): Overlay {
  return (context, chart) => {
    const { theme } = model;
    const { left, right, top: y0, bottom } = chart.chartArea;
    const line = (place: number, look: { colour: string; width: number }) => {
      const x = chart.scales['x']?.getPixelForValue(place) ?? left;
      if (x < left - 1 || x > right + 1) return;
      context.lineWidth = look.width;
      context.strokeStyle = look.colour;
      context.beginPath();
      context.moveTo(x, y0);
      // Not through the figures of the axis, which stand between the curve and the handle.
      context.lineTo(x, bottom + 2);
      context.stroke();
    };
    context.setLineDash([2, 2]);
    if (saved !== value) line(saved, { colour: theme.muted, width: 1 });
    context.setLineDash([]);
    line(value, { colour: theme.focus, width: 2 });
    if (curve) crossings(context, chart, { model, curve, value });
  };
}

/** A marker where each curve crosses the present value; with a λ of their own, each at its own. */
function crossings(
  context: CanvasRenderingContext2D,
  { scales: { x, y }, chartArea }: Parameters<Overlay>[1],
  { model, curve, value }: { readonly model: MaskModel; readonly curve: Curve; value: number },
): void {
  const { theme, parameters, snapshot } = model;
  const tasks = snapshot.recipe?.tasks ?? [];
  const plain = curve.parameter !== 'lambda';
  const rows = plain ? [meanRow(curve, tasks.length)] : curveRows(curve, tasks.length);
  const own = (task: number) => (plain ? value : lambdaOfTask(parameters, tasks[task] ?? ''));
  const apart = rows.some((_, task) => own(task) !== own(0));
  if (!x || !y || rows.length > markedTasks || (curve.joint && apart)) return;
  rows.forEach((row, task) => {
    const share = valueAt(curve.grid, row, own(task));
    const place = [x.getPixelForValue(own(task)), y.getPixelForValue(share)] as const;
    if (!Number.isFinite(share) || place[1] < chartArea.top - 4) return;
    const { colour, point } = taskMark(theme, task);
    context.fillStyle = plain ? theme.foreground : colour;
    context.strokeStyle = context.fillStyle;
    const style = plain ? { pointStyle: 'circle' as const } : markerOf(point);
    drawPoint(context, { ...style, radius: 3.5, borderWidth: 1 }, ...place);
  });
}

/** A curve in one sentence. */
export function curveSummary(
  { snapshot }: MaskModel,
  name: Curve['parameter'],
  curve: Curve | undefined,
): string {
  if (!curve) return `${symbols[name]}: the curve is being computed`;
  const { grid, values } = curve;
  const last = grid.length - 1;
  const at = (task: number, i: number) => percent(values[task * grid.length + i] ?? Number.NaN, 0);
  const tasks = snapshot.recipe?.tasks ?? [];
  return `Active ratio over ${symbols[name]} from ${String(grid[0])} to ${String(grid[last])}: ${tasks
    .map((task, i) => `${task} ${at(i, 0)} to ${at(i, last)} %`)
    .join(', ')}`;
}

export function curveDatasets(model: MaskModel, curve: Curve): AnyDataset[] {
  const count = curve.grid.length;
  const points = (values: ArrayLike<number | null>, from: number) =>
    curve.grid.map((x, i) => ({ x, y: values[from + i] ?? Number.NaN }));
  const line = (colour: string, dash: readonly number[], width: number): Partial<AnyDataset> => ({
    borderColor: colour,
    borderWidth: width,
    borderDash: [...dash],
    pointRadius: 0,
  });
  const tasks = model.snapshot.recipe?.tasks ?? [];
  const datasets: AnyDataset[] = [];
  if (curve.unrelated)
    datasets.push({
      type: 'line',
      data: points(curve.unrelated, 0),
      ...line(model.theme.muted, [1.5, 3], 1.5),
    } as AnyDataset);
  if (curve.parameter === 'lambda') {
    for (const task of tasks.keys()) {
      const mark = taskMark(model.theme, task);
      const faint = model.isolated !== undefined && model.isolated !== task;
      datasets.push({
        type: 'line',
        data: points(curve.values, task * count),
        ...line(mark.colour, mark.dash, faint ? 0.5 : 1.75),
      } as AnyDataset);
    }
    return datasets;
  }
  const mean = meanRow(curve, tasks.length);
  datasets.push({
    type: 'line',
    data: points(mean, 0),
    ...line(model.theme.foreground, [], 1.75),
  } as AnyDataset);
  return datasets;
}

function curveRows({ grid, values }: Curve, tasks: number): readonly (readonly number[])[] {
  return Array.from({ length: tasks }, (_, task) =>
    grid.map((_x, i) => values[task * grid.length + i] ?? Number.NaN),
  );
}

/** Mean over the tasks that could be read. */
function meanRow(curve: Curve, tasks: number): readonly number[] {
  const rows = curveRows(curve, tasks);
  return curve.grid.map((_, i) => {
    const known = rows.map((row) => row[i] ?? Number.NaN).filter(Number.isFinite);
    return known.reduce((sum, value) => sum + value, 0) / known.length;
  });
}

/** A curve's value between the points of its grid; NaN outside of it. */
function valueAt(grid: readonly number[], row: readonly number[], x: number): number {
  const after = grid.findIndex((point) => point >= x - 1e-9);
  const [to, high] = [grid[after], row[after]];
  if (to === undefined || high === undefined || after === 0)
    return after === 0 && to === x ? (high ?? Number.NaN) : Number.NaN;
  const [from = to, low = high] = [grid[after - 1], row[after - 1]];
  return low + ((high - low) * (x - from)) / (to - from);
}

/** A round share above the largest from a tenth of the axis on: at 0 every curve goes to 100 %. */
export function top(curve: Curve): number {
  const count = curve.grid.length;
  let largest = 0;
  for (let i = 0; i < curve.values.length; i += 1) {
    const value = curve.values[i] ?? 0;
    if ((curve.grid[i % count] ?? 0) >= 0.1 && value > largest) largest = value;
  }
  return Math.min(1, Math.max(0.2, Math.ceil(largest * 5) / 5));
}

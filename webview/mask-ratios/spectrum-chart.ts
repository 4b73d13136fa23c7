import type { AnyConfiguration, AnyDataset, Overlay } from '../shared/chart';
import { baseOptions } from '../shared/chart';
import { withAlpha } from '../shared/colours';
import { taskMark } from '../shared/tasks';
import type { SpectrumInput } from './spectra-model';
import { magnitude, superscript, undetermined } from './spectra-model';

/** Most powers of ten on the axis: what lies below is rounding noise in any case. */
const mostDecades = 9;

/** Singular values over directions, both on log axes: one line for each task, a strong one for the sum. */
export function spectrumChart(input: SpectrumInput, mark: number): AnyConfiguration {
  const [bottom, top] = decades(input);
  return {
    type: 'line',
    data: { datasets: datasets(input, bottom) },
    options: baseOptions(input.theme, {
      x: {
        min: 0,
        max: Math.max(0.1, Math.log10(input.tensor.directions)),
        step: 1,
        label: (x) => (Number.isInteger(x) ? String(10 ** x) : ''),
      },
      y: {
        min: bottom,
        max: top,
        step: top - bottom > 5 ? 2 : 1,
        label: (y) => (Number.isInteger(y) ? `10${superscript(y)}` : ''),
      },
    }),
    overlays: [floorMark(input), rankMarks(input), crosshair(input, mark)],
  };
}

/** One sentence for those who do not see the chart. */
export function spectrumSummary({ tensor, tasks }: SpectrumInput): string {
  const of = (name: string, values: readonly number[], effective: number) =>
    `${name} from ${magnitude(values[0])} to ${magnitude(values.at(-1))}, effective rank ${effective.toFixed(0)}`;
  const parts = tasks.map((task, i) => {
    const spectrum = tensor.tasks[i];
    return of(task, spectrum?.values ?? [], spectrum?.effective_rank ?? 0);
  });
  const sum = of('their sum', tensor.sum.values, tensor.sum.effective_rank);
  return `Singular values of ${tensor.name}, ${String(tensor.directions)} directions: ${[...parts, sum].join('; ')}`;
}

function decades({ tensor, floor }: SpectrumInput): readonly [number, number] {
  const all = [...tensor.tasks, tensor.sum].flatMap(({ values }) => values);
  const largest = Math.max(...all);
  if (!(largest > 0)) return [-1, 0];
  const top = Math.ceil(Math.log10(largest) + 0.05);
  const smallest = Math.min(...all.filter((value) => value > largest * 10 ** -mostDecades));
  const isCut = tensor.sum.rank < tensor.directions || floor > undetermined;
  const low = isCut ? Math.min(smallest, largest * floor) : smallest;
  return [Math.max(top - mostDecades, Math.floor(Math.log10(low) - 0.05)), top];
}

function datasets({ tensor, tasks, theme, isolated }: SpectrumInput, bottom: number): AnyDataset[] {
  const points = (values: readonly number[]) =>
    tensor.indices.map((index, i) => {
      const value = values[i] ?? 0;
      const y = value > 0 ? Math.log10(value) : Number.NaN;
      return { x: Math.log10(index + 1), y: y >= bottom ? y : Number.NaN };
    });
  const line = { type: 'line', pointRadius: 0 } as const;
  const sum = {
    ...line,
    data: points(tensor.sum.values),
    borderColor: theme.foreground,
    borderWidth: 2,
  };
  return [
    sum,
    ...tasks.map((_, task) => {
      const { colour, dash } = taskMark(theme, task);
      const faint = isolated !== undefined && isolated !== task;
      return {
        ...line,
        data: points(tensor.tasks[task]?.values ?? []),
        borderColor: colour,
        borderDash: [...dash],
        borderWidth: faint ? 0.5 : 1.75,
      };
    }),
  ];
}

/** Hatched: directions that a merge leaves out, or that float32 does not determine. */
function floorMark({ tensor, floor, theme }: SpectrumInput): Overlay {
  return (context, { scales, chartArea: { left, right, bottom } }) => {
    const level = floor * (tensor.sum.values[0] ?? 0);
    const y = level > 0 ? (scales['y']?.getPixelForValue(Math.log10(level)) ?? bottom) : bottom;
    if (y >= bottom) return;
    context.strokeStyle = withAlpha(theme.muted, theme.contrast ? 0.8 : 0.45);
    context.lineWidth = 1;
    context.beginPath();
    // Written so that every stroke ends inside: an exported picture knows no clipping.
    for (let x = left - (bottom - y); x < right; x += 7) {
      const [from, to] = [Math.max(left, x), Math.min(right, x + bottom - y)];
      context.moveTo(from, bottom - (from - x));
      context.lineTo(to, bottom - (to - x));
    }
    context.moveTo(left, y);
    context.lineTo(right, y);
    context.stroke();
  };
}

/** Effective ranks hang from the top in the tasks' dashes; the sum's numerical rank crosses the chart. */
function rankMarks({ tensor, tasks, theme }: SpectrumInput): Overlay {
  return (context, { scales, chartArea: { top, bottom } }) => {
    const vertical = (rank: number, end: number, colour: string, dash: readonly number[]) => {
      const x = scales['x']?.getPixelForValue(Math.log10(Math.max(1, rank)));
      if (x === undefined || !(rank > 0)) return;
      context.beginPath();
      context.setLineDash([...dash]);
      context.strokeStyle = colour;
      context.lineWidth = 2;
      context.moveTo(x, top);
      context.lineTo(x, end);
      context.stroke();
    };
    tasks.forEach((_, task) => {
      const { colour, dash } = taskMark(theme, task);
      vertical(tensor.tasks[task]?.effective_rank ?? 0, top + 22, colour, dash);
    });
    vertical(tensor.sum.effective_rank, top + 30, theme.foreground, []);
    if (tensor.sum.rank < tensor.directions)
      vertical(tensor.sum.rank, bottom, theme.muted, [1.5, 3]);
  };
}

function crosshair({ tensor, theme }: SpectrumInput, mark: number): Overlay {
  return (context, { scales, chartArea: { top, bottom } }) => {
    const index = tensor.indices[mark];
    const x =
      index === undefined ? undefined : scales['x']?.getPixelForValue(Math.log10(index + 1));
    if (x === undefined) return;
    context.beginPath();
    context.strokeStyle = theme.focus;
    context.lineWidth = 1;
    context.moveTo(x, top);
    context.lineTo(x, bottom);
    context.stroke();
  };
}

import type { TensorSpectrum } from '../../server/protocol/spectrum';
import type { AnyConfiguration, AnyDataset, Overlay } from '../shared/chart';
import { baseOptions, roundUp } from '../shared/chart';
import { markerOf, taskMark } from '../shared/tasks';
import type { SpectrumInput } from './spectra-model';

/** Block numbers below the axis, at most. */
const mostLabels = 16;

/** Effective rank of each task and of the sum over the measured blocks of one kind of matrix. */
export function rankChart(
  input: SpectrumInput,
  blocks: readonly TensorSpectrum[],
): AnyConfiguration {
  const ranks = blocks.flatMap(({ tasks, sum }) => [...tasks, sum].map((s) => s.effective_rank));
  const top = roundUp(Math.max(1, ...ranks));
  const last = Math.max(0, blocks.length - 1);
  const step = Math.max(1, Math.ceil(blocks.length / mostLabels));
  return {
    type: 'line',
    data: { datasets: datasets(input, blocks) },
    options: baseOptions(input.theme, {
      x: {
        // Ticks count from the end of the axis, which has to be a whole step away from block 0.
        min: -step,
        max: last + 1,
        step,
        grid: false,
        label: (x) => blockName(blocks[x]),
      },
      y: { min: 0, max: top, step: top / 4, label: (y) => String(Math.round(y)) },
    }),
    overlays: [chosenMark(input, blocks)],
  };
}

export function rankSummary(
  { tensor, tasks }: SpectrumInput,
  blocks: readonly TensorSpectrum[],
): string {
  const range = (pick: (block: TensorSpectrum) => number) => {
    const all = blocks.map(pick);
    return `${Math.min(...all).toFixed(0)} to ${Math.max(...all).toFixed(0)}`;
  };
  const parts = tasks.map(
    (task, i) => `${task} ${range(({ tasks: own }) => own[i]?.effective_rank ?? 0)}`,
  );
  return `Effective rank of ${tensor.kind} over ${String(blocks.length)} ${blocks.length === 1 ? 'block' : 'blocks'}: ${[...parts, `sum ${range(({ sum }) => sum.effective_rank)}`].join(', ')} of ${String(tensor.directions)}`;
}

export function blockName(block: TensorSpectrum | undefined): string {
  return block === undefined ? '' : block.block === null ? '–' : String(block.block);
}

function datasets(
  { tasks, theme, isolated }: SpectrumInput,
  blocks: readonly TensorSpectrum[],
): AnyDataset[] {
  const points = (pick: (block: TensorSpectrum) => number | undefined) =>
    blocks.map((block, x) => ({ x, y: pick(block) ?? Number.NaN }));
  const sum: AnyDataset = {
    type: 'line',
    data: points((block) => block.sum.effective_rank),
    borderColor: theme.foreground,
    pointBackgroundColor: theme.foreground,
    borderWidth: 2,
    pointRadius: blocks.length === 1 ? 3 : 0,
  };
  return [
    sum,
    ...tasks.map((_, task): AnyDataset => {
      const { colour, dash, point } = taskMark(theme, task);
      const faint = isolated !== undefined && isolated !== task;
      return {
        type: 'line',
        data: points((block) => block.tasks[task]?.effective_rank),
        borderColor: colour,
        borderDash: [...dash],
        borderWidth: faint ? 0.5 : 1.75,
        pointStyle: markerOf(point).pointStyle,
        pointRotation: markerOf(point).rotation,
        pointBackgroundColor: colour,
        pointBorderColor: colour,
        pointRadius: blocks.map((_block, i) =>
          (i + 3 * task) % 8 === 0 || blocks.length < 8 ? 3.5 : 0,
        ),
      };
    }),
  ];
}

function chosenMark({ tensor, theme }: SpectrumInput, blocks: readonly TensorSpectrum[]): Overlay {
  return (context, { scales, chartArea: { top, bottom } }) => {
    const place = blocks.findIndex(({ name }) => name === tensor.name);
    const x = scales['x']?.getPixelForValue(place);
    if (x === undefined || place < 0 || blocks.length < 2) return;
    context.beginPath();
    context.strokeStyle = theme.focus;
    context.lineWidth = 1.5;
    context.moveTo(x, top);
    context.lineTo(x, bottom);
    context.stroke();
  };
}

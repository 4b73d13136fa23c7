import type { ChartConfiguration, ChartDataset, Plugin } from 'chart.js';
import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  Filler,
  LineController,
  LineElement,
  LinearScale,
  PointElement,
  ScatterController,
} from 'chart.js';
import { withAlpha } from './colours';
import { h } from './dom';
import type { Theme } from './theme';

Chart.register(
  BarController,
  BarElement,
  CategoryScale,
  Filler,
  LineController,
  LineElement,
  LinearScale,
  PointElement,
  ScatterController,
);

export type AnyDataset = ChartDataset<'line' | 'bar' | 'scatter', { x: number; y: number }[]>;
type AnyPlugin = Plugin<'line' | 'bar' | 'scatter'>;
type AnyChart = Chart<'line' | 'bar' | 'scatter', { x: number; y: number }[]>;

/** Draws marks after the data, in the chart's own pixels. */
export type Overlay = (
  context: CanvasRenderingContext2D,
  chart: Pick<AnyChart, 'scales' | 'chartArea' | 'getDatasetMeta'> & {
    readonly data: { readonly datasets: readonly unknown[] };
  },
) => void;

export type AnyConfiguration = Omit<
  ChartConfiguration<'line' | 'bar' | 'scatter', { x: number; y: number }[]>,
  'plugins'
> & { readonly overlays?: readonly Overlay[] };

/**
 * A chart.js chart without animation, legend and tooltip of its own: a picture with a one-sentence
 * summary. Its numbers stand in the table twin, which the panel shows on demand.
 */
export class Picture {
  readonly element: HTMLElement;
  readonly canvas = h('canvas', { role: 'img' });
  private chart: AnyChart | undefined;
  private overlays: readonly Overlay[] = [];
  /** A chart's list of plugins is fixed when it is made; what they draw changes with the data. */
  private readonly marks: AnyPlugin = {
    id: 'marks',
    afterDatasetsDraw: (chart) => {
      for (const overlay of this.overlays) {
        chart.ctx.save();
        overlay(chart.ctx, chart);
        chart.ctx.restore();
      }
    },
  };

  constructor(className: string) {
    this.element = h('div', { class: `picture ${className}` }, this.canvas);
  }

  /** Draws this configuration; the canvas and its place stay. */
  show(configuration: AnyConfiguration, summary: string): void {
    this.canvas.setAttribute('aria-label', summary);
    const { overlays, ...rest } = configuration;
    this.overlays = overlays ?? [];
    if (this.chart) {
      this.chart.data = configuration.data;
      this.chart.options = { ...configuration.options };
      this.chart.update('none');
      return;
    }
    this.chart = new Chart(this.canvas, { ...rest, plugins: [this.marks] });
  }

  /** Moves marks that plugins draw, without touching the data. */
  redraw(overlays = this.overlays): void {
    this.overlays = overlays;
    this.chart?.draw();
  }

  /** Pixel of a value, for marks outside of the canvas. */
  pixel(axis: 'x' | 'y', value: number): number {
    return this.chart?.scales[axis]?.getPixelForValue(value) ?? 0;
  }

  value(axis: 'x' | 'y', pixel: number): number {
    return this.chart?.scales[axis]?.getValueForPixel(pixel) ?? Number.NaN;
  }

  get area(): { left: number; right: number; top: number; bottom: number } {
    return this.chart?.chartArea ?? { left: 0, right: 0, top: 0, bottom: 0 };
  }

  destroy(): void {
    this.chart?.destroy();
    this.chart = undefined;
  }
}

interface AxisOptions {
  readonly min: number;
  readonly max: number;
  readonly step?: number;
  readonly label?: (value: number) => string;
  readonly grid?: boolean;
  readonly show?: boolean;
}

/** Options that all our charts share: no animation, grid in the border colour, 11 px figures. */
export function baseOptions(
  theme: Theme,
  axes: { readonly x: AxisOptions; readonly y: AxisOptions },
): NonNullable<AnyConfiguration['options']> {
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    normalized: true,
    parsing: false,
    events: [],
    layout: { padding: 0 },
    plugins: { legend: { display: false }, tooltip: { enabled: false } },
    scales: { x: axis(theme, axes.x), y: axis(theme, axes.y) },
  };
}

function axis(theme: Theme, options: AxisOptions) {
  return {
    type: 'linear' as const,
    // Bars would otherwise shift the scale by half a group.
    offset: false,
    min: options.min,
    max: options.max,
    display: options.show ?? true,
    border: { display: false },
    grid: {
      display: options.grid ?? true,
      color: theme.contrast ? withAlpha(theme.muted, 0.35) : theme.border,
      drawTicks: false,
      lineWidth: 1,
    },
    ticks: {
      color: theme.muted,
      // Only round figures: the ends of a scale may lie between two of them.
      includeBounds: false,
      padding: 6,
      font: { family: theme.font, size: 11 },
      maxRotation: 0,
      ...(options.step === undefined ? {} : { stepSize: options.step }),
      callback: (value: number | string) => options.label?.(Number(value)) ?? String(value),
    },
  };
}

/** A round number at or above a value: the top of an axis. Steps 1, 2, 2.5, 5 × 10ⁿ. */
export function roundUp(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((s) => s * power >= value - 1e-12) ?? 10;
  return step * power;
}

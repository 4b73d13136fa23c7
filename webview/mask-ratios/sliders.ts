import { drawPoint } from 'chart.js/helpers';
import type { Curve, ParameterName } from '../../server/protocol/panels/mask-ratios';
import type { AnyDataset } from '../shared/chart';
import type { Overlay } from '../shared/chart';
import { baseOptions, Picture, roundUp } from '../shared/chart';
import { button } from '../shared/components';
import { Drawn, fill, h, styled } from '../shared/dom';
import { icon } from '../shared/icons';
import { percent } from '../shared/format';
import { link } from '../shared/states';
import { markedTasks, markerOf, taskMark } from '../shared/tasks';
import type { Theme } from '../shared/theme';
import type { MaskActions, MaskModel } from './model';
import { moved, parameterNames, symbols } from './model';

const titles: Readonly<Record<ParameterName, string>> = {
  lambda: 'mask threshold · active ratio of each task',
  alpha: 'factor on the merge · mean active ratio',
  density: 'kept before merging · mean active ratio',
};
const ends: Readonly<Record<ParameterName, readonly [number, number]>> = {
  lambda: [0, 1],
  alpha: [0, 2],
  density: [0, 1],
};

/** The three sliders, each the horizontal axis of the curve above it. */
export class Sliders {
  readonly element = h('div', { class: 'row sliders' });
  readonly footer = h('div', { class: 'write-row' });
  private readonly cards = parameterNames.map((name) => new SliderCard(name));

  constructor(private readonly actions: MaskActions) {
    this.element.append(...this.cards.map((card) => card.element));
    for (const card of this.cards) card.connect(actions);
  }

  draw(model: MaskModel): void {
    for (const card of this.cards) card.draw(model, this.actions);
    this.drawFooter(model);
  }

  private drawFooter(model: MaskModel): void {
    const names = moved(model);
    const { recipe, trusted } = model.snapshot;
    const text = (from: MaskModel['parameters']) =>
      names.map((name) => `${symbols[name]} ${from[name].toFixed(2)}`).join(', ');
    fill(
      this.footer,
      ...(names.length > 0 && recipe
        ? [
            button(
              `Write ${text(model.parameters)} to recipe`,
              {
                primary: true,
                disabled: !trusted,
                ...(trusted ? {} : { title: 'The workspace is not trusted' }),
              },
              () => {
                this.actions.writeRecipe();
              },
            ),
            button(`Reset to ${text(recipe.saved)}`, {}, () => {
              this.actions.resetParameters();
            }),
          ]
        : []),
      h(
        'span',
        { class: 'secondary' },
        `▴ recipe value · ···· unrelated tasks (independent Gaussian task vectors)${names.length > 0 ? ' · one undo step in the editor' : ''}`,
      ),
    );
  }
}

/** One slider. The accent line and the handle move at once; the curve follows the data. */
class SliderCard {
  readonly element: HTMLElement;
  private readonly picture = new Picture('curve');
  private readonly range: HTMLInputElement;
  private readonly field: HTMLInputElement;
  private readonly saved = h('div', { class: 'saved-mark', 'aria-hidden': 'true' }, '▴');
  private readonly track: HTMLElement;
  private readonly ignored = h('div', { class: 'ignored secondary' });
  private readonly drawn = new Drawn();
  private value = 0;
  private savedValue = 0;

  constructor(private readonly name: ParameterName) {
    const label = `${symbols[name]}, ${titles[name]}`;
    this.range = h('input', { type: 'range', step: 0.01, 'aria-label': label });
    this.field = h('input', {
      type: 'number',
      step: 0.01,
      class: 'value',
      'aria-label': label,
      tabindex: -1,
    });
    this.track = h('div', { class: 'slider-track' }, this.range, this.saved);
    this.element = h(
      'section',
      { class: `card slider slider-${name}` },
      h(
        'div',
        { class: 'heading' },
        h('h2', {}, symbols[name]),
        h('span', { class: 'secondary slider-title' }, titles[name]),
        h('span', { class: 'end' }, this.field),
      ),
      this.picture.element,
      this.track,
      this.ignored,
    );
  }

  connect(actions: MaskActions): void {
    this.range.addEventListener('input', () => {
      this.moveTo(Number(this.range.value), actions);
    });
    this.field.addEventListener('change', () => {
      const value = Number(this.field.value);
      if (Number.isFinite(value) && value >= 0) this.moveTo(value, actions);
      else this.field.value = this.value.toFixed(2);
    });
    // The wheel scrolls the page and never changes a number.
    this.range.addEventListener('keydown', (event) => {
      const step = event.shiftKey || event.key.startsWith('Page') ? 0.1 : 0.01;
      const up = ['ArrowRight', 'ArrowUp', 'PageUp'].includes(event.key);
      const down = ['ArrowLeft', 'ArrowDown', 'PageDown'].includes(event.key);
      if (event.key === 'Enter') actions.writeRecipe();
      else if (event.key === 'Escape') actions.resetParameters();
      else if (up || down) this.moveTo(this.value + (up ? step : -step), actions);
      else return;
      event.preventDefault();
    });
  }

  draw(model: MaskModel, actions: MaskActions): void {
    const { recipe } = model.snapshot;
    const used = recipe?.uses[this.name] ?? false;
    this.value = model.parameters[this.name];
    this.savedValue = recipe?.saved[this.name] ?? this.value;
    this.range.disabled = !used;
    this.field.disabled = !used;
    this.element.classList.toggle('unused', !used);
    const [from, to] = this.domain();
    this.range.min = String(this.name === 'density' ? 0.01 : from);
    this.range.max = String(to);
    this.placeHandle();
    this.picture.element.hidden = !used;
    this.track.hidden = !used;
    this.ignored.hidden = used;
    if (used) this.drawCurve(model);
    else this.drawIgnored(recipe?.method ?? 'this method', actions);
  }

  private drawIgnored(method: string, actions: MaskActions): void {
    const who =
      this.name === 'density'
        ? 'ties, dare, della and breadcrumbs use density.'
        : `Another method may use ${symbols[this.name]}.`;
    fill(
      this.ignored,
      h(
        'p',
        {},
        icon('info'),
        ` ${method} ${this.name === 'density' ? 'keeps every position.' : `does not use ${symbols[this.name]}.`}`,
      ),
      h('p', {}, who),
      link('Change method…', 'method', () => {
        actions.reveal('method');
      }),
    );
  }

  private domain(): readonly [number, number] {
    const [from, to] = ends[this.name];
    return [from, Math.max(to, roundUp(Math.max(this.value, this.savedValue)))];
  }

  private moveTo(value: number, actions: MaskActions): void {
    const [from, to] = this.domain();
    const least = this.name === 'density' ? 0.01 : from;
    const most = this.name === 'density' ? 1 : Math.max(to, value);
    this.value = Math.round(Math.min(most, Math.max(least, value)) * 1e6) / 1e6;
    this.placeHandle();
    this.picture.redraw();
    actions.setParameter(this.name, this.value);
  }

  private placeHandle(): void {
    const [from, to] = this.domain();
    this.range.value = String(this.value);
    if (document.activeElement !== this.field) this.field.value = this.value.toFixed(2);
    styled(this.range, { '--filled': `${String((100 * (this.value - from)) / (to - from))}%` });
  }

  private drawCurve(model: MaskModel): void {
    const curve = model.snapshot.curves.find(({ parameter }) => parameter === this.name);
    const [min, max] = this.domain();
    const { theme, isolated, snapshot } = model;
    if (!this.drawn.differs(curve, theme, isolated, min, max, snapshot.recipe?.tasks)) {
      this.picture.redraw();
      this.align();
      return;
    }
    this.picture.show(
      {
        type: 'line',
        data: { datasets: curve ? curveDatasets(model, curve) : [] },
        options: baseOptions(theme, {
          x: {
            min,
            max,
            step: (max - min) / (this.name === 'alpha' ? 4 : 5),
            grid: false,
            label: (x) => (x === 0 && this.name === 'lambda' ? '' : x.toFixed(1)),
          },
          y: {
            min: 0,
            max: curve ? top(curve) : 1,
            step: curve ? top(curve) / 4 : 0.25,
            label: (y) => `${percent(y, 0)} %`,
          },
        }),
        overlays: [this.marks(model, curve)],
      },
      this.summary(model, curve),
    );
    this.align();
  }

  private summary(model: MaskModel, curve: Curve | undefined): string {
    if (!curve) return `${symbols[this.name]}: the curve is being computed`;
    const tasks = model.snapshot.recipe?.tasks ?? [];
    const last = curve.grid.length - 1;
    const at = (task: number, i: number) =>
      percent(curve.values[task * curve.grid.length + i] ?? Number.NaN, 0);
    return `Active ratio over ${symbols[this.name]} from ${String(curve.grid[0])} to ${String(curve.grid[last])}: ${tasks
      .map((task, i) => `${task} ${at(i, 0)} to ${at(i, last)} %`)
      .join(', ')}`;
  }

  /** The accent line at the present value, the dashed one at the recipe's, and dots on the curves. */
  private marks({ theme, snapshot }: MaskModel, curve: Curve | undefined): Overlay {
    const tasks = snapshot.recipe?.tasks.length ?? 0;
    return (context, chart) => {
      const { left, right, top: y0, bottom } = chart.chartArea;
      const line = (value: number, colour: string, width: number, dash: readonly number[]) => {
        const x = chart.scales['x']?.getPixelForValue(value) ?? left;
        if (x < left - 1 || x > right + 1) return;
        context.beginPath();
        context.setLineDash([...dash]);
        context.lineWidth = width;
        context.strokeStyle = colour;
        context.moveTo(x, y0);
        // Not through the figures of the axis, which stand between the curve and the handle.
        context.lineTo(x, bottom + 2);
        context.stroke();
      };
      if (this.savedValue !== this.value) line(this.savedValue, theme.muted, 1, [2, 2]);
      line(this.value, theme.focus, 2, []);
      context.setLineDash([]);
      if (curve) this.dots(context, chart, { theme, curve, tasks });
    };
  }

  /** A marker where each curve crosses the present value. */
  private dots(
    context: CanvasRenderingContext2D,
    { scales: { x, y } }: Parameters<Overlay>[1],
    { theme, curve, tasks }: { theme: Theme; curve: Curve; tasks: number },
  ): void {
    const rows = curve.parameter === 'lambda' ? curveRows(curve, tasks) : [meanRow(curve, tasks)];
    rows.forEach((row, task) => {
      const value = valueAt(curve.grid, row, this.value);
      if (!x || !y || !Number.isFinite(value) || rows.length > markedTasks) return;
      const { colour, point } = taskMark(theme, task);
      const plain = curve.parameter !== 'lambda';
      context.fillStyle = plain ? theme.foreground : colour;
      context.strokeStyle = context.fillStyle;
      const style = plain ? { pointStyle: 'circle' as const } : markerOf(point);
      const place = [x.getPixelForValue(this.value), y.getPixelForValue(value)] as const;
      drawPoint(context, { ...style, radius: 3.5, borderWidth: 1 }, ...place);
    });
  }

  /** Puts the native slider exactly under the axis: its handle's centre runs from end to end. */
  private align(): void {
    const { left, right } = this.picture.area;
    const radius = 7;
    styled(this.track, {
      'margin-left': `${String(left - radius)}px`,
      width: `${String(Math.max(0, right - left + 2 * radius))}px`,
    });
    const [from, to] = this.domain();
    const place = (this.savedValue - from) / (to - from);
    styled(this.saved, { left: `${String(radius + place * (right - left))}px` });
  }
}

function curveDatasets(model: MaskModel, curve: Curve): AnyDataset[] {
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
function top(curve: Curve): number {
  const count = curve.grid.length;
  let largest = 0;
  for (let i = 0; i < curve.values.length; i += 1) {
    const value = curve.values[i] ?? 0;
    if ((curve.grid[i % count] ?? 0) >= 0.1 && value > largest) largest = value;
  }
  return Math.min(1, Math.max(0.2, Math.ceil(largest * 5) / 5));
}

import type { TensorSpectrum } from '../../server/protocol/spectrum';
import { Picture } from '../shared/chart';
import { select } from '../shared/components';
import { fill, h } from '../shared/dom';
import { nbsp, percent, shorten } from '../shared/format';
import { taskKey, taskMarker } from '../shared/tasks';
import type { Theme } from '../shared/theme';
import type { LiveRegion, Tooltip } from '../shared/tooltip';
import type { MaskModel } from './model';
import { OverlapMatrix } from './overlap';
import { blockName, rankChart, rankSummary } from './rank-chart';
import type { SpectrumInput } from './spectra-model';
import { floorOf, magnitude, sameKind, spectraOf, undetermined } from './spectra-model';
import { spectrumChart, spectrumSummary } from './spectrum-chart';

/** Tasks in the legend; more are told apart in the tables. */
const mostKeys = 12;

interface Shown {
  readonly input: SpectrumInput;
  readonly tensors: readonly TensorSpectrum[];
  /** Matrices of the chosen one's kind, block by block. */
  readonly blocks: readonly TensorSpectrum[];
  readonly measured: number;
}

/** Spectrum of one matrix, effective rank over its blocks, and overlap of the tasks' directions. */
export class SpectrumFigures {
  readonly element: HTMLElement;
  private readonly choice = h('div', { class: 'spectrum-choice' });
  private readonly spectrum = new Picture('spectrum');
  private readonly ranks = new Picture('ranks');
  private readonly ranksTitle = h('h3');
  private readonly note = h('p', { class: 'note' });
  private readonly overlap: OverlapMatrix;
  private readonly spectrumStage: HTMLElement;
  private model: MaskModel | undefined;
  private chosen: string | undefined;
  private listed = '';
  private mark = 0;

  constructor(private readonly tools: { readonly tooltip: Tooltip; readonly live: LiveRegion }) {
    this.overlap = new OverlapMatrix(tools);
    const help = 'Singular values. Arrow keys move by direction, Page Up and Page Down by block';
    this.spectrumStage = this.stage(this.spectrum, help, (key) => this.spectrumKey(key));
    this.spectrumStage.addEventListener('pointermove', (event) => {
      this.pointAt(this.nearestDirection(event.offsetX));
    });
    const ranksHelp = 'Effective rank by block. Arrow keys move by block';
    const ranksStage = this.stage(this.ranks, ranksHelp, (key) => this.ranksKey(key));
    ranksStage.addEventListener('click', (event) => {
      this.chooseBlock(Math.round(this.ranks.value('x', event.offsetX)));
    });
    const { choice, note, ranksTitle, overlap } = this;
    const left = [choice, this.spectrumStage, note, ranksTitle, ranksStage];
    this.element = h(
      'div',
      { class: 'spectra-figures' },
      h('div', { class: 'spectra-left' }, ...left),
      overlap.element,
    );
  }

  draw(model: MaskModel): void {
    this.model = model;
    const shown = this.shown();
    this.element.hidden = !shown;
    if (!shown) return;
    const { input, blocks, tensors, measured } = shown;
    this.drawChoice(tensors, input);
    this.spectrum.show(spectrumChart(input, this.mark), spectrumSummary(input));
    this.ranks.show(rankChart(input, blocks), rankSummary(input, blocks));
    const kind = `${input.tensor.kind}, of ${String(input.tensor.directions)}`;
    fill(this.ranksTitle, 'Effective rank by block ', h('span', { class: 'secondary' }, kind));
    fill(this.note, sumSentence(input));
    this.overlap.element.hidden = input.tasks.length < 2;
    if (input.tasks.length > 1) this.overlap.draw(input, measured);
  }

  /** One tab stop around a chart; its keys move a mark. */
  private stage(picture: Picture, label: string, onkey: (key: string) => boolean): HTMLElement {
    const element = h(
      'div',
      {
        class: 'spectrum-stage',
        tabindex: 0,
        role: 'group',
        'aria-roledescription': 'chart',
        'aria-label': label,
      },
      picture.element,
    );
    element.addEventListener('keydown', (event) => {
      if (onkey(event.key)) event.preventDefault();
    });
    for (const name of ['pointerleave', 'blur'])
      element.addEventListener(name, () => {
        this.tools.tooltip.hide();
      });
    return element;
  }

  private shown(): Shown | undefined {
    const { model } = this;
    const { tensors = [], scope } = (model && spectraOf(model)) ?? {};
    if (!model || !scope) return undefined;
    const tensor = tensors.find(({ name }) => name === this.chosen) ?? tensors[0];
    if (!tensor) return undefined;
    this.mark = Math.min(this.mark, tensor.indices.length - 1);
    const { theme, isolated } = model;
    const input = { tensor, theme, isolated, tasks: scope.tasks, floor: floorOf(scope) };
    return { input, tensors, blocks: sameKind(tensors, tensor), measured: scope.k };
  }

  /** The list is made anew only when it changes: an open one would close. */
  private drawChoice(tensors: readonly TensorSpectrum[], { tensor, tasks, theme }: SpectrumInput) {
    const names = tensors.map(({ name }) => name);
    const key = [tensor.name, theme.kind, ...names, ...tasks].join('\0');
    if (key === this.listed) return;
    this.listed = key;
    const list = names.map((name) => ({ value: name, label: name }));
    fill(
      this.choice,
      select('Matrix', list, tensor.name, (name) => {
        this.choose(name);
      }),
      legend(tasks, theme),
    );
  }

  private choose(name: string): void {
    this.chosen = name;
    if (this.model) this.draw(this.model);
  }

  private spectrumKey(key: string): boolean {
    const shown = this.shown();
    const last = (shown?.input.tensor.indices.length ?? 1) - 1;
    const marks: Readonly<Record<string, number>> = {
      ArrowLeft: this.mark - 1,
      ArrowRight: this.mark + 1,
      Home: 0,
      End: last,
    };
    const step = { PageUp: -1, PageDown: 1 }[key];
    const mark = marks[key];
    if (shown && mark !== undefined) this.pointAt(Math.min(last, Math.max(0, mark)));
    else if (shown && step !== undefined) this.chooseBlock(placeOf(shown) + step);
    return mark !== undefined || step !== undefined;
  }

  private ranksKey(key: string): boolean {
    const shown = this.shown();
    const here = shown ? placeOf(shown) : 0;
    const target = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: Infinity }[key];
    if (target !== undefined) this.chooseBlock(target);
    return target !== undefined;
  }

  private chooseBlock(place: number): void {
    const { blocks = [], input } = this.shown() ?? {};
    const block = blocks[Math.min(blocks.length - 1, Math.max(0, place))];
    if (!input || !block) return;
    this.choose(block.name);
    const ranks = input.tasks.map(
      (task, i) => `${task} ${(block.tasks[i]?.effective_rank ?? 0).toFixed(1)}`,
    );
    this.tools.live.say(
      `${block.kind}, block ${blockName(block)}: effective rank ${ranks.join(', ')}, sum ${block.sum.effective_rank.toFixed(1)}`,
    );
  }

  private nearestDirection(pixel: number): number {
    const x = this.spectrum.value('x', pixel);
    const indices = this.shown()?.input.tensor.indices ?? [];
    const away = (i: number) => Math.abs(Math.log10((indices[i] ?? 0) + 1) - x);
    return indices.reduce((nearest, _, i) => (away(i) < away(nearest) ? i : nearest), 0);
  }

  /** Moves the crosshair, shows the values beside it and speaks them. */
  private pointAt(mark: number): void {
    this.mark = mark;
    const input = this.shown()?.input;
    const index = input?.tensor.indices[mark];
    if (!input || index === undefined) return;
    this.spectrum.show(spectrumChart(input, mark), spectrumSummary(input));
    const { tensor, tasks } = input;
    const values = tasks.map((_, i) => magnitude(tensor.tasks[i]?.values[mark]));
    const sum = magnitude(tensor.sum.values[mark]);
    const box = this.spectrumStage.getBoundingClientRect();
    const x = box.x + this.spectrum.pixel('x', Math.log10(index + 1));
    this.tools.tooltip.show(new DOMRect(x, box.y + 8, 1, 1), valuesTip(input, index, values, sum));
    if (this.spectrumStage !== document.activeElement) return;
    const spoken = tasks.map((task, i) => `${task} ${values[i] ?? ''}`).join(', ');
    this.tools.live.say(`direction ${String(index + 1)}: ${spoken}, sum ${sum}`);
  }
}

function placeOf({ blocks, input }: Shown): number {
  return blocks.findIndex(({ name }) => name === input.tensor.name);
}

function legend(tasks: readonly string[], theme: Theme): HTMLElement {
  return h(
    'span',
    { class: 'legend' },
    ...tasks
      .slice(0, mostKeys)
      .map((task, i) => h('span', { title: task }, taskKey(theme, i), shorten(task, 16))),
    h('span', {}, h('span', { class: 'sum-key', 'aria-hidden': 'true' }), 'sum'),
  );
}

function valuesTip(
  { tensor, tasks, theme }: SpectrumInput,
  index: number,
  values: readonly string[],
  sum: string,
): HTMLElement {
  const row = (marker: Node | null, name: string, value: string) =>
    h('div', {}, marker, h('span', {}, name), h('span', { class: 'end' }, value));
  return h(
    'div',
    { class: 'mark-tip' },
    h('strong', {}, `direction ${String(index + 1)} of ${String(tensor.directions)}`),
    h(
      'div',
      { class: 'tip-columns' },
      ...tasks.map((task, i) => row(taskMarker(theme, i), shorten(task, 20), values[i] ?? '')),
      row(null, 'sum', sum),
    ),
  );
}

function sumSentence({ tensor: { sum, directions }, floor }: SpectrumInput): string {
  const rank =
    sum.rank < directions
      ? `The sum has ${String(sum.rank)} of ${String(directions)} directions; the others are rounding noise. `
      : `The sum has all ${String(directions)} directions. `;
  const isCut = sum.rank < directions || floor > undetermined;
  const hatched = isCut ? `; hatched: below ${magnitude(floor)} of the largest` : '';
  const weak = `${percent(sum.weak, 0)}${nbsp}% are below a thousandth of the largest`;
  return `${rank}${weak}; its effective rank is ${sum.effective_rank.toFixed(0)}. Marks at the top: effective ranks${hatched}.`;
}

import type { SectionView } from '../../server/protocol/panels/mask-ratios';
import { segments } from '../shared/components';
import { Drawn, eachFrame, fill, h, styled } from '../shared/dom';
import { percent, shorten, signed } from '../shared/format';
import { link } from '../shared/states';
import { markedTasks, taskKey } from '../shared/tasks';
import type { LiveRegion, Tooltip } from '../shared/tooltip';
import { blockLabel, describeColumn, sectionStart } from './column-tip';
import { LinesTrack } from './lines';
import type { MaskActions, MaskModel, Selection } from './model';
import { sameSelection } from './model';
import { blockNumbers, pairName, sectionHeads, subtitle, trackName } from './track-labels';
import type { TrackColumn, TrackLayout } from './track-layout';
import { layoutTracks } from './track-layout';
import type { TrackInput } from './tracks';
import {
  conflictRange,
  conflictTrack,
  cosineRange,
  cosineTrack,
  coverageTrack,
  depthTop,
  heatRow,
  heatTrack,
  percentRange,
  scaleKey,
} from './tracks';

/** Rows of the heat map that are in the page at once. */
const windowRows = 16;
const gutter = 66;
/** Below this width one section is shown at a time. */
const narrow = 600;

/** Four aligned tracks, so that a block is one vertical line through all of them. */
export class LayersCard {
  readonly element = h('section', { class: 'card layers' });
  private readonly lines = new LinesTrack();
  private readonly heat = h('div', { class: 'heat', tabindex: -1 });
  private readonly badge = h('span', { class: 'column-badge small' });
  private readonly frame = h('div', { class: 'column-frame', hidden: true }, this.badge);
  private readonly stage = h('div', {
    class: 'stage',
    tabindex: 0,
    role: 'group',
    'aria-roledescription': 'chart',
  });
  private readonly heading = h('div', { class: 'heading' });
  private readonly choice = h('div');
  private readonly note = h('p', { class: 'note' });
  private layout: TrackLayout | undefined;
  private model: MaskModel | undefined;
  private mark = 0;
  private anchor: number | undefined;
  private readonly drawn = new Drawn();
  private readonly redraw = eachFrame(() => {
    if (this.model) this.drawNow(this.model);
  });

  constructor(
    private readonly actions: MaskActions,
    private readonly tools: { readonly tooltip: Tooltip; readonly live: LiveRegion },
  ) {
    // The stage is put into the page once: taking it out would lose the focus of whoever walks in it.
    this.element.append(this.heading, this.choice, this.stage, this.note);
    new ResizeObserver(this.redraw).observe(this.element);
    this.heat.addEventListener('scroll', this.redraw);
    this.stage.addEventListener('keydown', (event) => {
      this.keydown(event);
    });
    this.stage.addEventListener('pointermove', (event) => {
      this.pointAt(event);
    });
    this.stage.addEventListener('pointerdown', (event) => {
      this.anchor = this.columnAt(event);
    });
    this.stage.addEventListener('pointerup', (event) => {
      this.choose(this.columnAt(event), event.shiftKey);
    });
    this.stage.addEventListener('pointerleave', () => {
      this.tools.tooltip.hide();
      this.frameSelection();
    });
  }

  draw(model: MaskModel): void {
    this.model = model;
    const { view, recipe, sections } = model.snapshot;
    const { isolated, selection, section, zoom, pinned, theme } = model;
    const arranged = [isolated, selection, section, zoom, pinned, model.snapshot.pair];
    if (this.drawn.differs(view, recipe, sections, theme, ...arranged)) this.drawNow(model);
  }

  private drawNow(model: MaskModel): void {
    const { view, recipe, sections } = model.snapshot;
    if (!view || !recipe) return;
    const width = this.element.clientWidth - 30;
    const only = this.only(model, width);
    this.layout = layoutTracks(sections, width, { gutter, only, zoom: model.zoom });
    const input: TrackInput = {
      layout: this.layout,
      view,
      blocks: sections.reduce((sum, { blocks }) => sum + blocks.length, 0),
      tasks: recipe.tasks,
      missing: new Set(recipe.missing),
      pinned: model.pinned,
      pair: model.snapshot.pair,
      theme: model.theme,
    };
    this.build(model, input, only);
    fill(this.note, recipe.actionExpert ?? '');
    this.lines.draw(input, model.isolated, view.sentences.layers);
    this.frameSelection();
  }

  private only(model: MaskModel, width: number): number {
    if (model.zoom) return model.zoom.section;
    if (width >= narrow) return model.section;
    return model.section >= 0 ? model.section : model.snapshot.sections.length - 1;
  }

  private build(model: MaskModel, input: TrackInput, only: number): void {
    const { theme, snapshot } = model;
    const [agree, oppose] = percentRange(conflictRange(input));
    const accord = [...theme.accord].reverse();
    const pair = pairName(input);
    const top = depthTop(input.view, input.blocks);
    this.stage.setAttribute(
      'aria-label',
      `Layer by layer. ${input.view.sentences.layers}. Arrow keys move by block`,
    );
    this.drawHeat(input);
    fill(
      this.stage,
      sectionHeads(snapshot.sections, input.layout),
      this.lines.picture.element,
      trackName('Active ratio', scaleKey(theme.depth, '0', `${percent(top, 0)} %`)),
      this.heat,
      trackName('Coverage'),
      coverageTrack(input),
      trackName(`Sign conflict${pair}`, scaleKey(accord, agree, oppose)),
      conflictTrack(input),
      ...(input.pair ? cosineParts(input, pair) : []),
      blockNumbers(snapshot.sections, input.layout),
      this.frame,
    );
    const binned = input.layout.sections.find(({ bin }) => bin > 1);
    const alone = only >= 0 || binned !== undefined || this.element.clientWidth - 30 < narrow;
    fill(
      this.heading,
      h('h2', {}, 'Layer by layer'),
      h('span', { class: 'secondary' }, subtitle(input.view, binned?.bin, input.tasks)),
      ...this.zoomLinks(model),
      h('span', { class: 'end legend' }, ...this.legend(model, input.tasks)),
    );
    fill(this.choice, alone ? this.sectionChoice(snapshot.sections, only) : null);
  }

  /** Narrows the tracks to the chosen blocks, and opens them again; what a pair shows is put away. */
  private zoomLinks({ selection, zoom, snapshot }: MaskModel): HTMLElement[] {
    const several = selection && selection.from !== selection.to;
    return [
      ...(several && !sameSelection(zoom, selection)
        ? [
            link('Zoom to selection', 'zoom', () => {
              this.actions.zoom(selection);
            }),
          ]
        : []),
      ...(zoom
        ? [
            link('Show all blocks', 'all', () => {
              this.actions.zoom(undefined);
            }),
          ]
        : []),
      ...(snapshot.pair
        ? [
            link('Mean over pairs', 'pairs', () => {
              this.actions.showPair(undefined);
            }),
          ]
        : []),
    ];
  }

  private legend(model: MaskModel, tasks: readonly string[]): HTMLElement[] {
    const crowded = tasks.length > markedTasks;
    return tasks.slice(0, 12).map((task, i) =>
      h(
        'button',
        {
          class: `plain ${model.pinned.includes(i) && crowded ? 'pinned' : ''}`,
          type: 'button',
          title: crowded ? `${task} (double click or P: always a line of its own)` : task,
          'aria-pressed': String(model.isolated === i),
          click: () => {
            this.actions.isolate(i);
          },
          dblclick: () => {
            this.actions.pin(i);
          },
          keydown: (event) => {
            if (event instanceof KeyboardEvent && event.key.toLowerCase() === 'p')
              this.actions.pin(i);
          },
        },
        taskKey(model.theme, i),
        shorten(task, 24),
      ),
    );
  }

  private drawHeat(input: TrackInput): void {
    const count = input.tasks.length;
    const windowed = count > windowRows;
    styled(this.heat, {
      'max-height': windowed ? `${String(windowRows * heatRow)}px` : 'none',
      'overflow-y': windowed ? 'auto' : 'visible',
    });
    const from = windowed
      ? Math.min(count - windowRows, Math.floor(this.heat.scrollTop / heatRow))
      : 0;
    const to = windowed ? Math.min(count, from + windowRows + 1) : count;
    const inner = styled(
      h(
        'div',
        {},
        styled(heatTrack(input, from, to), {
          transform: `translateY(${String(from * heatRow)}px)`,
        }),
      ),
      { height: `${String(count * heatRow)}px` },
    );
    fill(this.heat, inner);
  }

  private sectionChoice(sections: readonly SectionView[], only: number): HTMLElement {
    const all = this.element.clientWidth - 30 < narrow ? [] : [{ value: '-1', label: 'All' }];
    return segments(
      'Section',
      [...all, ...sections.map(({ label }, i) => ({ value: String(i), label }))],
      String(only),
      (value) => {
        this.actions.showSection(Number(value));
      },
    );
  }

  private columnAt(event: PointerEvent): number | undefined {
    const x = event.clientX - this.stage.getBoundingClientRect().left - gutter;
    const found = this.layout?.columns.findIndex(
      (column) => x >= column.x && x < column.x + column.width,
    );
    return found === undefined || found < 0 ? undefined : found;
  }

  private pointAt(event: PointerEvent): void {
    const place = this.columnAt(event);
    if (place === undefined) {
      this.tools.tooltip.hide();
      return;
    }
    this.mark = place;
    this.showMark();
  }

  /** A dragged range is chosen; with Shift the tracks are narrowed to it. */
  private choose(place: number | undefined, zoom: boolean): void {
    const start = this.anchor;
    this.anchor = undefined;
    if (place === undefined || start === undefined) return;
    this.mark = place;
    const range = this.selectColumns(Math.min(start, place), Math.max(start, place));
    if (zoom && range && range.from !== range.to) this.actions.zoom(range);
  }

  private selectColumns(from: number, to: number): Selection | undefined {
    const [first, last] = [this.layout?.columns[from], this.layout?.columns[to]];
    if (!first || !last || !this.model) return undefined;
    const start = sectionStart(this.model.snapshot.sections, last.section);
    const begin = first.section === last.section ? first.from : start;
    const chosen = { section: last.section, from: begin - start, to: last.to - start };
    this.actions.select(chosen);
    return chosen;
  }

  private keydown(event: KeyboardEvent): void {
    const columns = this.layout?.columns ?? [];
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const keys: Readonly<Record<string, () => void>> = {
      Enter: () => {
        this.selectColumns(this.mark, this.mark);
      },
      Escape: () => {
        if (this.model?.zoom) this.actions.zoom(undefined);
        else this.actions.select(undefined);
      },
      z: () => {
        const { zoom, selection } = this.model ?? {};
        this.actions.zoom(zoom ? undefined : selection);
      },
      Home: () => {
        this.moveTo(0);
      },
      End: () => {
        this.moveTo(columns.length - 1);
      },
      PageUp: () => {
        this.jump(-1);
      },
      PageDown: () => {
        this.jump(1);
      },
    };
    if (step !== undefined && event.shiftKey) this.extend(step);
    else if (step !== undefined) this.moveTo(this.mark + step);
    else if (keys[event.key]) keys[event.key]?.();
    else return;
    event.preventDefault();
  }

  /** To the first block of the next or previous section. */
  private jump(direction: number): void {
    const columns = this.layout?.columns ?? [];
    const sections = this.layout?.sections ?? [];
    const here = sections.findIndex(({ index }) => index === columns[this.mark]?.section);
    const target =
      sections[Math.min(sections.length - 1, Math.max(0, here + direction))]?.columns[0];
    this.moveTo(columns.findIndex((column) => column === target));
  }

  private extend(step: number): void {
    const start = this.anchor ?? this.mark;
    this.anchor = start;
    this.moveTo(this.mark + step);
    this.selectColumns(Math.min(start, this.mark), Math.max(start, this.mark));
    this.anchor = start;
  }

  private moveTo(place: number): void {
    const last = (this.layout?.columns.length ?? 1) - 1;
    this.mark = Math.min(last, Math.max(0, place));
    this.showMark();
  }

  /** Frame, tooltip and spoken text of the marked column. */
  private showMark(): void {
    const column = this.layout?.columns[this.mark];
    if (!column || !this.model) return;
    this.frameColumns(column, column);
    const box = this.frame.getBoundingClientRect();
    const { content, spoken } = describeColumn(this.model, column);
    this.tools.tooltip.show(new DOMRect(box.x, box.y, box.width, 20), content);
    if (document.activeElement === this.stage) this.tools.live.say(spoken);
  }

  private frameColumns(first: TrackColumn, last: TrackColumn): void {
    this.frame.hidden = false;
    fill(this.badge, this.columnLabel(first, last));
    styled(this.frame, {
      left: `${String(gutter + first.x - 2)}px`,
      width: `${String(last.x + last.width - first.x + 2)}px`,
    });
  }

  private columnLabel(first: TrackColumn, last: TrackColumn): string {
    const sections = this.model?.snapshot.sections ?? [];
    const name = (block: number) => blockLabel(sections, last.section, block);
    return first === last ? name(last.from) : `${name(first.from)}–${name(last.to)}`;
  }

  private frameSelection(): void {
    const selection: Selection | undefined = this.model?.selection;
    const section = this.layout?.sections.find(({ index }) => index === selection?.section);
    if (!selection || !section || !this.model) {
      this.frame.hidden = true;
      return;
    }
    const start = sectionStart(this.model.snapshot.sections, selection.section);
    const first = section.columns.find(({ to }) => to >= start + selection.from);
    const last = section.columns.find(({ to }) => to >= start + selection.to);
    if (first && last) this.frameColumns(first, last);
  }
}

function cosineParts(input: TrackInput, pair: string): Node[] {
  const range = cosineRange(input);
  const key = scaleKey(
    input.theme.accord,
    `oppose ${signed(-range, 2)}`,
    `${signed(range, 2)} agree`,
  );
  return [trackName(`Cosine${pair}`, key), cosineTrack(input)];
}

import type { RouteDetail, RouteImage, TokenNorms } from '../../server/protocol/routing';
import { segments } from '../shared/components';
import { interpolate } from '../shared/colours';
import { Drawn, fill, h, styled } from '../shared/dom';
import { number, signed } from '../shared/format';
import { taskMarker } from '../shared/tasks';
import type { LiveRegion, Tooltip } from '../shared/tooltip';
import type { Scale } from './heat';
import { cellColour, heat, strip } from './heat';
import type { RoutingActions, RoutingModel } from './model';
import { detailOf, firstTwo } from './model';

/** The pictures as the model saw them, one cell a patch, on one scale for all images and candidates. */
export class PatchesCard {
  readonly element = h('section', { class: 'card patches' });
  private readonly pictures = h('div', { class: 'pictures' });
  private readonly decoded = new Map<string, ImageBitmap>();
  private model: RoutingModel | undefined;
  private bare = false;
  private readonly drawn = new Drawn();
  private mark: readonly [number, number] = [0, 0];
  private slot = 0;
  private range: HTMLElement | undefined;

  constructor(
    private readonly actions: RoutingActions,
    private readonly tools: { readonly tooltip: Tooltip; readonly live: LiveRegion },
  ) {
    for (const [type, bare] of [
      ['keydown', true],
      ['keyup', false],
    ] as const)
      document.addEventListener(type, (event) => {
        if (event.key.toLowerCase() !== 'o' || this.bare === bare) return;
        this.bare = bare;
        void this.paint();
      });
  }

  draw(model: RoutingModel): void {
    this.model = model;
    const found = detailOf(model);
    if (!found) {
      fill(this.element);
      return;
    }
    const { detail } = found;
    const { answer, tasks } = model.snapshot;
    const scores = JSON.stringify([answer?.scores, tasks]);
    if (!this.drawn.differs(scores, answer?.seconds, model.candidate, model.theme)) {
      this.fade(model.opacity);
      return;
    }
    this.drawAll(model, detail);
  }

  private drawAll(model: RoutingModel, detail: RouteDetail): void {
    const focused = document.activeElement?.getAttribute('data-image');
    const pictures = new Set(detail.images.map(({ png }) => png));
    for (const png of this.decoded.keys()) if (!pictures.has(png)) this.decoded.delete(png);
    const scale = this.scale();
    fill(this.pictures, ...detail.images.map((image, i) => this.figure(image, i)));
    fill(
      this.element,
      h(
        'div',
        { class: 'heading' },
        h('h2', {}, 'Patch scores'),
        h('span', { class: 'end' }, this.selector(model)),
      ),
      this.pictures,
      this.scaleRow(scale, model),
      this.slots(model),
      row('instruction', h('code', {}, detail.instruction)),
      detail.proprio
        ? row('proprio', h('code', {}, detail.proprio.map((v) => number(v, 2)).join(' ')))
        : null,
    );
    if (focused) this.canvas(focused)?.focus();
    void this.paint();
  }

  /** The slider that is being moved stays; only what it fades is painted again. */
  private fade(opacity: number): void {
    if (this.range) styled(this.range, { '--filled': `${String(opacity * 100)}%` });
    void this.paint();
  }

  private canvas(image: string): HTMLCanvasElement | null {
    return this.pictures.querySelector<HTMLCanvasElement>(`canvas[data-image="${image}"]`);
  }

  private selector(model: RoutingModel): HTMLElement {
    const { tasks } = model.snapshot;
    const chosen = this.candidate();
    return segments(
      'Candidate',
      [
        ...tasks.map((task, i) => ({
          value: String(i),
          label: task,
          before: taskMarker(model.theme, i),
        })),
        ...(tasks.length > 1 ? [{ value: '-1', label: 'vs 2nd' }] : []),
      ],
      String(chosen),
      (value) => {
        this.actions.choose(Number(value));
      },
    );
  }

  /** The user's choice, or the winner. */
  private candidate(): number {
    const model = this.model;
    const found = model ? detailOf(model) : undefined;
    return model?.candidate ?? model?.snapshot.tasks.indexOf(found?.own.chosen ?? '') ?? 0;
  }

  private tokens(candidate: number): TokenNorms | undefined {
    const model = this.model;
    const found = model ? detailOf(model) : undefined;
    return found?.own.tokens[model?.snapshot.tasks[candidate] ?? ''];
  }

  /** Value of a patch for the shown candidate; null where the score leaves it out. */
  private valueAt(image: number, patch: number): number | null {
    const candidate = this.candidate();
    if (candidate >= 0) return this.tokens(candidate)?.patches[image]?.[patch] ?? null;
    const own = this.model ? detailOf(this.model)?.own : undefined;
    if (!own) return null;
    const [a, b] = firstTwo(own).map((task) => own.tokens[task ?? '']?.patches[image]?.[patch]);
    return typeof a === 'number' && typeof b === 'number' ? a - b : null;
  }

  private scale(): Scale {
    const found = this.model ? detailOf(this.model) : undefined;
    const images = found?.detail.images ?? [];
    if (this.candidate() < 0) {
      const all = images.flatMap(({ grid }, i) =>
        Array.from({ length: grid[0] * grid[1] }, (_, p) => Math.abs(this.valueAt(i, p) ?? 0)),
      );
      const high = Math.max(1e-9, ...all);
      return { low: -high, high, sign: true };
    }
    const all = Object.values(found?.own.tokens ?? {})
      .flatMap(({ patches }) => patches.flat())
      .filter((v) => v !== null);
    return { low: Math.min(...all, Infinity), high: Math.max(...all, -Infinity), sign: false };
  }

  private figure(image: RouteImage, index: number): HTMLElement {
    const [rows, columns] = image.grid;
    const values = Array.from({ length: rows * columns }, (_, p) => this.valueAt(index, p)).filter(
      (v) => v !== null,
    );
    const mean = values.reduce((sum, v) => sum + v, 0) / Math.max(1, values.length);
    const canvas = h('canvas', {
      role: 'img',
      tabindex: 0,
      'data-image': index,
      'aria-label': `Camera ${image.camera}, ${String(values.length)} patches counted, mean ${number(mean, 2)}`,
    });
    const point = (patch: readonly [number, number]) => {
      this.mark = [
        Math.min(rows - 1, Math.max(0, patch[0])),
        Math.min(columns - 1, Math.max(0, patch[1])),
      ];
      this.showPatch(canvas, index, image);
    };
    canvas.addEventListener('pointermove', (event) => {
      const box = canvas.getBoundingClientRect();
      point([
        Math.floor(((event.clientY - box.top) / box.height) * rows),
        Math.floor(((event.clientX - box.left) / box.width) * columns),
      ]);
    });
    canvas.addEventListener('pointerleave', () => {
      this.tools.tooltip.hide();
    });
    canvas.addEventListener('keydown', (event) => {
      const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[
        event.key
      ];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      point([this.mark[0] + (step[0] ?? 0), this.mark[1] + (step[1] ?? 0)]);
    });
    return h(
      'figure',
      {},
      canvas,
      h(
        'figcaption',
        {},
        image.camera,
        h(
          'span',
          { class: 'secondary' },
          `${String(values.length)} patches · mean ${this.candidate() < 0 ? signed(mean, 2) : number(mean, 2)}`,
        ),
      ),
    );
  }

  private showPatch(canvas: HTMLCanvasElement, index: number, { grid, camera }: RouteImage): void {
    const [row, column] = this.mark;
    const box = canvas.getBoundingClientRect();
    const cell = new DOMRect(
      box.left + (column * box.width) / grid[1],
      box.top + (row * box.height) / grid[0],
      box.width / grid[1],
      box.height / grid[0],
    );
    const patch = row * grid[1] + column;
    const values = (this.model?.snapshot.tasks ?? []).map((task, i) => {
      const value = this.tokens(i)?.patches[index]?.[patch];
      return `${task} ${value === null || value === undefined ? 'left out' : number(value, 2)}`;
    });
    this.tools.tooltip.show(
      cell,
      h('div', { class: 'secondary' }, `${camera}, row ${String(row)}, column ${String(column)}`),
      ...values.map((text) => h('div', {}, text)),
    );
    if (document.activeElement === canvas)
      this.tools.live.say(`row ${String(row)} column ${String(column)}: ${values.join(', ')}`);
  }

  private showSlot(picture: SVGSVGElement, place: number, count: number): void {
    this.slot = Math.min(count - 1, Math.max(0, place));
    const box = picture.getBoundingClientRect();
    const width = box.width / count;
    const cell = new DOMRect(box.left + this.slot * width, box.top, width, box.height);
    const values = (this.model?.snapshot.tasks ?? []).map(
      (task, i) => `${task} ${number(this.tokens(i)?.slots[this.slot] ?? Number.NaN, 2)}`,
    );
    const name = `action slot ${String(this.slot)}`;
    this.tools.tooltip.showBelow(
      cell,
      h('div', { class: 'secondary' }, name),
      ...values.map((text) => h('div', {}, text)),
    );
    if (document.activeElement === picture) this.tools.live.say(`${name}: ${values.join(', ')}`);
  }

  private async paint(): Promise<void> {
    const found = this.model ? detailOf(this.model) : undefined;
    if (!found) return;
    for (const [i, image] of found.detail.images.entries()) {
      const bitmap = await this.bitmap(image);
      const canvas = this.canvas(String(i));
      if (canvas) this.paintImage(canvas, bitmap, [image, i]);
    }
  }

  private async bitmap(image: RouteImage): Promise<ImageBitmap | undefined> {
    const known = this.decoded.get(image.png);
    if (known) return known;
    try {
      const bytes = Uint8Array.from(atob(image.png), (character) => character.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
      this.decoded.set(image.png, bitmap);
      return bitmap;
    } catch {
      return undefined;
    }
  }

  private paintImage(
    canvas: HTMLCanvasElement,
    bitmap: ImageBitmap | undefined,
    [image, index]: readonly [RouteImage, number],
  ): void {
    const context = canvas.getContext('2d');
    if (!context || !this.model) return;
    const [rows, columns] = image.grid;
    canvas.width = columns * Math.max(1, Math.ceil(448 / columns));
    canvas.height = rows * Math.max(1, Math.ceil(448 / rows));
    context.imageSmoothingEnabled = image.width > 128;
    context.filter = this.bare ? 'none' : 'saturate(55%) brightness(78%)';
    if (bitmap) context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    context.filter = 'none';
    if (this.bare) return;
    const scale = this.scale();
    const [w, hgt] = [canvas.width / columns, canvas.height / rows];
    for (let p = 0; p < rows * columns; p += 1) {
      const value = this.valueAt(index, p);
      if (value === null) continue;
      context.fillStyle = cellColour(value, scale, this.model);
      context.fillRect((p % columns) * w, Math.floor(p / columns) * hgt, w - 1, hgt - 1);
    }
  }

  private scaleRow(scale: Scale, model: RoutingModel): HTMLElement {
    const stops = scale.sign ? model.theme.accord : heat;
    const range = h('input', {
      type: 'range',
      min: 0,
      max: 1,
      step: 0.05,
      value: model.opacity,
      'aria-label': 'Opacity',
      input: (event) => {
        if (event.currentTarget instanceof HTMLInputElement)
          this.actions.setOpacity(Number(event.currentTarget.value));
      },
    });
    styled(range, { '--filled': `${String(model.opacity * 100)}%` });
    this.range = range;
    return h(
      'div',
      { class: 'scale-row' },
      h('span', {}, ...this.scaleName(scale)),
      h('span', { class: 'secondary' }, scale.sign ? signed(scale.low, 1) : number(scale.low, 1)),
      strip(
        Array.from({ length: 48 }, (_, i) => interpolate(stops, i / 47)),
        10,
      ),
      h('span', { class: 'secondary' }, scale.sign ? signed(scale.high, 1) : number(scale.high, 1)),
      h('label', { class: 'opacity secondary' }, 'opacity', range),
    );
  }

  /** The recipe's pairing decides which basis the task states are projected on. */
  private scaleName({ sign }: Scale): (Node | string)[] {
    if (sign) return ['winner − 2nd'];
    const pairing = this.model && detailOf(this.model)?.detail.pairing;
    return ['‖P', h('sub', {}, pairing === 'crossed' ? 'A' : 'T'), ' h‖ per patch'];
  }

  /** Action queries on their own scale: their norms are of another size. */
  private slots(model: RoutingModel): HTMLElement | null {
    const candidate = Math.max(0, this.candidate());
    const slots = this.tokens(candidate)?.slots ?? [];
    if (slots.length === 0) return null;
    const [low, high] = [Math.min(...slots), Math.max(...slots)];
    const colours = slots.map((v) =>
      interpolate(heat, high > low ? (v - low) / (high - low) : 0.5),
    );
    const label = `${String(slots.length)} action slots of ${model.snapshot.tasks[candidate] ?? ''}, ${number(low, 2)} to ${number(high, 2)}`;
    const picture = strip(colours, 15);
    picture.setAttribute('role', 'img');
    picture.setAttribute('aria-label', label);
    picture.setAttribute('tabindex', '0');
    picture.addEventListener('pointermove', (event) => {
      const box = picture.getBoundingClientRect();
      const place = Math.floor(((event.clientX - box.left) / box.width) * slots.length);
      this.showSlot(picture, place, slots.length);
    });
    picture.addEventListener('pointerleave', () => {
      this.tools.tooltip.hide();
    });
    picture.addEventListener('keydown', (event) => {
      const target = {
        ArrowLeft: this.slot - 1,
        ArrowRight: this.slot + 1,
        Home: 0,
        End: Infinity,
      }[event.key];
      if (target === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      this.showSlot(picture, target, slots.length);
    });
    return row('action slots', picture);
  }
}

function row(name: string, content: Node): HTMLElement {
  return h('div', { class: 'fact-row' }, h('span', { class: 'secondary' }, name), content);
}

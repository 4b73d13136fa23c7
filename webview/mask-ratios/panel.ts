import type {
  Lambdas,
  MaskSnapshot,
  MergeParameters,
  ParameterName,
  ToMaskPanel,
} from '../../server/protocol/panels/mask-ratios';
import { meanLambda, scaledLambdas } from '../../server/protocol/panels/mask-ratios';
import { isToMaskPanel } from '../../server/protocol/panels/mask-ratios-guards';
import type { SpectraRange } from '../../server/protocol/panels/spectra';
import { h } from '../shared/dom';
import type { View } from '../shared/page';
import { Page } from '../shared/page';
import { markedTasks } from '../shared/tasks';
import { applied, withPart } from './deltas';
import { DrawerCard } from './drawer';
import { modelFrom, stillMissing } from './kept';
import { LayersCard } from './layers';
import type { MaskActions, MaskPage, Selection } from './model';
import { allLambdas, fits, moved, rangeOf, valueToWrite } from './model';
import { PairsCard } from './pairs';
import { Sliders } from './sliders';
import { SpectraCard } from './spectra-card';
import { TensorCard } from './tensor-card';
import { Toolbar } from './toolbar';
import { CoverageCard, KeepsCard } from './totals';
import { TwinCard } from '../shared/twin';
import { twins } from './twin';

/** The mask-ratio panel: keeps the model, draws its parts, and tells the host what the user does. */
export class MaskPanel implements MaskActions {
  private readonly page: MaskPage = new Page({
    className: 'mask-panel',
    guard: isToMaskPanel,
    model: modelFrom,
    receive: (message) => {
      this.receive(message);
    },
    toolbar: () => this.toolbar.draw(),
    view: (waiting) => this.view(waiting),
  });
  /** The values on the sliders were sent to the recipe and not moved since. */
  private written = false;
  /** What the common handle has been scaling: its ratios outlast rounding and a visit to 0. */
  private scaling: { readonly from: Lambdas; readonly to: Lambdas } | undefined;
  private request = 0;
  private readonly toolbar = new Toolbar(this.page, this);
  private readonly sliders = new Sliders(this);
  private readonly keeps = new KeepsCard();
  private readonly coverage = new CoverageCard();
  private readonly pairs = new PairsCard(this, this.page);
  private readonly layers = new LayersCard(this, this.page);
  private readonly drawer = new DrawerCard(this);
  private readonly tensor = new TensorCard(this, this.page);
  private readonly spectra = new SpectraCard(this.page, this);
  private readonly twin = new TwinCard((text) => {
    this.copy(text);
  });
  private readonly totals = h(
    'div',
    { class: 'row totals' },
    this.keeps.element,
    this.coverage.element,
    this.pairs.element,
  );

  constructor() {
    document.addEventListener('keydown', (event) => {
      const typing =
        event.target instanceof Element &&
        event.target.closest('input, textarea, vscode-single-select');
      if (event.key === 't' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey)
        this.toggleTwin();
    });
  }

  private receive(message: ToMaskPanel): void {
    const { snapshot } = this.page.model;
    if (message.type === 'snapshot') this.takeSnapshot(message.snapshot);
    // An older answer that was overtaken is not drawn over a newer one.
    else if (message.type !== 'view' || !snapshot.view || message.view.n >= snapshot.view.n)
      this.page.update({ snapshot: applied(snapshot, message) });
  }

  private takeSnapshot(snapshot: MaskSnapshot): void {
    const { model } = this.page;
    const other = snapshot.uri !== model.snapshot.uri;
    // A value that the user moved and did not write stays, as long as it is the same recipe. One that was
    // written follows the text, also when the snapshot right after the edit was left out.
    const pending = !this.written && moved(model).length > 0;
    const keep = pending && !other;
    const parameters = keep ? model.parameters : givenBy(snapshot, model.parameters);
    this.page.update({ snapshot, parameters });
    this.request = Math.max(this.request, snapshot.view?.n ?? 0);
    if (other) {
      this.page.keep({ argument: snapshot.uri, pair: undefined, spectra: undefined });
      this.page.arrange({ selection: undefined, isolated: undefined, zoom: undefined });
      this.page.update({ kept: {} });
    } else if (snapshot.view) this.rearrange(model.snapshot.view === undefined);
    if (snapshot.view) this.keepMoved();
  }

  /** What was chosen is still there, or put away; the host of a new page is told of it. */
  private rearrange(restored: boolean): void {
    const { selection, zoom, snapshot, kept } = this.page.model;
    if (zoom && !fits(zoom, snapshot)) this.zoom(undefined);
    if (selection && !fits(selection, snapshot)) this.select(undefined);
    else if (selection && restored) this.select(selection);
    const { parameters, pair, spectra } = stillMissing(kept, snapshot);
    this.page.update({ kept: {} });
    if (parameters) this.move(parameters);
    if (pair) this.page.post({ type: 'showPair', pair });
    if (spectra !== undefined)
      this.page.post({ type: 'measureSpectra', range: spectra, known: true });
  }

  private view(waiting: HTMLElement | undefined): View {
    const { model } = this.page;
    if (!model.snapshot.view) return { cards: waiting ? [waiting] : [] };
    if (model.twin) {
      this.twin.draw(twins(model));
      return { cards: [this.twin.element] };
    }
    const { sliders, totals, layers, drawer, tensor, spectra } = this;
    const tracks = [layers.element, drawer.element, tensor.element, spectra.element];
    return {
      cards: [sliders.element, sliders.footer, totals, ...tracks],
      draw: () => {
        sliders.draw(model);
        this.keeps.draw(model, this);
        this.coverage.draw(model);
        this.pairs.draw(model);
        layers.draw(model);
        drawer.draw(model);
        tensor.draw(model);
        spectra.draw(model);
      },
    };
  }

  toggleTwin(): void {
    this.page.arrange({ twin: !this.page.model.twin });
  }

  setParameter(name: ParameterName, value: number): void {
    const { parameters } = this.page.model;
    this.written = false;
    if (name === 'lambda' && parameters.lambdas) this.scale(parameters, parameters.lambdas, value);
    else this.move({ ...parameters, [name]: value });
  }

  setLambda(task: string, value: number): void {
    const { parameters, snapshot } = this.page.model;
    const lambdas = { ...allLambdas(parameters, snapshot.recipe?.tasks ?? []), [task]: value };
    this.written = false;
    this.move({ ...parameters, lambda: meanLambda(lambdas), lambdas });
  }

  expandLambda(): void {
    this.page.arrange({ expanded: !this.page.model.expanded });
  }

  /** Every task's λ moves by the same factor. */
  private scale(parameters: MergeParameters, lambdas: Lambdas, value: number): void {
    const from = this.scaling?.to === lambdas ? this.scaling.from : lambdas;
    const to = scaledLambdas(from, value);
    this.scaling = { from, to };
    this.move({ ...parameters, lambda: value, lambdas: to });
  }

  writeRecipe(): void {
    const { model } = this.page;
    const { snapshot } = model;
    const values = moved(model).map((parameter) => valueToWrite(model, parameter));
    if (values.length === 0 || !snapshot.trusted) return;
    this.written = true;
    this.page.post({ type: 'writeRecipe', values });
  }

  resetParameters(): void {
    const saved = this.page.model.snapshot.recipe?.saved;
    if (saved) this.move(saved);
  }

  /** The handles are there at once; data follow when they are known. */
  private move(parameters: MergeParameters): void {
    this.request += 1;
    this.page.post({ type: 'setParameters', n: this.request, ...parameters });
    this.page.update({ parameters });
    this.keepMoved();
  }

  /** A value that is not in the recipe outlasts a reload, one that is follows the recipe. */
  private keepMoved(): void {
    const { model } = this.page;
    this.page.keep({ parameters: moved(model).length > 0 ? model.parameters : undefined });
  }

  isolate(task: number): void {
    this.page.arrange({ isolated: this.page.model.isolated === task ? undefined : task });
  }

  select(selection: Selection | undefined): void {
    const { snapshot } = this.page.model;
    const range = rangeOf(snapshot, selection);
    if (range) this.page.post({ type: 'select', ...range });
    this.page.arrange({ selection });
    this.page.update({ snapshot: withPart(snapshot, 'tensor', null) });
  }

  showSection(section: number): void {
    this.page.arrange({ section, zoom: undefined });
  }

  zoom(zoom: Selection | undefined): void {
    this.page.arrange({ zoom });
  }

  pin(task: number): void {
    const { pinned } = this.page.model;
    const kept = pinned.includes(task)
      ? pinned.filter((one) => one !== task)
      : [...pinned, task].slice(-markedTasks);
    this.page.arrange({ pinned: kept });
  }

  showPair(pair: readonly [number, number] | undefined): void {
    this.page.keep({ pair });
    this.page.post({ type: 'showPair', pair: pair ?? [] });
  }

  measureSpectra(range: SpectraRange): void {
    this.page.keep({ spectra: range });
    this.page.post({ type: 'measureSpectra', range, known: false });
  }

  showTensor(name: string): void {
    this.page.post({ type: 'showTensor', name });
  }

  copy(text: string): void {
    this.page.post({ type: 'copy', text });
  }

  exclude(glob: string): void {
    this.page.post({ type: 'exclude', glob });
  }

  reveal(target: 'scope' | 'method'): void {
    this.page.post({ type: 'reveal', target });
  }
}

/** The parameters that a snapshot is about. */
function givenBy({ view, recipe }: MaskSnapshot, before: MergeParameters): MergeParameters {
  return view?.parameters ?? recipe?.saved ?? before;
}

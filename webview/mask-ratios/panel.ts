import type {
  FromMaskPanel,
  MaskSnapshot,
  MergeParameters,
  ToMaskPanel,
} from '../../server/protocol/panels/mask-ratios';
import { button, select } from '../shared/components';
import { eachFrame, fill, h } from '../shared/dom';
import { exportMenu } from '../shared/export';
import type { HostLink } from '../shared/host';
import { icon } from '../shared/icons';
import { bannerStrip, phaseView } from '../shared/states';
import { onThemeChange, readTheme } from '../shared/theme';
import { LiveRegion, Tooltip } from '../shared/tooltip';
import { DrawerCard } from './drawer';
import { LayersCard } from './layers';
import type { MaskActions, MaskModel, Selection } from './model';
import { moved } from './model';
import { PairsCard } from './pairs';
import { Sliders } from './sliders';
import { figureFooter, recipeFacts, sourceChips, twinButton, untrusted } from './toolbar';
import { CoverageCard, KeepsCard } from './totals';
import { TwinCard, twinsAsCsv } from './twin';

const emptySnapshot: MaskSnapshot = {
  phase: { kind: 'loading', text: 'Reading the recipe' },
  banners: [],
  recipes: [],
  sections: [],
  curves: [],
  trusted: true,
};

/** The mask-ratio panel: keeps the model, draws its parts, and tells the host what the user does. */
export class MaskPanel implements MaskActions {
  private model: MaskModel = {
    snapshot: emptySnapshot,
    theme: readTheme(),
    parameters: { lambda: 0.6, alpha: 1, density: 1 },
    isolated: undefined,
    selection: undefined,
    section: -1,
    twin: false,
  };
  private link: HostLink<FromMaskPanel> | undefined;
  /** The values on the sliders were sent to the recipe and not moved since. */
  private written = false;
  private request = 0;
  private allBanners = false;
  private readonly tooltip = new Tooltip();
  private readonly live = new LiveRegion();
  private readonly toolbar = h('header', { class: 'toolbar' });
  private readonly banners = h('div', { class: 'banners' });
  private readonly main = h('main', { class: 'mask-panel' });
  private readonly sliders = new Sliders(this);
  private readonly keeps = new KeepsCard();
  private readonly coverage = new CoverageCard();
  private readonly pairs = new PairsCard(this.tooltip, (text) => {
    this.live.say(text);
  });
  private readonly layers = new LayersCard(this, { tooltip: this.tooltip, live: this.live });
  private readonly drawer = new DrawerCard(this);
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
  private readonly draw = eachFrame(() => {
    this.drawNow();
  });

  /** Builds the page and takes up what the user had arranged. */
  start(link: HostLink<FromMaskPanel>, state: Readonly<Record<string, unknown>>): void {
    this.link = link;
    this.model = {
      ...this.model,
      twin: state['twin'] === true,
      section: typeof state['section'] === 'number' ? state['section'] : -1,
      isolated: typeof state['isolated'] === 'number' ? state['isolated'] : undefined,
    };
    document.body.append(this.toolbar, this.banners, this.main, this.live.element);
    onThemeChange((theme) => {
      this.model = { ...this.model, theme };
      this.drawNow();
    });
    document.addEventListener('keydown', (event) => {
      const typing =
        event.target instanceof Element &&
        event.target.closest('input, textarea, vscode-single-select');
      if (event.key === 't' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey)
        this.toggleTwin();
    });
    this.draw();
  }

  receive(message: ToMaskPanel): void {
    const { snapshot } = this.model;
    switch (message.type) {
      case 'snapshot':
        this.takeSnapshot(message.snapshot);
        break;
      case 'view':
        // An older answer that was overtaken is not drawn over a newer one.
        if (snapshot.view && message.view.n < snapshot.view.n) return;
        this.model = { ...this.model, snapshot: { ...snapshot, view: message.view } };
        break;
      case 'curves': {
        const names = new Set(message.curves.map(({ parameter }) => parameter));
        const kept = snapshot.curves.filter(({ parameter }) => !names.has(parameter));
        this.model = {
          ...this.model,
          snapshot: { ...snapshot, curves: [...kept, ...message.curves] },
        };
        break;
      }
      case 'drawer':
        this.model = { ...this.model, snapshot: { ...snapshot, drawer: message.drawer } };
        break;
      case 'status':
        this.model = {
          ...this.model,
          snapshot: { ...snapshot, phase: message.phase, banners: message.banners },
        };
    }
    this.draw();
  }

  private takeSnapshot(snapshot: MaskSnapshot): void {
    const other = snapshot.uri !== this.model.snapshot.uri;
    // A value that the user moved and did not write stays, as long as it is the same recipe. One that was
    // written follows the text, also when the snapshot right after the edit was left out.
    const pending = !this.written && moved(this.model).length > 0;
    const keep = pending && !other;
    const forget = other ? { selection: undefined, isolated: undefined } : {};
    const parameters = keep ? this.model.parameters : givenBy(snapshot, this.model.parameters);
    this.model = { ...this.model, ...forget, snapshot, parameters };
    this.request = Math.max(this.request, snapshot.view?.n ?? 0);
  }

  private drawNow(): void {
    const { snapshot } = this.model;
    this.drawToolbar();
    fill(
      this.banners,
      ...bannerStrip(snapshot.banners, this.allBanners, (id) => {
        this.act(id);
      }),
    );
    const stale = snapshot.banners.some(({ level }) => level === 'stale');
    this.main.classList.toggle('is-stale', stale);
    const waiting = snapshot.view
      ? undefined
      : phaseView(snapshot.phase, (id) => {
          this.act(id);
        });
    if (waiting || !snapshot.view) {
      fill(this.main, waiting);
      return;
    }
    if (this.model.twin) {
      this.twin.draw(this.model);
      this.place([this.twin.element]);
      return;
    }
    this.place([
      this.sliders.element,
      this.sliders.footer,
      this.totals,
      this.layers.element,
      this.drawer.element,
    ]);
    this.sliders.draw(this.model);
    this.keeps.draw(this.model, this);
    this.coverage.draw(this.model);
    this.pairs.draw(this.model);
    this.layers.draw(this.model);
    this.drawer.draw(this.model);
  }

  /** Puts cards into the page once: taking them out would lose focus and scroll. */
  private place(cards: readonly HTMLElement[]): void {
    if (
      cards.length === this.main.children.length &&
      cards.every((card, i) => this.main.children[i] === card)
    )
      return;
    fill(this.main, ...cards);
  }

  private drawToolbar(): void {
    const { snapshot, twin } = this.model;
    fill(
      this.toolbar,
      select(
        'Recipe',
        snapshot.recipes.map(({ uri, label }) => ({ value: uri, label })),
        snapshot.uri ?? '',
        (uri) => {
          this.link?.post({ type: 'selectRecipe', uri });
        },
      ),
      h('span', { class: 'secondary facts' }, recipeFacts(this.model)),
      h(
        'span',
        { class: 'end' },
        ...sourceChips(this.model),
        twinButton(twin, () => {
          this.toggleTwin();
        }),
        exportMenu(
          {
            name: `mask-ratios-${snapshot.recipe?.name ?? ''}`,
            cards: () => this.main,
            csv: () => twinsAsCsv(this.model),
            footer: () => figureFooter(this.model),
          },
          (message) => {
            this.link?.post(message);
          },
        ),
        button(
          'Compute exactly',
          { disabled: !snapshot.trusted, ...(snapshot.trusted ? {} : { title: untrusted }) },
          () => {
            this.link?.post({ type: 'computeExactly' });
          },
          icon('play'),
        ),
      ),
    );
  }

  private toggleTwin(): void {
    this.model = { ...this.model, twin: !this.model.twin };
    this.link?.keep({ twin: this.model.twin });
    this.draw();
  }

  setParameter(name: keyof MergeParameters, value: number): void {
    this.written = false;
    this.model = { ...this.model, parameters: { ...this.model.parameters, [name]: value } };
    this.request += 1;
    this.link?.post({ type: 'setParameters', n: this.request, ...this.model.parameters });
  }

  writeRecipe(): void {
    const values = moved(this.model).map((parameter) => ({
      parameter,
      value: this.model.parameters[parameter],
    }));
    if (values.length === 0 || !this.model.snapshot.trusted) return;
    this.written = true;
    this.link?.post({ type: 'writeRecipe', values });
  }

  resetParameters(): void {
    const saved = this.model.snapshot.recipe?.saved;
    if (!saved) return;
    this.model = { ...this.model, parameters: saved };
    this.request += 1;
    this.link?.post({ type: 'setParameters', n: this.request, ...saved });
    this.draw();
  }

  isolate(task: number): void {
    const isolated = this.model.isolated === task ? undefined : task;
    this.model = { ...this.model, isolated };
    this.link?.keep({ isolated });
    this.draw();
  }

  select(selection: Selection | undefined): void {
    this.model = { ...this.model, selection };
    const section = this.model.snapshot.sections[selection?.section ?? -1];
    if (selection && section)
      this.link?.post({
        type: 'select',
        component: section.component,
        from: section.blocks[selection.from]?.block ?? null,
        to: section.blocks[selection.to]?.block ?? null,
      });
    this.draw();
  }

  showSection(section: number): void {
    this.model = { ...this.model, section };
    this.link?.keep({ section });
    this.draw();
  }

  act(id: string): void {
    if (id === 'banners') this.allBanners = !this.allBanners;
    else if (id === 'stop') this.link?.post({ type: 'stop' });
    else this.link?.post({ type: 'action', id });
    this.draw();
  }

  copy(text: string): void {
    this.link?.post({ type: 'copy', text });
  }

  exclude(glob: string): void {
    this.link?.post({ type: 'exclude', glob });
  }

  reveal(target: 'scope' | 'method'): void {
    this.link?.post({ type: 'reveal', target });
  }
}

/** The parameters that a snapshot is about. */
function givenBy({ view, recipe }: MaskSnapshot, before: MergeParameters): MergeParameters {
  return view?.parameters ?? recipe?.saved ?? before;
}

import type { RoutingSnapshot, ToRoutingPanel } from '../../server/protocol/panels/routing';
import { isToRoutingPanel } from '../../server/protocol/panels/routing';
import type { Pairing } from '../../server/protocol/routing';
import { h } from '../shared/dom';
import type { View } from '../shared/page';
import { Page } from '../shared/page';
import { TwinCard } from '../shared/twin';
import { ConfusionCard } from './confusion';
import { InputsCard } from './inputs';
import { MarginsCard } from './margins';
import type { EpisodeFilter, RoutingActions, RoutingPage } from './model';
import { PairingCards } from './pairings';
import { PatchesCard } from './patches';
import { Toolbar } from './toolbar';
import { routingTwins } from './twin';
import { WrongCard } from './wrong';

const emptySnapshot: RoutingSnapshot = {
  phase: { kind: 'loading', text: 'Reading the run' },
  banners: [],
  runs: [],
  tasks: [],
  source: 'images',
  given: { images: [], instruction: '', proprio: '' },
  frames: [],
  pairing: 'same',
  trusted: true,
};

/** The routing panel: one observation in detail above, many episodes below. */
export class RoutingPanel implements RoutingActions {
  private readonly page: RoutingPage = new Page({
    className: 'routing-panel',
    guard: isToRoutingPanel,
    model: (theme, { opacity, margins, twin }) => ({
      snapshot: emptySnapshot,
      theme,
      candidate: undefined,
      opacity: typeof opacity === 'number' ? opacity : 0.5,
      margins: margins === 'crossed' ? 'crossed' : 'same',
      twin: twin === true,
      filter: undefined,
    }),
    receive: (message) => {
      this.receive(message);
    },
    toolbar: () => this.toolbar.draw(),
    view: (waiting) => this.view(waiting),
  });
  private readonly toolbar = new Toolbar(this.page, this);
  private readonly inputs = new InputsCard(this);
  private readonly patches = new PatchesCard(this, this.page);
  private readonly pairings = new PairingCards();
  private readonly same = new ConfusionCard('same', this, this.page);
  private readonly crossed = new ConfusionCard('crossed', this, this.page);
  private readonly margins = new MarginsCard(this, this.page);
  private readonly wrong = new WrongCard(this);
  private readonly twin = new TwinCard((text) => {
    this.copy(text);
  });
  private readonly observation = h(
    'div',
    { class: 'row observation' },
    this.patches.element,
    this.pairings.element,
  );
  private readonly set = h(
    'div',
    { class: 'row episode-set' },
    this.same.element,
    this.crossed.element,
    this.margins.element,
  );

  constructor() {
    document.addEventListener('keydown', (event) => {
      this.keydown(event);
    });
  }

  private receive(message: ToRoutingPanel): void {
    const { snapshot, candidate, filter } = this.page.model;
    switch (message.type) {
      case 'snapshot': {
        const next = message.snapshot;
        // What was chosen belongs to the answer and the run that it was chosen in.
        const isSame =
          JSON.stringify(next.answer?.scores) === JSON.stringify(snapshot.answer?.scores);
        const isSameRun = next.run === snapshot.run;
        this.page.update({
          snapshot: next,
          candidate: isSame ? candidate : undefined,
          filter: isSameRun ? filter : undefined,
        });
        return;
      }
      case 'picture':
        void this.inputs.receive(message.id, message.content);
        return;
      case 'status':
        this.page.update({
          snapshot: { ...snapshot, phase: message.phase, banners: message.banners },
        });
    }
  }

  private view(waiting: HTMLElement | undefined): View {
    const { model } = this.page;
    const { snapshot, twin } = model;
    const hasAnswer = snapshot.answer?.detail !== undefined;
    const hasSet = (snapshot.same ?? snapshot.crossed) !== undefined;
    const isEmpty = snapshot.phase.kind === 'empty';
    this.inputs.draw(model);
    const above = [...(isEmpty ? [] : [this.inputs.element]), ...(waiting ? [waiting] : [])];
    if (twin && (hasAnswer || hasSet)) {
      this.twin.draw(routingTwins(model));
      return { cards: [...above, this.twin.element] };
    }
    this.observation.classList.toggle('is-busy', snapshot.busy !== undefined);
    return {
      cards: [
        ...above,
        ...(hasAnswer ? [this.observation] : []),
        ...(hasSet ? [this.set, this.wrong.element] : []),
      ],
      draw: () => {
        this.patches.draw(model);
        this.pairings.draw(model);
        this.same.draw(model);
        this.crossed.draw(model);
        this.margins.draw(model);
        this.wrong.draw(model);
      },
    };
  }

  /** The next or previous observation, where there are several. */
  step(by: 1 | -1): void {
    const { frames, frame } = this.page.model.snapshot;
    const next = frames[frames.findIndex(({ id }) => id === frame) + by];
    if (next) this.openEpisode(next.id);
  }

  private keydown(event: KeyboardEvent): void {
    const inside = (selector: string) =>
      event.target instanceof Element && event.target.closest(selector) !== null;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (inside('input[type="text"], vscode-single-select')) return;
    const key = event.key.toLowerCase();
    // Charts, tables and sliders have arrows of their own.
    if (key.startsWith('arrow') && inside('input, svg, canvas, [role="grid"], [role="radiogroup"]'))
      return;
    const actions: Readonly<Record<string, () => void>> = {
      t: () => {
        this.toggleTwin();
      },
      v: () => {
        this.choose(-1);
      },
      arrowleft: () => {
        this.step(-1);
      },
      arrowright: () => {
        this.step(1);
      },
      ...Object.fromEntries(
        this.page.model.snapshot.tasks.slice(0, 9).map((_, i) => [
          String(i + 1),
          () => {
            this.choose(i);
          },
        ]),
      ),
    };
    const action = actions[key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  toggleTwin(): void {
    this.page.arrange({ twin: !this.page.model.twin });
  }

  setFilter(filter: EpisodeFilter | undefined): void {
    this.page.update({ filter });
  }

  route(): void {
    this.page.post({ type: 'route' });
  }

  act(id: string): void {
    this.page.act(id);
  }

  addPictures(pictures: readonly { readonly name: string; readonly content: string }[]): void {
    this.page.post({ type: 'addPictures', pictures });
  }

  addFiles(uris: readonly string[]): void {
    this.page.post({ type: 'addFiles', uris });
  }

  pickPictures(): void {
    this.page.post({ type: 'pickPictures' });
  }

  pickDataset(): void {
    this.page.post({ type: 'pickDataset' });
  }

  wantPicture(id: string): void {
    this.page.post({ type: 'wantPicture', id });
  }

  setObservation(images: readonly string[], instruction: string, proprio: string): void {
    const { snapshot } = this.page.model;
    const kept = images.flatMap((id) => snapshot.given.images.find((one) => one.id === id) ?? []);
    this.page.update({
      snapshot: { ...snapshot, given: { images: kept, instruction, proprio } },
    });
    this.page.post({ type: 'setObservation', images, instruction, proprio });
  }

  choose(candidate: number): void {
    this.page.update({ candidate });
  }

  setOpacity(opacity: number): void {
    this.page.arrange({ opacity });
  }

  setMargins(margins: Pairing): void {
    this.page.arrange({ margins });
  }

  openEpisode(id: string): void {
    this.page.post({ type: 'selectFrame', id });
  }

  replay(id: string): void {
    this.page.post({ type: 'replay', id });
  }

  showEpisodes(): void {
    this.page.post({ type: 'showEpisodes' });
  }

  copy(text: string): void {
    this.page.post({ type: 'copy', text });
  }
}

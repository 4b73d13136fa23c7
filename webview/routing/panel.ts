import type {
  FromRoutingPanel,
  RoutingSnapshot,
  ToRoutingPanel,
} from '../../server/protocol/panels/routing';
import { isToRoutingPanel } from '../../server/protocol/panels/routing';
import type { Pairing } from '../../server/protocol/routing';
import { button, segments, select } from '../shared/components';
import { fill, h } from '../shared/dom';
import { exportMenu } from '../shared/export';
import { icon } from '../shared/icons';
import type { View } from '../shared/page';
import { Page } from '../shared/page';
import { confusionCard, MarginsCard } from './episodes';
import type { RoutingActions, RoutingModel } from './model';
import { PairingCards } from './pairings';
import { PatchesCard } from './patches';
import { routingCsv } from './twin';
import { WrongCard } from './wrong';

const emptySnapshot: RoutingSnapshot = {
  phase: { kind: 'loading', text: 'Reading the run' },
  banners: [],
  runs: [],
  tasks: [],
  source: 'images',
  frames: [],
  pairing: 'same',
  trusted: true,
};

/** The routing panel: one observation in detail above, many episodes below. */
export class RoutingPanel implements RoutingActions {
  private readonly page = new Page<RoutingModel, ToRoutingPanel, FromRoutingPanel>({
    className: 'routing-panel',
    guard: isToRoutingPanel,
    model: (theme, { opacity, margins }) => ({
      snapshot: emptySnapshot,
      theme,
      candidate: undefined,
      opacity: typeof opacity === 'number' ? opacity : 0.5,
      margins: margins === 'crossed' ? 'crossed' : 'same',
    }),
    receive: (message) => {
      this.receive(message);
    },
    toolbar: () => this.toolbar(),
    view: (waiting) => this.view(waiting),
  });
  private readonly patches = new PatchesCard(this, this.page);
  private readonly pairings = new PairingCards();
  private readonly margins = new MarginsCard(this);
  private readonly wrong = new WrongCard(this);
  private readonly observation = h(
    'div',
    { class: 'row observation' },
    this.patches.element,
    this.pairings.element,
  );
  private readonly set = h('div', { class: 'row episode-set' });

  constructor() {
    document.addEventListener('keydown', (event) => {
      this.keydown(event);
    });
  }

  private receive(message: ToRoutingPanel): void {
    const { snapshot } = this.page.model;
    switch (message.type) {
      case 'snapshot':
        this.page.update({ snapshot: message.snapshot });
        return;
      case 'answer':
        this.page.update({
          candidate: undefined,
          snapshot: {
            ...snapshot,
            answer: message.answer,
            ...(message.frame === undefined ? {} : { frame: message.frame }),
          },
        });
        return;
      case 'status':
        this.page.update({
          snapshot: { ...snapshot, phase: message.phase, banners: message.banners },
        });
    }
  }

  private view(waiting: HTMLElement | undefined): View {
    const { model } = this.page;
    const { snapshot } = model;
    this.observation.hidden = !snapshot.answer?.detail;
    this.set.hidden = !(snapshot.same ?? snapshot.crossed);
    return {
      cards: [...(waiting ? [waiting] : []), this.observation, this.set, this.wrong.element],
      draw: () => {
        this.patches.draw(model);
        this.pairings.draw(model);
        fill(
          this.set,
          confusionCard(model, 'same'),
          confusionCard(model, 'crossed'),
          this.margins.element,
        );
        this.margins.draw(model);
        this.wrong.draw(model);
      },
    };
  }

  private toolbar(): readonly Node[] {
    const { snapshot } = this.page.model;
    return [
      select(
        'Run',
        snapshot.runs.map(({ id, label }) => ({ value: id, label })),
        snapshot.run ?? '',
        (id) => {
          this.page.post({ type: 'selectRun', id });
        },
      ),
      segments(
        'Source',
        [
          { value: 'images', label: 'Images' },
          { value: 'frame', label: 'Dataset frame' },
          { value: 'episode', label: 'Recorded episode' },
        ],
        snapshot.source,
        (value) => {
          const source = value === 'frame' || value === 'episode' ? value : 'images';
          this.page.post({ type: 'setSource', source });
        },
      ),
      ...this.frameChoice(),
      h(
        'span',
        { class: 'end' },
        this.timing(),
        this.exports(),
        button(
          'Route',
          {
            primary: true,
            disabled: !snapshot.trusted,
            ...(snapshot.trusted ? {} : { title: 'The workspace is not trusted' }),
          },
          () => {
            this.page.post({ type: 'route' });
          },
          icon('play'),
        ),
      ),
    ];
  }

  private frameChoice(): HTMLElement[] {
    const { frames, frame } = this.page.model.snapshot;
    if (frames.length === 0) return [];
    const step = (by: 1 | -1, title: string) =>
      h(
        'button',
        {
          class: 'plain',
          type: 'button',
          title,
          'aria-label': title,
          click: () => {
            this.step(by);
          },
        },
        icon(by < 0 ? 'left' : 'right'),
      );
    return [
      select(
        'Observation',
        frames.map(({ id, label }) => ({ value: id, label })),
        frame ?? '',
        (id) => {
          this.openEpisode(id);
        },
      ),
      step(-1, 'Previous observation (←)'),
      step(1, 'Next observation (→)'),
    ];
  }

  private timing(): HTMLElement | null {
    const { answer, tasks } = this.page.model.snapshot;
    if (!answer) return null;
    const precision = answer.detail ? ` · ${answer.detail.precision}` : '';
    return h(
      'span',
      { class: 'chip' },
      icon('check'),
      `${answer.device}${precision} · ${String(tasks.length)} candidates in ${answer.seconds.toFixed(2)} s`,
    );
  }

  private exports(): HTMLElement {
    return exportMenu(
      {
        name: 'routing',
        cards: () => this.page.main,
        csv: () => routingCsv(this.page.model),
        footer: () =>
          `${this.page.model.snapshot.run ?? ''} · ${this.page.model.snapshot.pairing} pairing · ${new Date().toISOString().slice(0, 10)}`,
      },
      this.page.post,
    );
  }

  private step(by: 1 | -1): void {
    const { frames, frame } = this.page.model.snapshot;
    const next = frames[frames.findIndex(({ id }) => id === frame) + by];
    if (next) this.openEpisode(next.id);
  }

  private keydown(event: KeyboardEvent): void {
    const busy =
      event.target instanceof Element &&
      event.target.closest(
        'input, vscode-single-select, [role="grid"], [role="radiogroup"], canvas',
      );
    if (busy || event.ctrlKey || event.metaKey) return;
    if (event.key === 'ArrowLeft') this.step(-1);
    else if (event.key === 'ArrowRight') this.step(1);
    else if (event.key.toLowerCase() === 'v') this.choose(-1);
    else if (
      /^[1-9]$/.test(event.key) &&
      Number(event.key) <= this.page.model.snapshot.tasks.length
    )
      this.choose(Number(event.key) - 1);
    else return;
    event.preventDefault();
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

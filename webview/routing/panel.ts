import type {
  FromRoutingPanel,
  RoutingSnapshot,
  ToRoutingPanel,
} from '../../server/protocol/panels/routing';
import type { Pairing } from '../../server/protocol/routing';
import { button, segments, select } from '../shared/components';
import { eachFrame, fill, h } from '../shared/dom';
import { exportMenu } from '../shared/export';
import type { HostLink } from '../shared/host';
import { icon } from '../shared/icons';
import { bannerStrip, phaseView } from '../shared/states';
import { onThemeChange, readTheme } from '../shared/theme';
import { LiveRegion, Tooltip } from '../shared/tooltip';
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
  private model: RoutingModel = {
    snapshot: emptySnapshot,
    theme: readTheme(),
    candidate: undefined,
    opacity: 0.5,
    margins: 'same',
  };
  private link: HostLink<FromRoutingPanel> | undefined;
  private allBanners = false;
  private readonly tooltip = new Tooltip();
  private readonly live = new LiveRegion();
  private readonly toolbar = h('header', { class: 'toolbar' });
  private readonly banners = h('div', { class: 'banners' });
  private readonly main = h('main', { class: 'routing-panel' });
  private readonly patches = new PatchesCard(this, { tooltip: this.tooltip, live: this.live });
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
  private readonly draw = eachFrame(() => {
    this.drawNow();
  });

  start(link: HostLink<FromRoutingPanel>): void {
    this.link = link;
    const { opacity, margins } = link.state;
    this.model = {
      ...this.model,
      opacity: typeof opacity === 'number' ? opacity : 0.5,
      margins: margins === 'crossed' ? 'crossed' : 'same',
    };
    document.body.append(this.toolbar, this.banners, this.main, this.live.element);
    onThemeChange((theme) => {
      this.model = { ...this.model, theme };
      this.drawNow();
    });
    document.addEventListener('keydown', (event) => {
      this.keydown(event);
    });
    this.draw();
  }

  receive(message: ToRoutingPanel): void {
    const { snapshot } = this.model;
    switch (message.type) {
      case 'snapshot':
        this.model = { ...this.model, snapshot: message.snapshot };
        break;
      case 'answer':
        this.model = {
          ...this.model,
          candidate: undefined,
          snapshot: {
            ...snapshot,
            answer: message.answer,
            ...(message.frame === undefined ? {} : { frame: message.frame }),
          },
        };
        break;
      case 'status':
        this.model = {
          ...this.model,
          snapshot: { ...snapshot, phase: message.phase, banners: message.banners },
        };
    }
    this.draw();
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
    const waiting = phaseView(snapshot.phase, (id) => {
      this.act(id);
    });
    const detail = snapshot.answer?.detail;
    this.observation.hidden = !detail;
    const sets = snapshot.same ?? snapshot.crossed;
    this.set.hidden = !sets;
    fill(this.main, waiting, this.observation, this.set, this.wrong.element);
    this.patches.draw(this.model);
    this.pairings.draw(this.model);
    fill(
      this.set,
      confusionCard(this.model, 'same'),
      confusionCard(this.model, 'crossed'),
      this.margins.element,
    );
    this.margins.draw(this.model);
    this.wrong.draw(this.model);
  }

  private drawToolbar(): void {
    const { snapshot } = this.model;
    fill(
      this.toolbar,
      select(
        'Run',
        snapshot.runs.map(({ id, label }) => ({ value: id, label })),
        snapshot.run ?? '',
        (id) => {
          this.link?.post({ type: 'selectRun', id });
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
          this.link?.post({ type: 'setSource', source });
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
            this.link?.post({ type: 'route' });
          },
          icon('play'),
        ),
      ),
    );
  }

  private frameChoice(): HTMLElement[] {
    const { frames, frame } = this.model.snapshot;
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
    const { answer, tasks } = this.model.snapshot;
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
        cards: () => this.main,
        csv: () => routingCsv(this.model),
        footer: () =>
          `${this.model.snapshot.run ?? ''} · ${this.model.snapshot.pairing} pairing · ${new Date().toISOString().slice(0, 10)}`,
      },
      (message) => {
        this.link?.post(message);
      },
    );
  }

  private step(by: 1 | -1): void {
    const { frames, frame } = this.model.snapshot;
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
    else if (/^[1-9]$/.test(event.key) && Number(event.key) <= this.model.snapshot.tasks.length)
      this.choose(Number(event.key) - 1);
    else return;
    event.preventDefault();
  }

  choose(candidate: number): void {
    this.model = { ...this.model, candidate };
    this.draw();
  }

  setOpacity(opacity: number): void {
    this.model = { ...this.model, opacity };
    this.link?.keep({ opacity });
    this.draw();
  }

  setMargins(margins: Pairing): void {
    this.model = { ...this.model, margins };
    this.link?.keep({ margins });
    this.draw();
  }

  openEpisode(id: string): void {
    this.link?.post({ type: 'selectFrame', id });
  }

  replay(id: string): void {
    this.link?.post({ type: 'replay', id });
  }

  showEpisodes(): void {
    this.link?.post({ type: 'showEpisodes' });
  }

  copy(text: string): void {
    this.link?.post({ type: 'copy', text });
  }

  private act(id: string): void {
    if (id === 'banners') this.allBanners = !this.allBanners;
    else this.link?.post({ type: 'action', id });
    this.draw();
  }
}

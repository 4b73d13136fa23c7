import type { Banner, CommonFromPanel, Phase, Revised } from '../../server/protocol/panels/shared';
import type { Guard } from '../../server/protocol/shape';
import { eachFrame, fill, h } from './dom';
import type { HostLink } from './host';
import { connect } from './host';
import { bannerStrip, phaseView } from './states';
import { inLightTheme } from './light';
import type { Theme } from './theme';
import { onThemeChange, readTheme } from './theme';
import { LiveRegion, Tooltip } from './tooltip';

/** What every panel shows: the host's data and what the user arranged, in the editor's colours. */
export interface PanelModel {
  readonly snapshot: { readonly phase: Phase; readonly banners: readonly Banner[] };
  readonly theme: Theme;
}

/** Cards in their order, and what fills them once they are in the page and have a size. */
export interface View {
  readonly cards: readonly HTMLElement[];
  readonly draw?: () => void;
}

/** A message of the panel's own, or one that every panel can send. */
interface Message {
  readonly type: string;
}

export interface PageOptions<Model extends PanelModel, To> {
  readonly className: string;
  readonly guard: Guard<To>;
  /** The model before the first message, from what was kept of an earlier page. */
  readonly model: (theme: Theme, kept: Readonly<Record<string, unknown>>) => Model;
  readonly receive: (message: To) => void;
  readonly toolbar: () => readonly Node[];
  /** `waiting` stands for the cards while there is nothing to show. */
  readonly view: (waiting: HTMLElement | undefined) => View;
}

/** The frame of every panel: its line to the host, its model, and toolbar, banners and cards around it. */
export class Page<Model extends PanelModel, To extends Revised & Message, From extends Message> {
  readonly tooltip = new Tooltip();
  readonly live = new LiveRegion();
  readonly main: HTMLElement;
  private readonly toolbar = h('header', { class: 'toolbar' });
  private readonly banners = h('div', { class: 'banners' });
  private readonly link: HostLink<From | CommonFromPanel>;
  private allBanners = false;
  private current: Model;
  /** Draws before the next frame. */
  readonly draw = eachFrame(() => {
    this.drawNow();
  });

  constructor(private readonly options: PageOptions<Model, To>) {
    this.main = h('main', { class: options.className });
    this.link = connect<To, From | CommonFromPanel>({
      guard: options.guard,
      receive: (message) => {
        options.receive(message);
        this.draw();
      },
    });
    this.current = options.model(readTheme(), this.link.state);
    document.body.append(this.toolbar, this.banners, this.main, this.live.element);
    onThemeChange((theme) => {
      this.current = { ...this.current, theme };
      this.drawNow();
    });
    this.draw();
  }

  get model(): Model {
    return this.current;
  }

  /** Changes the model and draws it. */
  update(part: Partial<Model>): void {
    this.current = { ...this.current, ...part };
    this.draw();
  }

  /** The same for what the user arranged, which a reload and a hidden page keep. */
  arrange(part: Partial<Model>): void {
    this.link.keep(part);
    this.update(part);
  }

  /** What `make` makes of the page in the colours of the light theme; the screen shows nothing of it. */
  readonly inLight = <T>(make: () => T): T =>
    inLightTheme((theme) => {
      this.current = { ...this.current, theme };
      this.drawNow();
    }, make);

  /** What is not drawn but found again after a reload. */
  keep(part: Readonly<Record<string, unknown>>): void {
    this.link.keep(part);
  }

  readonly post = (message: From | CommonFromPanel): void => {
    this.link.post(message);
  };

  /** An action that the host offered by its name. */
  readonly act = (id: string): void => {
    if (id === 'banners') this.allBanners = !this.allBanners;
    else this.post({ type: 'action', id });
    this.draw();
  };

  private drawNow(): void {
    const { phase, banners } = this.current.snapshot;
    fill(this.toolbar, ...this.options.toolbar());
    fill(this.banners, ...bannerStrip(banners, this.allBanners, this.act));
    this.main.classList.toggle(
      'is-stale',
      banners.some(({ level }) => level === 'stale'),
    );
    const { cards, draw } = this.options.view(phaseView(phase, this.act));
    fill(this.main, ...cards);
    draw?.();
  }
}

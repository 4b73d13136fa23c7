import type {
  FromSuccessPanel,
  SuccessSnapshot,
  ToSuccessPanel,
} from '../../server/protocol/panels/success-rates';
import { isToSuccessPanel } from '../../server/protocol/panels/success-rates-guards';
import { segments } from '../shared/components';
import { fill, h } from '../shared/dom';
import type { View } from '../shared/page';
import { Page } from '../shared/page';
import { TwinCard } from '../shared/twin';
import { ConditionsCard } from './conditions';
import { EpisodesCard } from './episodes';
import type { EpisodeFilter, SuccessActions, SuccessModel } from './model';
import { firstModel, received } from './model';
import { ReplayCard } from './replay';
import { StudiesRow } from './studies';
import { RatesCard } from './table';
import { successToolbar } from './toolbar';
import { TrialCard } from './trials';
import { successTwins } from './twin';

/** The success-rate panel: table, comparison, episodes, replay, studies, and the form for trials. */
export class SuccessPanel implements SuccessActions {
  private readonly page = new Page<SuccessModel, ToSuccessPanel, FromSuccessPanel>({
    className: 'success-panel',
    guard: isToSuccessPanel,
    model: firstModel,
    receive: (message) => {
      this.receive(message);
    },
    toolbar: () => this.toolbar(),
    view: (waiting) => this.view(waiting),
  });
  private readonly conditions = new ConditionsCard();
  private readonly rates = new RatesCard(this, this.page);
  private readonly episodes = new EpisodesCard(this);
  private readonly replay = new ReplayCard({
    next: (step) => {
      this.playNext(step);
    },
    toggleJoints: () => {
      this.page.arrange({ joints: !this.page.model.joints });
    },
    post: this.page.post,
    live: this.page.live,
    inLight: this.page.inLight,
  });
  private readonly studies = new StudiesRow(this, this.page);
  private readonly trials = new TrialCard(this.page.post, this.page.live);
  private readonly twin = new TwinCard((text) => {
    this.copy(text);
  });
  private readonly detail = h(
    'div',
    { class: 'row detail' },
    this.episodes.element,
    this.replay.element,
  );
  private compared = false;
  /** The host opened a cell, whose episodes may stand outside of what is seen. */
  private opened = false;
  private readonly switchRow = h('div', { class: 'above-table' });

  constructor() {
    document.addEventListener('keydown', ({ key, ctrlKey, metaKey, altKey, target }) => {
      const typing = target instanceof Element && target.closest('vscode-single-select');
      if (key.toLowerCase() !== 't' || ctrlKey || metaKey || altKey || typing) return;
      const { twin, snapshot } = this.page.model;
      if (!snapshot.trials) this.page.arrange({ twin: !twin });
    });
  }

  private receive(message: ToSuccessPanel): void {
    const { cell } = this.page.model;
    this.page.update(received(this.page.model, message));
    if (message.type !== 'snapshot' && message.type !== 'episodes') return;
    const { snapshot } = this.page.model;
    this.opened = snapshot.episodes !== undefined && snapshot.episodes.row !== cell?.row;
    this.compareAgain(snapshot);
  }

  /** The host forgets what was selected when the page is loaded again. */
  private compareAgain({ comparison, table }: SuccessSnapshot): void {
    const rows = this.page.model.selectedRows;
    if (rows.length > 1 && !comparison && table && !this.compared)
      this.page.post({ type: 'compare', rows });
    this.compared = true;
  }

  private toolbar(): readonly Node[] {
    return successToolbar(this.page.model, {
      post: this.page.post,
      arrange: (part) => {
        this.page.arrange(part);
      },
      page: this.page,
    });
  }

  private view(waiting: HTMLElement | undefined): View {
    const { model } = this.page;
    const { snapshot } = model;
    const { trials } = snapshot;
    if (trials)
      return {
        cards: [this.trials.element],
        draw: () => {
          this.trials.draw(trials);
        },
      };
    const before = waiting ? [waiting] : [];
    if (!snapshot.table) return { cards: before };
    const { conditions, rates, studies, twin, detail } = this;
    detail.hidden = model.cell === undefined;
    const charts = model.twin ? [twin.element, detail] : [rates.element, detail, studies.element];
    const open = model.reporting ? [conditions.element] : [];
    return {
      cards: [...before, ...open, this.above(), ...charts],
      draw: () => {
        conditions.draw(model);
        if (model.twin) twin.draw(successTwins(model));
        else {
          rates.draw(model);
          studies.draw(model);
        }
        this.episodes.draw(model);
        this.replay.draw(model);
        if (this.opened) detail.scrollIntoView({ block: 'nearest' });
        this.opened = false;
      },
    };
  }

  /** The view switch, where there is a cross matrix to switch to. */
  private above(): HTMLElement {
    const { snapshot, view } = this.page.model;
    this.switchRow.hidden = !snapshot.cross;
    fill(
      this.switchRow,
      segments(
        'View',
        [
          { value: 'policies', label: 'Policies' },
          { value: 'cross', label: 'Cross' },
        ],
        view,
        (value) => {
          this.page.arrange({ view: value === 'cross' ? 'cross' : 'policies' });
        },
      ),
    );
    return this.switchRow;
  }

  openCell(row: string, task: string): void {
    this.page.post({ type: 'openCell', row, task });
    this.page.update({ cell: { row, task }, replayed: undefined });
  }

  closeCell(): void {
    this.page.post({ type: 'closeCell' });
    this.page.update({ cell: undefined, replayed: undefined });
  }

  selectRows(rows: readonly string[]): void {
    this.page.post({ type: 'compare', rows });
    this.page.arrange({ selectedRows: rows });
  }

  setFilter(filter: EpisodeFilter): void {
    this.page.arrange({ filter });
  }

  play(id: string): void {
    this.page.post({ type: 'replay', id });
    this.page.update({ replayed: { ...this.page.model.replayed, id } });
  }

  private playNext(step: 1 | -1): void {
    const next = this.episodes.besideOf(this.page.model.replayed?.id, step);
    if (next !== undefined) this.play(next);
  }

  copy(text: string): void {
    this.page.post({ type: 'copy', text });
  }

  openRun(id: string): void {
    this.page.post({ type: 'openRun', id });
  }
}

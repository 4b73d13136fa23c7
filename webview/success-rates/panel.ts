import type {
  Comparison,
  FromSuccessPanel,
  IntervalName,
  RateTable,
  SuccessSnapshot,
  ToSuccessPanel,
} from '../../server/protocol/panels/success-rates';
import { toLatex, toMarkdown } from '../../server/evaluate/rates/write';
import { button, segments, select } from '../shared/components';
import { eachFrame, fill, h } from '../shared/dom';
import { exportMenu, type ExportSource } from '../shared/export';
import type { HostLink } from '../shared/host';
import { icon } from '../shared/icons';
import { bannerStrip, phaseView } from '../shared/states';
import { onThemeChange, readTheme } from '../shared/theme';
import { LiveRegion, Tooltip } from '../shared/tooltip';
import { EpisodesCard } from './episodes';
import type { EpisodeFilter, SuccessActions, SuccessModel } from './model';
import { intervalNames } from './model';
import { ReplayCard } from './replay';
import { StudiesRow } from './studies';
import { RatesCard } from './table';
import { TrialCard } from './trials';

const emptySnapshot: SuccessSnapshot = {
  phase: { kind: 'loading', text: 'Reading the runs' },
  banners: [],
  runs: [],
  papers: [],
  interval: 'wilson',
  studies: [],
  trusted: true,
};

/** Text forms of the whole table, while there is one. */
function textsOf(table: RateTable | undefined): NonNullable<ExportSource['texts']> {
  return table ? { md: () => toMarkdown(table), tex: () => toLatex(table) } : {};
}

/** The success-rate panel: table, comparison, episodes, replay, studies, and the form for trials. */
export class SuccessPanel implements SuccessActions {
  private model: SuccessModel = {
    snapshot: emptySnapshot,
    theme: readTheme(),
    view: 'policies',
    twin: false,
    selectedRows: [],
    cell: undefined,
    filter: 'all',
    replay: undefined,
    replayed: undefined,
    noReplay: undefined,
  };
  private link: HostLink<FromSuccessPanel> | undefined;
  private allBanners = false;
  private readonly tooltip = new Tooltip();
  private readonly live = new LiveRegion();
  private readonly toolbar = h('header', { class: 'toolbar' });
  private readonly banners = h('div', { class: 'banners' });
  private readonly main = h('main', { class: 'success-panel' });
  private readonly rates = new RatesCard(this, { tooltip: this.tooltip, live: this.live });
  private readonly episodes = new EpisodesCard(this);
  private readonly replay = new ReplayCard({
    next: (step) => {
      this.playNext(step);
    },
    live: this.live,
  });
  private readonly studies = new StudiesRow(this);
  private readonly trials = new TrialCard((message) => {
    this.link?.post(message);
  }, this.live);
  private readonly detail = h(
    'div',
    { class: 'row detail' },
    this.episodes.element,
    this.replay.element,
  );
  private readonly draw = eachFrame(() => {
    this.drawNow();
  });

  start(link: HostLink<FromSuccessPanel>): void {
    this.link = link;
    const { view, selectedRows, filter } = link.state;
    this.model = {
      ...this.model,
      view: view === 'cross' ? 'cross' : 'policies',
      filter: filter === 'failed' || filter === 'wrong' ? filter : 'all',
      selectedRows: Array.isArray(selectedRows)
        ? selectedRows.filter((id) => typeof id === 'string')
        : [],
    };
    document.body.append(this.toolbar, this.banners, this.main, this.live.element);
    onThemeChange((theme) => {
      this.model = { ...this.model, theme };
      this.drawNow();
    });
    this.draw();
  }

  receive(message: ToSuccessPanel): void {
    this.model = { ...this.model, snapshot: this.applied(message) };
    if (message.type === 'replay')
      this.model = {
        ...this.model,
        replay: message.replay,
        replayed: message.replay.id,
        noReplay: undefined,
      };
    if (message.type === 'noReplay')
      this.model = {
        ...this.model,
        replay: undefined,
        replayed: message.id,
        noReplay: message.reason,
      };
    this.draw();
  }

  private applied(message: ToSuccessPanel): SuccessSnapshot {
    const { snapshot } = this.model;
    switch (message.type) {
      case 'snapshot':
        return message.snapshot;
      case 'table':
        return {
          ...snapshot,
          table: message.table,
          ...(message.cross ? { cross: message.cross } : {}),
        };
      case 'comparison':
        return withComparison(snapshot, message.comparison);
      case 'episodes':
        return { ...snapshot, episodes: message.episodes };
      case 'trials':
        return { ...snapshot, trials: message.trials };
      case 'status':
        return { ...snapshot, phase: message.phase, banners: message.banners };
      case 'replay':
      case 'noReplay':
        return snapshot;
    }
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
    if (snapshot.trials && !snapshot.trials.done) {
      this.trials.draw(snapshot.trials);
      this.place([this.trials.element]);
      return;
    }
    const waiting = phaseView(snapshot.phase, (id) => {
      this.act(id);
    });
    if (!snapshot.table) {
      fill(this.main, waiting);
      return;
    }
    this.place([
      ...(waiting ? [waiting] : []),
      this.above(),
      this.rates.element,
      this.detail,
      this.studies.element,
    ]);
    this.detail.hidden = this.model.cell === undefined;
    this.rates.draw(this.model);
    this.episodes.draw(this.model);
    this.replay.draw(this.model);
    this.studies.draw(this.model);
  }

  private readonly switchRow = h('div', { class: 'above-table' });

  /** The view switch, where there is a cross matrix to switch to. */
  private above(): HTMLElement {
    const { snapshot, view } = this.model;
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
          this.model = { ...this.model, view: value === 'cross' ? 'cross' : 'policies' };
          this.link?.keep({ view: this.model.view });
          this.draw();
        },
      ),
    );
    return this.switchRow;
  }

  private place(cards: readonly HTMLElement[]): void {
    if (
      cards.length === this.main.children.length &&
      cards.every((card, i) => this.main.children[i] === card)
    )
      return;
    fill(this.main, ...cards);
  }

  private drawToolbar(): void {
    const { snapshot } = this.model;
    const running = snapshot.table?.groups.some(({ rows }) =>
      rows.some(({ state }) => state === 'running'),
    );
    fill(
      this.toolbar,
      ...this.choices(),
      h('span', { class: 'secondary facts' }, snapshot.table?.protocol ?? ''),
      h(
        'span',
        { class: 'end' },
        exportMenu(
          {
            name: 'success-rates',
            cards: () => this.main,
            csv: () => this.csv(),
            texts: textsOf(snapshot.table),
            footer: () =>
              `${snapshot.table?.protocol ?? ''} · ${intervalNames[snapshot.interval]} · ${new Date().toISOString().slice(0, 10)}`,
          },
          (message) => {
            this.link?.post(message);
          },
        ),
        button('Import results', { disabled: !snapshot.trusted }, () => {
          this.link?.post({ type: 'import' });
        }),
        running
          ? button('Stop', {}, () => {
              this.link?.post({ type: 'stop' });
            })
          : button(
              'Evaluate',
              {
                primary: true,
                disabled: !snapshot.trusted,
                ...(snapshot.trusted ? {} : { title: 'The workspace is not trusted' }),
              },
              () => {
                this.link?.post({ type: 'evaluate' });
              },
              icon('play'),
            ),
      ),
    );
  }

  private choices(): HTMLElement[] {
    const { runs, papers, interval } = this.model.snapshot;
    const shown = runs.filter((run) => run.shown);
    const all = {
      value: '',
      label: `${String(shown.length)} ${shown.length === 1 ? 'run' : 'runs'}`,
    };
    const mark = (on: boolean, label: string) => `${on ? '✓' : '\u2003'} ${label}`;
    const chosenPaper = papers.find((paper) => paper.shown)?.id ?? '';
    return [
      select(
        'Runs',
        [all, ...runs.map((run) => ({ value: run.id, label: mark(run.shown, run.label) }))],
        '',
        (id) => {
          const run = runs.find((item) => item.id === id);
          if (run) this.link?.post({ type: 'showRun', id, shown: !run.shown });
        },
      ),
      select(
        'Interval',
        (['wilson', 'exact', 'posterior'] as const).map((value) => ({
          value,
          label: intervalNames[value],
        })),
        interval,
        (value) => {
          this.link?.post({ type: 'setInterval', kind: intervalOf(value) });
        },
      ),
      select(
        'Paper',
        [
          { value: '', label: 'No paper' },
          ...papers.map(({ id, label }) => ({ value: id, label })),
        ],
        chosenPaper,
        (id) => {
          this.link?.post({ type: 'showPaper', id });
        },
      ),
    ];
  }

  private csv(): string {
    const quote = (text: string) => (/[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
    return this.rates
      .values()
      .map((line) => line.map(quote).join(','))
      .join('\n');
  }

  openCell(row: string, task: string): void {
    this.model = {
      ...this.model,
      cell: { row, task },
      replay: undefined,
      replayed: undefined,
      noReplay: undefined,
    };
    this.link?.post({ type: 'openCell', row, task });
    this.draw();
  }

  closeCell(): void {
    this.model = { ...this.model, cell: undefined, replay: undefined };
    this.draw();
  }

  toggleRow(row: string): void {
    const before = this.model.selectedRows;
    const rows = before.includes(row)
      ? before.filter((id) => id !== row)
      : [...before, row].slice(-2);
    this.model = { ...this.model, selectedRows: rows };
    this.link?.keep({ selectedRows: rows });
    this.link?.post({ type: 'compare', rows });
    this.draw();
  }

  setFilter(filter: EpisodeFilter): void {
    this.model = { ...this.model, filter };
    this.link?.keep({ filter });
    this.draw();
  }

  play(id: string): void {
    this.model = { ...this.model, replayed: id };
    this.link?.post({ type: 'replay', id });
    this.draw();
  }

  private playNext(step: 1 | -1): void {
    const items = this.model.snapshot.episodes?.items.filter(({ replay }) => replay) ?? [];
    const here = items.findIndex(({ id }) => id === this.model.replayed);
    const next = items[here + step];
    if (next) this.play(next.id);
  }

  copy(text: string): void {
    this.link?.post({ type: 'copy', text });
  }

  openRun(id: string): void {
    this.link?.post({ type: 'openRun', id });
  }

  private act(id: string): void {
    if (id === 'banners') this.allBanners = !this.allBanners;
    else this.link?.post({ type: 'action', id });
    this.draw();
  }
}

function withComparison(snapshot: SuccessSnapshot, comparison: Comparison | null): SuccessSnapshot {
  if (comparison) return { ...snapshot, comparison };
  const rest: { -readonly [K in keyof SuccessSnapshot]: SuccessSnapshot[K] } = { ...snapshot };
  delete rest.comparison;
  return rest;
}

function intervalOf(value: string): IntervalName {
  return value === 'exact' || value === 'posterior' ? value : 'wilson';
}

import type {
  Comparison,
  FromSuccessPanel,
  IntervalName,
  RateTable,
  SuccessSnapshot,
  ToSuccessPanel,
} from '../../server/protocol/panels/success-rates';
import { isToSuccessPanel } from '../../server/protocol/panels/success-rates-guards';
import { toCsv, toLatex, toMarkdown } from '../../server/evaluate/rates/write';
import { button, segments, select, twinButton } from '../shared/components';
import { fill, h } from '../shared/dom';
import { exportMenu, type ExportSource } from '../shared/export';
import { icon } from '../shared/icons';
import type { View } from '../shared/page';
import { Page } from '../shared/page';
import { TwinCard } from '../shared/twin';
import { EpisodesCard } from './episodes';
import type { EpisodeFilter, SuccessActions, SuccessModel } from './model';
import { filterOf, intervalNames } from './model';
import { ReplayCard } from './replay';
import { StudiesRow } from './studies';
import { RatesCard } from './table';
import { TrialCard } from './trials';
import { successTwins } from './twin';

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
  private readonly page = new Page<SuccessModel, ToSuccessPanel, FromSuccessPanel>({
    className: 'success-panel',
    guard: isToSuccessPanel,
    model: (theme, { view, selectedRows, filter, reporting, twin }) => ({
      snapshot: emptySnapshot,
      theme,
      view: view === 'cross' ? 'cross' : 'policies',
      reporting: reporting === true,
      twin: twin === true,
      selectedRows: Array.isArray(selectedRows)
        ? selectedRows.filter((id) => typeof id === 'string')
        : [],
      cell: undefined,
      filter: filterOf(filter),
      replay: undefined,
      replayed: undefined,
      noReplay: undefined,
    }),
    receive: (message) => {
      this.receive(message);
    },
    toolbar: () => this.toolbar(),
    view: (waiting) => this.view(waiting),
  });
  private readonly rates = new RatesCard(this, this.page);
  private readonly episodes = new EpisodesCard(this);
  private readonly replay = new ReplayCard({
    next: (step) => {
      this.playNext(step);
    },
    live: this.page.live,
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
  private readonly reporting = h('section', { class: 'card reporting' });
  private compared = false;
  /** The host opened a cell, whose episodes may stand outside of what is seen. */
  private opened = false;
  private readonly switchRow = h('div', { class: 'above-table' });

  constructor() {
    document.addEventListener('keydown', ({ key, ctrlKey, metaKey, altKey, target }) => {
      const typing = target instanceof Element && target.closest('vscode-single-select');
      if (key.toLowerCase() !== 't' || ctrlKey || metaKey || altKey || typing) return;
      if (!this.page.model.snapshot.trials) this.toggleTwin();
    });
  }

  private toggleTwin(): void {
    this.page.arrange({ twin: !this.page.model.twin });
  }

  private receive(message: ToSuccessPanel): void {
    this.page.update({ snapshot: this.applied(message) });
    if (message.type === 'snapshot' || message.type === 'episodes')
      this.follow(this.page.model.snapshot);
    if (message.type === 'replay')
      this.page.update({
        replay: message.replay,
        replayed: message.replay.id,
        noReplay: undefined,
      });
    if (message.type === 'noReplay')
      this.page.update({ replay: undefined, replayed: message.id, noReplay: message.reason });
  }

  /** The host says which cell is open, as a command may have opened it, and compares what was selected before. */
  private follow({ episodes, comparison, table }: SuccessSnapshot): void {
    const { cell } = this.page.model;
    this.opened = episodes !== undefined && episodes.row !== cell?.row;
    this.page.update({ cell: episodes && { row: episodes.row, task: episodes.task } });
    const rows = this.page.model.selectedRows;
    if (rows.length === 2 && !comparison && table && !this.compared)
      this.page.post({ type: 'compare', rows });
    this.compared = true;
  }

  private applied(message: ToSuccessPanel): SuccessSnapshot {
    const { snapshot } = this.page.model;
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
    const { rates, studies, twin, detail } = this;
    detail.hidden = model.cell === undefined;
    const charts = model.twin ? [twin.element, detail] : [rates.element, detail, studies.element];
    return {
      cards: [...before, ...this.reportingCard(), this.above(), ...charts],
      draw: () => {
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

  private toolbar(): readonly Node[] {
    const { snapshot } = this.page.model;
    if (snapshot.trials) return [h('span', { class: 'secondary facts' }, 'Trials on a robot')];
    const running = snapshot.table?.groups.some(({ rows }) =>
      rows.some(({ state }) => state === 'running'),
    );
    return [
      ...this.choices(),
      this.conditions(),
      h(
        'span',
        { class: 'end' },
        twinButton(this.page.model.twin, () => {
          this.toggleTwin();
        }),
        exportMenu(
          {
            name: 'success-rates',
            cards: () => this.page.main,
            csv: () => (snapshot.table ? toCsv(snapshot.table) : ''),
            texts: textsOf(snapshot.table),
            footer: () =>
              `${snapshot.table?.protocol ?? ''} · ${intervalNames[snapshot.interval]} · ${new Date().toISOString().slice(0, 10)}`,
          },
          this.page.post,
        ),
        button('Import results', { disabled: !snapshot.trusted }, () => {
          this.page.post({ type: 'import' });
        }),
        running
          ? button('Stop', {}, () => {
              this.page.post({ type: 'stop' });
            })
          : button(
              'Evaluate',
              {
                primary: true,
                disabled: !snapshot.trusted,
                ...(snapshot.trusted ? {} : { title: 'The workspace is not trusted' }),
              },
              () => {
                this.page.post({ type: 'evaluate' });
              },
              icon('play'),
            ),
      ),
    ];
  }

  /** Under which conditions the numbers hold: one line, and on a click the whole list. */
  private conditions(): HTMLElement {
    const { snapshot, reporting } = this.page.model;
    const { table } = snapshot;
    if (!table || table.reporting.length === 0)
      return h('span', { class: 'secondary facts' }, table?.protocol ?? '');
    return h(
      'button',
      {
        class: 'link facts',
        type: 'button',
        title: 'What belongs beside these numbers in print',
        'aria-expanded': String(reporting),
        click: () => {
          this.page.arrange({ reporting: !reporting });
        },
      },
      table.protocol === '' ? 'conditions' : table.protocol,
    );
  }

  private reportingCard(): HTMLElement[] {
    const { snapshot, reporting } = this.page.model;
    if (!reporting || !snapshot.table) return [];
    fill(
      this.reporting,
      ...snapshot.table.reporting.flatMap(({ title, facts }) => [
        h('h2', {}, title),
        h('dl', {}, ...facts.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])),
      ]),
    );
    return [this.reporting];
  }

  private choices(): HTMLElement[] {
    const { runs, papers, interval } = this.page.model.snapshot;
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
          if (run) this.page.post({ type: 'showRun', id, shown: !run.shown });
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
          this.page.post({ type: 'setInterval', kind: intervalOf(value) });
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
          this.page.post({ type: 'showPaper', id });
        },
      ),
    ];
  }

  openCell(row: string, task: string): void {
    this.page.post({ type: 'openCell', row, task });
    this.page.update({
      cell: { row, task },
      replay: undefined,
      replayed: undefined,
      noReplay: undefined,
    });
  }

  closeCell(): void {
    this.page.post({ type: 'closeCell' });
    this.page.update({ cell: undefined, replay: undefined });
  }

  toggleRow(row: string): void {
    const before = this.page.model.selectedRows;
    const rows = before.includes(row)
      ? before.filter((id) => id !== row)
      : [...before, row].slice(-2);
    this.page.post({ type: 'compare', rows });
    this.page.arrange({ selectedRows: rows });
  }

  setFilter(filter: EpisodeFilter): void {
    this.page.arrange({ filter });
  }

  play(id: string): void {
    this.page.post({ type: 'replay', id });
    this.page.update({ replayed: id });
  }

  private playNext(step: 1 | -1): void {
    const items = this.page.model.snapshot.episodes?.items.filter(({ replay }) => replay) ?? [];
    const here = items.findIndex(({ id }) => id === this.page.model.replayed);
    const next = items[here + step];
    if (next) this.play(next.id);
  }

  copy(text: string): void {
    this.page.post({ type: 'copy', text });
  }

  openRun(id: string): void {
    this.page.post({ type: 'openRun', id });
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

import type { EpisodeItem } from '../../server/protocol/panels/success-rates';
import { segments } from '../shared/components';
import { fill, h } from '../shared/dom';
import type { Column } from '../shared/grid';
import { Grid } from '../shared/grid';
import { icon } from '../shared/icons';
import { taskMarker } from '../shared/tasks';
import type { Theme } from '../shared/theme';
import type { EpisodeFilter, SuccessActions, SuccessModel } from './model';

/** Episodes of one cell, windowed; play opens the replay beside it. */
export class EpisodesCard {
  readonly element = h('section', { class: 'card episodes' });
  private grid: Grid<EpisodeItem> | undefined;
  private made = '';
  private model: SuccessModel | undefined;

  constructor(private readonly actions: SuccessActions) {}

  draw(model: SuccessModel): void {
    this.model = model;
    const { snapshot, theme, filter, cell } = model;
    const list = snapshot.episodes;
    if (!list || !cell) return;
    const key = `${theme.kind} ${list.row} ${list.task}`;
    if (!this.grid || this.made !== key)
      this.grid = new Grid<EpisodeItem>({
        label: `Episodes of ${list.label}`,
        columns: columns(theme, () => this.model, this.actions),
        windowRows: 17,
        isSelected: ({ id }) => this.model?.replayed === id,
        onopen: ({ id }) => {
          this.actions.play(id);
        },
        oncopy: (text) => {
          this.actions.copy(text);
        },
      });
    this.made = key;
    const wrong = (item: EpisodeItem) => item.routed !== undefined && item.routed !== list.task;
    const failed = list.items.filter((item) => !item.success);
    const shown = { all: list.items, failed, wrong: list.items.filter(wrong) }[filter];
    this.grid.show(shown);
    const successes = list.items.length - failed.length;
    fill(
      this.element,
      h(
        'div',
        { class: 'heading' },
        h('h2', {}, list.label),
        h('span', { class: 'secondary' }, `${String(successes)} of ${String(list.items.length)}`),
        h(
          'span',
          { class: 'end' },
          this.filters(filter, failed.length, list.items.filter(wrong).length),
          h(
            'button',
            {
              class: 'plain',
              type: 'button',
              title: 'Close',
              'aria-label': 'Close',
              click: () => {
                this.actions.closeCell();
              },
            },
            icon('close'),
          ),
        ),
      ),
      this.grid.element,
    );
  }

  private filters(filter: EpisodeFilter, failed: number, wrong: number): HTMLElement {
    return segments(
      'Episodes shown',
      [
        { value: 'all', label: 'all' },
        { value: 'failed', label: `failed ${String(failed)}` },
        ...(wrong > 0 ? [{ value: 'wrong', label: `routed wrong ${String(wrong)}` }] : []),
      ],
      filter,
      (value) => {
        this.actions.setFilter(value === 'failed' || value === 'wrong' ? value : 'all');
      },
    );
  }
}

function columns(
  theme: Theme,
  model: () => SuccessModel | undefined,
  actions: SuccessActions,
): Column<EpisodeItem>[] {
  return [
    {
      key: 'seed',
      title: 'seed',
      text: ({ seed }) => String(seed),
      render: ({ seed }) => h('code', {}, String(seed)),
      order: (a, b) => a.seed - b.seed,
    },
    {
      key: 'result',
      title: 'result',
      text: ({ success, reason, error }) => (success ? 'success' : (error ?? reason)),
      render: (item) => resultCell(item),
      order: (a, b) => Number(b.success) - Number(a.success) || a.reason.localeCompare(b.reason),
    },
    {
      key: 'steps',
      title: 'steps',
      align: 'end',
      text: ({ steps }) => String(steps),
      order: (a, b) => a.steps - b.steps,
    },
    {
      key: 'mask',
      title: 'mask',
      text: ({ routed }) => routed ?? '',
      render: ({ routed }) => maskCell(routed, theme, model()),
    },
    {
      key: 'play',
      title: '',
      label: 'replay',
      align: 'end',
      text: ({ replay }) => (replay ? 'recorded' : ''),
      render: (item) => playCell(item, model()?.replayed === item.id, actions),
    },
  ];
}

function maskCell(
  routed: string | undefined,
  theme: Theme,
  model: SuccessModel | undefined,
): HTMLElement | string {
  if (routed === undefined) return '–';
  const place = model?.snapshot.table?.tasks.indexOf(routed) ?? -1;
  const right = routed === model?.cell?.task;
  const marker = place >= 0 ? taskMarker(theme, place) : null;
  return h('span', { class: 'mask-name' }, marker, routed, right ? null : icon('cross'));
}

function playCell(item: EpisodeItem, playing: boolean, actions: SuccessActions): HTMLElement {
  if (!item.replay)
    return h('span', { class: 'secondary', title: 'This episode was not recorded' }, '–');
  return h(
    'button',
    {
      class: 'plain play',
      type: 'button',
      tabindex: -1,
      title: 'Replay',
      'aria-label': `Replay seed ${String(item.seed)}`,
      click: () => {
        actions.play(item.id);
      },
    },
    icon(playing ? 'pause' : 'play'),
  );
}

function resultCell({ success, reason, error }: EpisodeItem): HTMLElement {
  if (success) return h('span', { class: 'result good' }, icon('check'), 'success');
  if (error !== undefined)
    return h('span', { class: 'result', title: error }, icon('warning'), 'crashed');
  return h('span', { class: 'result bad' }, icon('cross'), reason || 'failed');
}

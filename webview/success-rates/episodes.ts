import type { EpisodeItem, EpisodeList } from '../../server/protocol/panels/success-rates';
import { closeButton, segments } from '../shared/components';
import { fill, h } from '../shared/dom';
import type { Column } from '../shared/grid';
import { Grid } from '../shared/grid';
import { icon } from '../shared/icons';
import { taskMarker } from '../shared/tasks';
import type { Theme } from '../shared/theme';
import type { EpisodeFilter, SuccessActions, SuccessModel } from './model';
import { filterOf } from './model';

/** Episodes of one cell, windowed; play opens the replay beside it. */
export class EpisodesCard {
  readonly element = h('section', { class: 'card episodes' });
  private grid: Grid<EpisodeItem> | undefined;
  private made = '';
  private model: SuccessModel | undefined;

  constructor(private readonly actions: SuccessActions) {}

  /** The episode before or after one, of those that are listed and recorded, as they are sorted. */
  besideOf(id: string | undefined, step: 1 | -1): string | undefined {
    const items = (this.grid?.order ?? []).filter(({ replay }) => replay);
    return items[items.findIndex((item) => item.id === id) + step]?.id;
  }

  draw(model: SuccessModel): void {
    this.model = model;
    const { snapshot, theme, filter, cell } = model;
    const list = snapshot.episodes;
    if (!list || !cell) return;
    const isRouted = list.items.some(({ routed }) => routed !== undefined);
    const key = `${theme.kind} ${list.row} ${list.task} ${String(isRouted)}`;
    if (!this.grid || this.made !== key)
      this.grid = new Grid<EpisodeItem>({
        label: `Episodes of ${list.label}`,
        columns: columns(theme, () => this.model, this.actions).filter(
          ({ key: column }) => column !== 'routed' || isRouted,
        ),
        windowRows: 17,
        isSelected: ({ id }) => this.model?.replayed?.id === id,
        onopen: ({ id }) => {
          this.actions.play(id);
        },
        oncopy: (text) => {
          this.actions.copy(text);
        },
      });
    this.made = key;
    const members = (kind: EpisodeFilter) => list.items.filter(inFilter(kind, list.task));
    this.grid.show(members(filter));
    const crashed = members('crashed').length;
    const tried = list.items.length - crashed;
    const counts = `${String(tried - members('failed').length)} of ${String(tried)}`;
    fill(
      this.element,
      h(
        'div',
        { class: 'heading' },
        h('h2', {}, list.label),
        h('span', { class: 'secondary' }, counts),
        h(
          'span',
          { class: 'end' },
          this.filters(list, filter, (kind) => members(kind).length),
          closeButton(() => {
            this.actions.closeCell();
          }),
        ),
      ),
      this.grid.element,
    );
  }

  private filters(
    { items, other }: EpisodeList,
    filter: EpisodeFilter,
    count: (kind: EpisodeFilter) => number,
  ): HTMLElement {
    const counted = (value: EpisodeFilter, label: string) => ({
      value,
      label: `${label} ${String(count(value))}`,
    });
    const paired = other !== undefined && items.some((item) => item.other !== undefined);
    return segments(
      'Episodes shown',
      [
        { value: 'all', label: 'all' },
        counted('failed', 'failed'),
        ...(count('crashed') > 0 ? [counted('crashed', 'crashed')] : []),
        ...(count('wrong') > 0 ? [counted('wrong', 'routed wrong')] : []),
        ...(paired ? [counted('better', 'only here'), counted('worse', `only ${other}`)] : []),
      ],
      filter,
      (value) => {
        this.actions.setFilter(filterOf(value));
      },
    );
  }
}

function inFilter(kind: EpisodeFilter, task: string): (item: EpisodeItem) => boolean {
  switch (kind) {
    case 'all':
      return () => true;
    case 'failed':
      return ({ success, error }) => !success && error === undefined;
    case 'crashed':
      return ({ error }) => error !== undefined;
    case 'wrong':
      return ({ routed }) => routed !== undefined && routed !== task;
    case 'better':
      return ({ success, other }) => success && other === false;
    case 'worse':
      return ({ success, other }) => !success && other === true;
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
      key: 'routed',
      title: 'routed task',
      text: ({ routed }) => routed ?? '',
      render: ({ routed }) => routedCell(routed, theme, model()),
    },
    {
      key: 'play',
      title: '',
      label: 'replay',
      align: 'end',
      text: ({ replay }) => (replay ? 'recorded' : ''),
      render: (item) => playCell(item, model()?.replayed?.id === item.id, actions),
    },
  ];
}

function routedCell(
  routed: string | undefined,
  theme: Theme,
  model: SuccessModel | undefined,
): HTMLElement | string {
  if (routed === undefined) return '–';
  const place = model?.snapshot.table?.tasks.indexOf(routed) ?? -1;
  const right = routed === model?.cell?.task;
  const marker = place >= 0 ? taskMarker(theme, place) : null;
  return h(
    'span',
    { class: 'routed', title: routed },
    marker,
    h('span', {}, routed),
    right ? null : icon('cross'),
  );
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

function resultCell({ success, reason, error, note }: EpisodeItem): HTMLElement {
  const text = success ? 'success' : error === undefined ? reason || 'failed' : 'crashed';
  const mark = success ? 'check' : error === undefined ? 'cross' : 'warning';
  const title = [error ?? reason, note].filter(Boolean).join(' · ');
  const kind = success ? 'good' : error === undefined ? 'bad' : '';
  return h('span', { class: `result ${kind}`, title }, icon(mark), h('span', {}, text));
}

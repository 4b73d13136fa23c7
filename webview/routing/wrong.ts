import type { RoutedEpisode } from '../../server/protocol/panels/routing';
import { Drawn, fill, h } from '../shared/dom';
import { probability, signed } from '../shared/format';
import type { Column } from '../shared/grid';
import { Grid } from '../shared/grid';
import { icon } from '../shared/icons';
import { link } from '../shared/states';
import { taskMarker } from '../shared/tasks';
import type { RoutingActions, RoutingModel } from './model';
import { setOf } from './model';

/** Episodes that the router sent to another task's expert, or those of a cell; smallest margin first. */
export class WrongCard {
  readonly element = h('section', { class: 'card wrong' });
  private grid: Grid<RoutedEpisode> | undefined;
  private made = '';
  private readonly drawn = new Drawn();
  private frame: string | undefined;

  constructor(private readonly actions: RoutingActions) {}

  draw(model: RoutingModel): void {
    const { filter, snapshot } = model;
    const set = setOf(model, filter?.pairing ?? snapshot.pairing);
    this.frame = snapshot.frame;
    this.element.hidden = !set;
    if (!set) return;
    const key = `${model.theme.kind} ${model.snapshot.tasks.join('\0')}`;
    if (!this.grid || this.made !== key)
      this.grid = new Grid<RoutedEpisode>({
        label: 'Episodes routed wrong',
        columns: columns(model, this.actions),
        windowRows: 12,
        isSelected: ({ id }) => id === this.frame,
        onopen: ({ id }) => {
          this.actions.openEpisode(id);
        },
        oncopy: (text) => {
          this.actions.copy(text);
        },
      });
    this.made = key;
    const listed = set.episodes
      .filter(({ truth, routed }) =>
        filter ? truth === filter.truth && routed === filter.routed : truth !== routed,
      )
      .sort((a, b) => Math.abs(a.margin) - Math.abs(b.margin));
    this.grid.show(listed);
    const count = listed.length;
    if (!this.drawn.differs(this.grid, titleOf(model), count, set.episodes.length)) return;
    fill(
      this.element,
      h(
        'div',
        { class: 'heading' },
        h('h2', {}, titleOf(model)),
        h(
          'span',
          { class: 'secondary' },
          `${String(count)} of ${String(set.episodes.length)}, smallest margin first`,
        ),
        filter
          ? link('Show those routed wrong', 'wrong', () => {
              this.actions.setFilter(undefined);
            })
          : null,
        h(
          'span',
          { class: 'end' },
          link('Show all episodes', 'episodes', () => {
            this.actions.showEpisodes();
          }),
        ),
      ),
      count > 0 ? this.grid.element : h('p', { class: 'secondary' }, 'None.'),
    );
  }
}

function titleOf({ filter, snapshot: { tasks } }: RoutingModel): string {
  if (!filter) return 'Routed wrong';
  const [truth = '', routed = ''] = [tasks[filter.truth], tasks[filter.routed]];
  return `${truth} routed to ${routed}, ${filter.pairing} pairing`;
}

function columns(
  { theme, snapshot }: RoutingModel,
  actions: RoutingActions,
): Column<RoutedEpisode>[] {
  const task = (place: number) => snapshot.tasks[place] ?? '';
  const named = (place: number) =>
    h('span', { class: 'task-name' }, taskMarker(theme, place), task(place));
  const numeric = (
    key: 'margin' | 'pTrue' | 'pRouted' | 'steps',
    title: string,
    text: (value: number) => string,
  ): Column<RoutedEpisode> => ({
    key,
    title,
    align: 'end',
    text: (episode) => String(episode[key]),
    render: (episode) => text(episode[key]),
    order: (a, b) => a[key] - b[key],
  });
  return [
    {
      key: 'seed',
      title: 'seed',
      text: ({ seed }) => String(seed),
      render: ({ seed }) => h('code', {}, String(seed)),
      order: (a, b) => a.seed - b.seed,
    },
    {
      key: 'truth',
      title: 'true task',
      text: ({ truth }) => task(truth),
      render: ({ truth }) => named(truth),
    },
    {
      key: 'routed',
      title: 'routed to',
      text: ({ routed }) => task(routed),
      render: ({ routed }) => named(routed),
    },
    numeric('margin', 'margin', (v) => signed(v, 2)),
    numeric('pTrue', 'p(true)', probability),
    numeric('pRouted', 'p(routed)', probability),
    {
      key: 'outcome',
      title: 'outcome',
      text: ({ success, reason }) => (success ? 'success' : reason),
      render: outcome,
    },
    numeric('steps', 'steps', String),
    {
      key: 'replay',
      title: '',
      label: 'replay',
      align: 'end',
      text: ({ replay }) => (replay ? 'recorded' : ''),
      render: (episode) => replayButton(episode, actions),
    },
  ];
}

function outcome({ success, reason }: RoutedEpisode): HTMLElement {
  return h(
    'span',
    { class: `result ${success ? 'good' : 'bad'}` },
    icon(success ? 'check' : 'cross'),
    success ? 'success all the same' : `failed: ${reason}`,
  );
}

function replayButton(
  { id, replay }: RoutedEpisode,
  actions: RoutingActions,
): HTMLElement | string {
  if (!replay) return '–';
  return h(
    'button',
    {
      class: 'link',
      type: 'button',
      tabindex: -1,
      click: () => {
        actions.replay(id);
      },
    },
    icon('play'),
    ' Replay',
  );
}

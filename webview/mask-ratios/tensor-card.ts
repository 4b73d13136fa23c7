import type { TensorView } from '../../server/protocol/panels/mask-details';
import { Drawn, fill, h } from '../shared/dom';
import { missing, nbsp, percent, share, valueOf } from '../shared/format';
import { taskMarker } from '../shared/tasks';
import type { LiveRegion, Tooltip } from '../shared/tooltip';
import { detailHeading } from './detail-heading';
import type { MaskActions, MaskModel } from './model';
import { pairContent } from './pairs';
import { TaskMatrix } from './task-matrix';

/** One tensor's own page of numbers: by task, and each task against each. */
export class TensorCard {
  readonly element = h('section', { class: 'card tensor', hidden: true });
  private readonly matrix: TaskMatrix;
  private readonly drawn = new Drawn();

  constructor(
    private readonly actions: MaskActions,
    tools: { readonly tooltip: Tooltip; readonly live: LiveRegion },
  ) {
    this.matrix = new TaskMatrix(tools);
  }

  draw(model: MaskModel): void {
    const { tensor, recipe, trusted } = model.snapshot;
    this.element.hidden = !tensor || !recipe;
    if (!tensor || !recipe) return;
    if (!this.drawn.differs(tensor, recipe.tasks, model.theme, trusted)) return;
    fill(
      this.element,
      this.heading(tensor, trusted),
      h('div', { class: 'tensor-body' }, this.byTask(tensor, model), this.matrix.element),
    );
    this.matrix.draw(pairContent(tensor, recipe.tasks, model.theme));
    this.element.scrollIntoView({ block: 'nearest' });
  }

  private heading(tensor: TensorView, trusted: boolean): HTMLElement {
    const { name, shape, rule } = tensor;
    return detailHeading(
      {
        ...{ title: h('code', {}, name), facts: `${shape} · ${rule}`, glob: name },
        copyLabel: 'Copy name',
        excludeLabel: trusted ? 'Exclude tensor' : undefined,
        close: () => {
          this.actions.showTensor('');
        },
      },
      this.actions,
    );
  }

  private byTask(tensor: TensorView, { snapshot, theme }: MaskModel): HTMLElement {
    const tasks = snapshot.recipe?.tasks ?? [];
    const number = (value: number, text: (value: number) => string) =>
      h('td', { class: 'number' }, Number.isFinite(value) ? text(value) : missing);
    return h(
      'table',
      { class: 'grid tensor-tasks', 'aria-label': `${tensor.name} by task` },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          ...['task', 'active', 'distance to the expert', '‖τ‖, % of base'].map((title, i) =>
            h('th', { scope: 'col', class: i > 0 ? 'number' : null }, title),
          ),
        ),
      ),
      h(
        'tbody',
        {},
        ...tasks.map((task, i) =>
          h(
            'tr',
            {},
            h('th', { scope: 'row', title: task }, taskMarker(theme, i), `${nbsp}${task}`),
            h('td', { class: 'number' }, share(tensor.active[i])),
            number(valueOf(tensor.distance[i]), (value) => value.toFixed(2)),
            number(valueOf(tensor.norms[i]), (value) => percent(value, 2)),
          ),
        ),
      ),
    );
  }
}

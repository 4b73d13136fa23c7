import { lambdaOfTask } from '../../server/protocol/panels/mask-ratios';
import { Drawn, fill, h } from '../shared/dom';
import { shorten } from '../shared/format';
import { taskMarker } from '../shared/tasks';
import { Handle, type Place } from './handle';
import type { MaskActions, MaskModel } from './model';
import { parameterLimits } from './model';

/** A small handle for each task's own λ, under the axis of the curve that all of them share. */
export class TaskHandles {
  readonly element = h('div', { class: 'task-handles', id: 'task-handles' });
  private readonly drawn = new Drawn();
  private handles: readonly Handle[] = [];

  constructor(private readonly actions: MaskActions) {}

  draw(
    { snapshot: { recipe }, parameters, theme, expanded }: MaskModel,
    domain: Place['domain'],
    area: { readonly left: number; readonly right: number },
  ): void {
    const all = recipe?.tasks ?? [];
    const tasks = expanded && all.length > 1 ? all : [];
    this.element.hidden = tasks.length === 0;
    // One that is being dragged stays the element that it is.
    if (this.drawn.differs(tasks.join('\n'), theme)) {
      this.handles = tasks.map((task) => this.handle(task));
      fill(
        this.element,
        ...this.handles.map(({ field, track }, place) => {
          const task = tasks[place] ?? '';
          const name = h('span', { class: 'task-name', title: task }, shorten(task, 24));
          return h(
            'div',
            { class: 'task-handle' },
            h('div', { class: 'task-line' }, taskMarker(theme, place), name, field),
            track,
          );
        }),
      );
    }
    this.handles.forEach((handle, place) => {
      const task = tasks[place] ?? '';
      const saved = recipe ? lambdaOfTask(recipe.saved, task) : 0;
      handle.place({ value: lambdaOfTask(parameters, task), saved, domain });
      handle.align(area);
    });
  }

  private handle(task: string): Handle {
    const { actions } = this;
    return new Handle(`λ of ${task}`, parameterLimits.lambda, {
      move: (value) => {
        actions.setLambda(task, value);
      },
      write: () => {
        actions.writeRecipe();
      },
      reset: () => {
        actions.resetParameters();
      },
    });
  }
}

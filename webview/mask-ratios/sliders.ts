import type { ParameterName } from '../../server/protocol/panels/mask-ratios';
import { lambdaOfTask } from '../../server/protocol/panels/mask-ratios';
import { baseOptions, Picture } from '../shared/chart';
import { button } from '../shared/components';
import { Drawn, fill, h } from '../shared/dom';
import { icon } from '../shared/icons';
import { percent } from '../shared/format';
import { link } from '../shared/states';
import { curveDatasets, curveMarks, curveSummary, top } from './curve-figures';
import { domainOf, Handle } from './handle';
import type { MaskActions, MaskModel } from './model';
import { moved, parameterLimits, parameterNames, parameterText, symbols } from './model';
import { TaskHandles } from './task-handles';

const titles: Readonly<Record<ParameterName, string>> = {
  lambda: 'mask threshold · active ratio of each task',
  alpha: 'factor on the merge · mean active ratio',
  density: 'kept before merging · mean active ratio',
};
const ends: Readonly<Record<ParameterName, readonly [number, number]>> = {
  lambda: [0, 1],
  alpha: [0, 2],
  density: [0, 1],
};

/** The three sliders, each the horizontal axis of the curve above it. */
export class Sliders {
  readonly element = h('div', { class: 'row sliders' });
  readonly footer = h('div', { class: 'write-row' });
  private readonly cards: readonly SliderCard[];
  private readonly write = h('span', { class: 'write-buttons' });

  constructor(private readonly actions: MaskActions) {
    this.cards = parameterNames.map((name) => new SliderCard(name, actions));
    this.element.append(...this.cards.map((card) => card.element));
    this.footer.append(
      this.write,
      h(
        'span',
        { class: 'secondary' },
        '▴ recipe value · ···· unrelated tasks (independent Gaussian task vectors)',
      ),
    );
  }

  draw(model: MaskModel): void {
    for (const card of this.cards) card.draw(model);
    this.drawButtons(model);
  }

  /** They keep their place while there is nothing to write: a moving handle moves nothing else. */
  private drawButtons(model: MaskModel): void {
    const names = moved(model);
    const { recipe, trusted } = model.snapshot;
    this.write.classList.toggle('idle', names.length === 0);
    const shown = names.length > 0 ? names : (['lambda'] as const);
    const text = (from: MaskModel['parameters']) =>
      shown.map((name) => parameterText(from, name, recipe?.tasks ?? [])).join(', ');
    const refused = trusted ? undefined : 'The workspace is not trusted';
    const title = refused ?? 'One undo step in the editor';
    fill(
      this.write,
      ...(recipe
        ? [
            button(
              `Write ${text(model.parameters)} to recipe`,
              { primary: true, disabled: !trusted, title },
              () => {
                this.actions.writeRecipe();
              },
            ),
            button(`Reset to ${text(recipe.saved)}`, {}, () => {
              this.actions.resetParameters();
            }),
          ]
        : []),
    );
  }
}

/** One slider. The accent line and the handle move at once; the curve follows the data. */
class SliderCard {
  readonly element: HTMLElement;
  private readonly picture = new Picture('curve');
  private readonly handle: Handle;
  private readonly room: HTMLElement;
  private readonly expander = h('button', {
    ...{ class: 'plain expander', type: 'button', 'aria-controls': 'task-handles' },
    click: () => {
      this.actions.expandLambda();
    },
  });
  private readonly tasks: TaskHandles;
  private readonly ignored = h('div', { class: 'ignored secondary' });
  private readonly drawn = new Drawn();
  private readonly expansion = new Drawn();
  private value = 0;
  private saved = 0;
  private domain: readonly [number, number] = [0, 1];

  constructor(
    private readonly name: ParameterName,
    private readonly actions: MaskActions,
  ) {
    this.tasks = new TaskHandles(actions);
    this.handle = new Handle(`${symbols[name]}, ${titles[name]}`, parameterLimits[name], {
      move: (value) => {
        actions.setParameter(name, value);
      },
      write: () => {
        actions.writeRecipe();
      },
      reset: () => {
        actions.resetParameters();
      },
    });
    this.room = h('div', { class: 'slider-room' }, this.handle.track);
    this.element = h(
      'section',
      { class: `card slider slider-${name}` },
      h(
        'div',
        { class: 'heading' },
        h('h2', {}, symbols[name]),
        h('span', { class: 'secondary slider-title' }, titles[name]),
        h('span', { class: 'end' }, name === 'lambda' ? this.expander : null, this.handle.field),
      ),
      this.picture.element,
      this.room,
      name === 'lambda' ? this.tasks.element : null,
      this.ignored,
    );
  }

  draw(model: MaskModel): void {
    const { recipe } = model.snapshot;
    const used = recipe?.uses[this.name] ?? false;
    this.handle.disabled = !used;
    this.element.classList.toggle('unused', !used);
    this.picture.element.hidden = !used;
    this.room.hidden = !used;
    this.ignored.hidden = used;
    this.place(model);
    this.drawExpander(model, used);
    if (used) this.drawCurve(model);
    else this.drawIgnored(recipe?.method ?? 'this method');
    const area = this.axis();
    this.handle.align(area);
    if (this.name === 'lambda')
      this.tasks.draw({ ...model, expanded: model.expanded && used }, this.domain, area);
  }

  /** The curve's horizontal axis; where there is no room for a curve, all that the slider has. */
  private axis(): { readonly left: number; readonly right: number } {
    const { offsetWidth } = this.picture.element;
    return offsetWidth > 0 ? this.picture.area : { left: 7, right: this.room.offsetWidth - 7 };
  }

  private place({ parameters, snapshot: { recipe } }: MaskModel): void {
    this.value = parameters[this.name];
    this.saved = recipe?.saved[this.name] ?? this.value;
    const own =
      this.name === 'lambda' && recipe
        ? recipe.tasks.flatMap((task) => [
            lambdaOfTask(parameters, task),
            lambdaOfTask(recipe.saved, task),
          ])
        : [];
    // An axis that was made wider for a value stays so until the value is the recipe's again.
    const kept = this.value === this.saved ? ends[this.name] : this.domain;
    this.domain = domainOf(kept, [this.value, this.saved, ...own]);
    this.handle.place({ value: this.value, saved: this.saved, domain: this.domain });
  }

  private drawExpander({ expanded, snapshot: { recipe } }: MaskModel, used: boolean): void {
    const tasks = recipe?.tasks.length ?? 0;
    this.expander.hidden = !used || tasks < 2;
    if (!this.expansion.differs(expanded)) return;
    this.expander.setAttribute('aria-expanded', String(expanded));
    fill(this.expander, 'per task', icon(expanded ? 'up' : 'down'));
  }

  private drawIgnored(method: string): void {
    const [what, who] = ignoredText(this.name, method);
    fill(
      this.ignored,
      h('p', {}, icon('info'), ` ${what}`),
      h('p', {}, who),
      link('Change method…', 'method', () => {
        this.actions.reveal('method');
      }),
    );
  }

  private drawCurve(model: MaskModel): void {
    const curve = model.snapshot.curves.find(({ parameter }) => parameter === this.name);
    const [min, max] = this.domain;
    const { theme, isolated, snapshot } = model;
    const overlays = [curveMarks(model, curve, { value: this.value, saved: this.saved })];
    if (!this.drawn.differs(curve, theme, isolated, min, max, snapshot.recipe?.tasks)) {
      this.picture.redraw(overlays);
      return;
    }
    this.picture.show(
      {
        type: 'line',
        data: { datasets: curve ? curveDatasets(model, curve) : [] },
        options: baseOptions(theme, {
          x: {
            min,
            max,
            step: (max - min) / (this.name === 'alpha' ? 4 : 5),
            grid: false,
            label: (x) => (x === 0 && this.name === 'lambda' ? '' : x.toFixed(1)),
          },
          y: {
            min: 0,
            max: curve ? top(curve) : 1,
            step: curve ? top(curve) / 4 : 0.25,
            label: (y) => `${percent(y, 0)} %`,
          },
        }),
        overlays,
      },
      curveSummary(model, this.name, curve),
    );
  }
}

/** Why a parameter has no effect, and what would give it one. */
function ignoredText(name: ParameterName, method: string): readonly [string, string] {
  if (name === 'density')
    return [`${method} keeps every position.`, 'ties, dare, della and breadcrumbs use density.'];
  if (method === 'emr') return [`emr does not use ${symbols[name]}.`, 'Every other method does.'];
  return ['The recipe makes no masks.', 'λ is the threshold of masks.'];
}

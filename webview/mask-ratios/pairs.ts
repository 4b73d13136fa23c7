import { interpolate } from '../shared/colours';
import { Drawn, fill, h } from '../shared/dom';
import { missing, nbsp, percent, signed, valueOf } from '../shared/format';
import type { PairFigures, PairView } from '../../server/protocol/panels/mask-details';
import type { LiveRegion, Tooltip } from '../shared/tooltip';
import type { Theme } from '../shared/theme';
import type { MaskActions, MaskModel } from './model';
import { orderBySimilarity } from './similarity';
import type { MatrixContent } from './task-matrix';
import { mostWhole, TaskMatrix } from './task-matrix';

const cosineRanges = [0.05, 0.1, 0.25, 0.5, 1];
const conflictRanges = [0.02, 0.04, 0.08, 0.16, 0.5];

/** One square matrix: cosine above the diagonal, sign conflict below, norms on it, one colour scale. */
export class PairsCard {
  readonly element = h('section', { class: 'card pairs' });
  private readonly matrix: TaskMatrix;
  private readonly drawn = new Drawn();
  /** Alike tasks stand next to each other, in place of the recipe's order. */
  private sorted = false;

  constructor(
    private readonly actions: MaskActions,
    tools: { readonly tooltip: Tooltip; readonly live: LiveRegion },
  ) {
    this.matrix = new TaskMatrix(tools);
  }

  draw(model: MaskModel): void {
    const { view, recipe, pair } = model.snapshot;
    if (!view || !recipe) return;
    // No handle moves these numbers, though each answer brings them along.
    const { cosine, conflict, norms, sentences } = view;
    const numbers = JSON.stringify([cosine, conflict, norms, sentences.pairs]);
    const look = [recipe.tasks, model.theme, pair?.first, pair?.second, this.sorted];
    if (!this.drawn.differs(numbers, ...look)) return;
    const many = recipe.tasks.length > mostWhole;
    fill(
      this.element,
      h(
        'div',
        { class: 'heading' },
        h('h2', {}, 'Tasks against each other'),
        many ? this.sortButton(model) : null,
      ),
      ...(recipe.tasks.length < 2
        ? [h('p', { class: 'secondary' }, '‖τ‖ in % of the base'), this.matrix.element]
        : [
            h('p', { class: 'secondary' }, 'above cosine · below sign conflict · diagonal ‖τ‖, %'),
            this.matrix.element,
            scaleNote(rangesOf(view)),
            h(
              'p',
              { class: 'note' },
              h('strong', {}, `${view.sentences.pairs} `),
              `Unrelated tasks sit at cosine 0 and 50${nbsp}%. A cell shows its pair layer by layer.`,
            ),
          ]),
    );
    this.drawMatrix(model, view, many && this.sorted);
  }

  private drawMatrix({ snapshot, theme }: MaskModel, view: PairFigures, sorted: boolean): void {
    const { recipe, pair } = snapshot;
    const tasks = recipe?.tasks ?? [];
    const order = sorted
      ? orderBySimilarity(tasks.length, (i, j) => valueOf(view.cosine[i * tasks.length + j]))
      : [...tasks.keys()];
    const places = pair && ([order.indexOf(pair.first), order.indexOf(pair.second)] as const);
    const named = order.map((task) => tasks[task] ?? '');
    this.matrix.draw({
      ...pairContent(inOrder(view, order), named, theme, places),
      choose: (i, j) => {
        const [a, b] = [order[i] ?? i, order[j] ?? j];
        this.choose([Math.min(a, b), Math.max(a, b)], pair);
      },
    });
  }

  private sortButton(model: MaskModel): HTMLElement {
    const click = () => {
      this.sorted = !this.sorted;
      this.draw(model);
      this.element.querySelector<HTMLElement>('.heading button')?.focus();
    };
    const label = this.sorted ? 'Order of the recipe' : 'Sort by similarity';
    return h(
      'span',
      { class: 'end' },
      h('button', { class: 'link', type: 'button', click }, label),
    );
  }

  /** The pair that is shown already is put away; a task with itself is no pair. */
  private choose(chosen: readonly [number, number], shown: PairView | undefined): void {
    const same = shown?.first === chosen[0] && shown.second === chosen[1];
    this.actions.showPair(same || chosen[0] === chosen[1] ? undefined : chosen);
  }
}

function scaleNote([cosine, conflict]: readonly [number, number]): HTMLElement {
  const points = String(Math.round(conflict * 100));
  return h(
    'p',
    { class: 'secondary small scale-note' },
    `cosine ±${String(cosine)}, conflict 50 ± ${points} points`,
  );
}

/** Cosine above the diagonal, sign conflict below, norms on it; the chosen pair is marked. */
export function pairContent(
  figures: PairFigures,
  tasks: readonly string[],
  theme: Theme,
  pair?: readonly [number, number],
): MatrixContent {
  const ranges = rangesOf(figures);
  return {
    label:
      tasks.length < 2
        ? 'Norm of the task vector'
        : 'Cosine and sign conflict of each pair of tasks',
    tasks,
    cell: (i, j) => {
      const value = pairValue(figures, tasks.length, i, j);
      const place = i < j ? value / ranges[0] : (0.5 - value) / ranges[1];
      const drawn = i !== j && Number.isFinite(value);
      const colour = drawn ? interpolate(theme.accord, (place + 1) / 2) : undefined;
      const chosen = i !== j && pair?.includes(i) === true && pair.includes(j);
      return { text: cellText(i, j, value), colour, chosen };
    },
    describe: (i, j) => describePair(figures, tasks, i, j),
  };
}

/** The same figures with the tasks in another order. */
function inOrder({ cosine, conflict, norms }: PairFigures, order: readonly number[]): PairFigures {
  const square = (figures: PairFigures['cosine']) =>
    order.flatMap((i) => order.map((j) => figures[i * order.length + j] ?? null));
  return {
    cosine: square(cosine),
    conflict: square(conflict),
    norms: order.map((i) => norms[i] ?? null),
  };
}

/** Symmetric and snapped to the data. */
function rangesOf(view: PairFigures): readonly [number, number] {
  const spread = (values: readonly number[]) =>
    Math.max(0, ...values.filter(Number.isFinite).map(Math.abs));
  const cosine = spread(view.cosine.map(valueOf));
  const conflict = spread(view.conflict.map((f) => valueOf(f) - 0.5));
  return [
    cosineRanges.find((r) => r >= cosine) ?? 1,
    conflictRanges.find((r) => r >= conflict) ?? 0.5,
  ];
}

function describePair(view: PairFigures, tasks: readonly string[], i: number, j: number): string {
  const [a, b] = [Math.min(i, j), Math.max(i, j)];
  if (i === j)
    return `${tasks[i] ?? ''}: ‖τ‖ is ${percent(valueOf(view.norms[i]), 2)}${nbsp}% of the base`;
  const cosine = valueOf(view.cosine[a * tasks.length + b]);
  const conflict = view.conflict[b * tasks.length + a];
  return `${tasks[a] ?? ''} and ${tasks[b] ?? ''}: cosine ${signed(cosine, 2)}, sign conflict ${percent(valueOf(conflict), 1)}${nbsp}%`;
}

function cellText(i: number, j: number, value: number): string {
  if (!Number.isFinite(value)) return missing;
  if (i === j) return `${percent(value, 2)}${nbsp}%`;
  return i < j ? signed(value, 2) : `${percent(value, 0)}${nbsp}%`;
}

/** Norm on the diagonal, cosine above it, sign conflict below. */
function pairValue(view: PairFigures, tasks: number, i: number, j: number): number {
  const k = i * tasks + j;
  if (i === j) return valueOf(view.norms[i]);
  return valueOf(i < j ? view.cosine[k] : view.conflict[k]);
}

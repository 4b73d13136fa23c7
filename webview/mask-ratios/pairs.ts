import { interpolate } from '../shared/colours';
import { Drawn, fill, h } from '../shared/dom';
import { missing, nbsp, percent, signed, valueOf } from '../shared/format';
import type { PairFigures, PairView } from '../../server/protocol/panels/mask-details';
import type { LiveRegion, Tooltip } from '../shared/tooltip';
import type { Theme } from '../shared/theme';
import type { MaskActions, MaskModel } from './model';
import type { MatrixContent } from './task-matrix';
import { TaskMatrix } from './task-matrix';

const cosineRanges = [0.05, 0.1, 0.25, 0.5, 1];
const conflictRanges = [0.02, 0.04, 0.08, 0.16, 0.5];

/** One square matrix: cosine above the diagonal, sign conflict below, norms on it, one colour scale. */
export class PairsCard {
  readonly element = h('section', { class: 'card pairs' });
  private readonly matrix: TaskMatrix;
  private readonly drawn = new Drawn();

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
    if (!this.drawn.differs(numbers, recipe.tasks, model.theme, pair?.first, pair?.second)) return;
    const ranges = rangesOf(view);
    fill(
      this.element,
      h('div', { class: 'heading' }, h('h2', {}, 'Tasks against each other')),
      h('p', { class: 'secondary' }, 'above cosine · below sign conflict · diagonal ‖τ‖, %'),
      this.matrix.element,
      h(
        'p',
        { class: 'secondary small scale-note' },
        `cosine ±${String(ranges[0])}, conflict 50 ± ${String(Math.round(ranges[1] * 100))} points`,
      ),
      h(
        'p',
        { class: 'note' },
        h('strong', {}, `${view.sentences.pairs} `),
        `Unrelated tasks sit at cosine 0 and 50${nbsp}%. A cell shows its pair layer by layer.`,
      ),
    );
    this.matrix.draw({
      ...pairContent(view, recipe.tasks, model.theme, pair),
      choose: (i, j) => {
        this.choose([Math.min(i, j), Math.max(i, j)], pair);
      },
    });
  }

  /** The pair that is shown already is put away; a task with itself is no pair. */
  private choose(chosen: readonly [number, number], shown: PairView | undefined): void {
    const same = shown?.first === chosen[0] && shown.second === chosen[1];
    this.actions.showPair(same || chosen[0] === chosen[1] ? undefined : chosen);
  }
}

/** Cosine above the diagonal, sign conflict below, norms on it; the chosen pair is marked. */
export function pairContent(
  figures: PairFigures,
  tasks: readonly string[],
  theme: Theme,
  pair?: PairView,
): MatrixContent {
  const ranges = rangesOf(figures);
  return {
    label: 'Cosine and sign conflict of each pair of tasks',
    tasks,
    cell: (i, j) => {
      const value = pairValue(figures, tasks.length, i, j);
      const place = i < j ? value / ranges[0] : (0.5 - value) / ranges[1];
      const drawn = i !== j && Number.isFinite(value);
      const colour = drawn ? interpolate(theme.accord, (place + 1) / 2) : undefined;
      const chosen = pair?.first === Math.min(i, j) && pair.second === Math.max(i, j);
      return { text: cellText(i, j, value), colour, chosen };
    },
    describe: (i, j) => describePair(figures, tasks, i, j),
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

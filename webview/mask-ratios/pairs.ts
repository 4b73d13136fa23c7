import { interpolate } from '../shared/colours';
import { Drawn, fill, h } from '../shared/dom';
import { missing, nbsp, percent, signed, valueOf } from '../shared/format';
import type { MaskView } from '../../server/protocol/panels/mask-ratios';
import type { LiveRegion, Tooltip } from '../shared/tooltip';
import type { MaskModel } from './model';
import { TaskMatrix } from './task-matrix';

const cosineRanges = [0.05, 0.1, 0.25, 0.5, 1];
const conflictRanges = [0.02, 0.04, 0.08, 0.16, 0.5];

/** One square matrix: cosine above the diagonal, sign conflict below, norms on it, one colour scale. */
export class PairsCard {
  readonly element = h('section', { class: 'card pairs' });
  private readonly matrix: TaskMatrix;
  private readonly drawn = new Drawn();

  constructor(tools: { readonly tooltip: Tooltip; readonly live: LiveRegion }) {
    this.matrix = new TaskMatrix(tools);
  }

  draw(model: MaskModel): void {
    const { view, recipe } = model.snapshot;
    if (!view || !recipe) return;
    // No handle moves these numbers, though each answer brings them along.
    const { cosine, conflict, norms, sentences } = view;
    const numbers = JSON.stringify([cosine, conflict, norms, sentences.pairs]);
    if (!this.drawn.differs(numbers, recipe.tasks, model.theme)) return;
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
        `Unrelated tasks sit at cosine 0 and 50${nbsp}%.`,
      ),
    );
    this.matrix.draw({
      label: 'Cosine and sign conflict of each pair of tasks',
      tasks: recipe.tasks,
      cell: (i, j) => {
        const value = pairValue(view, recipe.tasks.length, i, j);
        const place = i < j ? value / ranges[0] : (0.5 - value) / ranges[1];
        const drawn = i !== j && Number.isFinite(value);
        const colour = drawn ? interpolate(model.theme.accord, (place + 1) / 2) : undefined;
        return { text: cellText(i, j, value), colour };
      },
      describe: (i, j) => describePair(view, recipe.tasks, i, j),
    });
  }
}

/** Symmetric and snapped to the data. */
function rangesOf(view: MaskView): readonly [number, number] {
  const spread = (values: readonly number[]) =>
    Math.max(0, ...values.filter(Number.isFinite).map(Math.abs));
  const cosine = spread(view.cosine.map(valueOf));
  const conflict = spread(view.conflict.map((f) => valueOf(f) - 0.5));
  return [
    cosineRanges.find((r) => r >= cosine) ?? 1,
    conflictRanges.find((r) => r >= conflict) ?? 0.5,
  ];
}

function describePair(view: MaskView, tasks: readonly string[], i: number, j: number): string {
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
function pairValue(view: MaskView, tasks: number, i: number, j: number): number {
  const k = i * tasks + j;
  if (i === j) return valueOf(view.norms[i]);
  return valueOf(i < j ? view.cosine[k] : view.conflict[k]);
}

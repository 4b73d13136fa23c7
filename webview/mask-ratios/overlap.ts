import { segments } from '../shared/components';
import { interpolate } from '../shared/colours';
import { fill, h } from '../shared/dom';
import { missing, nbsp, percent } from '../shared/format';
import type { LiveRegion, Tooltip } from '../shared/tooltip';
import type { SpectrumInput } from './spectra-model';
import { overlapOf, overlapSizes, pairIndex, unrelatedOverlap } from './spectra-model';
import { TaskMatrix } from './task-matrix';

/** How much the tasks' leading directions have in common: shares above the diagonal, times unrelated below. */
export class OverlapMatrix {
  readonly element = h('div', { class: 'overlap' });
  private readonly steps = h('span', { class: 'end' });
  private readonly note = h('p', { class: 'secondary small scale-note' });
  private readonly matrix: TaskMatrix;
  private input: SpectrumInput | undefined;
  private measured = 0;
  private size = 8;

  constructor(tools: { readonly tooltip: Tooltip; readonly live: LiveRegion }) {
    this.matrix = new TaskMatrix(tools);
    this.element.append(
      h('div', { class: 'heading' }, h('h3', {}, 'Overlap of leading directions'), this.steps),
      h(
        'p',
        { class: 'secondary' },
        'above mean squared cosine · below times unrelated · diagonal effective rank',
      ),
      this.matrix.element,
      this.note,
    );
  }

  /** `measured`: directions that overlaps are known for. */
  draw(input: SpectrumInput, measured: number): void {
    this.input = input;
    if (this.measured !== measured) this.drawSteps(measured);
    const unrelated = unrelatedOverlap(input.tensor, this.size);
    this.matrix.draw({
      label: 'Overlap of the leading directions of each pair of tasks',
      tasks: input.tasks,
      cell: (i, j) => {
        if (i === j) return { text: rankOf(input, i).toFixed(0) };
        const value = this.overlap(input, i, j);
        if (!Number.isFinite(value)) return { text: missing };
        const times = `${(value / unrelated).toFixed(1)}${nbsp}×`;
        const text = i < j ? `${percent(value, 1)}${nbsp}%` : times;
        return { text, colour: interpolate(input.theme.depth, value) };
      },
      describe: (i, j) => this.describe(input, i, j),
    });
    fill(
      this.note,
      `leading ${String(this.size)} right singular vectors · unrelated tasks ${percent(unrelated, 1)}${nbsp}%`,
    );
  }

  private drawSteps(measured: number): void {
    this.measured = measured;
    this.size = Math.min(this.size, measured);
    const choices = overlapSizes(measured).map((size) => ({
      value: String(size),
      label: String(size),
    }));
    fill(
      this.steps,
      segments('Leading directions', choices, String(this.size), (value) => {
        this.size = Number(value);
        this.drawSteps(measured);
        if (this.input) this.draw(this.input, measured);
      }),
    );
  }

  private overlap({ tensor, tasks }: SpectrumInput, i: number, j: number): number {
    return overlapOf(tensor, pairIndex(i, j, tasks.length), this.size);
  }

  private describe(input: SpectrumInput, i: number, j: number): string {
    const { tasks, tensor } = input;
    if (i === j)
      return `${tasks[i] ?? ''}: effective rank ${rankOf(input, i).toFixed(1)} of ${String(tensor.directions)}`;
    const share = `${percent(this.overlap(input, i, j), 1)}${nbsp}%`;
    const angle = smallestAngle(tensor.overlaps[pairIndex(i, j, tasks.length)]?.cosines ?? []);
    return `${tasks[i] ?? ''} and ${tasks[j] ?? ''}: overlap ${share}${angle}`;
  }
}

function rankOf({ tensor }: SpectrumInput, task: number): number {
  return tensor.tasks[task]?.effective_rank ?? 0;
}

function smallestAngle(cosines: readonly number[]): string {
  const [largest] = cosines;
  if (largest === undefined) return '';
  const degrees = (Math.acos(largest) * 180) / Math.PI;
  return `, smallest angle of the leading ${String(cosines.length)} ${degrees.toFixed(1)}°`;
}

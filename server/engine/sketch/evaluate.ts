import type { BlockReport, TensorReport } from '../../protocol/report';
import { methodFor } from '../merge/methods';
import type { MaskPlan, MergePlan, TensorJob } from '../plan-types';
import type { Figure, GroupFigures, TensorTotals } from './figures';
import { groupFigures } from './figures';
import { mergeColumns, type SketchJob } from './merge-columns';
import { type Memory, movedTo, openRoom, type Room } from './room';
import { looksUnchanged, type Sketch, type SketchTensor } from './sketch';
import { inputTotals, type InputTotals, mergeTotals } from './totals';

/** A report whose figures come from a sample; see `MergeReport` for the exact one. */
export interface SketchReport {
  readonly tasks: readonly string[];
  readonly exact: boolean;
  /** Last round of the sample that is in it, and how many there are. */
  readonly round: number;
  readonly tensors: readonly (TensorReport<Figure> & Pick<GroupFigures, 'selfish_of_retained'>)[];
  readonly blocks: readonly (BlockReport<Figure> & Pick<GroupFigures, 'selfish_of_retained'>)[];
  readonly components: Readonly<Record<string, GroupFigures>>;
  readonly total: GroupFigures;
  /** Tensors without a sampled difference: out of every sum until a full read has compared them. */
  readonly unchanged: readonly string[];
  /** Tensors with NaN or infinity in the sample: no figures. */
  readonly nonfinite: readonly string[];
  /** Tensors whose method needs whole matrices: no mask figures from a sample. */
  readonly withoutMerge: readonly string[];
}

/** What of a plan a sketch is evaluated with. */
export type SketchPlan = Pick<MergePlan, 'settings' | 'masks'> & {
  readonly jobs: readonly Pick<TensorJob, 'name' | 'rule'>[];
};

interface Kept extends SketchJob {
  readonly input: InputTotals;
}

/**
 * Evaluates a sketch again and again while a document or a slider changes. What depends on the inputs
 * alone is computed once, R(τ) once for each method, density and weights; α and λ are the cheap part.
 */
export class SketchEvaluation {
  readonly sketch: Sketch;
  private readonly room: Room;
  /** τ_merge of every tensor before α, by name. */
  private readonly results: ReadonlyMap<string, Float32Array>;
  private readonly unchanged: ReadonlySet<string>;
  private readonly inputs = new Map<string, InputTotals>();
  /** What `results` hold. */
  private merged: { readonly key: string; readonly known: readonly boolean[] } | null = null;

  /** `memory` has room for `roomBytes(sketch)`. */
  constructor(sketch: Sketch, memory: Memory) {
    this.sketch = movedTo(memory, sketch);
    this.room = openRoom(memory, sketch);
    this.results = new Map(
      sketch.tensors.map(({ name, columns }) => [name, memory.floats(columns.stride)]),
    );
    this.unchanged = new Set(sketch.tensors.filter(looksUnchanged).map(({ name }) => name));
  }

  /**
   * Figures for the merged tensors of a plan; tensors that the sketch does not hold are left out.
   * `detail` chooses the tensors that get figures of their own: most of the time goes there.
   */
  report(plan: SketchPlan, detail: (name: string) => boolean = () => true): SketchReport {
    const { tasks, round, tensors } = this.sketch;
    const jobs = this.jobsOf(plan);
    const kept = jobs.filter(({ tensor }) => !tensor.nonfinite && !this.unchanged.has(tensor.name));
    const known = this.mergeAll(kept, plan);
    const totals = kept.map((job, i) => this.totalsOf(job, known[i], plan.masks));
    return {
      tasks,
      exact: tensors.every(({ whole }) => whole),
      round,
      tensors: kept.flatMap(({ tensor: { name, place, shape } }, i) => {
        if (!detail(name)) return [];
        const { rule } = methodFor(plan.settings, shape, tasks.length);
        return [{ name, ...place, shape, rule, ...groupFigures(tasks, [totals[i]]) }];
      }),
      ...grouped(tasks, kept, totals),
      total: groupFigures(tasks, totals),
      unchanged: jobs.flatMap(({ tensor: { name } }) => (this.unchanged.has(name) ? [name] : [])),
      nonfinite: jobs.flatMap(({ tensor }) => (tensor.nonfinite ? [tensor.name] : [])),
      withoutMerge: kept.flatMap(({ tensor }, i) => (known[i] ? [] : [tensor.name])),
    };
  }

  private jobsOf({ jobs }: SketchPlan): Kept[] {
    const byName = new Map(this.sketch.tensors.map((tensor) => [tensor.name, tensor]));
    return jobs.flatMap(({ name, rule }) => {
      const tensor = byName.get(name);
      const merged = this.results.get(name);
      if (!tensor || !merged || rule.kind !== 'merge') return [];
      return [{ tensor, merged, parameters: rule.parameters, input: this.inputOf(tensor) }];
    });
  }

  private inputOf(tensor: SketchTensor): InputTotals {
    const known = this.inputs.get(tensor.name);
    if (known) return known;
    const made = inputTotals(tensor, this.room);
    this.inputs.set(tensor.name, made);
    return made;
  }

  /** R(τ) of every tensor; kept while method, density and weights stay, because α only scales it. */
  private mergeAll(jobs: readonly SketchJob[], { settings }: SketchPlan): readonly boolean[] {
    const used = jobs.map(({ tensor, parameters: { weights, density, gamma, epsilon, t } }) => [
      ...[tensor.name, weights, density],
      ...[gamma, epsilon, t],
    ]);
    const key = JSON.stringify([settings, used]);
    if (this.merged?.key !== key) {
      const { room, sketch } = this;
      this.merged = { key, known: mergeColumns(jobs, { settings, tasks: sketch.tasks, room }) };
    }
    return this.merged.known;
  }

  private totalsOf(job: Kept, known: boolean, masks: MaskPlan | null): TensorTotals {
    const { tensor, merged, input, parameters } = job;
    const { elements, whole } = tensor;
    if (!known) return { elements, whole, input, merge: null };
    const { alpha, lambda } = parameters;
    const scaled = alpha === 1 ? merged : this.room.scaled.subarray(0, merged.length);
    if (alpha !== 1) this.room.stages.scale(merged, alpha, scaled, merged.length);
    const settings = { masks, lambda, room: this.room };
    return { elements, whole, input, merge: mergeTotals(tensor, scaled, settings) };
  }
}

function grouped(
  tasks: readonly string[],
  kept: readonly Kept[],
  totals: readonly TensorTotals[],
): Pick<SketchReport, 'blocks' | 'components'> {
  const blocks = new Map<
    string,
    { place: { component: string; block: number | null }; members: TensorTotals[] }
  >();
  const components = new Map<string, TensorTotals[]>();
  kept.forEach(({ tensor: { place } }, i) => {
    const { component, block } = place;
    const key = `${component}\u0000${String(block)}`;
    const group = blocks.get(key) ?? { place: { component, block }, members: [] };
    group.members.push(totals[i]);
    blocks.set(key, group);
    components.set(component, [...(components.get(component) ?? []), totals[i]]);
  });
  return {
    blocks: [...blocks.values()].map(({ place, members }) => ({
      ...place,
      ...groupFigures(tasks, members),
    })),
    components: Object.fromEntries(
      [...components].map(([name, members]) => [name, groupFigures(tasks, members)]),
    ),
  };
}

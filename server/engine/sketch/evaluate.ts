import type { BlockReport, TensorReport } from '../../protocol/report';
import { methodFor } from '../merge/methods';
import type { MaskPlan, MergeParameters, MergePlan } from '../plan-types';
import type { Stages } from '../stages';
import type { Figure, GroupFigures, TensorTotals } from './figures';
import { groupFigures } from './figures';
import { mergeColumns, type SketchJob } from './merge-columns';
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
export type SketchPlan = Pick<MergePlan, 'settings' | 'masks' | 'jobs'>;

interface Kept {
  readonly tensor: SketchTensor;
  readonly parameters: MergeParameters;
  readonly input: InputTotals;
}

/**
 * Evaluates a sketch again and again while a document or a slider changes. What depends on the inputs
 * alone is computed once, R(τ) once for each method, density and weights; α and λ are the cheap part.
 */
export class SketchEvaluation {
  private readonly inputs = new Map<string, InputTotals>();
  private merged: {
    readonly key: string;
    readonly columns: readonly (Float32Array | null)[];
  } | null = null;

  constructor(
    readonly sketch: Sketch,
    private readonly stages: Stages,
  ) {}

  /** Figures for the merged tensors of a plan; tensors that the sketch does not hold are left out. */
  report(plan: SketchPlan): SketchReport {
    const { tasks, round, tensors } = this.sketch;
    const jobs = this.jobsOf(plan);
    const unchanged = jobs.filter(({ tensor }) => looksUnchanged(tensor));
    const kept = jobs.filter(({ tensor }) => !tensor.nonfinite && !looksUnchanged(tensor));
    const columns = this.mergedColumns(kept, plan);
    const totals = kept.map((job, i) => this.totalsOf(job, columns[i], plan.masks));
    const groups = grouped(tasks, kept, totals);
    return {
      tasks,
      exact: tensors.every(({ whole }) => whole),
      round,
      tensors: kept.map(({ tensor }, i) => ({
        name: tensor.name,
        ...tensor.place,
        shape: tensor.shape,
        rule: methodFor(plan.settings, tensor.shape, tasks.length).rule,
        ...groupFigures(tasks, [totals[i]]),
      })),
      ...groups,
      total: groupFigures(tasks, totals),
      unchanged: unchanged.map(({ tensor }) => tensor.name),
      nonfinite: jobs.filter(({ tensor }) => tensor.nonfinite).map(({ tensor }) => tensor.name),
      withoutMerge: kept.flatMap(({ tensor }, i) => (columns[i] ? [] : [tensor.name])),
    };
  }

  private jobsOf({ jobs }: SketchPlan): Kept[] {
    const byName = new Map(this.sketch.tensors.map((tensor) => [tensor.name, tensor]));
    return jobs.flatMap(({ name, rule }) => {
      const tensor = byName.get(name);
      if (!tensor || rule.kind !== 'merge') return [];
      return [{ tensor, parameters: rule.parameters, input: this.inputOf(tensor) }];
    });
  }

  private inputOf(tensor: SketchTensor): InputTotals {
    const known = this.inputs.get(tensor.name);
    if (known) return known;
    const made = inputTotals(tensor, this.stages);
    this.inputs.set(tensor.name, made);
    return made;
  }

  private mergedColumns(
    jobs: readonly SketchJob[],
    { settings }: SketchPlan,
  ): readonly (Float32Array | null)[] {
    const key = JSON.stringify([
      settings,
      jobs.map(({ tensor, parameters: { weights, density, gamma, epsilon, t } }) => [
        tensor.name,
        weights,
        density,
        gamma,
        epsilon,
        t,
      ]),
    ]);
    if (this.merged?.key !== key)
      this.merged = {
        key,
        columns: mergeColumns(jobs, { settings, tasks: this.sketch.tasks, stages: this.stages }),
      };
    return this.merged.columns;
  }

  private totalsOf(
    { tensor, parameters, input }: Kept,
    merged: Float32Array | null,
    masks: MaskPlan | null,
  ): TensorTotals {
    const { elements, whole } = tensor;
    if (!merged) return { elements, whole, input, merge: null };
    const { alpha, lambda } = parameters;
    const scaled = alpha === 1 ? merged : new Float32Array(merged.length);
    if (alpha !== 1) this.stages.scale(merged, alpha, scaled, merged.length);
    return {
      elements,
      whole,
      input,
      merge: mergeTotals(tensor, scaled, { masks, lambda, stages: this.stages }),
    };
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

import type { BlockReport, TensorReport } from '../../protocol/report';
import { methodFor } from '../merge/methods';
import type { MaskPlan } from '../plan-types';
import type { Figure, Group, GroupFigures, Known, TensorTotals } from './figures';
import { groupFigures, groupOf } from './figures';
import { mergeColumns, type SketchJob } from './merge-columns';
import type { SketchPlan } from './plan';
import { type Memory, movedTo, openRoom, type Room } from './room';
import {
  expansionOf,
  looksUnchanged,
  sampledShare,
  type Sketch,
  type SketchTensor,
} from './sketch';
import { emptyMergeTotals, fillMaskTotals, inputTotals } from './totals';

/** A report whose figures come from a sample; see `MergeReport` for the exact one. */
export interface SketchReport {
  readonly tasks: readonly string[];
  readonly exact: boolean;
  /** Last round of the sample that is in it, and how many there are. */
  readonly round: number;
  /** Share of the zoo's positions that were read for it. */
  readonly share: number;
  /** Tensors of the plan that the sample holds. */
  readonly merged: number;
  readonly tensors: readonly TensorReport<Figure>[];
  readonly blocks: readonly BlockReport<Figure>[];
  readonly components: Readonly<Record<string, GroupFigures>>;
  readonly total: GroupFigures;
  /** Tensors without a sampled difference: out of every sum until a full read has compared them. */
  readonly unchanged: readonly string[];
  /** Tensors with NaN or infinity in the sample: no figures. */
  readonly nonfinite: readonly string[];
  /** Tensors whose method needs whole matrices: no mask figures from a sample. */
  readonly withoutMerge: readonly string[];
}

/** What a recipe's settings also carry: every tensor has its own, already resolved. */
const ofTensors = { alpha: undefined, density: undefined, epsilon: undefined, gamma: undefined };

/** A tensor with the numbers that the recipe gives it and what they make of it. */
interface Kept extends SketchJob {
  readonly totals: TensorTotals;
}

/** The kept tensors, alone and added up. */
interface Groups {
  readonly total: Group;
  readonly blocks: readonly Placed[];
  readonly components: ReadonlyMap<string, Group>;
  /** Groups of one, made when asked for. */
  readonly single: Map<string, Group>;
}
interface Placed {
  readonly place: { readonly component: string; readonly block: number | null };
  readonly group: Group;
}

/**
 * Evaluates a sketch again and again while a document or a slider changes. What depends on the inputs
 * alone is computed once, R(τ) once for each method, density and weights; α and λ are the cheap part.
 */
export class SketchEvaluation {
  readonly sketch: Sketch;
  private readonly room: Room;
  private readonly byName: ReadonlyMap<string, SketchTensor>;
  /** τ_merge of every tensor before α, by name. */
  private readonly results: ReadonlyMap<string, Float32Array>;
  private readonly unchanged: ReadonlySet<string>;
  private readonly share: number;
  private readonly totals = new Map<string, TensorTotals>();
  /** What `results` hold. */
  private merged: { readonly key: string; readonly known: readonly boolean[] } | null = null;
  /** The groups of the tensors that were kept last. */
  private grouped: { readonly names: readonly string[]; readonly groups: Groups } | null = null;

  /** `memory` has room for `roomBytes(sketch)`. */
  constructor(sketch: Sketch, memory: Memory) {
    this.sketch = movedTo(memory, sketch);
    this.room = openRoom(memory, sketch);
    this.byName = new Map(this.sketch.tensors.map((tensor) => [tensor.name, tensor]));
    this.results = new Map(
      sketch.tensors.map(({ name, columns }) => [name, memory.floats(columns.stride)]),
    );
    this.unchanged = new Set(sketch.tensors.filter(looksUnchanged).map(({ name }) => name));
    this.share = sampledShare(sketch);
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
    const merged = new Set(kept.filter((_, i) => known[i]).map(({ totals }) => totals));
    for (const job of kept) if (merged.has(job.totals)) this.fill(job, plan.masks);
    const groups = this.groupsOf(kept);
    const figures = (group: Group): GroupFigures =>
      groupFigures(tasks, group, knownOf(group, merged, plan.masks));
    return {
      tasks,
      exact: tensors.every(({ whole }) => whole),
      round,
      share: this.share,
      merged: jobs.length,
      tensors: kept.flatMap(({ tensor: { name, place, shape }, totals }) => {
        if (!detail(name)) return [];
        const { rule } = methodFor(plan.settings, shape, tasks.length);
        const group = groups.single.get(name) ?? groupOf(tasks, [totals]);
        groups.single.set(name, group);
        return [{ name, ...place, shape, rule, ...figures(group) }];
      }),
      blocks: groups.blocks.map(({ place, group }) => ({ ...place, ...figures(group) })),
      components: Object.fromEntries(
        [...groups.components].map(([name, group]) => [name, figures(group)]),
      ),
      total: figures(groups.total),
      unchanged: jobs.flatMap(({ tensor: { name } }) => (this.unchanged.has(name) ? [name] : [])),
      nonfinite: jobs.flatMap(({ tensor }) => (tensor.nonfinite ? [tensor.name] : [])),
      withoutMerge: kept.flatMap(({ tensor }, i) => (known[i] ? [] : [tensor.name])),
    };
  }

  private jobsOf({ jobs }: SketchPlan): Kept[] {
    return jobs.flatMap(({ name, rule }) => {
      const tensor = this.byName.get(name);
      const merged = this.results.get(name);
      if (!tensor || !merged || rule.kind !== 'merge') return [];
      return [{ tensor, merged, parameters: rule.parameters, totals: this.totalsOf(tensor) }];
    });
  }

  private totalsOf(tensor: SketchTensor): TensorTotals {
    const known = this.totals.get(tensor.name);
    if (known) return known;
    const { elements, whole } = tensor;
    const input = inputTotals(tensor, this.room);
    const made = { elements, whole, input, merge: emptyMergeTotals(tensor) };
    this.totals.set(tensor.name, made);
    return made;
  }

  private groupsOf(kept: readonly Kept[]): Groups {
    const names = kept.map(({ tensor: { name } }) => name);
    const same =
      this.grouped?.names.length === names.length &&
      this.grouped.names.every((name, i) => name === names[i]);
    if (!this.grouped || !same) this.grouped = { names, groups: group(this.sketch.tasks, kept) };
    return this.grouped.groups;
  }

  /** R(τ) of every tensor; kept while method, density and weights stay, because α only scales it. */
  private mergeAll(jobs: readonly SketchJob[], { settings }: SketchPlan): readonly boolean[] {
    const used = jobs.map(({ tensor, parameters: { weights, density, gamma, epsilon, t } }) => [
      ...[tensor.name, weights, density],
      ...[gamma, epsilon, t],
    ]);
    const key = JSON.stringify([{ ...settings, ...ofTensors }, used]);
    if (this.merged?.key !== key) {
      const { room, sketch } = this;
      this.merged = { key, known: mergeColumns(jobs, { settings, tasks: sketch.tasks, room }) };
    }
    return this.merged.known;
  }

  private fill({ tensor, merged, totals, parameters }: Kept, masks: MaskPlan | null): void {
    const { alpha, lambda } = parameters;
    const { room } = this;
    const scaled = alpha === 1 ? merged : room.scaled.subarray(0, merged.length);
    if (alpha !== 1) room.stages.scale(merged, alpha, scaled, merged.length);
    const square = room.stages.sumSquares(scaled, merged.length) * expansionOf(tensor);
    totals.merge.mergedSquare = square;
    if (masks) fillMaskTotals(totals.merge, tensor, scaled, { masks, lambda, room });
  }
}

/** A group's merge is known when that of all its members is. */
function knownOf(
  { members }: Group,
  merged: ReadonlySet<TensorTotals>,
  masks: MaskPlan | null,
): Known {
  const all = members.every((member) => merged.has(member));
  return { merged: all, masked: all && masks !== null };
}

function group(tasks: readonly string[], kept: readonly Kept[]): Groups {
  const blocks = new Map<string, { place: Placed['place']; members: TensorTotals[] }>();
  const components = new Map<string, TensorTotals[]>();
  for (const { tensor, totals } of kept) {
    const { component, block } = tensor.place;
    const key = `${component}\u0000${String(block)}`;
    const placed = blocks.get(key) ?? { place: { component, block }, members: [] };
    placed.members.push(totals);
    blocks.set(key, placed);
    const members = components.get(component) ?? [];
    members.push(totals);
    components.set(component, members);
  }
  const all = kept.map(({ totals }) => totals);
  return {
    total: groupOf(tasks, all),
    blocks: [...blocks.values()].map(({ place, members }) => ({
      place,
      group: groupOf(tasks, members),
    })),
    components: new Map([...components].map(([name, members]) => [name, groupOf(tasks, members)])),
    single: new Map(),
  };
}

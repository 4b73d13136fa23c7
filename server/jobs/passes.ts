import { rowLengthOf } from '../engine/merge/method';
import { methodFor } from '../engine/merge/methods';
import { rescalers } from '../engine/merge/emr';
import { cutsOverModel, electsOverModel } from '../engine/merge/ties';
import { unitElements } from '../engine/plan-cost';
import type { MergePlan, TensorJob } from '../engine/plan-types';
import {
  binsOf,
  guessCuts,
  joined,
  refine,
  startFromSample,
  startSelection,
  type Selection,
} from '../engine/select';
import type { Cut } from '../engine/stages';
import { parametersOf } from './combiner';
import type { Pool } from './pool';
import type { SparseTally, Unit, UnitFacts, Work, WorkResult } from './units';

/** Largest histogram of one selection of a whole-model cut; all tasks share a thread's room. */
const modelBins = 1 << 20;

/** Runs of elements of one tensor. Whole rows or the whole tensor where the method needs them. */
export function unitsOf(plan: MergePlan, jobs: readonly number[]): Unit[] {
  const units: Unit[] = [];
  for (const job of jobs) {
    const tensor = plan.jobs[job];
    if (!tensor) continue;
    const step = unitLength(plan, tensor);
    for (let start = 0; start < tensor.elements || start === 0; start += step)
      units.push({ index: units.length, job, start, end: Math.min(start + step, tensor.elements) });
  }
  return units;
}

function unitLength(plan: MergePlan, job: TensorJob): number {
  if (job.rule.kind !== 'merge') return unitElements;
  const { method } = methodFor(plan.settings, job.shape, plan.tasks.length);
  if (method.kind === 'columns') return unitElements;
  if (method.kind === 'matrix') return Math.max(1, job.elements);
  // Whole rows, about a million elements, so that many tasks fit into memory.
  const row = Math.max(1, rowLengthOf(job));
  return row * Math.max(1, Math.floor((1 << 20) / row));
}

type Report = (unit: Unit) => void;

/** Which tensors an expert changed, and the base's Σ² of the others. */
export async function scanPass(
  plan: MergePlan,
  pool: Pool,
  jobs: readonly number[],
): Promise<{ readonly changed: boolean[]; readonly baseSquares: number[] }> {
  const changed = plan.jobs.map(() => true);
  const baseSquares = plan.jobs.map(() => 0);
  const works = jobs.map((job, index): Work => {
    const end = plan.jobs[job]?.elements ?? 0;
    return { kind: 'scan', unit: { index, job, start: 0, end } };
  });
  await pool.run(works, (work, result) => {
    if (result.kind !== 'scan') return;
    changed[work.unit.job] = result.changed;
    baseSquares[work.unit.job] = result.baseSquares;
  });
  return { changed, baseSquares };
}

/** What a threshold pass finds. */
export interface Thresholds {
  /** By unit index, then task, then rank. */
  readonly cuts: readonly (readonly (readonly Cut[])[])[];
  /** Of the whole model, by cuts that were only guessed; the merge makes sure (`execute.ts`). */
  readonly signBalance: number;
}

/** Cuts of every unit. */
export async function thresholdPass(
  plan: MergePlan,
  pool: Pool,
  units: readonly Unit[],
  report: Report,
): Promise<Thresholds> {
  return cutsOverModel(plan.settings)
    ? new ModelCut(plan, pool, units, report).run()
    : { cuts: await tensorCuts(pool, units, report), signBalance: 0 };
}

async function tensorCuts(
  pool: Pool,
  units: readonly Unit[],
  report: Report,
): Promise<readonly (readonly (readonly Cut[])[])[]> {
  const byJob = new Map<number, Unit[]>();
  for (const unit of units) byJob.set(unit.job, [...(byJob.get(unit.job) ?? []), unit]);
  const cuts: (readonly (readonly Cut[])[])[] = [];
  const works = [...byJob].map(([, own]): Work => {
    const first = own[0];
    if (!first) throw new RangeError('a tensor without units');
    const unit = { ...first, end: own.at(-1)?.end ?? first.end };
    return { kind: 'cut', unit, starts: own.map(({ start }) => start) };
  });
  await pool.run(works, (work, result) => {
    if (result.kind !== 'cut') return;
    byJob.get(work.unit.job)?.forEach((unit, i) => {
      cuts[unit.index] = result.cuts[i] ?? [];
      report(unit);
    });
  });
  return cuts;
}

/** One cut over all merged tensors as one vector, tensors in plan order (`trim_scope: model`). */
class ModelCut {
  private readonly total: number;
  private readonly bins: number;
  private selections: Selection[][];
  private tallies: (readonly (SparseTally | null)[])[][] = [];
  /** By task, then unit: bits that a magnitude probably has to exceed. */
  private guesses: readonly (readonly number[])[] | null = null;
  private signBalance = 0;

  constructor(
    private readonly plan: MergePlan,
    private readonly pool: Pool,
    private readonly units: readonly Unit[],
    private readonly report: Report,
  ) {
    this.total = units.reduce((sum, { start, end }) => sum + end - start, 0);
    this.bins = Math.min(modelBins, Math.floor((1 << 22) / plan.tasks.length));
    this.selections = plan.tasks.map((_, m) =>
      this.keep(m).map((keep) => startSelection(keep, this.total, this.bins)),
    );
  }

  async run(): Promise<Thresholds> {
    await this.sample();
    while (this.selections.some((own) => own.some(({ found }) => !found))) await this.round();
    return { cuts: this.perUnit(), signBalance: this.signBalance };
  }

  /** ⌊N·density⌋; where the density differs between tensors, the sum over them. */
  private keep(task: number): number[] {
    const jobs = [...new Set(this.units.map(({ job }) => job))].flatMap(
      (job) => this.plan.jobs[job] ?? [],
    );
    const densities = jobs.map((job) => parametersOf(job).density[task] ?? 1);
    const first = densities[0] ?? 1;
    if (densities.every((density) => density === first))
      return first >= 1 ? [] : [Math.floor(this.total * first)];
    const kept = jobs.reduce(
      (sum, job, i) => sum + job.elements * Math.min(1, densities[i] ?? 1),
      0,
    );
    return [Math.floor(kept)];
  }

  private async sample(): Promise<void> {
    const parts = this.plan.tasks.map((): Uint32Array[] =>
      this.units.map(() => new Uint32Array(0)),
    );
    const works = this.units.map((unit): Work => ({ kind: 'sample', unit }));
    await this.pool.run(works, ({ unit }, result) => {
      if (result.kind !== 'sample') return;
      result.magnitudes.forEach((values, m) => parts[m]?.splice(unit.index, 1, values));
    });
    const sorted = parts.map((own) => joined(own).sort());
    if (electsOverModel(this.plan.settings))
      this.guesses = this.selections.map((own, m) => {
        const share = (own[0]?.keep ?? this.total) / this.total;
        return guessCuts(share, sorted[m] ?? new Uint32Array(0), parts[m] ?? []);
      });
    this.selections = this.selections.map((own, m) => {
      const sample = sorted[m] ?? new Uint32Array(0);
      return own.map((s) => startFromSample(s, this.total, sample, this.bins));
    });
  }

  private async round(): Promise<void> {
    const windows = this.selections.map((own) => own.map((s) => (s.found ? null : s.window)));
    const { guesses } = this;
    this.guesses = null;
    const works = this.units.map((unit): Work => {
      const guess = guesses?.map((own) => own[unit.index] ?? -1) ?? null;
      return { kind: 'tally', unit, windows, guess };
    });
    const sums = this.selections.map((own) =>
      own.map((s) => ({ above: 0, histogram: new Float64Array(s.found ? 0 : binsOf(s.window)) })),
    );
    await this.pool.run(works, (work, result) => {
      if (result.kind !== 'tally') return;
      this.signBalance += result.signBalance;
      this.keepTallies(work.unit, result.tallies);
      result.tallies.forEach((own, m) => {
        own.forEach((tally, rank) => {
          const sum = sums[m]?.[rank];
          if (!tally || !sum) return;
          sum.above += tally.above;
          tally.bins.forEach((bin, i) => {
            sum.histogram[bin] = (sum.histogram[bin] ?? 0) + (tally.counts[i] ?? 0);
          });
        });
      });
      this.report(work.unit);
    });
    this.selections = this.selections.map((own, m) =>
      own.map((s, rank) => {
        const sum = sums[m]?.[rank];
        return s.found || !sum ? s : refine(s, sum, this.bins);
      }),
    );
  }

  /** Bins of one pattern each tell how many equal ones a unit holds; wider ones are of no use. */
  private keepTallies(unit: Unit, tallies: readonly (readonly (SparseTally | null)[])[]): void {
    const before = this.tallies[unit.index] ?? [];
    this.tallies[unit.index] = this.selections.map((own, m) =>
      own.map((s, rank) => {
        if (s.found) return before[m]?.[rank] ?? null;
        return s.window.shift === 0 ? (tallies[m]?.[rank] ?? null) : null;
      }),
    );
  }

  /** Equal magnitudes are kept from the first unit on until the quota is used up. */
  private perUnit(): (readonly (readonly Cut[])[])[] {
    const left = this.selections.map((own) => own.map((s) => s.found?.remaining ?? 0));
    return this.units.map((unit) =>
      this.selections.map((own, m) =>
        own.map((s, rank) => {
          const row = left[m] ?? [];
          const remaining = row[rank] ?? 0;
          const tally = this.tallies[unit.index]?.[m]?.[rank];
          row[rank] = Math.max(0, remaining - equalIn(tally, s));
          return { threshold: s.found?.bits ?? -1, remaining };
        }),
      ),
    );
  }
}

/** How many magnitudes of a unit equal the threshold. */
function equalIn(tally: SparseTally | null | undefined, selection: Selection): number {
  if (!tally || !selection.found) return 0;
  const at = tally.bins.indexOf(selection.found.bits - selection.window.low);
  return at < 0 ? 0 : (tally.counts[at] ?? 0);
}

/** Facts of every unit, by its index. */
export type FactsByUnit = (unit: Unit) => UnitFacts;

/** Sums of the method's statistics: by tensor, and the sign balance of the whole model. */
export async function statisticsPass(
  plan: MergePlan,
  pool: Pool,
  units: readonly Unit[],
  options: {
    readonly cuts: readonly (readonly (readonly Cut[])[])[];
    readonly report: Report;
  },
): Promise<{
  readonly sums: number[][];
  readonly signBalance: number;
  readonly rescalers: number[];
}> {
  const parts: (readonly number[])[] = [];
  const works = units.map((unit): Work => {
    const cuts = options.cuts[unit.index] ?? plan.tasks.map(() => []);
    return { kind: 'statistics', unit, facts: { cuts, signBalance: 0, sums: [], rescalers: [] } };
  });
  await pool.run(works, (work, result: WorkResult) => {
    if (result.kind !== 'statistics') return;
    parts[work.unit.index] = result.sums;
    options.report(work.unit);
  });
  const sums: number[][] = plan.jobs.map(() => []);
  for (const unit of units) {
    const part = parts[unit.index] ?? [];
    const own = sums[unit.job] ?? [];
    sums[unit.job] = own.length === 0 ? [...part] : own.map((sum, i) => sum + (part[i] ?? 0));
  }
  const used = [...new Set(units.map(({ job }) => job))];
  const emr = plan.settings.method === 'emr';
  return {
    sums,
    signBalance: used.reduce((sum, job) => sum + (sums[job]?.at(-1) ?? 0), 0),
    rescalers: emr
      ? rescalers(
          used.map((job) => sums[job] ?? []),
          used.map((job) => plan.jobs[job]?.elements ?? 1),
          plan.tasks.length,
        )
      : [],
  };
}

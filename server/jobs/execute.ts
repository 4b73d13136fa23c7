import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent } from '../protocol/events';
import { Cancelled } from '../protocol/merge-error';
import type { MeasuredParts, MergeReport } from '../protocol/report';
import { methodFor } from '../engine/merge/methods';
import { isNegative } from '../engine/merge/weighted';
import {
  addSums,
  reportOf,
  unchangedSums,
  type MetricSums,
  type TensorOutcome,
} from '../engine/metrics';
import type { MergePlan, TensorJob } from '../engine/plan-types';
import { matrixNeeds } from '../engine/spectral/needs';
import { createOutput, discardOutput, finishOutput } from '../tensors/writer';
import { Journal } from './journal';
import { inNetworkOrder, Measured } from './measured';
import { writeMaskHeader, writeRescalers } from './late-output';
import { matrixBudget, refuseCostlyMatrices, weakDirectionsWarning } from './matrix-checks';
import { planOutputs, type MergeOutputs } from './outputs';
import { scanPass, statisticsPass, thresholdPass, unitsOf, type Thresholds } from './passes';
import { automaticThreads, createPool, type Pool } from './pool';
import { Progress } from './progress';
import { refuseBadNumbers } from './refusals';
import type { MergeResult, Unit, UnitFacts, Work, WorkResult } from './units';

export interface ExecuteOptions {
  /** The run's directory while it is being made; results go to `merged/` in it. */
  readonly directory: string;
  readonly threads?: number | 'auto';
  /** Bytes that the whole process may use, `run.memory`. */
  readonly memory?: number;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
  /** Go on where an interrupted merge of the same plan into the same directory stopped. */
  readonly resume?: boolean;
  /** Hours of iterations that the caller agreed to (`wudi`); without it about one. */
  readonly acceptHours?: number | undefined;
  /** NaN, infinities and overflow are reported, not refused. */
  readonly allowNonfinite?: boolean;
  /** False: measure only, write nothing. */
  readonly write?: boolean;
  /** Bytes read at once from each model; results do not depend on it. */
  readonly pieceBytes?: number;
  /** Hears now and then which parts of the report are final. */
  readonly onMeasured?: (parts: MeasuredParts) => void;
  /** Bundle of `worker.ts`; the one beside the running bundle when absent. */
  readonly workerFile?: string;
}

const defaultMemory = 2 ** 31;
/** A piece of every model stays in a core's second-level cache; larger ones were measured slower. */
const defaultPiece = 1 << 18;

/**
 * Carries out a plan: reads the inputs piece by piece, writes `merged/` (product §5) and returns the
 * metrics of `report.json`, gathered in the same pass. Throws `MergeError` (MV422 an input changed,
 * MV460 NaN or infinity, MV461 overflow, MV462 integers that differ, MV45x cannot write) and
 * `Cancelled`; after both nothing but a resumable `merged/` and journal is left.
 */
export async function executeMerge(plan: MergePlan, options: ExecuteOptions): Promise<MergeReport> {
  const progress = new Progress(options.onEvent);
  const pool = createPool({
    plan,
    pieceBytes: pieceOf(plan, options),
    threads: threadsOf(options),
    signal: options.signal,
    workerFile: options.workerFile,
  });
  try {
    return await new Execution(plan, options, pool, progress).run();
  } finally {
    await pool.close();
  }
}

function threadsOf({ threads = 'auto' }: ExecuteOptions): number {
  return threads === 'auto' ? automaticThreads() : threads;
}

/** Smaller pieces when many models share little memory. */
function pieceOf(plan: MergePlan, options: ExecuteOptions): number {
  const room = ((options.memory ?? defaultMemory) - (160 << 20)) / threadsOf(options);
  let piece = options.pieceBytes ?? defaultPiece;
  const models = 2 * plan.tasks.length + 2;
  while (piece > 1 << 15 && piece * models + (40 << 20) > room) piece /= 2;
  return piece;
}

class Execution {
  private readonly write: boolean;
  private readonly folder: string;
  private changed: readonly boolean[] = [];
  private baseSquares: readonly number[] = [];

  constructor(
    private readonly plan: MergePlan,
    private readonly options: ExecuteOptions,
    private readonly pool: Pool,
    private readonly progress: Progress,
  ) {
    this.write = options.write ?? true;
    this.folder = join(options.directory, 'merged');
  }

  async run(): Promise<MergeReport> {
    await this.scan();
    const { plan } = this;
    this.refuseCost();
    const active = this.jobsWith((job, i) => isWorked(plan, job, this.changed[i] ?? true));
    const merged = unitsOf(
      plan,
      active.filter((i) => plan.jobs[i]?.rule.kind === 'merge'),
    );
    const facts = await this.facts(merged);
    const outputs = this.write ? planOutputs(plan, this.changed, this.folder) : null;
    const results = await this.merge(unitsOf(plan, active), facts, outputs);
    await this.pool.finish();
    const outcomes = this.outcomes(results);
    this.warnOfWeakDirections(outcomes);
    if (outputs) this.finish(outputs, outcomes, facts);
    return reportOf(plan, outcomes);
  }

  private refuseCost(): void {
    const { plan, pool, memory, options } = this;
    const changed = new Set(plan.jobs.filter((_, i) => this.changed[i]));
    const limits = { memory, threads: pool.threads, acceptHours: options.acceptHours };
    refuseCostlyMatrices(plan, (job) => changed.has(job), limits);
  }

  private get memory(): number {
    return this.options.memory ?? defaultMemory;
  }

  private jobsWith(test: (job: TensorJob, index: number) => boolean): number[] {
    return this.plan.jobs.flatMap((job, i) => (test(job, i) ? [i] : []));
  }

  /** Average takes every tensor, changed or not; integers are always compared. */
  private async scan(): Promise<void> {
    const { plan } = this;
    this.progress.phase('scan', 'started');
    const jobs = this.jobsWith(({ rule, base }) => {
      if (rule.kind === 'copy') return true;
      return rule.kind === 'merge' && base !== null && plan.settings.method !== 'average';
    });
    const { changed, baseSquares } = await scanPass(plan, this.pool, jobs);
    this.changed = changed;
    this.baseSquares = baseSquares;
    refuseBadNumbers.integers(plan, changed);
    refuseBadNumbers.unchanged(plan, baseSquares, this.options);
    this.progress.phase('scan', 'done');
  }

  /** What the method has to know before it can write, by unit. */
  private async facts(units: readonly Unit[]): Promise<(unit: Unit) => UnitFacts> {
    const { plan, pool, progress } = this;
    const report = (unit: Unit): void => {
      progress.add(readBytes(plan, unit));
    };
    const total = units.reduce((sum, unit) => sum + readBytes(plan, unit), 0);
    const none = plan.tasks.map(() => []);
    let thresholds: Thresholds = { cuts: [], signBalance: 0 };
    if (plan.passes.includes('threshold')) {
      progress.begin('threshold', total);
      thresholds = await thresholdPass(plan, pool, units, report);
      progress.phase('threshold', 'done');
    }
    const { cuts } = thresholds;
    let found: Awaited<ReturnType<typeof statisticsPass>> | null = null;
    if (plan.passes.includes('statistics')) {
      progress.begin('statistics', total);
      found = await statisticsPass(plan, pool, units, { cuts, report });
      progress.phase('statistics', 'done');
    }
    const byStart = new Map(
      units.map((unit) => [`${String(unit.job)} ${String(unit.start)}`, unit]),
    );
    return (unit) => ({
      cuts: cuts[byStart.get(`${String(unit.job)} ${String(unit.start)}`)?.index ?? -1] ?? none,
      signBalance: found?.signBalance ?? thresholds.signBalance,
      sums: found?.sums[unit.job] ?? [],
      rescalers: found?.rescalers ?? [],
    });
  }

  private async merge(
    units: readonly Unit[],
    facts: (unit: Unit) => UnitFacts,
    outputs: MergeOutputs | null,
  ): Promise<readonly (readonly MergeResult[])[]> {
    const { plan, progress } = this;
    const journal = outputs ? this.journal(outputs) : null;
    const results: (MergeResult | undefined)[] = units.map((unit) => journal?.find(unit));
    const byJob: Unit[][] = plan.jobs.map(() => []);
    for (const unit of units) byJob[unit.job]?.push(unit);
    const resultsOf = (job: number): MergeResult[] =>
      (byJob[job] ?? []).flatMap(({ index }) => results[index] ?? []);
    const measured = this.measured(units, resultsOf);
    const bytesOf = (some: readonly Unit[]): number =>
      some.reduce((sum, unit) => sum + readBytes(plan, unit), 0);
    const run = async (left: readonly Unit[], known: (unit: Unit) => UnitFacts): Promise<void> => {
      const works = left.map((unit): Work => ({
        kind: 'merge',
        unit,
        facts: known(unit),
        slots: outputs?.slots[unit.job] ?? null,
      }));
      const note = (work: Work, result: WorkResult): void => {
        if (result.kind !== 'merge') return;
        results[work.unit.index] = result;
        journal?.note(work.unit, result);
        measured?.note(work.unit, result);
        progress.add(readBytes(plan, work.unit));
      };
      await this.pool.run(works, note, this.matrixMemory());
    };
    const missing = units.filter((unit) => results[unit.index] === undefined);
    progress.begin('merge', bytesOf(units));
    for (const unit of units) {
      const result = results[unit.index];
      if (result) measured?.note(unit, result);
    }
    if (missing.length < units.length) progress.add(bytesOf(units) - bytesOf(missing));
    try {
      await run(inNetworkOrder(plan, missing), facts);
      const { signBalance, wrong } = misguided(units, results);
      progress.extend(bytesOf(wrong));
      await run(wrong, (unit) => ({ ...facts(unit), signBalance }));
    } finally {
      journal?.close();
    }
    const found = [...plan.jobs.keys()].map(resultsOf);
    this.refuse(found, outputs);
    progress.phase('merge', 'done');
    return found;
  }

  /** Tells what is known exactly while the merge runs, where somebody wants to hear it. */
  private measured(
    units: readonly Unit[],
    resultsOf: (job: number) => MergeResult[],
  ): Measured | null {
    const { plan, options } = this;
    const { onMeasured: tell } = options;
    const outcomeOf = (job: number) => this.outcome(job, resultsOf(job));
    return tell ? new Measured({ plan, units, outcomeOf, tell }) : null;
  }

  /** Refused numbers leave nothing behind. */
  private refuse(results: readonly (readonly MergeResult[])[], outputs: MergeOutputs | null): void {
    try {
      refuseBadNumbers.nonfinite(this.plan, results, this.options);
    } catch (error) {
      for (const output of outputs?.plans ?? []) discardOutput(output);
      this.removeJournal();
      throw error;
    }
  }

  private journal(outputs: MergeOutputs): Journal {
    const file = this.journalFile();
    const old = this.options.resume ? Journal.resume(file, this.plan, outputs) : null;
    if (old) return old;
    for (const output of outputs.plans) createOutput(output);
    return Journal.start(file, this.plan, outputs);
  }

  private journalFile(): string {
    return join(this.options.directory, 'merge.journal.jsonl');
  }

  private removeJournal(): void {
    rmSync(this.journalFile(), { force: true });
  }

  private outcomes(results: readonly (readonly MergeResult[])[]): TensorOutcome[] {
    return results.map((own, i) => this.outcome(i, own));
  }

  private outcome(i: number, own: readonly MergeResult[]): TensorOutcome {
    const { plan } = this;
    const job = plan.jobs[i];
    if (!job) throw new RangeError(`the plan has no job ${String(i)}`);
    if (job.rule.kind !== 'merge') return { job, rule: ruleName(plan, job), sums: null };
    if (!this.changed[i]) {
      const sums = unchangedSums(plan, job.elements, this.baseSquares[i] ?? 0);
      return { job, rule: 'base', sums };
    }
    const spectral = own[0]?.spectral;
    const sums = joinSums(plan, job, own);
    return { job, rule: ruleName(plan, job), sums, ...(spectral && { spectral }) };
  }

  /** Whole matrices share `run.memory`. */
  private matrixMemory(): { limit: number; bytesOf: (work: Work) => number } {
    const { plan, pool } = this;
    const bytes = new Map(matrixNeeds(plan).map((need) => [need.job, need.bytes]));
    const bytesOf = ({ unit }: Work): number => {
      const job = plan.jobs[unit.job];
      return job ? (bytes.get(job) ?? 0) : 0;
    };
    return { limit: matrixBudget(plan, this.memory, pool.threads), bytesOf };
  }

  private warnOfWeakDirections(outcomes: readonly TensorOutcome[]): void {
    const spectral = outcomes.flatMap(({ job, spectral: own }) =>
      own ? [{ name: job.name, spectral: own }] : [],
    );
    const message = weakDirectionsWarning(spectral);
    if (message === null) return;
    const time = new Date().toISOString();
    this.options.onEvent?.({ time, type: 'warning', code: 'MV466', message });
  }

  private finish(
    outputs: MergeOutputs,
    outcomes: readonly TensorOutcome[],
    facts: (unit: Unit) => UnitFacts,
  ): void {
    if (this.options.signal?.aborted) throw new Cancelled();
    const { plan } = this;
    if (outputs.masks) {
      const active = outcomes.map(({ rule, sums }) =>
        sums && rule !== 'base' ? sums.active : null,
      );
      writeMaskHeader(plan, outputs, active);
    }
    if (plan.settings.method === 'emr' && plan.form !== 'weights')
      writeRescalers(plan, outputs, facts({ index: 0, job: 0, start: 0, end: 0 }).rescalers);
    for (const output of outputs.plans) finishOutput(output);
    this.removeJournal();
  }
}

/**
 * Units whose ties took another sign than the exact balance of the elections has it: the threshold pass
 * can only guess that one, and they have to be merged again.
 */
function misguided(
  units: readonly Unit[],
  results: readonly (MergeResult | undefined)[],
): { readonly signBalance: number; readonly wrong: readonly Unit[] } {
  const elections = results.map((result) => result?.election);
  const signBalance = elections.reduce((sum, election) => sum + (election?.balance ?? 0), 0);
  const wrong = units.filter(({ index }) => {
    const election = elections[index];
    return election && election.ties > 0 && election.isNegative !== isNegative(signBalance);
  });
  return { signBalance, wrong };
}

/** False for tensors that nothing is read or written for. */
function isWorked(plan: MergePlan, job: TensorJob, changed: boolean): boolean {
  if (plan.form === 'weights') return true;
  if (job.rule.kind === 'base') return false;
  if (job.rule.kind === 'copy') return job.base === null;
  return job.rule.kind !== 'merge' || changed;
}

/** As the report names rules. */
function ruleName(plan: MergePlan, { rule, shape }: TensorJob): string {
  if (rule.kind === 'merge') return methodFor(plan.settings, shape, plan.tasks.length).rule;
  if (rule.kind !== 'take') return rule.kind;
  return `${rule.reason === 'keep' ? 'keep' : 'task'}:${plan.tasks[rule.task] ?? ''}`;
}

/** Units joined in order. */
function joinSums(
  plan: MergePlan,
  job: TensorJob,
  results: readonly MergeResult[],
): MetricSums | null {
  let total: MetricSums | null = null;
  for (const { sums } of results) {
    if (!sums) continue;
    const own = job.base ? sums : { ...sums, distances: [], active: [], coverage: [] };
    const next = { elements: 0, ...own };
    total = total ? addSums(total, next) : next;
  }
  return total ? { ...total, elements: job.elements } : unchangedSums(plan, job.elements, 0);
}

function readBytes(plan: MergePlan, unit: Unit): number {
  const job = plan.jobs[unit.job];
  const width = job?.dtype === 'F32' ? 4 : 2;
  return (unit.end - unit.start) * width * (plan.tasks.length + 1);
}

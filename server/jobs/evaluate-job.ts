import { dirname, join } from 'node:path';
import { episodeKey, lineOf, replayPath, type EpisodeJob } from '../evaluate/episodes';
import { playHarness } from '../evaluate/harness';
import { automaticWorkers, playEpisodes } from '../evaluate/rollouts';
import type { EpisodeLine } from '../protocol/episode-line';
import type { RunEvent } from '../protocol/events';
import { Cancelled, MergeError } from '../protocol/merge-error';
import { resolveEvaluate } from '../recipe/resolve';
import type { Evaluate, Recipe } from '../recipe/schema';
import type { EvaluationRecord } from '../protocol/evaluation-record';
import { EpisodeFile } from '../runs/episodes';
import type { Manifest } from '../runs/manifest';
import { readManifest, readResolvedRecipe, readRun } from '../runs/read';
import { RunDirectory } from '../runs/run-directory';
import { isRecord } from '../protocol/shape';
import { planEvaluation, sourcesOf, type EvaluationPlan } from './evaluate-plan';
import { writeRates } from './rate-files';

export interface EvaluateRequest {
  /** A finished run. */
  readonly run: string;
  /** What replaces the recipe's `evaluate` key, key by key. */
  readonly evaluate?: Partial<Evaluate> | undefined;
  /** Processes side by side; default: one a core for the bench, one for a harness. */
  readonly workers?: number | undefined;
  readonly device?: string | undefined;
  readonly command: readonly string[];
  readonly version: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ProgressEvent) => void) | undefined;
  /** Called at the start with what is known already, then after each episode. */
  readonly onEpisodes?: ((state: EvaluationState) => void) | undefined;
  readonly onWarning?: ((code: string, message: string) => void) | undefined;
}

type ProgressEvent = Extract<RunEvent, { type: 'progress' }>;

export interface EvaluationState {
  readonly record: EvaluationRecord;
  /** Episodes of this request that are there, in the order of the plan. */
  readonly lines: readonly EpisodeLine[];
  readonly total: number;
}

/**
 * Rolls the policies of a run out. Only episodes that the run does not have yet are played, so an
 * interrupted evaluation goes on and a larger one adds to a smaller. Throws `MergeError`, or
 * `Cancelled` with everything played so far kept.
 */
export async function runEvaluation(request: EvaluateRequest): Promise<EvaluationState> {
  const opened = await openRun(request.run);
  const { path, recipe, recipePath, manifest } = opened;
  const evaluate = { ...resolveEvaluate({}), ...recipe.evaluate, ...request.evaluate };
  // A wish that cannot be met leaves a finished run as it was; one that this process has just merged
  // would stay `running` for ever.
  const input = { evaluate, manifest };
  const plan = opened.isOurs ? undefined : planEvaluation(input);
  const run = RunDirectory.open(path, request);
  try {
    const state = await evaluateInto({
      request,
      plan: plan ?? planEvaluation(input),
      evaluate,
      recipe,
      manifest,
      run,
      folder: dirname(recipePath),
    });
    run.finish();
    return state;
  } catch (error) {
    if (error instanceof Cancelled) run.cancel();
    else run.fail(describe(error));
    throw error;
  }
}

interface Work {
  readonly request: EvaluateRequest;
  readonly plan: EvaluationPlan;
  readonly evaluate: Evaluate;
  readonly recipe: Recipe;
  readonly manifest: Manifest;
  readonly run: RunDirectory;
  /** Folder of the recipe, where a harness is started. */
  readonly folder: string;
}

async function evaluateInto(work: Work): Promise<EvaluationState> {
  const { request, plan, run } = work;
  run.startPhase('evaluate');
  for (const { policy, reason } of plan.leftOut) {
    const message = `${policy} is left out: ${reason}`;
    run.emit({ type: 'warning', code: 'MV557', message });
    request.onWarning?.('MV557', message);
  }
  const file = new EpisodeFile(run.folder, plan.record);
  const tally = new Tally(work, file);
  tally.report();
  try {
    await play(work, tally);
  } finally {
    file.replace(tally.all());
  }
  const state = tally.state();
  writeRates(run, { record: plan.record, lines: tally.all() });
  run.endPhase('evaluate', 'done');
  return state;
}

async function play(work: Work, tally: Tally): Promise<void> {
  const { request, plan, evaluate, recipe, manifest, run } = work;
  const jobs = plan.jobs.filter((job) => !tally.has(job));
  if (jobs.length === 0) return;
  const { signal } = request;
  if (plan.kind === 'harness')
    return playHarness(jobs, {
      command: evaluate.command ?? [],
      timeoutSeconds: evaluate.timeout,
      workers: request.workers ?? 1,
      folder: work.folder,
      logs: run.file('harness'),
      signal,
      facts: {
        run: run.folder,
        merged: join(run.folder, 'merged'),
        experts: Object.fromEntries(
          Object.entries(manifest.experts).map(([task, { path }]) => [task, path]),
        ),
        suite: evaluate.suite,
        shift: evaluate.shift,
        execute: evaluate.execute,
        maxSteps: evaluate.max_steps,
      },
      onEpisode: (job, line) => tally.add(job, line),
    });
  const { threads, device } = recipe.run;
  const asked = request.device ?? device;
  return playEpisodes(jobs, {
    workers: request.workers ?? (threads === 'auto' ? automaticWorkers() : threads),
    signal,
    settings: {
      // Small policies gain nothing from a GPU, and the CPU gives the same bits everywhere.
      sources: sourcesOf(run.folder, manifest, asked === 'auto' ? 'cpu' : asked),
      shift: evaluate.shift,
      execute: evaluate.execute,
      maxSteps: evaluate.max_steps,
      routing: plan.record.settings.routing,
      firstSeed: plan.record.seeds.first,
    },
    onEpisode: (job, { line, recording }) => tally.add(job, line, recording),
  });
}

/** Episodes as they come: to the file, the event log and the caller. */
class Tally {
  private readonly lines = new Map<string, EpisodeLine>();
  private readonly started = performance.now();
  private played = 0;

  constructor(
    private readonly work: Work,
    private readonly file: EpisodeFile,
  ) {
    // A crashed episode is tried again; whatever comes out replaces it.
    for (const line of file.lines()) this.lines.set(episodeKey(line), line);
  }

  has(job: EpisodeJob): boolean {
    const line = this.lines.get(episodeKey(lineOf(job)));
    return line !== undefined && line.error === undefined;
  }

  add(job: EpisodeJob, played: EpisodeLine, recording?: Uint8Array): void {
    const line = { ...played, ...(recording && { replay: replayPath(job) }) };
    this.file.append(line, recording);
    this.lines.set(episodeKey(line), line);
    this.played++;
    const { task, seed, success, steps, routed } = line;
    const { run, request } = this.work;
    const policy = job.policy;
    const event = { type: 'episode', policy, task, seed, success, steps } as const;
    run.emit({ ...event, ...(routed !== undefined && { routed }) });
    const progress = this.progress();
    run.emit(progress);
    request.onProgress?.({ time: new Date().toISOString(), ...progress });
    this.report();
  }

  report(): void {
    this.work.request.onEpisodes?.(this.state());
  }

  state(): EvaluationState {
    const { plan } = this.work;
    const lines = plan.jobs.flatMap((job) => this.lines.get(episodeKey(lineOf(job))) ?? []);
    return { record: plan.record, lines, total: plan.jobs.length };
  }

  /** Every episode of the run: those of the plan in its order, then those of other requests. */
  all(): readonly EpisodeLine[] {
    const planned = this.state().lines;
    const inPlan = new Set(planned.map(episodeKey));
    return [
      ...planned,
      ...[...this.lines.values()].filter((line) => !inPlan.has(episodeKey(line))),
    ];
  }

  private progress(): Omit<ProgressEvent, 'time'> {
    const { jobs } = this.work.plan;
    const done = jobs.filter((job) => this.lines.has(episodeKey(lineOf(job)))).length;
    const rate = this.played / ((performance.now() - this.started) / 1000);
    return {
      type: 'progress',
      phase: 'evaluate',
      done,
      total: jobs.length,
      unit: 'episodes',
      rate,
      remainingSeconds: (jobs.length - done) / rate,
    };
  }
}

interface OpenedRun {
  readonly path: string;
  readonly recipe: Recipe;
  readonly recipePath: string;
  readonly manifest: Manifest;
  /** This process has made it and goes on with it. */
  readonly isOurs: boolean;
}

async function openRun(path: string): Promise<OpenedRun> {
  const summary = await readRun(path);
  const manifest = await readManifest(summary);
  const resolved = await readResolvedRecipe(summary);
  if (summary.partial || !manifest)
    throw new MergeError('MV554', `${path} has no merged model yet: the run is ${summary.state}`);
  if (!isRecord(resolved) || !isRecord(resolved['recipe']))
    throw new MergeError('MV554', `${path} has no recipe.resolved.json to say what was merged`);
  return {
    path: summary.folder,
    isOurs: summary.state === 'running' && summary.record.pid === process.pid,
    manifest,
    recipe: resolved['recipe'] as unknown as Recipe,
    recipePath: String(resolved['recipe_path']),
  };
}

function describe(error: unknown): { code: string; message: string } {
  if (error instanceof MergeError) return { code: error.code, message: error.message };
  return { code: 'MV532', message: error instanceof Error ? error.message : String(error) };
}

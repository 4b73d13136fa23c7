import type { MergePlan, TensorJob } from '../engine/plan-types';
import {
  isSurelyChanged,
  isUntouched,
  matrixNeeds,
  rankBound,
  type MatrixNeed,
} from '../engine/spectral/needs';
import { weakBelow } from '../engine/spectral/result';
import { MergeError } from '../protocol/merge-error';
import type { SpectralReport } from '../protocol/report';
import type { Recipe } from '../recipe/schema';
import type { InputFinding } from './input-finding';

/** What the runtime, the code and the headers take beside the threads. */
const processBytes = 160 << 20;
/** Work above this is only begun with consent. */
const hoursWithoutConsent = 1;
/** Results with a larger share of weak directions are warned about. */
const warnedWeakShare = 0.1;

/** Bytes that matrices may take together. */
export function matrixBudget(
  plan: Pick<MergePlan, 'memoryPerThread'>,
  memory: number,
  threads: number,
): number {
  return memory - processBytes - threads * plan.memoryPerThread;
}

/** What headers tell about spectral methods: memory, hours, and directions that nothing determines. */
export function matrixFindings(
  plan: MergePlan,
  { run }: Pick<Recipe, 'run'>,
  threads: number,
): readonly InputFinding[] {
  const needs = matrixNeeds(plan).filter(({ job }) => !isUntouched(job));
  return [
    ...memoryFindings(plan, needs, matrixBudget(plan, run.memory, threads)),
    ...hourFindings(needs, threads),
    ...rankFindings(plan, needs),
  ];
}

function memoryFindings(
  plan: MergePlan,
  needs: readonly MatrixNeed[],
  budget: number,
): InputFinding[] {
  const large = needs.filter(({ bytes }) => bytes > budget);
  const worst = largest(large);
  if (!worst) return [];
  const message = memoryMessage(plan, worst, budget);
  const recipePath = ['run', 'memory'];
  if (large.some(({ job }) => isSurelyChanged(job)))
    return [{ code: 'MV467', severity: 'error', message, recipePath }];
  // Only reading the weights tells whether an expert has changed the matrix at all.
  const unsure = `${message}; merge refuses it if an expert has changed it`;
  return [{ code: 'MV467', severity: 'warning', message: unsure, recipePath }];
}

function memoryMessage({ settings }: MergePlan, worst: MatrixNeed, budget: number): string {
  const { job, bytes } = worst;
  const more = gibibytes(bytes - budget);
  return `${settings.method} needs ${gibibytes(bytes)} for ${job.name} [${job.shape.join(', ')}], ${more} more than run.memory leaves; raise it or leave the tensor out of merge.scope`;
}

function hourFindings(needs: readonly MatrixNeed[], threads: number): InputFinding[] {
  const hours = totalHours(needs, threads);
  if (hours <= hoursWithoutConsent) return [];
  const message = `wudi takes about ${hoursText(hours)} here if every matrix is changed; merge asks for --accept-hours before it begins`;
  return [{ code: 'MV468', severity: 'warning', message, recipePath: ['merge', 'method'] }];
}

interface Bounded extends MatrixNeed {
  readonly rank: number;
  readonly directions: number;
}

function rankFindings({ settings }: MergePlan, needs: readonly MatrixNeed[]): InputFinding[] {
  if (!['iso_c', 'iso_cts'].includes(settings.method) || settings.rank_tolerance > 0) return [];
  const bounded = needs.flatMap((need): Bounded[] => {
    const rank = rankBound(need.job);
    const directions = Math.min(...need.job.shape);
    return rank !== null && rank < directions ? [{ ...need, rank, directions }] : [];
  });
  const share = ({ rank, directions }: Bounded): number => 1 - rank / directions;
  const [worst] = bounded.toSorted((a, b) => share(b) - share(a));
  if (!worst) return [];
  const percent = (100 * share(worst)).toFixed(0);
  const message = `adapters determine at most ${worst.rank} of the ${worst.directions} directions of ${worst.job.name} and too few of ${bounded.length} matrices in all; ${settings.method} gives every direction the same size, so up to ${percent} % of the result can be rounding noise; rank_tolerance: ${weakBelow} leaves it out`;
  return [{ code: 'MV465', severity: 'warning', message, recipePath: ['merge', 'method'] }];
}

export interface CostLimits {
  readonly memory: number;
  readonly threads: number;
  readonly acceptHours: number | undefined;
}

/** Refuses, before anything is written, what would not fit or would take hours nobody agreed to. */
export function refuseCostlyMatrices(
  plan: MergePlan,
  changed: (job: TensorJob) => boolean,
  { memory, threads, acceptHours = hoursWithoutConsent }: CostLimits,
): void {
  const needs = matrixNeeds(plan).filter(({ job }) => changed(job));
  const budget = matrixBudget(plan, memory, threads);
  const worst = largest(needs.filter(({ bytes }) => bytes > budget));
  if (worst) {
    const data = { tensors: [worst.job.name] };
    throw new MergeError('MV467', memoryMessage(plan, worst, budget), { data });
  }
  const hours = totalHours(needs, threads);
  if (hours <= acceptHours) return;
  throw new MergeError(
    'MV468',
    `wudi on ${needs.length} matrices takes about ${hoursText(hours)} here; --accept-hours ${String(Math.ceil(hours))} begins it, and fewer merge.iterations or a smaller merge.scope makes it shorter`,
    { fault: 'usage' },
  );
}

/** One sentence about results that are partly noise; null when none is. */
export function weakDirectionsWarning(
  results: readonly { readonly name: string; readonly spectral: SpectralReport }[],
): string | null {
  const share = (result: (typeof results)[number]): number => result.spectral.weak_share ?? 0;
  const weak = results.filter((result) => share(result) > warnedWeakShare);
  const [worst] = weak.toSorted((a, b) => share(b) - share(a));
  if (!worst) return null;
  return `in ${weak.length} of ${results.length} matrices more than ${100 * warnedWeakShare} % of the merged vector lies in directions below ${weakBelow} of the largest singular value (${worst.name}: ${(100 * share(worst)).toFixed(0)} %), which are mostly rounding noise; rank_tolerance: ${weakBelow} leaves them out`;
}

function largest(needs: readonly MatrixNeed[]): MatrixNeed | undefined {
  return needs.toSorted((a, b) => b.bytes - a.bytes)[0];
}

function totalHours(needs: readonly MatrixNeed[], threads: number): number {
  return needs.reduce((sum, { hours }) => sum + hours, 0) / Math.max(1, threads);
}

function hoursText(hours: number): string {
  return `${hours < 10 ? hours.toFixed(1) : hours.toFixed(0)} hours`;
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}

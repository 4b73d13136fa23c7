import { isUntouched, matrixNeeds } from '../engine/spectral/needs';
import type { MergePlan } from '../engine/plan-types';
import type { SpectrumReport, TensorSpectrum } from '../protocol/spectrum';
import { compileGlob } from '../recipe/globs';
import { matrixBudget } from './matrix-checks';
import { automaticThreads, createPool } from './pool';
import type { Work } from './units';

export interface SpectrumOptions {
  /** Only tensors whose names match. */
  readonly only?: string | undefined;
  /** Leading right singular vectors that overlaps are taken over. */
  readonly k: number;
  readonly threads: number | 'auto';
  readonly memory: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Singular spectra of the merged matrices of a plan, whatever its method. Reads every chosen matrix
 * of base and experts once; writes nothing. Throws `Cancelled`.
 */
export async function measureSpectra(
  given: MergePlan,
  { only = '*', k, memory, signal, ...options }: SpectrumOptions,
): Promise<SpectrumReport> {
  const selected = compileGlob(only);
  // Iso-C needs of a matrix what its spectrum needs, and takes every matrix.
  const plan: MergePlan = { ...given, settings: { ...given.settings, method: 'iso_c' } };
  const threads = options.threads === 'auto' ? automaticThreads() : options.threads;
  const budget = matrixBudget(plan, memory, threads);
  const needs = matrixNeeds(plan).filter(
    ({ job }) => selected(job.name) && job.base !== null && !isUntouched(job),
  );
  const fitting = needs.filter(({ bytes }) => bytes <= budget);
  const works = fitting.map(({ job }, index): Work => {
    const unit = { index, job: plan.jobs.indexOf(job), start: 0, end: job.elements };
    return { kind: 'spectrum', unit, k };
  });
  const tensors: (TensorSpectrum | null)[] = works.map(() => null);
  const pool = createPool({ plan, pieceBytes: 1 << 20, threads, signal });
  let done = 0;
  try {
    await pool.run(
      works,
      ({ unit }, result) => {
        const job = fitting[unit.index]?.job;
        options.onProgress?.(++done, works.length);
        if (result.kind !== 'spectrum' || !result.spectrum || !job) return;
        tensors[unit.index] = {
          name: job.name,
          ...job.place,
          shape: job.shape,
          ...result.spectrum,
        };
      },
      { limit: budget, bytesOf: ({ unit }) => fitting[unit.index]?.bytes ?? 0 },
    );
    await pool.finish();
  } finally {
    await pool.close();
  }
  return {
    tasks: plan.tasks,
    k,
    tensors: tensors.filter((tensor) => tensor !== null),
    skipped: needs
      .filter(({ bytes }) => bytes > budget)
      .map(({ job, bytes }) => ({ name: job.name, bytes })),
  };
}

import { isUntouched, matrixNeeds, type MatrixNeed } from '../engine/spectral/needs';
import type { MergePlan } from '../engine/plan-types';
import type {
  MatrixSpectrum,
  SpectrumReport,
  SpectrumScope,
  TensorSpectrum,
} from '../protocol/spectrum';
import { compileGlobs } from '../recipe/globs';
import { matrixBudget } from './matrix-checks';
import { automaticThreads, createPool } from './pool';
import type { SpectrumStore } from './spectrum-store';
import type { Work } from './units';

export interface SpectrumOptions {
  /** Only tensors whose names match one of these; all when there are none. */
  readonly only?: readonly string[];
  /** Leading right singular vectors that overlaps are taken over. */
  readonly k: number;
  readonly threads: number | 'auto';
  readonly memory: number;
  /** What was measured before is taken from here, and what is measured is left there. */
  readonly store?: SpectrumStore | undefined;
  /** Nothing is measured: only what the store has is told. */
  readonly known?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onScope?: (scope: SpectrumScope) => void;
  /** Each matrix as soon as it is measured; null where no expert changed it. */
  readonly onMatrix?: (tensor: TensorSpectrum | null) => void;
}

/**
 * Singular spectra of the merged matrices of a plan, whatever its method. Reads every chosen matrix
 * of base and experts once; writes nothing but its store. Throws `Cancelled`.
 */
export async function measureSpectra(
  given: MergePlan,
  options: SpectrumOptions,
): Promise<SpectrumReport> {
  const { k, store } = options;
  // Iso-C needs of a matrix what its spectrum needs, and takes every matrix.
  const plan: MergePlan = { ...given, settings: { ...given.settings, method: 'iso_c' } };
  const threads = options.threads === 'auto' ? automaticThreads() : options.threads;
  const budget = matrixBudget(plan, options.memory, threads);
  const needs = chosen(plan, options.only);
  const fitting = needs.filter(({ bytes }) => bytes <= budget);
  const scope: SpectrumScope = {
    tasks: plan.tasks,
    k,
    rank_tolerance: given.settings.rank_tolerance,
    matrices: fitting.length,
    skipped: needs
      .filter(({ bytes }) => bytes > budget)
      .map(({ job, bytes }) => ({ name: job.name, bytes })),
  };
  options.onScope?.(scope);
  const found = new Map<string, TensorSpectrum | null>();
  const take = (need: MatrixNeed, tensor: TensorSpectrum | null): void => {
    found.set(need.job.name, tensor);
    options.onMatrix?.(tensor);
  };
  const missing = fitting.filter((need) => {
    const known = store?.read(need.job);
    if (known !== undefined) take(need, known);
    return known === undefined;
  });
  await measure(
    plan,
    options.known ? [] : missing,
    { ...options, threads, budget },
    (need, tensor) => {
      store?.write(need.job, tensor);
      take(need, tensor);
    },
  );
  const tensors = fitting.flatMap(({ job }) => found.get(job.name) ?? []);
  return { ...scope, tensors };
}

/** Matrices that match and that some expert may have changed. */
function chosen(plan: MergePlan, only: readonly string[] = []): readonly MatrixNeed[] {
  const selected = compileGlobs(only.length > 0 ? only : ['*']);
  return matrixNeeds(plan).filter(
    ({ job }) => selected(job.name) && job.base !== null && !isUntouched(job),
  );
}

async function measure(
  plan: MergePlan,
  needs: readonly MatrixNeed[],
  { k, threads, budget, signal }: SpectrumOptions & { threads: number; budget: number },
  done: (need: MatrixNeed, tensor: TensorSpectrum | null) => void,
): Promise<void> {
  if (needs.length === 0) return;
  const works = needs.map(({ job }, index): Work => {
    const unit = { index, job: plan.jobs.indexOf(job), start: 0, end: job.elements };
    return { kind: 'spectrum', unit, k };
  });
  const pool = createPool({ plan, pieceBytes: 1 << 20, threads, signal });
  try {
    await pool.run(
      works,
      ({ unit }, result) => {
        const need = needs[unit.index];
        if (result.kind === 'spectrum' && need)
          done(need, result.spectrum && placed(need, result.spectrum));
      },
      { limit: budget, bytesOf: ({ unit }) => needs[unit.index]?.bytes ?? 0 },
    );
    await pool.finish();
  } finally {
    await pool.close();
  }
}

function placed({ job }: MatrixNeed, spectrum: MatrixSpectrum): TensorSpectrum {
  return { name: job.name, ...job.place, shape: job.shape, ...spectrum };
}

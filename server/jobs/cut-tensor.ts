import type { Cut } from '../engine/stages';
import { methodFor } from '../engine/merge/methods';
import { binsOf, refine, startSelection, type Selection } from '../engine/select';
import type { TensorJob } from '../engine/plan-types';
import { parametersOf } from './combiner';
import type { UnitRunner } from './unit-runner';

const maximumBins = 1 << 14;

/**
 * Cuts of one tensor by itself (`trim_scope: tensor`, breadcrumbs): the thresholds of every task and
 * rank, and for each unit (by its start) how many of the equal magnitudes are kept from there on.
 */
export function cutTensor(
  runner: UnitRunner,
  job: TensorJob,
  starts: readonly number[],
): Cut[][][] {
  const { method } = methodFor(runner.plan.settings, job.shape, runner.plan.tasks.length);
  if (method.kind !== 'columns' || !method.ranks) return starts.map(() => []);
  const { ranks } = method;
  const parameters = parametersOf(job);
  const index = runner.plan.jobs.indexOf(job);
  let selections = runner.plan.tasks.map((_, m) =>
    ranks(parameters, m, job.elements).map((keep) =>
      startSelection(keep, job.elements, maximumBins),
    ),
  );
  const all = { job: index, start: 0, end: job.elements };
  while (selections.some((own) => own.some(({ found }) => !found)))
    selections = refineAll(selections, runner, all);
  return cutsByUnit(selections, runner, { ...all, starts });
}

interface Range {
  readonly job: number;
  readonly start: number;
  readonly end: number;
}

function refineAll(
  selections: readonly (readonly Selection[])[],
  runner: UnitRunner,
  range: Range,
): Selection[][] {
  const windows = selections.map((own) => own.map((s) => (s.found ? null : s.window)));
  const { tallies } = runner.tally(range, windows);
  return selections.map((own, m) =>
    own.map((selection, rank) => {
      const tally = tallies[m]?.[rank];
      if (!tally) return selection;
      const histogram = new Float64Array(binsOf(selection.window));
      tally.bins.forEach((bin, i) => (histogram[bin] = tally.counts[i] ?? 0));
      return refine(selection, { above: tally.above, histogram }, maximumBins);
    }),
  );
}

/** Counts the equal magnitudes unit by unit where only some of them are kept. */
function cutsByUnit(
  selections: readonly (readonly Selection[])[],
  runner: UnitRunner,
  range: Range & { readonly starts: readonly number[] },
): Cut[][][] {
  const split = (s: Selection) => s.found && s.found.remaining < s.found.equal;
  const windows = selections.map((own) =>
    own.map((s) =>
      split(s) && s.found ? { low: s.found.bits, high: s.found.bits + 1, shift: 0 } : null,
    ),
  );
  const counted = range.starts.length > 1 && windows.some((own) => own.some(Boolean));
  const left = selections.map((own) => own.map((s) => s.found?.remaining ?? 0));
  return range.starts.map((start, i) => {
    const cuts = selections.map((own, m) =>
      own.map((s, rank) => ({
        threshold: s.found?.bits ?? -1,
        remaining: Math.max(0, left[m]?.[rank] ?? 0),
      })),
    );
    if (counted) {
      const end = range.starts[i + 1] ?? range.end;
      const { tallies } = runner.tally({ job: range.job, start, end }, windows);
      tallies.forEach((own, m) => {
        own.forEach((tally, rank) => {
          const row = left[m];
          if (tally && row) row[rank] = (row[rank] ?? 0) - (tally.counts[0] ?? 0);
        });
      });
    }
    return cuts;
  });
}

import { collect } from '../../jobs/sweep/collect';
import { SweepStore } from '../../jobs/sweep/store';
import { usage } from '../arguments';
import { sweepOutcome } from '../sweep-outcome';
import { exitCodes, type Call, type Outcome } from '../verb';

export function run({ operands, options, terminal }: Call): Promise<Outcome> {
  if (operands.length > 0 && options.text('sweep') !== undefined)
    throw usage('mergevla collect takes the folder once, as DIR or as --sweep DIR');
  const folder = operands[0] ?? options.text('sweep');
  if (folder === undefined) throw usage('mergevla collect wants the folder of a sweep');
  const summary = collect(SweepStore.open(folder));
  // Gaps are what this verb is for: they are told and are no failure.
  return Promise.resolve({ ...sweepOutcome(summary, terminal.style), code: exitCodes.done });
}

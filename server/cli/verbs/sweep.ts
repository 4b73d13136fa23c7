import { collect } from '../../jobs/sweep/collect';
import { localEngine } from '../../jobs/sweep/local-engine';
import { prepareSweep, type PreparedSweep } from '../../jobs/sweep/prepare';
import type { SweepStore } from '../../jobs/sweep/store';
import { Cancelled, MergeError } from '../../protocol/merge-error';
import { positiveNumber, wholeNumber } from '../numbers';
import { shortPath } from '../paths';
import { problemLines } from '../problems';
import { refused } from '../refused';
import { sweepOutcome } from '../sweep-outcome';
import type { Call, Outcome } from '../verb';

export async function run(call: Call): Promise<Outcome> {
  const { operands, options, terminal, signal } = call;
  const parallel = wholeNumber(options, 'parallel', { least: 1, otherwise: 1 });
  const hours = positiveNumber(options, 'accept-hours');
  const recipePath = operands[0] ?? '';
  const prepared = await prepareSweep({ recipePath, out: options.text('out'), signal });
  if (prepared.kind === 'refused') return refusedPoint(prepared, call);
  const { store, checked, problems } = prepared;
  if (checked.recipe.run.engine !== 'local') throw noEngine(checked.recipe.run.engine);
  if (problems.length > 0) terminal.note(problemLines(problems, checked.path, terminal.noteStyle));
  terminal.note(startLine(store, call));
  const pointArguments = hours === undefined ? [] : ['--accept-hours', String(hours)];
  await compute(store, { call, parallel, pointArguments });
  const summary = collect(store);
  if (signal.aborted) throw new Cancelled();
  return sweepOutcome(summary, terminal.style);
}

interface Computing {
  readonly call: Call;
  readonly parallel: number;
  readonly pointArguments: readonly string[];
}

/** Runs what is missing; a fired signal stops the points and leaves what they wrote. */
async function compute(
  store: SweepStore,
  { call, parallel, pointArguments }: Computing,
): Promise<void> {
  const { signal, terminal } = call;
  const missing = store.missing();
  const total = store.points.length;
  const before = total - missing.length;
  const cli = process.argv[1] ?? '';
  const engine = localEngine({ program: process.execPath, arguments: [cli], pointArguments });
  const handle = engine.submit(store.folder, missing, {
    parallel,
    onProgress: (done) =>
      terminal.progress.update({ phase: 'sweep', done: before + done, total, unit: 'points' }),
  });
  const cancel = (): void => {
    handle.cancel();
  };
  signal.addEventListener('abort', cancel);
  if (signal.aborted) cancel();
  await handle.ended;
  signal.removeEventListener('abort', cancel);
}

function startLine(store: SweepStore, { terminal }: Call): string {
  const missing = store.missing().length;
  const known = store.points.length - missing;
  const there = known > 0 ? `, ${known} are there already` : '';
  const text = `${missing} of ${store.points.length} points into ${shortPath(store.folder)}${there}`;
  return terminal.noteStyle.dim(text);
}

function refusedPoint(
  { checked, point }: Extract<PreparedSweep, { kind: 'refused' }>,
  call: Call,
): Outcome {
  if (point) call.terminal.complain(`point ${point.index} (${point.label}) is refused:`);
  return refused(checked, call);
}

function noEngine(name: string): MergeError {
  return new MergeError(
    'MV545',
    `this command runs the points of a sweep on this machine; run.engine: ${name} is not for it, so set engine: local`,
    { fault: 'usage' },
  );
}

import { indicesOfTask, runPoint } from '../../jobs/sweep/run-point';
import { SweepStore } from '../../jobs/sweep/store';
import { usage } from '../arguments';
import { positiveNumber, wholeNumber } from '../numbers';
import { exitCodes, type Call, type Outcome } from '../verb';

export async function run(call: Call): Promise<Outcome> {
  const { options, command, version } = call;
  const folder = options.text('sweep');
  if (folder === undefined) throw usage('mergevla run-point wants --sweep DIR');
  const store = SweepStore.open(folder);
  const indices = indicesOfTask(store, {
    index: wholeNumber(options, 'index', { least: 0 }),
    offset: wholeNumber(options, 'offset', { least: 0, otherwise: 0 }),
    perTask: wholeNumber(options, 'per-task', { least: 1, otherwise: 1 }),
  });
  const acceptHours = positiveNumber(options, 'accept-hours');
  const signal = options.flag('tied') ? AbortSignal.any([call.signal, inputClosed()]) : call.signal;
  const points = [];
  for (const index of indices) {
    const point = store.point(index);
    const { result, isNew } = await runPoint(store, point, {
      command,
      version,
      acceptHours,
      signal,
    });
    points.push({ index, id: point.id, computed: isNew, metrics: result.metrics });
  }
  const lines = points.map(({ id, computed }) => `${id} ${computed ? 'done' : 'was there'}`);
  return { code: exitCodes.done, json: { points }, text: lines.join('\n') };
}

/** Fires when the process that holds the other end of our input has gone. */
function inputClosed(): AbortSignal {
  const controller = new AbortController();
  process.stdin.on('close', () => {
    controller.abort();
  });
  process.stdin.resume();
  // An open input alone keeps no process alive.
  if ('unref' in process.stdin) process.stdin.unref();
  return controller.signal;
}

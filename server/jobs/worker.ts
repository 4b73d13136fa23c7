import { parentPort, workerData } from 'node:worker_threads';
import { MergeError } from '../protocol/merge-error';
import type { ThreadMessage } from './pool';
import { UnitRunner, type RunnerOptions } from './unit-runner';
import type { Work } from './units';

// Entry of a merge thread: takes units of work and answers each with its result.
const runner = new UnitRunner(workerData as RunnerOptions);

function answer(message: ThreadMessage): void {
  parentPort?.postMessage(message);
}

async function serve(message: Work | 'finish'): Promise<void> {
  try {
    if (message === 'finish') {
      runner.finish();
      answer({ kind: 'finished' });
      return;
    }
    answer({ kind: 'result', result: await runner.run(message) });
  } catch (error) {
    const known = error instanceof MergeError;
    answer({
      kind: 'error',
      code: known ? error.code : null,
      fault: known ? error.fault : 'system',
      message: error instanceof Error ? (known ? error.message : String(error.stack)) : 'unknown',
    });
  }
}

parentPort?.on('message', (message: Work | 'finish') => {
  void serve(message);
});

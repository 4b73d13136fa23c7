import { MergeError } from '../protocol/merge-error';
import { Player } from './player';
import type { WorkerReply, WorkerRequest } from './rollouts';

// Entry of a rollout process: simulator and runtime are native code, and a process can be ended in the
// middle of whatever they do.
let player: Player | undefined;

async function answer(request: WorkerRequest): Promise<WorkerReply> {
  try {
    if (request.kind === 'start') {
      player = new Player(request.settings);
      return { kind: 'ready' };
    }
    if (!player) throw new Error('an episode came before the settings');
    return { kind: 'played', episode: await player.play(request.job) };
  } catch (error) {
    if (error instanceof MergeError)
      return { kind: 'error', code: error.code, fault: error.fault, message: error.message };
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { kind: 'error', code: null, fault: 'system', message };
  }
}

process.on('message', (message) => {
  void answer(message as WorkerRequest).then((reply) => process.send?.(reply));
});
process.on('disconnect', () => process.exit(0));

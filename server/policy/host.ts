import { MergeError } from '../protocol/merge-error';
import type { HostCall, HostReply, HostRequest, SentError, SentObservation } from './host-protocol';
import { loadPolicy } from './policy';
import type { Observation, Policy } from './types';

// A process of its own for native code: its failure ends no server, and it can be stopped in the
// middle of a pass, which blocks its thread.
const host = new (class PolicyHost {
  private policy: Policy | undefined;
  private last: { readonly id: number; readonly value: Observation } | undefined;

  async answer(call: HostCall): Promise<unknown> {
    if (call.verb === 'load') {
      this.policy = await loadPolicy(call.source, call.options);
      const { tasks, config, device, precision, routes, routesPer } = this.policy;
      return { tasks, config, device, precision, routes, routesPer };
    }
    const { policy } = this;
    if (!policy) throw new Error('the policy is not loaded');
    switch (call.verb) {
      case 'meanScores':
        return policy.meanScores(call.observations);
      case 'route':
        return policy.route(this.observation(call.observation));
      case 'act':
        return policy.act(this.observation(call.observation), call.task, call.options);
      case 'stages':
        return policy.stages(this.observation(call.observation), call.task, call.options);
      case 'close':
        return policy.close();
    }
  }

  private observation({ id, value }: SentObservation): Observation {
    if (value) this.last = { id, value };
    if (this.last?.id !== id) throw new Error(`observation ${id} was not sent`);
    return this.last.value;
  }
})();

process.on('message', (message) => {
  const { id, call } = message as HostRequest;
  void host
    .answer(call)
    .then((value): HostReply => ({ id, value }))
    .catch((error: unknown): HostReply => ({ id, error: describe(error) }))
    .then((reply) => process.send?.(reply));
});
process.on('disconnect', () => process.exit(0));

function describe(error: unknown): SentError {
  if (error instanceof MergeError)
    return { code: error.code, message: error.message, fault: error.fault };
  return { message: error instanceof Error ? error.message : String(error) };
}

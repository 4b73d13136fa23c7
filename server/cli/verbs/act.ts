import { writeStages } from '../../policy/dump';
import type { ActionChunk, Observation, Policy, Routing } from '../../policy/types';
import { observationRequest, readObservation } from '../observation';
import { loadOperand, readTask } from '../policy-source';
import type { Call, Outcome } from '../verb';
import { routeAnswer, routeText } from './route';

/** `mergevla act`: routes, or takes the task named, and gives the action chunk. */
export async function run(call: Call): Promise<Outcome> {
  const seen = await readObservation(observationRequest(call));
  const policy = await loadOperand(call);
  try {
    return await act(call, policy, await seen(policy.config.imageSize));
  } finally {
    await policy.close();
  }
}

async function act(call: Call, policy: Policy, observation: Observation): Promise<Outcome> {
  const named = namedTask(call, policy);
  const routing = named === undefined ? await policy.route(observation) : undefined;
  const task = named ?? routing?.chosen ?? '';
  const chunk = await policy.act(observation, task);
  const dump = call.options.text('dump');
  if (dump !== undefined) writeStages(dump, await policy.stages(observation, task));
  return {
    code: 0,
    json: {
      ...(routing ? routeAnswer(policy, routing) : {}),
      chosen: task,
      device: policy.device,
      seconds: (routing?.seconds ?? 0) + chunk.seconds,
      actions: chunk.actions.map((row) => Array.from(row)),
      normalized: chunk.normalized.map((row) => Array.from(row)),
    },
    text: [head(call, policy, task, routing), ...rowsOf(chunk)].join('\n'),
  };
}

/** The task of `--task`, or the only one of a policy without a router. */
function namedTask(call: Call, policy: Policy): string | undefined {
  const wanted = readTask(call.options.text('task'), policy);
  const only = policy.tasks.length === 1 && !policy.routes ? policy.tasks[0] : undefined;
  return wanted ?? only;
}

function head(call: Call, policy: Policy, task: string, routing: Routing | undefined): string {
  if (!routing) return `task: ${task}`;
  return routeText(routeAnswer(policy, routing), routing, call.terminal.style);
}

function rowsOf({ actions }: ActionChunk): string[] {
  return actions.map((row) => Array.from(row, (value) => value.toFixed(4).padStart(9)).join(' '));
}

import { writeStages } from '../../policy/dump';
import type { ActionChunk, Routing } from '../../policy/types';
import { usage } from '../arguments';
import { loadOperand, readObservation } from '../policy-source';
import type { Call, Outcome } from '../verb';
import { routeAnswer, routeText } from './route';

/** `mergevla act`: routes, or takes the task named, and gives the action chunk. */
export async function run(call: Call): Promise<Outcome> {
  const observation = await readObservation(call);
  const wanted = call.options.text('task');
  const policy = await loadOperand(call);
  try {
    if (wanted !== undefined && !policy.tasks.includes(wanted))
      throw usage(
        `--task ${wanted} is not a task of this policy; it has ${policy.tasks.join(', ')}`,
      );
    const only = policy.tasks.length === 1 && !policy.routes ? policy.tasks[0] : undefined;
    const named = wanted ?? only;
    const routing = named === undefined ? await policy.route(observation) : undefined;
    const task = named ?? routing?.chosen ?? '';
    const chunk = await policy.act(observation, task);
    const dump = call.options.text('dump');
    if (dump !== undefined) writeStages(dump, await policy.stages(observation, task));
    const routed = routing ? routeAnswer(policy, routing) : {};
    const seconds = (routing?.seconds ?? 0) + chunk.seconds;
    const json = {
      ...routed,
      chosen: task,
      device: policy.device,
      seconds,
      actions: chunk.actions.map((row) => Array.from(row)),
      normalized: chunk.normalized.map((row) => Array.from(row)),
    };
    return {
      code: 0,
      json,
      text: actText(call, task, chunk, routing && [routeAnswer(policy, routing), routing]),
    };
  } finally {
    await policy.close();
  }
}

function actText(
  call: Call,
  task: string,
  chunk: ActionChunk,
  routed: readonly [ReturnType<typeof routeAnswer>, Routing] | undefined,
): string {
  const head = routed ? [routeText(...routed, call.terminal.style)] : [`task: ${task}`];
  const rows = chunk.actions.map((row) =>
    Array.from(row, (value) => value.toFixed(4).padStart(9)).join(' '),
  );
  return [...head, ...rows].join('\n');
}

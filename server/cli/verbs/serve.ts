import type { Policy } from '../../policy/types';
import { ServedEpisodes, type ServedPolicy } from '../../jobs/served-episodes';
import { Cancelled } from '../../protocol/merge-error';
import type { ServeSettings } from '../../serve/episode';
import { startServer } from '../../serve/server';
import type { EpisodeOutcome } from '../../serve/vla-eval';
import { usage } from '../arguments';
import { readRotation } from '../observation';
import { loadOperand, readTask } from '../policy-source';
import type { Call, Outcome } from '../verb';

/** `mergevla serve`: answers until it is interrupted. */
export async function run(call: Call): Promise<Outcome> {
  const { options, terminal, signal } = call;
  const port = readPort(options.text('port'));
  const host = options.text('host') ?? '127.0.0.1';
  const policy = await loadOperand(call);
  try {
    const settings = settingsOf(call, policy);
    const served = await ServedEpisodes.open(call.operands[0] ?? '', {
      ...factsOf(policy),
      ...(settings.task !== undefined && { task: settings.task }),
    });
    const server = await startServer({
      policy,
      settings,
      host,
      port,
      token: options.text('token'),
      onEpisode: (outcome) => {
        terminal.note(describe(outcome));
        keep(call, served, outcome);
      },
    });
    const url = `ws://${host.includes(':') ? `[${host}]` : host}:${server.port}`;
    const facts = { url, port: server.port, tasks: policy.tasks, device: policy.device };
    terminal.print(
      terminal.options.json ? JSON.stringify(facts) : `serving ${url} on ${policy.device}`,
    );
    terminal.note(`gripper: ${settings.gripper}; routes ${routingOf(policy, settings)}`);
    await interrupted(signal);
    await server.stop();
  } finally {
    await policy.close();
  }
  throw new Cancelled();
}

function factsOf({ tasks, routes }: Policy): ServedPolicy {
  return { tasks, routes };
}

/** Into the run's table; while an evaluation writes the run, its harness reports the episode itself. */
function keep(
  { terminal }: Call,
  served: ServedEpisodes | undefined,
  outcome: EpisodeOutcome,
): void {
  try {
    served?.add(outcome);
  } catch (error) {
    terminal.note(`not recorded: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readPort(text: string | undefined): number {
  const port = Number(text);
  if (text === undefined || !Number.isInteger(port) || port < 0 || port > 65535)
    throw usage(`--port takes a number from 0 (any free port) to 65535, not ${text ?? 'nothing'}`);
  return port;
}

function settingsOf({ options }: Call, policy: Policy): ServeSettings {
  const task = readTask(options.text('task'), policy);
  const imageKeys = options.text('image-keys')?.split(',');
  return {
    ...(task === undefined ? {} : { task }),
    ...(imageKeys ? { imageKeys } : {}),
    rotate: readRotation(options.text('rotate')),
    gripper: gripperOf(options.text('gripper'), policy),
    stateKey: options.text('state-key') ?? 'observation/state',
    promptKey: options.text('prompt-key') ?? 'prompt',
  };
}

/** Policies trained on LIBERO give a gripper that its simulator takes the other way round. */
function gripperOf(wanted: string | undefined, policy: Policy): ServeSettings['gripper'] {
  if (wanted === 'libero' || wanted === 'raw') return wanted;
  if (wanted !== undefined) throw usage(`--gripper takes libero or raw, not ${wanted}`);
  return policy.tasks.every((task) => task.startsWith('libero')) ? 'libero' : 'raw';
}

function routingOf(policy: Policy, settings: ServeSettings): string {
  if (settings.task !== undefined) return `nothing, the task is ${settings.task}`;
  return policy.routes ? `once for every ${policy.routesPer}` : 'nothing, there is one task';
}

function describe({ suite, task, episode, success, steps, routed }: EpisodeOutcome): string {
  const result = success === null ? 'ended' : success ? 'succeeded' : 'failed';
  const route = routed === null ? '' : `, routed to ${routed}`;
  return `${suite} ${JSON.stringify(task)} episode ${episode} ${result} after ${steps ?? '?'} steps${route}`;
}

function interrupted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

import { createInterface } from 'node:readline';
import { encode as encodePng } from 'fast-png';
import { Preprocessor } from '../../policy/preprocess';
import type { Observation, PairingScores, Policy, Routing } from '../../policy/types';
import { throwIfCancelled } from '../../protocol/merge-error';
import type {
  PairingAnswer,
  RouteAnswer,
  RouteDetail,
  RouteImage,
  TokenNorms,
} from '../../protocol/routing';
import { usage } from '../arguments';
import { describeFailure } from '../failure';
import {
  isObservationRequest,
  observationRequest,
  readObservation,
  type Seen,
} from '../observation';
import { loadOperand } from '../policy-source';
import { formatTable } from '../table';
import type { Style } from '../style';
import type { Call, Outcome } from '../verb';

/** `mergevla route`: which expert does this observation want? */
export async function run(call: Call): Promise<Outcome> {
  const follows = call.options.flag('follow');
  const seen = follows ? undefined : await readObservation(observationRequest(call));
  const policy = await loadOperand(call);
  try {
    if (!seen) return await follow(call, policy);
    const { answer, routing } = await route(call, policy, seen);
    return {
      code: 0,
      json: answer,
      text: routeText(answer, routing, call.terminal.style),
      quiet: answer.chosen,
    };
  } finally {
    await policy.close();
  }
}

async function route({ options }: Call, policy: Policy, seen: Seen) {
  const observation = await seen(policy.config.imageSize);
  const routing = await policy.route(observation);
  const short = routeAnswer(policy, routing);
  const answer = options.flag('detail')
    ? { ...short, detail: routeDetail(policy, routing, observation) }
    : short;
  return { answer, routing };
}

/**
 * Keeps the policy loaded: says what it is in one JSON line, then answers each line of standard input,
 * an observation as JSON, with one. What cannot be answered gets an `error` and does not end it.
 */
async function follow(call: Call, policy: Policy): Promise<Outcome> {
  const { terminal, signal } = call;
  const { tasks, device, config } = policy;
  terminal.print(JSON.stringify({ ready: { tasks, device, cameras: config.cameras } }));
  for await (const line of linesOf(process.stdin, signal)) {
    const answered = await answerLine(call, policy, line).catch((error: unknown) => ({
      error: describeFailure(error),
    }));
    terminal.print(JSON.stringify(answered));
  }
  throwIfCancelled(signal);
  return { code: 0, json: { ended: true }, text: '', quiet: '' };
}

async function answerLine(call: Call, policy: Policy, line: string): Promise<RouteAnswer> {
  const request = parseJson(line);
  if (!isObservationRequest(request)) throw usage('a line is no observation as JSON');
  const { answer } = await route(call, policy, await readObservation(request));
  return answer;
}

async function* linesOf(input: NodeJS.ReadableStream, signal: AbortSignal): AsyncGenerator<string> {
  const lines = createInterface({ input });
  signal.addEventListener('abort', () => lines.close(), { once: true });
  for await (const line of lines) if (line.trim() !== '') yield line;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function routeAnswer(policy: Policy, routing: Routing): RouteAnswer {
  const { scores, paths, softmax } = pairingAnswer(
    policy,
    routing.pairings[routing.pairing],
    routing.tasks,
  );
  const { chosen, seconds } = routing;
  return {
    scores,
    paths,
    softmax,
    chosen,
    device: policy.device,
    seconds,
    ...(routing.calibrated ? { offset: 'stored' } : {}),
  };
}

export function routeText(answer: RouteAnswer, routing: Routing, style: Style): string {
  const columns = [
    { title: 'task' },
    { title: 'score', align: 'right' },
    { title: 'task path', align: 'right' },
    { title: 'action path', align: 'right' },
    { title: 'softmax', align: 'right' },
  ] as const;
  const rows = routing.tasks.map((task) => {
    const path = answer.paths[task];
    return [
      task,
      (answer.scores[task] ?? 0).toFixed(4),
      (path?.task_path ?? 0).toFixed(4),
      (path?.action_path ?? 0).toFixed(4),
      (answer.softmax[task] ?? 0).toFixed(3),
    ];
  });
  const { margin } = routing.pairings[routing.pairing];
  const note = routing.calibrated
    ? '\nscores divided by stored means, which the paper does not do'
    : '';
  const last = `chosen: ${answer.chosen} (margin ${margin.toFixed(4)}, ${answer.device}, ${answer.seconds.toFixed(2)} s)`;
  return `${formatTable(columns, rows, style)}\n${last}${note}`;
}

function pairingAnswer(
  policy: Policy,
  pairing: PairingScores,
  tasks: readonly string[],
): PairingAnswer {
  const byTask = <T>(value: (index: number) => T): Record<string, T> =>
    Object.fromEntries(tasks.map((task, index) => [task, value(index)]));
  return {
    scores: byTask((m) => pairing.scores[m] ?? 0),
    paths: byTask((m) => ({
      task_path: pairing.taskPath[m] ?? 0,
      action_path: pairing.actionPath[m] ?? 0,
    })),
    softmax: byTask((m) => pairing.softmax[m] ?? 0),
    chosen: tasks[pairing.chosen] ?? '',
    margin: pairing.margin,
    tokens: byTask((m) => tokenNorms(policy, pairing, m)),
  };
}

/**
 * Norms laid over the patches. The task path reads positions 0 … T−1 of the sequence, and position 0
 * is the first prompt token: patch g is position g + 1, and the last patch is left out.
 */
function tokenNorms(policy: Policy, pairing: PairingScores, index: number): TokenNorms {
  const { cameras, shape } = policy.config;
  const norms = pairing.tokens[index];
  return {
    patches: cameras.map((_, camera) =>
      Array.from(
        { length: shape.patches },
        (__, patch) => norms?.task[camera * shape.patches + patch + 1] ?? null,
      ),
    ),
    slots: Array.from(norms?.action ?? []),
  };
}

function routeDetail(policy: Policy, routing: Routing, observation: Observation): RouteDetail {
  return {
    pairing: routing.pairing,
    precision: policy.precision,
    images: seenImages(policy, observation),
    instruction: observation.instruction,
    ...(observation.proprio ? { proprio: Array.from(observation.proprio) } : {}),
    pairings: {
      same: pairingAnswer(policy, routing.pairings.same, routing.tasks),
      crossed: pairingAnswer(policy, routing.pairings.crossed, routing.tasks),
    },
  };
}

/** The pictures as the model saw them. */
function seenImages(policy: Policy, observation: Observation): RouteImage[] {
  const { pictures } = new Preprocessor(policy.config).prepare(observation.images);
  const side = policy.config.shape.towers[0]?.grid ?? 1;
  return pictures.map(({ width, height, data }, index) => ({
    camera: policy.config.cameras[index] ?? '',
    width,
    height,
    png: Buffer.from(encodePng({ width, height, data, channels: 3, depth: 8 })).toString('base64'),
    grid: [side, side],
  }));
}

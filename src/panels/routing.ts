import { commands, ProgressLocation, window, workspace, type Disposable } from 'vscode';
import type {
  FromRoutingPanel,
  RoutingSnapshot,
  ToRoutingPanel,
} from '../../server/protocol/panels/routing';
import { isFromRoutingPanel } from '../../server/protocol/panels/routing';
import type { Banner, Phase } from '../../server/protocol/panels/shared';
import type { RouteAnswer } from '../../server/protocol/routing';
import { isRouteAnswer } from '../../server/protocol/routing';
import { isRecord } from '../../server/protocol/shape';
import { runCommand } from '../command-line';
import type { Parts } from '../commands/context';
import type { Channel, PanelKind, Session, Unrevised } from './panel';
import { readRunEpisodes } from './run-episodes';
import { pairingOf, routedSet, routedTasks } from './routing-view';
import type { RunEpisodes } from './success-view';

export function routingPanel(parts: Parts): PanelKind<ToRoutingPanel, FromRoutingPanel> {
  return {
    name: 'routing',
    title: 'Routing',
    guard: isFromRoutingPanel,
    open: (channel, argument) => new RoutingSession(parts, channel, argument),
  };
}

interface Observation {
  readonly images: readonly string[];
  readonly instruction: string;
}

/** One run: its router's answer for an observation, and how its recorded episodes were routed. */
class RoutingSession implements Session<ToRoutingPanel, FromRoutingPanel> {
  private run: string | undefined;
  private source: RoutingSnapshot['source'] = 'images';
  private observation: Observation | undefined;
  private answer: RouteAnswer | undefined;
  private failure: Banner | undefined;
  private readonly subscription: Disposable;

  constructor(
    private readonly parts: Parts,
    private readonly channel: Channel<ToRoutingPanel>,
    argument: unknown,
  ) {
    if (typeof argument === 'string') this.run = argument;
    this.subscription = parts.runs.onDidChange(() => {
      channel.refresh();
    });
  }

  async snapshot(): Promise<Unrevised<ToRoutingPanel>> {
    const finished = this.parts.runs.list().filter(({ state }) => state === 'done');
    this.run ??= finished[0]?.path;
    const all = await readRunEpisodes(this.parts.runs);
    const entry = all.find(({ run }) => run.path === this.run);
    const episodes = entry ? setsOf(entry) : noEpisodes;
    const nothing = !this.answer && !episodes.same && !episodes.crossed;
    return {
      type: 'snapshot',
      snapshot: {
        phase: nothing ? emptyPhase(finished.length > 0) : { kind: 'ready' },
        banners: this.failure ? [this.failure] : [],
        runs: finished.map(({ path, name }) => ({ id: path, label: name })),
        ...(this.run === undefined ? {} : { run: this.run }),
        source: this.source,
        frames: [],
        trusted: workspace.isTrusted,
        ...episodes,
        ...this.answered(),
      },
    };
  }

  /** The answer on screen, whose tasks and pairing go before those of the episodes. */
  private answered(): Partial<RoutingSnapshot> {
    const { answer } = this;
    if (!answer) return {};
    const pairing = answer.detail ? { pairing: answer.detail.pairing } : {};
    return { answer, tasks: Object.keys(answer.scores), ...pairing };
  }

  async receive(message: FromRoutingPanel): Promise<void> {
    switch (message.type) {
      case 'selectRun':
        this.run = message.id;
        this.answer = undefined;
        this.failure = undefined;
        this.channel.refresh();
        return;
      case 'setSource':
        this.source = message.source;
        if (message.source === 'images') this.observation = undefined;
        this.channel.refresh();
        return;
      case 'route':
        return this.route();
      case 'action':
        if (message.id === 'route') return this.route();
        return;
      case 'replay':
      case 'selectFrame':
        await commands.executeCommand('mergevla.replayEpisode', message.id);
        return;
      case 'showEpisodes':
        await commands.executeCommand('mergevla.showSuccessRates');
        return;
      default:
    }
  }

  dispose(): void {
    this.subscription.dispose();
  }

  /** Asks for pictures and the instruction, then runs the router in a job of its own. */
  private async route(): Promise<void> {
    if (!workspace.isTrusted || this.run === undefined) return;
    this.observation ??= await askObservation();
    const { observation, run } = this;
    if (!observation) return;
    const args = [
      'route',
      run,
      ...['--images', observation.images.join(',')],
      ...['--instruction', observation.instruction],
      ...['--detail', '--json'],
    ];
    const result = await window.withProgress(
      { location: ProgressLocation.Notification, title: 'Routing', cancellable: true },
      (_progress, token) => runCommand(this.parts.cli, args, { token }),
    );
    if (result.cancelled) return;
    const answer = parse(result.stdout);
    this.answer = isRouteAnswer(answer) ? answer : undefined;
    this.failure = this.answer ? undefined : failureOf(answer, result.stderr);
    if (this.failure) this.observation = undefined;
    this.channel.refresh();
  }
}

type Episodes = Pick<RoutingSnapshot, 'tasks' | 'pairing' | 'same' | 'crossed'>;
const noEpisodes: Episodes = { tasks: [], pairing: 'same' };

function setsOf(entry: RunEpisodes): Episodes {
  const [same, crossed] = [routedSet(entry, 'same'), routedSet(entry, 'crossed')];
  return {
    tasks: routedTasks(entry),
    pairing: pairingOf(entry),
    ...(same ? { same } : {}),
    ...(crossed ? { crossed } : {}),
  };
}

async function askObservation(): Promise<Observation | undefined> {
  const picked = await window.showOpenDialog({
    title: 'Pictures in camera order',
    canSelectMany: true,
    filters: { Pictures: ['png', 'jpg', 'jpeg'] },
  });
  if (!picked || picked.length === 0) return undefined;
  const instruction = await window.showInputBox({
    title: 'Instruction',
    prompt: picked.map(({ path }) => path.split('/').at(-1)).join(', '),
  });
  return instruction === undefined
    ? undefined
    : { images: picked.map(({ fsPath }) => fsPath), instruction };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The command's own sentence and code, or the last line that it complained with. */
function failureOf(answer: unknown, stderr: string): Banner {
  const error = isRecord(answer) ? answer['error'] : undefined;
  const [message, code] = isRecord(error) ? [error['message'], error['code']] : [];
  const last = stderr.trim().split('\n').at(-1);
  return {
    level: 'error',
    text: typeof message === 'string' ? message : (last ?? 'the router gave no answer'),
    ...(typeof code === 'string' ? { code } : {}),
    action: { label: 'Choose pictures again', id: 'route' },
  };
}

function emptyPhase(hasRuns: boolean): Phase {
  return hasRuns
    ? {
        kind: 'empty',
        title: 'Nothing has been routed yet.',
        text: 'Choose the pictures of one observation, or evaluate the routed policy on the bench.',
        actions: [
          { label: 'Route an observation', id: 'route' },
          { label: 'Evaluate', id: 'evaluate' },
        ],
      }
    : {
        kind: 'empty',
        title: 'There is no finished run.',
        text: 'A merge with a router answers which expert an observation asks for.',
        actions: [
          { label: 'Merge', id: 'merge' },
          { label: 'Open the cubes sample', id: 'openSample' },
        ],
      };
}

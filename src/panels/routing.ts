import { commands, workspace, type Disposable } from 'vscode';
import type {
  FromRoutingPanel,
  RoutingSnapshot,
  ToRoutingPanel,
} from '../../server/protocol/panels/routing';
import { isFromRoutingPanel } from '../../server/protocol/panels/routing';
import type { RunSummary } from '../../server/protocol/methods';
import type { Banner, Phase } from '../../server/protocol/panels/shared';
import type { RouteAnswer } from '../../server/protocol/routing';
import { isRouteAnswer } from '../../server/protocol/routing';
import { isRecord } from '../../server/protocol/shape';
import type { Parts } from '../commands/context';
import {
  askObservation,
  askPolicy,
  type Asked,
  type Failure,
  type Observation,
} from '../commands/observation';
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
    else if (isRecord(argument)) this.openWith(argument);
    this.subscription = parts.runs.onDidChange(() => {
      channel.refresh();
    });
  }

  /** A run, and the answer that it gave for an observation, when the panel is opened with both. */
  private openWith({ run, answer }: Readonly<Record<string, unknown>>): void {
    if (typeof run !== 'string') return;
    this.run = run;
    if (isRouteAnswer(answer)) this.answer = answer;
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
        runs: choices(finished, this.run),
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

  private keep(asked: Exclude<Asked, { state: 'cancelled' }>): void {
    const value = asked.state === 'answered' ? asked.value : undefined;
    this.answer = isRouteAnswer(value) ? value : undefined;
    const failure = asked.state === 'failed' ? asked.failure : noAnswer;
    this.failure = this.answer ? undefined : bannerOf(failure);
  }

  /** Asks for pictures and the instruction, then runs the router in a job of its own. */
  private async route(): Promise<void> {
    if (!workspace.isTrusted || this.run === undefined) return;
    this.observation ??= await askObservation();
    const { observation, run } = this;
    if (!observation) return;
    const asked = await askPolicy(this.parts, 'route', run, observation);
    if (asked.state === 'cancelled') return;
    this.keep(asked);
    if (this.failure) this.observation = undefined;
    this.channel.refresh();
  }
}

type Episodes = Pick<RoutingSnapshot, 'tasks' | 'pairing' | 'same' | 'crossed'>;
const noEpisodes: Episodes = { tasks: [], pairing: 'same' };

/** Finished runs; a recipe or a run elsewhere that was asked goes before them. */
function choices(finished: readonly RunSummary[], asked: string | undefined) {
  const known = finished.map(({ path, name }) => ({ id: path, label: name }));
  if (asked === undefined || known.some(({ id }) => id === asked)) return known;
  return [{ id: asked, label: asked.split(/[/\\]/).at(-1) ?? asked }, ...known];
}

function setsOf(entry: RunEpisodes): Episodes {
  const [same, crossed] = [routedSet(entry, 'same'), routedSet(entry, 'crossed')];
  return {
    tasks: routedTasks(entry),
    pairing: pairingOf(entry),
    ...(same ? { same } : {}),
    ...(crossed ? { crossed } : {}),
  };
}

const noAnswer: Failure = { message: 'the router gave no answer' };

/** What went wrong, with the way to try again. */
function bannerOf({ message, code }: Failure): Banner {
  return {
    level: 'error',
    text: message,
    ...(code === undefined ? {} : { code }),
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

import { commands, env, Uri, workspace, type Disposable } from 'vscode';
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
import { arrayOf, isRecord, isString } from '../../server/protocol/shape';
import type { Parts } from '../commands/context';
import type { Asked, Failure } from '../commands/asked';
import { nodeForJobs } from '../command-line';
import { deviceArguments } from '../config';
import { isRecipe } from '../recipes';
import { runChoice } from '../runs';
import type { Channel, PanelKind, Session, Unrevised } from './panel';
import { readRunEpisodes } from './run-episodes';
import { RouterProcess } from './router-process';
import { ObservationChoice } from './routing-observation';
import { pairingOf, recordedEpisodes, routedSet, routedTasks } from './routing-view';
import type { RunEpisodes } from './success-view';

export function routingPanel(parts: Parts): PanelKind<ToRoutingPanel, FromRoutingPanel> {
  return {
    name: 'routing',
    title: 'Routing',
    guard: isFromRoutingPanel,
    open: (channel, argument) => new RoutingSession(parts, channel, argument),
  };
}

/** Without an answer for so long, the panel says what it waits for. */
const patienceMs = 10_000;

/** One run: its router's answer for an observation, and how its recorded episodes were routed. */
class RoutingSession implements Session<ToRoutingPanel, FromRoutingPanel> {
  private run: string | undefined;
  private answer: RouteAnswer | undefined;
  private banners: readonly Banner[] = [];
  private busy: { readonly text: string; readonly isSlow: boolean } | undefined;
  private router: { readonly key: string; readonly process: RouterProcess } | undefined;
  private readonly observation: ObservationChoice;
  private readonly subscriptions: readonly Disposable[];

  constructor(
    private readonly parts: Parts,
    private readonly channel: Channel<ToRoutingPanel>,
    argument: unknown,
  ) {
    this.observation = new ObservationChoice(parts);
    this.turnTo(argument);
    this.subscriptions = [
      parts.runs.onDidChange(() => {
        channel.refresh();
      }),
      workspace.onDidChangeTextDocument(({ document }) => {
        if (isRecipe(document) && document.uri.fsPath === this.recipe()) channel.refresh();
      }),
    ];
  }

  get subject(): string | undefined {
    const { run } = this;
    return run === undefined ? undefined : (this.parts.runs.find(run)?.name ?? lastPart(run));
  }

  /** A run, a run with the answer that it gave, or pictures to route; pictures and words stay for any run. */
  turnTo(argument: unknown): void {
    const { run, answer, pictures } = isRecord(argument) ? argument : { run: argument };
    if (arrayOf(isString)(pictures)) void this.addFiles(pictures);
    if (!isString(run)) return;
    if (run !== this.run) {
      this.endRouting();
      this.run = run;
      this.answer = undefined;
      this.banners = [];
      this.observation.cameras = undefined;
    }
    if (isRouteAnswer(answer)) this.answer = answer;
  }

  async snapshot(): Promise<Unrevised<ToRoutingPanel>> {
    const finished = this.parts.runs.list().filter(({ state }) => state === 'done');
    this.run ??= finished[0]?.path;
    const all = await readRunEpisodes(this.parts.runs);
    const entry = all.find(({ run }) => run.path === this.run);
    this.observation.setEpisodes(entry ? recordedEpisodes(entry) : []);
    const { busy } = this;
    return {
      type: 'snapshot',
      snapshot: {
        phase: this.phase(),
        banners: [...this.banners, ...(await this.staleBanner())],
        runs: choices(finished, this.run),
        ...(this.run === undefined ? {} : { run: this.run }),
        trusted: workspace.isTrusted,
        ...(busy ? { busy: busy.text } : {}),
        ...(entry ? setsOf(entry) : noEpisodes),
        ...this.observation.snapshot(),
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

  private phase(): Phase {
    const { busy, run, answer } = this;
    if (run === undefined) return noRun;
    if (!busy || answer) return { kind: 'ready' };
    const waitingFor = busy.isSlow ? { waitingFor: 'the policy of the run' } : {};
    return { kind: 'loading', text: busy.text, ...waitingFor };
  }

  /** The recipe on screen may say another router by now than the run was made with. */
  private async staleBanner(): Promise<readonly Banner[]> {
    const run = this.run === undefined ? undefined : this.parts.runs.find(this.run);
    if (!run?.recipe || !workspace.isTrusted) return [];
    const uri = Uri.file(run.recipe).toString();
    const changed = await this.parts.server
      .request('mergevla/run/changes', { run: run.path, uri })
      .catch((): readonly string[] => []);
    if (!changed.includes('router')) return [];
    const text = 'The router of the recipe has changed since this run was merged';
    return [{ level: 'stale', text, action: { label: 'Merge', id: 'merge' } }];
  }

  async receive(message: FromRoutingPanel): Promise<void> {
    switch (message.type) {
      case 'selectRun':
        this.turnTo(message.id);
        this.channel.refresh();
        return;
      case 'setSource':
        this.observation.source = message.source;
        this.channel.refresh();
        return;
      case 'route':
        return this.route();
      case 'stop':
        this.stop();
        return;
      case 'action':
        return this.act(message.id);
      case 'selectFrame':
        if (this.observation.choose(message.id)) return this.route();
        return;
      case 'replay':
        await commands.executeCommand('mergevla.replayEpisode', message.id);
        return;
      case 'showEpisodes':
        await commands.executeCommand('mergevla.showSuccessRates');
        return;
      default:
        return this.change(message);
    }
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    this.router?.process.stop();
    this.observation.dispose();
  }

  /** Changes of the observation that the user puts together. */
  private async change(message: FromRoutingPanel): Promise<void> {
    const { observation } = this;
    switch (message.type) {
      case 'addPictures':
        this.tell(observation.add(message.pictures.map(fromBase64)));
        return;
      case 'addFiles':
        return this.addFiles(message.uris);
      case 'pickPictures':
        this.tell(await observation.pickPictures());
        return;
      case 'setObservation':
        observation.edit(message);
        return;
      case 'wantPicture': {
        const content = observation.content(message.id);
        if (content !== undefined) this.channel.send({ type: 'picture', id: message.id, content });
        return;
      }
      case 'pickDataset':
        return this.pickDataset();
      default:
    }
  }

  private async act(id: string): Promise<void> {
    if (id === 'stop') this.stop();
    else if (id === 'route' || id === 'retry') await this.route();
    else if (id === 'revealRouter') await this.revealRouter();
  }

  private async addFiles(uris: readonly string[]): Promise<void> {
    this.tell(await this.observation.addFiles(uris.map(onThisMachine)));
  }

  private async pickDataset(): Promise<void> {
    if (!workspace.isTrusted) return;
    try {
      if (await this.observation.pickDataset()) await this.route();
    } catch (error) {
      this.tell([error instanceof Error ? error.message : String(error)]);
    }
  }

  /** Shows sentences as banners in the place of those before. */
  private tell(sentences: readonly string[]): void {
    this.banners = sentences.map((text) => ({ level: 'error', text }));
    this.channel.refresh();
  }

  /** Asks the run's policy, which is loaded when it is first asked and then stays for a while. */
  private async route(): Promise<void> {
    const { run } = this;
    if (!workspace.isTrusted || run === undefined) return;
    const request = await this.observation.request();
    if (typeof request === 'string') {
      this.tell([request]);
      return;
    }
    const router = this.routerOf(run);
    const asked = router.ask(request);
    this.banners = [];
    this.channel.refresh();
    this.keep(await asked, run);
  }

  private keep(asked: Asked, run: string): void {
    if (asked.state === 'cancelled' || run !== this.run) return;
    const value = asked.state === 'answered' ? asked.value : undefined;
    if (isRouteAnswer(value)) this.answer = value;
    else {
      const failure = asked.state === 'failed' ? asked.failure : noAnswer;
      const message = this.observation.inNames(failure.message);
      this.banners = [bannerOf({ ...failure, message })];
    }
    this.busy = undefined;
    this.channel.refresh();
  }

  private routerOf(run: string): RouterProcess {
    const args = [run, ...deviceArguments()];
    const key = args.join('\0');
    if (this.router?.key !== key) {
      this.router?.process.stop();
      const process = new RouterProcess({ ...nodeForJobs(), cli: this.parts.cli }, args, {
        ready: ({ cameras }) => {
          this.observation.cameras = cameras;
          if (this.busy) this.busy = { text: 'Routing', isSlow: false };
          this.channel.refresh();
        },
        ended: () => {
          if (this.router?.process === process) this.router = undefined;
        },
      });
      this.router = { key, process };
      this.wait('Loading the policy');
    } else this.busy = { text: 'Routing', isSlow: false };
    return this.router.process;
  }

  private wait(text: string): void {
    const busy = { text, isSlow: false };
    this.busy = busy;
    setTimeout(() => {
      if (this.busy !== busy) return;
      this.busy = { text, isSlow: true };
      this.channel.refresh();
    }, patienceMs);
  }

  private stop(): void {
    this.endRouting();
    this.channel.refresh();
  }

  private endRouting(): void {
    this.router?.process.stop();
    this.busy = undefined;
  }

  private recipe(): string | undefined {
    return this.run === undefined ? undefined : this.parts.runs.find(this.run)?.recipe;
  }

  /** Opens the recipe at its router, or at its end where it has none. */
  private async revealRouter(): Promise<void> {
    const recipe = this.recipe();
    if (recipe === undefined) return;
    const document = await workspace.openTextDocument(recipe);
    const at = /^router:/m.exec(document.getText())?.index ?? document.getText().length;
    const { line } = document.positionAt(at);
    await commands.executeCommand('vscode.open', document.uri, {
      selection: document.lineAt(line).range,
    });
  }
}

/** The explorer of a window on a remote machine names its files by that machine; we run on it. */
function onThisMachine(address: string): Uri {
  const uri = Uri.parse(address);
  return uri.scheme === 'vscode-remote' && env.remoteName !== undefined ? Uri.file(uri.path) : uri;
}

type Episodes = Pick<RoutingSnapshot, 'tasks' | 'pairing' | 'same' | 'crossed'>;
const noEpisodes: Episodes = { tasks: [], pairing: 'same' };

const lastPart = (path: string): string => path.split(/[/\\]/).at(-1) ?? path;

/** Finished runs; a recipe or a run elsewhere that was asked goes before them. */
function choices(finished: readonly RunSummary[], asked: string | undefined) {
  const known = finished.map(runChoice);
  if (asked === undefined || known.some(({ id }) => id === asked)) return known;
  return [{ id: asked, label: lastPart(asked) }, ...known];
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

const fromBase64 = ({ name, content }: { readonly name: string; readonly content: string }) => ({
  name,
  content: Buffer.from(content, 'base64'),
});

const noAnswer: Failure = { message: 'the router gave no answer' };

/** What went wrong, with what helps: the line of the recipe where it asks for no router. */
function bannerOf({ message, code }: Failure): Banner {
  return {
    level: 'error',
    text: message,
    ...(code === undefined ? {} : { code }),
    action:
      code === 'MV576'
        ? { label: 'Show router in the recipe', id: 'revealRouter' }
        : { label: 'Route again', id: 'route' },
  };
}

const noRun: Phase = {
  kind: 'empty',
  title: 'There is no finished run.',
  text: 'A merge with a router answers which expert an observation asks for.',
  actions: [
    { label: 'Merge', id: 'merge' },
    { label: 'Open the cubes sample', id: 'openSample' },
  ],
};

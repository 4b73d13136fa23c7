import { commands, window, workspace, type Disposable } from 'vscode';
import type {
  EpisodeList,
  FromSuccessPanel,
  IntervalName,
  SuccessSnapshot,
  ToSuccessPanel,
} from '../../server/protocol/panels/success-rates';
import { isFromSuccessPanel } from '../../server/protocol/panels/success-rates-guards';
import type { Phase } from '../../server/protocol/panels/shared';
import { paperChoices } from '../../server/evaluate/rates/paper';
import type { PolicyRollouts } from '../../server/evaluate/rates/table';
import { comparePolicies, lettersAmong } from '../../server/evaluate/rates/table';
import type { Parts } from '../commands/context';
import { runChoice } from '../runs';
import type { Channel, PanelKind, Session, Unrevised } from './panel';
import { replayEvents } from './replay-events';
import { readRecording, readRunEpisodes } from './run-episodes';
import { isRecord, isString } from '../../server/protocol/shape';
import { readSweeps } from './studies';
import { studiesOf } from './study-view';
import type { RunEpisodes } from './success-view';
import { isTrialMessage, TrialDesk } from './trial-desk';
import { VanishedRuns } from './vanished-runs';
import { allEpisodes, besides, episodeList, policyRow } from './episode-view';
import { crossTable, rateTable } from './success-view';

export function successPanel(parts: Parts): PanelKind<ToSuccessPanel, FromSuccessPanel> {
  return {
    name: 'success-rates',
    title: 'Success Rates',
    guard: isFromSuccessPanel,
    open: (channel, argument) => new SuccessSession(parts, channel, argument),
  };
}

/** The table of the chosen runs; an episode that ends changes it at once. */
class SuccessSession implements Session<ToSuccessPanel, FromSuccessPanel> {
  private interval: IntervalName = 'wilson';
  private paper: string | undefined = 'so101';
  private hidden = new Set<string>();
  private compared: readonly string[] = [];
  private cell: { readonly row: string; readonly task: string } | undefined;
  private policies: readonly PolicyRollouts[] = [];
  private episodes: readonly RunEpisodes[] = [];
  private readonly subscriptions: Disposable[];
  private readonly desk: TrialDesk;
  private readonly vanished: VanishedRuns;

  constructor(
    private readonly parts: Parts,
    private readonly channel: Channel<ToSuccessPanel>,
    argument: unknown,
  ) {
    this.desk = new TrialDesk(parts, channel);
    this.vanished = new VanishedRuns(parts.deleted);
    this.turnTo(argument);
    const held = parts.deleted.hold();
    this.subscriptions = [
      { dispose: () => void held.dispose() },
      parts.runs.onDidChange(() => {
        channel.refresh();
      }),
      parts.server.onNotification('mergevla/run/events', ({ events }) => {
        if (events.some(({ type }) => type === 'episode')) channel.refresh();
      }),
    ];
  }

  /** Paths of runs to compare, a cell whose rollouts to list, a rollout to replay, or trials to go on with. */
  turnTo(argument: unknown): void {
    if (Array.isArray(argument)) this.only = new Set(argument.map(String));
    const { trials, episode, run, policy, task } = isRecord(argument) ? argument : {};
    if (isString(episode)) this.wanted = episode;
    if (isString(run) && isString(policy) && isString(task)) {
      this.hidden.delete(run);
      this.cell = { row: policyRow(run, policy), task };
    }
    if (isString(trials)) this.desk.open(trials);
  }

  /** A rollout that was asked for and is not yet shown. */
  private wanted: string | undefined;

  /** Runs that a comparison was opened with; all others start hidden. */
  private only: ReadonlySet<string> | undefined;

  async snapshot(): Promise<Unrevised<ToSuccessPanel>> {
    const [all, sweeps, desk] = await Promise.all([
      readRunEpisodes(this.parts.runs),
      readSweeps(),
      this.desk.snapshot(),
    ]);
    if (this.only) {
      const { only } = this;
      this.hidden = new Set(all.map(({ run }) => run.path).filter((path) => !only.has(path)));
      this.only = undefined;
    }
    this.openWanted(all);
    this.episodes = all.filter(({ run }) => !this.hidden.has(run.path));
    const found = rateTable(this.episodes, { interval: this.interval, paper: this.paper });
    this.policies = found?.policies ?? [];
    const cross = crossTable(this.episodes, this.interval);
    const list = this.list();
    const snapshot: SuccessSnapshot = {
      phase: this.policies.length > 0 ? { kind: 'ready' } : nothingYet,
      ...desk,
      banners: [...desk.banners, ...(await this.vanished.banners(all.map(({ run }) => run)))],
      runs: all.map(({ run }) => ({
        ...runChoice(run),
        shown: !this.hidden.has(run.path),
      })),
      papers: paperChoices.map((paper) => ({ ...paper, shown: paper.id === this.paper })),
      interval: this.interval,
      ...(found ? { table: found.table } : {}),
      ...(cross ? { cross } : {}),
      comparison: this.comparison(),
      ...(list ? { episodes: list } : {}),
      studies: studiesOf(sweeps, this.interval),
      trusted: workspace.isTrusted,
    };
    return { type: 'snapshot', snapshot };
  }

  async receive(message: FromSuccessPanel): Promise<void> {
    if (isTrialMessage(message)) return this.desk.receive(message);
    switch (message.type) {
      case 'openCell':
        this.openCell(message);
        return;
      case 'closeCell':
        this.cell = undefined;
        return;
      case 'replay':
        return this.replay(message.id);
      case 'compare':
        this.compared = message.rows;
        this.channel.send({ type: 'comparison', comparison: this.comparison() });
        this.sendEpisodes();
        return;
      case 'setInterval':
      case 'showPaper':
      case 'showRun':
        this.arrange(message);
        return;
      default:
        return this.command(message);
    }
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private async command(message: FromSuccessPanel): Promise<void> {
    if (message.type === 'action') return this.act(message.id);
    if (message.type === 'openRun') return this.openRun(message.id);
    const names = new Map([
      ['evaluate', 'mergevla.evaluate'],
      ['stop', 'mergevla.stopJob'],
      ['import', 'mergevla.importResults'],
    ]);
    const name = names.get(message.type);
    if (name === undefined) return;
    if (!workspace.isTrusted) {
      void window.showWarningMessage('The workspace is not trusted, so no job is started.');
      return;
    }
    await commands.executeCommand(name);
  }

  private async act(id: string): Promise<void> {
    if (!(await this.vanished.act(id))) return;
    await this.parts.runs.refresh();
    this.channel.refresh();
  }

  private arrange(
    message: Extract<FromSuccessPanel, { type: 'setInterval' | 'showPaper' | 'showRun' }>,
  ): void {
    if (message.type === 'setInterval') this.interval = message.kind;
    else if (message.type === 'showPaper') this.paper = message.id === '' ? undefined : message.id;
    else if (message.shown) this.hidden.delete(message.id);
    else this.hidden.add(message.id);
    this.channel.refresh();
  }

  /** Opens the cell of the rollout that was asked for, also of a hidden run; its replay follows the snapshot. */
  private openWanted(all: readonly RunEpisodes[]): void {
    const { wanted } = this;
    if (wanted === undefined) return;
    const found = allEpisodes(all).find(({ id }) => id === wanted);
    if (!found) return;
    this.wanted = undefined;
    this.hidden.delete(found.run.path);
    this.cell = { row: found.row, task: found.line.task };
    setImmediate(() => void this.replay(found.id));
  }

  private openCell({ row, task }: { readonly row: string; readonly task: string }): void {
    this.cell = { row, task };
    this.sendEpisodes();
  }

  /** The cell of a study's run: of its merged policy, where it has one. A run without episodes is revealed. */
  private async openRun(path: string): Promise<void> {
    const own = allEpisodes(this.episodes).filter(({ run }) => run.path === path);
    const found = own.find(({ line }) => line.policy === 'merged') ?? own[0];
    if (found) this.openCell({ row: found.row, task: found.line.task });
    else await commands.executeCommand('mergevla.openRunFolder', path);
  }

  private sendEpisodes(): void {
    const episodes = this.list();
    if (episodes) this.channel.send({ type: 'episodes', episodes });
  }

  /** Episodes of the open cell, beside those of the policy that it is compared with. */
  private list(): EpisodeList | undefined {
    const { cell, compared } = this;
    if (!cell) return undefined;
    const list = episodeList(this.episodes, cell.row, cell.task);
    const other = compared.includes(cell.row) ? compared.find((id) => id !== cell.row) : undefined;
    const second = other === undefined ? undefined : episodeList(this.episodes, other, cell.task);
    const comparison = this.comparison();
    const isPaired = comparison && 'pairs' in comparison;
    return list && second && isPaired ? besides(list, second) : list;
  }

  private comparison(): SuccessSnapshot['comparison'] {
    const chosen = this.compared.flatMap(
      (id) => this.policies.find((policy) => policy.id === id) ?? [],
    );
    const [first, second] = chosen;
    if (!first || !second) return null;
    return chosen.length > 2 ? lettersAmong(chosen) : comparePolicies(first, second);
  }

  private async replay(id: string): Promise<void> {
    const found = allEpisodes(this.episodes).find((episode) => episode.id === id);
    const path = found?.line.replay;
    const recording =
      found && path !== undefined
        ? await readRecording(found.run.path, path)
        : 'This episode was not recorded';
    if (typeof recording === 'string') {
      this.channel.send({ type: 'noReplay', id, reason: recording });
      return;
    }
    this.channel.send({
      type: 'replay',
      replay: { id, recording, events: replayEvents(recording), frames: [] },
    });
  }
}

const nothingYet: Phase = {
  kind: 'empty',
  title: 'There are no results yet.',
  text: 'Evaluate a recipe on the built-in bench, or import the logs of another harness.',
  actions: [
    { label: 'Evaluate', id: 'evaluate' },
    { label: 'Import results', id: 'import' },
  ],
};

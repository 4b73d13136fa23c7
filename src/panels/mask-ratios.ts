import { Range, Uri, window, workspace, type Disposable } from 'vscode';
import type {
  Curve,
  FromMaskPanel,
  MaskRatioAnswer,
  MaskRatioReply,
  MaskSnapshot,
  MergeParameters,
  ToMaskPanel,
} from '../../server/protocol/panels/mask-ratios';
import { isActive } from '../../server/protocol/events';
import { isFromMaskPanel } from '../../server/protocol/panels/mask-ratios';
import type { RecipeEditParams, RunSummary } from '../../server/protocol/methods';
import { isString } from '../../server/protocol/shape';
import type { Parts } from '../commands/context';
import { isRecipe } from '../recipes';
import { MaskDetails, type Subject } from './mask-details';
import { maskSections, maskView } from './mask-view';
import * as states from './mask-states';
import { asWorkspaceEdit } from '../text-edits';
import type { Channel, PanelKind, Session, Unrevised } from './panel';

const grids = {
  lambda: Array.from({ length: 19 }, (_, i) => Math.round((0.1 + 0.05 * i) * 100) / 100),
  alpha: Array.from({ length: 18 }, (_, i) => Math.round((0.3 + 0.1 * i) * 100) / 100),
  density: Array.from({ length: 20 }, (_, i) => Math.round(0.05 * (i + 1) * 100) / 100),
} as const;

/** A handle that has not moved for so long is at rest: its numbers are refined from the whole sample. */
const restMs = 150;

export function maskRatioPanel(parts: Parts): PanelKind<ToMaskPanel, FromMaskPanel> {
  return {
    name: 'mask-ratios',
    title: 'Mask Ratios',
    guard: isFromMaskPanel,
    open: (channel, argument) => new MaskSession(parts, channel, argument),
  };
}

type From<K extends FromMaskPanel['type']> = Extract<FromMaskPanel, { type: K }>;

/** The last numbers of the recipe on screen: they stay, marked as old, while newer ones are read. */
interface Shown {
  readonly answer: MaskRatioAnswer;
  readonly snapshot: MaskSnapshot;
  readonly when: string;
}

/** What the mask panel shows of one recipe; follows the open document and the server's numbers. */
class MaskSession implements Session<ToMaskPanel, FromMaskPanel> {
  private uri: string | undefined;
  private parameters: MergeParameters | undefined;
  private n = 0;
  private moving = false;
  /** Tensors that the running exact pass had measured when it was last asked. */
  private measured = 0;
  private rest: NodeJS.Timeout | undefined;
  private shown: Shown | undefined;
  private curves: readonly Curve[] = [];
  private readonly wait = new states.Wait();
  private look: NodeJS.Timeout | undefined;
  private readonly details: MaskDetails;
  private readonly subscriptions: readonly Disposable[];

  constructor(
    private readonly parts: Parts,
    private readonly channel: Channel<ToMaskPanel>,
    argument: unknown,
  ) {
    this.details = new MaskDetails(parts, channel, () => this.asked());
    const active = window.activeTextEditor?.document;
    if (active && isRecipe(active)) this.uri = active.uri.toString();
    this.turnTo(argument);
    const follow = ({ uri }: { readonly uri: Uri }) => {
      if (uri.toString() === this.uri) channel.refresh();
    };
    this.subscriptions = [
      workspace.onDidChangeTextDocument(({ document }) => {
        follow(document);
      }),
      workspace.onDidCloseTextDocument(follow),
      parts.server.onNotification('mergevla/masks/changed', () => {
        channel.refresh();
      }),
      parts.server.onDidChangeState((state) => {
        this.serverIs(state);
      }),
      parts.runs.onDidChange((run) => {
        this.followRun(run);
      }),
    ];
  }

  get subject(): string | undefined {
    return this.uri
      ?.split('/')
      .at(-1)
      ?.replace(/\.mergevla\.ya?ml$/, '');
  }

  /** The address of another recipe; of the one on screen its handles stay where they are. */
  turnTo(argument: unknown): void {
    if (!isString(argument) || argument === this.uri) return;
    this.uri = argument;
    this.parameters = undefined;
    this.curves = [];
    this.details.forget();
  }

  async snapshot(): Promise<Unrevised<ToMaskPanel>> {
    const recipes = await this.parts.server.request('mergevla/recipe/list', {});
    this.uri ??= recipes[0]?.uri;
    const { uri } = this;
    if (uri === undefined)
      return { type: 'snapshot', snapshot: states.noRecipe(recipes, workspace.isTrusted) };
    // The server knows the files of open documents; one that cannot be opened has its own message.
    await Promise.resolve(workspace.openTextDocument(Uri.parse(uri))).catch(() => undefined);
    const reply = await this.ask(this.parameters);
    const running = this.running();
    const base: MaskSnapshot = {
      ...states.noRecipe(recipes, workspace.isTrusted),
      uri,
      ...(running ? { job: states.jobView(running) } : {}),
    };
    const snapshot =
      reply.state === 'ready' ? await this.ready(base, reply.answer) : this.unready(base, reply);
    return { type: 'snapshot', snapshot };
  }

  /** Curves take longer than the numbers, which do not wait for them. */
  async posted(): Promise<void> {
    const { uri, shown } = this;
    if (!shown || shown.snapshot.uri !== uri) return;
    const curves = await this.askCurves(shown.answer);
    if (this.uri !== uri || curves.length === 0) return;
    this.curves = curves;
    this.channel.send({ type: 'curves', curves });
  }

  async receive(message: FromMaskPanel): Promise<void> {
    switch (message.type) {
      case 'setParameters':
        return this.move(message);
      case 'writeRecipe':
        return this.edit({ values: message.values });
      case 'exclude':
        return this.edit({ values: [], exclude: message.glob });
      case 'reveal':
        return this.reveal(message.target);
      case 'selectRecipe':
        this.turnTo(message.uri);
        this.channel.refresh();
        return;
      case 'computeExactly':
        return this.computeExactly();
      case 'action':
        return this.act(message.id);
      default:
        return this.details.receive(message);
    }
  }

  dispose(): void {
    clearTimeout(this.rest);
    clearTimeout(this.look);
    this.details.forget();
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private async ready(base: MaskSnapshot, answer: MaskRatioAnswer): Promise<MaskSnapshot> {
    const measured = await this.parts.server.request('mergevla/masks/yardstick', {
      uri: base.uri ?? '',
    });
    const snapshot: MaskSnapshot = {
      ...base,
      phase: { kind: 'ready' },
      recipe: answer.recipe,
      sections: maskSections(answer),
      view: maskView(answer),
      ...states.paperWords(answer),
      banners: [...states.nonfiniteBanner(answer), ...states.missingBanner(answer.recipe)],
      curves: this.shown?.snapshot.uri === base.uri ? this.curves : [],
      ...(measured ? { exact: maskView(measured) } : {}),
      ...(await this.details.snapshot(answer)),
    };
    this.wait.over();
    this.shown = { answer, snapshot, when: timeOfDay() };
    return snapshot;
  }

  private unready(
    base: MaskSnapshot,
    reply: Exclude<MaskRatioReply, { state: 'ready' }>,
  ): MaskSnapshot {
    const { shown } = this;
    if (shown && shown.snapshot.uri === base.uri) {
      const banners = [states.olderBanner(reply, shown.when)];
      return { ...shown.snapshot, recipes: base.recipes, curves: this.curves, banners };
    }
    if (reply.state === 'reading') this.lookAgain();
    const waitingFor = this.wait.waitingFor(reply, Date.now());
    return { ...base, recipe: reply.recipe, phase: states.phaseOf(reply, waitingFor) };
  }

  /** Nobody tells that a disk is silent. */
  private lookAgain(): void {
    clearTimeout(this.look);
    this.look = setTimeout(() => {
      this.channel.refresh();
    }, states.patienceMs);
  }

  private async act(id: string): Promise<void> {
    const { server, jobs } = this.parts;
    const uri = this.uri ?? '';
    if (id === 'stop') await server.request('mergevla/masks/stop', { uri });
    if (id === 'again' || id === 'retry') await server.request('mergevla/masks/again', { uri });
    if (id === 'stopJob') await jobs.stop(this.running()?.path ?? '');
    if (id === 'fixPath') await this.reveal('experts');
    this.channel.refresh();
  }

  private asked(): Subject {
    const { uri = '', n, parameters, shown } = this;
    return { uri, n, parameters, answer: shown?.answer };
  }

  private serverIs(state: 'starting' | 'running' | 'stopped'): void {
    if (state === 'running') this.channel.refresh();
    else if (state === 'stopped' && this.shown) {
      const banners = [states.lostBanner(timeOfDay())];
      this.channel.send({ type: 'status', phase: { kind: 'ready' }, banners });
    }
  }

  /** The job that computes this recipe exactly, while there is one. */
  private running(): RunSummary | undefined {
    return this.parts.runs.running().find((run) => this.isOurs(run));
  }

  private isOurs({ recipe }: RunSummary): boolean {
    return this.uri !== undefined && recipe === Uri.parse(this.uri).fsPath;
  }

  private followRun(run: RunSummary | undefined): void {
    if (run && !this.isOurs(run)) return;
    if (run && isActive(run)) {
      this.channel.send({ type: 'job', job: states.jobView(run) });
      this.takeMeasured(run.measured).catch(() => undefined);
    } else this.channel.refresh();
  }

  /** The exact pass has measured more: whole tracks and tables again, in place of estimates. */
  private async takeMeasured(tensors = 0): Promise<void> {
    if (tensors === this.measured) return;
    this.measured = tensors;
    if (!this.shown || this.moving) return;
    const { n } = this;
    const reply = await this.ask(this.parameters);
    if (n !== this.n || reply.state !== 'ready') return;
    this.take(reply);
    await this.details.refresh();
  }

  private async computeExactly(): Promise<void> {
    if (this.uri !== undefined && workspace.isTrusted)
      await this.parts.jobs.start('merge', Uri.parse(this.uri));
  }

  private ask(parameters: MergeParameters | undefined, quick = false): Promise<MaskRatioReply> {
    return this.parts.server.request('mergevla/masks/answer', {
      ...{ uri: this.uri ?? '', n: this.n, quick },
      ...(parameters ? { parameters } : {}),
    });
  }

  /** One question at a time: places that a handle passes meanwhile are left out. */
  private async move(message: From<'setParameters'>): Promise<void> {
    const { n, lambda, alpha, density, lambdas } = message;
    this.parameters = { lambda, alpha, density, ...(lambdas ? { lambdas } : {}) };
    this.n = n;
    clearTimeout(this.rest);
    if (this.moving) return;
    this.moving = true;
    try {
      for (let asked = -1; asked !== this.n;) {
        asked = this.n;
        this.take(await this.ask(this.parameters, true));
      }
    } finally {
      this.moving = false;
    }
    this.rest = setTimeout(() => {
      this.refine().catch(() => undefined);
    }, restMs);
  }

  private async refine(): Promise<void> {
    const { n } = this;
    const reply = await this.ask(this.parameters);
    if (n !== this.n) return;
    this.take(reply);
    if (reply.state !== 'ready') return;
    await this.posted();
    if (n === this.n) await this.details.refresh();
  }

  private take(reply: MaskRatioReply): void {
    if (reply.state === 'ready') {
      const view = maskView(reply.answer);
      if (this.shown)
        this.shown = {
          ...this.shown,
          answer: reply.answer,
          snapshot: { ...this.shown.snapshot, view },
        };
      this.channel.send({ type: 'view', view });
    } else {
      const banners = [states.olderBanner(reply, this.shown?.when ?? timeOfDay())];
      this.channel.send({ type: 'status', phase: { kind: 'ready' }, banners });
    }
  }

  private async askCurves({ recipe }: MaskRatioAnswer): Promise<readonly Curve[]> {
    const names = (['lambda', 'alpha', 'density'] as const).filter((name) => recipe.uses[name]);
    const found = await Promise.all(
      names.map((parameter) =>
        this.parts.server.request('mergevla/masks/curve', {
          uri: this.uri ?? '',
          n: this.n,
          parameter,
          grid: grids[parameter],
          ...(this.parameters ? { parameters: this.parameters } : {}),
        }),
      ),
    );
    return found.filter((curve) => curve !== null);
  }

  /** One undoable edit; unsaved, as if it had been typed. */
  private async edit(what: Omit<RecipeEditParams, 'uri'>): Promise<void> {
    if (this.uri === undefined || !workspace.isTrusted) return;
    const uri = Uri.parse(this.uri);
    await workspace.openTextDocument(uri);
    const edits = await this.parts.server.request('mergevla/recipe/edit', {
      uri: this.uri,
      ...what,
    });
    await workspace.applyEdit(asWorkspaceEdit(uri, edits));
    if (what.values.length > 0) this.parameters = undefined;
  }

  private async reveal(target: 'scope' | 'method' | 'experts'): Promise<void> {
    if (this.uri === undefined) return;
    const document = await workspace.openTextDocument(Uri.parse(this.uri));
    const text = document.getText();
    const found = new RegExp(`^ *${target} *:`, 'm').exec(text) ?? /^merge *:/m.exec(text);
    const place = document.positionAt(found ? found.index + found[0].search(/\S/) : 0);
    await window.showTextDocument(document, { selection: new Range(place, place) });
  }
}

const timeOfDay = (): string =>
  new Date().toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });

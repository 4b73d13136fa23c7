import { Range, Uri, window, workspace, type Disposable } from 'vscode';
import type {
  Curve,
  DrawerView,
  FromMaskPanel,
  LayerAnswer,
  MaskRatioAnswer,
  MaskRatioReply,
  MaskSnapshot,
  MergeParameters,
  RecipeFacts,
  ToMaskPanel,
} from '../../server/protocol/panels/mask-ratios';
import { isFromMaskPanel } from '../../server/protocol/panels/mask-ratios';
import type { Phase } from '../../server/protocol/panels/shared';
import type { RecipeEditParams, RecipeSummary } from '../../server/protocol/methods';
import type { Parts } from '../commands/context';
import { isRecipe } from '../recipes';
import { componentLabel, drawerView, maskSections, maskView } from './mask-view';
import { asWorkspaceEdit } from '../text-edits';
import { SpectraSession } from './spectra';
import type { Channel, PanelKind, Session, Unrevised } from './panel';

const grids = {
  lambda: Array.from({ length: 19 }, (_, i) => Math.round((0.1 + 0.05 * i) * 100) / 100),
  alpha: Array.from({ length: 18 }, (_, i) => Math.round((0.3 + 0.1 * i) * 100) / 100),
  density: Array.from({ length: 20 }, (_, i) => Math.round(0.05 * (i + 1) * 100) / 100),
} as const;

export function maskRatioPanel(parts: Parts): PanelKind<ToMaskPanel, FromMaskPanel> {
  return {
    name: 'mask-ratios',
    title: 'Mask Ratios',
    guard: isFromMaskPanel,
    open: (channel, argument) => new MaskSession(parts, channel, argument),
  };
}

type Select = Extract<FromMaskPanel, { type: 'select' }>;

/** What the mask panel shows of one recipe; follows the open document and the server's numbers. */
class MaskSession implements Session<ToMaskPanel, FromMaskPanel> {
  private uri: string | undefined;
  private parameters: MergeParameters | undefined;
  private n = 0;
  private selection: Select | undefined;
  private readonly spectra: SpectraSession;
  private readonly subscriptions: Disposable[];

  constructor(
    private readonly parts: Parts,
    private readonly channel: Channel<ToMaskPanel>,
    argument: unknown,
  ) {
    this.spectra = new SpectraSession(parts, (delta) => {
      channel.send(delta);
    });
    const active = window.activeTextEditor?.document;
    this.uri =
      typeof argument === 'string'
        ? argument
        : active && isRecipe(active)
          ? active.uri.toString()
          : undefined;
    this.subscriptions = [
      workspace.onDidChangeTextDocument(({ document }) => {
        if (document.uri.toString() === this.uri) channel.refresh();
      }),
      parts.server.onNotification('mergevla/masks/changed', () => {
        channel.refresh();
      }),
      parts.runs.onDidChange(() => {
        channel.refresh();
      }),
    ];
  }

  async snapshot(): Promise<Unrevised<ToMaskPanel>> {
    const recipes = await this.parts.server.request('mergevla/recipe/list', {});
    this.uri ??= recipes[0]?.uri;
    const { uri } = this;
    if (uri === undefined) return { type: 'snapshot', snapshot: noRecipe(recipes) };
    const reply = await this.ask(this.parameters);
    const base = { ...noRecipe(recipes), uri };
    if (reply.state !== 'ready')
      return {
        type: 'snapshot',
        snapshot: { ...base, recipe: reply.recipe, phase: phaseOf(reply) },
      };
    const { answer } = reply;
    const drawer = this.selection ? await this.drawer(this.selection, answer) : undefined;
    return {
      type: 'snapshot',
      snapshot: {
        ...base,
        phase: { kind: 'ready' },
        recipe: answer.recipe,
        sections: maskSections(answer),
        view: maskView(answer),
        ...paperWords(answer),
        banners: missingBanner(answer.recipe),
        curves: await this.curves(answer.recipe),
        ...(await this.yardstick(answer)),
        ...(drawer ? { drawer } : {}),
        ...(this.spectra.view ? { spectra: this.spectra.view } : {}),
      },
    };
  }

  async receive(message: FromMaskPanel): Promise<void> {
    switch (message.type) {
      case 'setParameters':
        return this.move(message);
      case 'writeRecipe':
        return this.edit({ values: message.values });
      case 'exclude':
        return this.edit({ values: [], exclude: message.glob });
      case 'select':
        return this.select(message);
      case 'reveal':
        return this.reveal(message.target);
      case 'selectRecipe':
        this.show(message.uri);
        return;
      case 'computeExactly':
        return this.computeExactly();
      case 'measureSpectra':
        return this.measureSpectra(message.all);
      case 'stopSpectra':
        this.spectra.stop();
        return;
      default:
    }
  }

  private show(uri: string): void {
    this.uri = uri;
    this.parameters = undefined;
    this.selection = undefined;
    this.spectra.forget();
    this.channel.refresh();
  }

  private async measureSpectra(all: boolean): Promise<void> {
    const { uri, selection } = this;
    if (uri === undefined) return;
    if (all || !selection) {
      await this.spectra.measure({ uri, title: 'all matrices', globs: [] });
      return;
    }
    const globs = blockGlobs((await this.layer(selection)).tensors);
    await this.spectra.measure({ uri, title: selectionTitle(selection), globs });
  }

  private async computeExactly(): Promise<void> {
    if (this.uri !== undefined && workspace.isTrusted)
      await this.parts.jobs.start('merge', Uri.parse(this.uri));
  }

  dispose(): void {
    this.spectra.forget();
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private ask(parameters: MergeParameters | undefined): Promise<MaskRatioReply> {
    return this.parts.server.request('mergevla/masks/answer', {
      uri: this.uri ?? '',
      n: this.n,
      ...(parameters ? { parameters } : {}),
    });
  }

  /** What a finished run of the recipe as it stands measured, to read estimates against. */
  private async yardstick(shown: MaskRatioAnswer): Promise<Pick<MaskSnapshot, 'exact'>> {
    if (!this.parameters) return shown.source.kind === 'exact' ? { exact: maskView(shown) } : {};
    const reply = await this.ask(undefined);
    return reply.state === 'ready' && reply.answer.source.kind === 'exact'
      ? { exact: maskView(reply.answer) }
      : {};
  }

  private async move(message: Extract<FromMaskPanel, { type: 'setParameters' }>): Promise<void> {
    const { lambda, alpha, density, n } = message;
    this.parameters = { lambda, alpha, density };
    this.n = n;
    const reply = await this.ask(this.parameters);
    // A newer place of the handle has been asked for meanwhile: its answer comes.
    if (n !== this.n) return;
    if (reply.state === 'ready') this.channel.send({ type: 'view', view: maskView(reply.answer) });
    else
      this.channel.send({
        type: 'status',
        phase: { kind: 'ready' },
        banners: [
          {
            level: 'stale',
            text: `These numbers belong to the saved parameters: ${reply.state === 'none' ? reply.reason : 'a sample is being read'}`,
          },
        ],
      });
  }

  private async curves(recipe: RecipeFacts): Promise<readonly Curve[]> {
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

  private async select(message: Select): Promise<void> {
    this.selection = message;
    const reply = await this.ask(this.parameters);
    if (reply.state !== 'ready') return;
    this.channel.send({ type: 'drawer', drawer: await this.drawer(message, reply.answer) });
  }

  private async drawer(
    selection: Select,
    { recipe, source }: MaskRatioAnswer,
  ): Promise<DrawerView> {
    const layer = await this.layer(selection);
    const title = selectionTitle(selection);
    const read = source.kind === 'estimate' ? source.fractionRead : undefined;
    return drawerView(layer, { title, glob: globOf(layer.tensors), tasks: recipe.tasks }, read);
  }

  private layer({ component, from, to }: Select): Promise<LayerAnswer> {
    return this.parts.server.request('mergevla/masks/layer', {
      ...{ uri: this.uri ?? '', n: this.n, component, from, to },
      ...(this.parameters ? { parameters: this.parameters } : {}),
    });
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
    this.parameters = undefined;
  }

  private async reveal(target: 'scope' | 'method'): Promise<void> {
    if (this.uri === undefined) return;
    const document = await workspace.openTextDocument(Uri.parse(this.uri));
    const pattern = target === 'scope' ? /^ *scope *:/m : /^ *method *:/m;
    const found = pattern.exec(document.getText()) ?? /^merge *:/m.exec(document.getText());
    const place = document.positionAt(found ? found.index + found[0].search(/\S/) : 0);
    await window.showTextDocument(document, { selection: new Range(place, place) });
  }
}

function selectionTitle({ component, from, to }: Select): string {
  const range = from === to ? `block ${String(from)}` : `blocks ${String(from)} to ${String(to)}`;
  return `${componentLabel(component)}${from === null ? '' : ` · ${range}`}`;
}

/** A glob for each block: one for a range of blocks would match their neighbours too. */
function blockGlobs(tensors: LayerAnswer['tensors']): readonly string[] {
  const blocks = new Set(tensors.map(({ block }) => block));
  return [...blocks].map((own) => globOf(tensors.filter(({ block }) => block === own)));
}

/** A glob for the tensors of a selection: their common beginning up to a dot. */
function globOf(tensors: readonly { readonly name: string }[]): string {
  const [first, ...rest] = tensors.map(({ name }) => name);
  if (first === undefined) return '**';
  let end = first.length;
  for (const name of rest) while (!name.startsWith(first.slice(0, end))) end -= 1;
  const common = rest.length === 0 ? first : first.slice(0, first.lastIndexOf('.', end - 1) + 1);
  return rest.length === 0 ? common : `${common}**`;
}

function noRecipe(recipes: readonly RecipeSummary[]): MaskSnapshot {
  return {
    phase: {
      kind: 'empty',
      title: 'No recipe is open.',
      text: 'Open a .mergevla.yaml file and its layers appear here.',
      actions: [
        { label: 'New recipe', id: 'newRecipe' },
        { label: 'Open the cubes sample', id: 'openSample' },
      ],
    },
    banners: [],
    recipes: recipes.map(({ uri, label }) => ({ uri, label })),
    sections: [],
    curves: [],
    trusted: workspace.isTrusted,
  };
}

function phaseOf(reply: Exclude<MaskRatioReply, { state: 'ready' }>): Phase {
  if (reply.state === 'reading')
    return {
      kind: 'loading',
      text: 'Reading a sample',
      done: reply.bytesRead,
      total: reply.bytesTotal,
    };
  return {
    kind: 'empty',
    title: 'There are no numbers for this recipe yet.',
    text: `A finished merge shows what every task keeps, layer by layer: ${reply.reason}.`,
    actions: [{ label: 'Merge', id: 'merge' }],
  };
}

function missingBanner({ missing, tasks }: RecipeFacts): MaskSnapshot['banners'] {
  if (missing.length === 0) return [];
  const verb = missing.length === 1 ? 'is' : 'are';
  return [
    {
      level: 'warning',
      text: `${missing.join(', ')} ${verb} not there; ${String(tasks.length - missing.length)} of ${String(tasks.length)} tasks are shown`,
    },
  ];
}

/** The paper's words, when the tasks are LIBERO's suites. */
function paperWords({ recipe }: MaskRatioAnswer): Pick<MaskSnapshot, 'paper'> {
  const suites = ['spatial', 'object', 'goal'];
  const libero = suites.every((suite) => recipe.tasks.some((task) => task.includes(suite)));
  if (!libero) return {};
  return {
    paper: {
      totals:
        'Paper, supplement Fig. 2 (TA, λ 0.6; picture without numbers): Long lowest in vision and highest in language, Object the reverse, Spatial fairly high in both.',
      coverage: 'Paper: over 75 % selfish for four LIBERO tasks (λ 0.6; base not stated).',
    },
  };
}

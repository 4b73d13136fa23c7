import type { BlockReport } from '../../server/protocol/report';
import type { PairView } from '../../server/protocol/panels/mask-details';
import type {
  BlockRange,
  DrawerView,
  FromMaskPanel,
  LayerAnswer,
  MaskRatioAnswer,
  MaskSnapshot,
  MergeParameters,
  ToMaskPanel,
} from '../../server/protocol/panels/mask-ratios';
import { isInside } from '../../server/protocol/panels/mask-ratios';
import type { Figure } from '../../server/protocol/panels/shared';
import type { Parts } from '../commands/context';
import { drawerView, globOf, pairView, selectionTitle, tensorView } from './mask-view';
import type { Channel } from './panel';
import { SpectraSession } from './spectra';

type Select = Extract<FromMaskPanel, { type: 'select' }>;
type Measure = Extract<FromMaskPanel, { type: 'measureSpectra' }>;

/** What the panel is about, and its last numbers. */
export interface Subject {
  readonly uri: string;
  readonly n: number;
  readonly parameters: MergeParameters | undefined;
  readonly answer: MaskRatioAnswer | undefined;
}

/** What the user looks at more closely: blocks, one tensor, a pair of tasks, spectra. */
export class MaskDetails {
  private selection: Select | undefined;
  private pair: readonly number[] = [];
  private readonly spectra: SpectraSession;

  constructor(
    private readonly parts: Parts,
    private readonly channel: Channel<ToMaskPanel>,
    private readonly subject: () => Subject,
  ) {
    this.spectra = new SpectraSession(parts, (delta) => {
      channel.send(delta);
    });
  }

  async receive(message: FromMaskPanel): Promise<void> {
    switch (message.type) {
      case 'select':
        this.selection = message;
        return this.refresh();
      case 'showPair':
        this.pair = message.pair;
        this.channel.send({ type: 'pair', pair: this.pairOf(this.subject().answer) ?? null });
        return;
      case 'showTensor':
        return this.showTensor(message.name);
      case 'measureSpectra':
        return this.measureSpectra(message);
      case 'stopSpectra':
        this.spectra.stop();
        return;
      default:
    }
  }

  async snapshot(
    answer: MaskRatioAnswer,
  ): Promise<Pick<MaskSnapshot, 'drawer' | 'pair' | 'spectra'>> {
    const pair = this.pairOf(answer);
    const { view } = this.spectra;
    return {
      ...(this.selection ? { drawer: await this.drawer(this.selection, answer) } : {}),
      ...(pair ? { pair } : {}),
      ...(view ? { spectra: view } : {}),
    };
  }

  /** The numbers have moved. */
  async refresh(): Promise<void> {
    const { answer } = this.subject();
    if (!this.selection || !answer) return;
    this.channel.send({ type: 'drawer', drawer: await this.drawer(this.selection, answer) });
  }

  /** Another recipe is shown, or none. */
  forget(): void {
    this.selection = undefined;
    this.pair = [];
    this.spectra.forget();
  }

  private pairOf(answer: MaskRatioAnswer | undefined): PairView | undefined {
    const [first, second] = this.pair;
    if (!answer || first === undefined || second === undefined) return undefined;
    return pairView(answer, [first, second]);
  }

  private async showTensor(name: string): Promise<void> {
    const found = this.selection ? (await this.layer(this.selection)).tensors : [];
    const tensor = found.find((one) => one.name === name);
    const tasks = this.subject().answer?.recipe.tasks ?? [];
    this.channel.send({ type: 'tensor', tensor: tensor ? tensorView(tensor, tasks) : null });
  }

  /** One block by tensor, several by block. */
  private async drawer(selection: Select, answer: MaskRatioAnswer): Promise<DrawerView> {
    const { recipe, source } = answer;
    const { tensors } = await this.layer(selection);
    const rows =
      selection.from === selection.to
        ? tensors.map((tensor) => ({ ...tensor, glob: tensor.name }))
        : blocksOf(selection, answer).map((block) => ({
            ...block,
            glob: globOf(tensors.filter((tensor) => tensor.block === block.block)),
          }));
    return drawerView(rows, {
      title: selectionTitle(selection, answer),
      glob: globOf(tensors),
      tasks: recipe.tasks,
      fractionRead: source.kind === 'estimate' ? source.fractionRead : undefined,
    });
  }

  private layer({ component, from, to }: BlockRange): Promise<LayerAnswer> {
    const { uri, n, parameters } = this.subject();
    return this.parts.server.request('mergevla/masks/layer', {
      ...{ uri, n, component, from, to },
      ...(parameters ? { parameters } : {}),
    });
  }

  private async measureSpectra({ range, known }: Measure): Promise<void> {
    const { uri, answer } = this.subject();
    if (!range || !answer) {
      await this.spectra.measure({ uri, title: 'all matrices', globs: [], known });
      return;
    }
    const globs = [globOf((await this.layer(range)).tensors)];
    await this.spectra.measure({ uri, title: selectionTitle(range, answer), globs, known });
  }
}

function blocksOf(selection: Select, { report }: MaskRatioAnswer): BlockReport<Figure>[] {
  return report.blocks
    .filter((block) => isInside(block, selection))
    .sort((a, b) => (a.block ?? -1) - (b.block ?? -1));
}

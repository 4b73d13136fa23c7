import { window } from 'vscode';
import type { Banner } from '../../server/protocol/panels/shared';
import type {
  FromSuccessPanel,
  ToSuccessPanel,
  TrialForm,
} from '../../server/protocol/panels/success-rates';
import type { Parts } from '../commands/context';
import { runImport } from '../commands/imports';
import { TrialSeries, unfinishedTrials } from '../trials';
import { isTrusted } from '../trust';
import type { Channel } from './panel';

export type TrialMessage = Extract<
  FromSuccessPanel,
  { type: 'trial' | 'undoTrial' | 'pauseTrials' | 'finishTrials' }
>;

const trialTypes: ReadonlySet<string> = new Set<TrialMessage['type']>([
  ...(['trial', 'undoTrial', 'pauseTrials', 'finishTrials'] as const),
]);
export const isTrialMessage = (message: FromSuccessPanel): message is TrialMessage =>
  trialTypes.has(message.type);

/** The series that the panel asks about, found again after a reload. */
const key = 'mergevla.trials';

/** The panel's second face: trials on a robot, one question at a time. */
export class TrialDesk {
  private series: TrialSeries | undefined;
  private folder: string | undefined;

  constructor(
    private readonly parts: Parts,
    private readonly channel: Channel<ToSuccessPanel>,
  ) {
    this.folder = parts.context.workspaceState.get<string>(key);
  }

  /** Goes on with this series. */
  open(folder: string): void {
    this.series = undefined;
    void this.keep(folder);
  }

  /** What a snapshot says: the form, or that there is a series to go on with. */
  async snapshot(): Promise<{ readonly trials?: TrialForm; readonly banners: readonly Banner[] }> {
    const { folder } = this;
    if (folder !== undefined && !this.series) {
      const series = await TrialSeries.open(folder);
      // Another one may have been opened meanwhile.
      if (folder === this.folder) this.series ??= series;
    }
    if (this.series) return { trials: this.series.form(), banners: [] };
    const banners = (await unfinishedTrials()).map((series): Banner => {
      const { name, trial, planned, done } = series.form();
      const made = `${String(done ? planned : trial - 1)} of ${String(planned)}`;
      return {
        level: 'warning',
        text: `Trials of ${name}: ${made} are made, and their results are closed until the end`,
        action: { label: 'Continue', id: 'recordTrials' },
      };
    });
    return { banners };
  }

  async receive(message: TrialMessage): Promise<void> {
    const { series } = this;
    if (!series || !isTrusted()) return;
    switch (message.type) {
      case 'trial':
        await series.record(message);
        break;
      case 'undoTrial':
        await series.undo(message.entry);
        break;
      case 'pauseTrials':
        await this.leave();
        return;
      case 'finishTrials':
        return this.finish(series);
    }
    this.channel.send({ type: 'trials', trials: series.form() });
  }

  /** The series becomes a run, and its results are opened. */
  private async finish(series: TrialSeries): Promise<void> {
    const { done, trial, planned } = series.form();
    if (!done && !(await confirmed(planned - trial + 1))) return;
    if ((await runImport(this.parts, [series.folder], series.folder)) !== undefined)
      await this.leave();
  }

  private async leave(): Promise<void> {
    this.series = undefined;
    await this.keep(undefined);
    this.channel.refresh();
  }

  private async keep(folder: string | undefined): Promise<void> {
    this.folder = folder;
    await this.parts.context.workspaceState.update(key, folder);
  }
}

async function confirmed(left: number): Promise<boolean> {
  const end = 'End Now';
  const message = `${String(left)} trials are left. Once the results are shown, the order is no longer blind.`;
  return (await window.showWarningMessage(message, { modal: true }, end)) === end;
}

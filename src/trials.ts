import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { RelativePattern, workspace } from 'vscode';
import { trialOrder, trialState } from '../server/evaluate/rates/trials';
import type { TrialForm } from '../server/protocol/panels/success-rates';
import type { TrialEntry, TrialOutcome, TrialPlan } from '../server/protocol/trials';
import { isTrialPlan, parseTrialEntries, trialFiles } from '../server/protocol/trials';

export interface TrialAnswer {
  readonly entry: number;
  readonly outcome: TrialOutcome;
  readonly reason: string;
  readonly note: string;
  readonly seconds: number;
}

/**
 * A series of trials in its folder: the plan once, then one line an entry. A line is on the disk before
 * the next trial is asked for, so a crash loses at most the trial that nobody has judged yet.
 */
export class TrialSeries {
  private constructor(
    readonly folder: string,
    private readonly plan: TrialPlan,
    private readonly entries: TrialEntry[],
  ) {}

  /** Makes the folder, which must not exist. */
  static async create(folder: string, plan: TrialPlan): Promise<TrialSeries> {
    await mkdir(dirname(folder), { recursive: true });
    await mkdir(folder);
    await writeFile(join(folder, trialFiles.order), orderSheet(plan));
    // Last, because a folder with this file is a series.
    await writeFile(join(folder, trialFiles.plan), `${JSON.stringify(plan, undefined, 2)}\n`);
    return new TrialSeries(folder, plan, []);
  }

  /** Undefined where there is no series, or one that cannot be read. */
  static async open(folder: string): Promise<TrialSeries | undefined> {
    const plan = parse(await readText(join(folder, trialFiles.plan)));
    if (!isTrialPlan(plan)) return undefined;
    const journal = await readText(join(folder, trialFiles.journal));
    const series = new TrialSeries(folder, plan, [...parseTrialEntries(journal)]);
    // Half a line that a crash left must not swallow the next one.
    if (journal !== '' && !journal.endsWith('\n')) await series.append('\n');
    return series;
  }

  form(): TrialForm {
    const { standing, done, planned, next, voided } = trialState(this.plan, this.entries);
    const { blind, sharedStarts, name, reasons } = this.plan;
    return {
      ...{ name, reasons, planned, voided },
      task: next?.task ?? '',
      criterion: next?.criterion ?? '',
      trial: Math.min(done.length + 1, planned),
      ...(next && sharedStarts ? { start: next.start } : {}),
      ...(next && !blind ? { policy: next.policy } : {}),
      canUndo: standing.length > 0,
      done: !next,
      entry: this.entries.length,
    };
  }

  /** Writes an answer down; one to a question that is no longer asked is left out. */
  async record({ entry, outcome, reason, note, seconds }: TrialAnswer): Promise<void> {
    if (entry !== this.entries.length || !trialState(this.plan, this.entries).next) return;
    await this.add({ outcome, reason, note, seconds, time: new Date().toISOString() });
  }

  async undo(entry: number): Promise<void> {
    if (entry !== this.entries.length || !this.form().canUndo) return;
    await this.add({ undo: true, time: new Date().toISOString() });
  }

  private async add(entry: TrialEntry): Promise<void> {
    // In memory first, so that the same answer cannot come in a second time while the disk is written.
    this.entries.push(entry);
    try {
      await this.append(`${JSON.stringify(entry)}\n`);
    } catch (error) {
      this.entries.pop();
      throw error;
    }
  }

  private async append(text: string): Promise<void> {
    const file = await open(join(this.folder, trialFiles.journal), 'a');
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

/** Series of the workspace that are not a run yet, newest first. */
export async function unfinishedTrials(): Promise<readonly TrialSeries[]> {
  const folders = workspace.workspaceFolders ?? [];
  const found = await Promise.all(
    folders.map((folder) =>
      workspace.findFiles(
        new RelativePattern(folder, `**/${trialFiles.plan}`),
        '**/node_modules/**',
        100,
      ),
    ),
  );
  const paths = found
    .flat()
    .map(({ fsPath }) => dirname(fsPath))
    .sort((a, b) => basename(b).localeCompare(basename(a)));
  const all = await Promise.all(
    paths.map(async (path) =>
      (await readText(join(path, 'run.json'))) === '' ? TrialSeries.open(path) : undefined,
    ),
  );
  return all.filter((series) => series !== undefined);
}

/** For whoever starts the policies while the person who judges does not look. */
function orderSheet(plan: TrialPlan): string {
  const quoted = (text: string) => (/[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  const lines = trialOrder(plan).map(({ task, policy, start }, i) =>
    [String(i + 1), policy, task, String(start)].map(quoted).join(','),
  );
  return `${['trial,policy,task,start', ...lines].join('\n')}\n`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const readText = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

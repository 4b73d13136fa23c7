import { window, workspace } from 'vscode';
import type { TrialPlan, TrialTask } from '../../server/protocol/trials';
import { isTrialPlan } from '../../server/protocol/trials';
import { TrialSeries, unfinishedTrials } from '../trials';
import { isTrusted } from '../trust';
import { join } from 'node:path';

/** Answers the series to go on with: one that was begun, the plan given, or what the user is asked for. */
export async function chooseTrials(given: unknown): Promise<TrialSeries | undefined> {
  const folder = workspace.workspaceFolders?.[0]?.uri;
  if (!isTrusted()) return undefined;
  if (!folder) {
    void window.showInformationMessage('Trials are kept in a folder: open one first.');
    return undefined;
  }
  if (given === undefined) {
    const begun = await chooseBegun();
    if (begun !== 'new') return begun;
  }
  const plan = given ?? (await askPlan());
  if (plan === undefined) return undefined;
  if (!isTrialPlan(plan)) {
    void window.showErrorMessage(
      'Not started: a plan of trials needs a name, tasks with criteria, distinct policies and a number of trials above 0.',
    );
    return undefined;
  }
  const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  return TrialSeries.create(join(folder.fsPath, 'runs', `trials-${stamp}`), plan);
}

async function chooseBegun(): Promise<TrialSeries | 'new' | undefined> {
  const begun = await unfinishedTrials();
  if (begun.length === 0) return 'new';
  const items = begun.map((series) => {
    const { name, trial, planned, done } = series.form();
    const made = done ? planned : trial - 1;
    return {
      label: `$(debug-continue) Continue ${name}`,
      description: `${String(made)} of ${String(planned)} trials`,
      detail: series.folder,
      series,
    };
  });
  const fresh = { label: '$(add) New Trials', description: '', detail: '', series: 'new' as const };
  const picked = await window.showQuickPick([...items, fresh], { title: 'Which trials?' });
  return picked?.series;
}

const orders = [
  {
    label: 'Blind, same starts',
    detail: 'Policies are shuffled at every start position and not named: outcomes are pairs.',
    blind: true,
    sharedStarts: true,
  },
  {
    label: 'Blind, free starts',
    detail: 'All trials of a task are shuffled and no policy is named.',
    blind: true,
    sharedStarts: false,
  },
  {
    label: 'Open, same starts',
    detail: 'Policies are named and take turns at every start position.',
    blind: false,
    sharedStarts: true,
  },
] as const;

async function askPlan(): Promise<TrialPlan | undefined> {
  const policies = await askNames('Which policies? Names, separated by commas', 'merged, routed');
  const tasks = policies && (await askTasks());
  if (!tasks) return undefined;
  const trials = await window.showInputBox({
    title: 'How many trials of each policy on each task?',
    value: '20',
    validateInput: (text) => (/^[1-9]\d{0,3}$/.test(text) ? undefined : 'A number from 1 to 9999'),
  });
  if (trials === undefined) return undefined;
  const order = await window.showQuickPick(orders, { title: 'In which order?' });
  if (!order) return undefined;
  const reasons = await askNames(
    'Reasons of a failure, to choose from',
    'missed, slipped, collided',
  );
  if (!reasons) return undefined;
  const judge = await window.showInputBox({ title: 'Who judges? (may stay empty)' });
  if (judge === undefined) return undefined;
  return {
    ...{ version: 1, name: tasks.map(({ task }) => task).join(', '), tasks, policies, reasons },
    ...{ trials: Number(trials), blind: order.blind, sharedStarts: order.sharedStarts },
    seed: Math.floor(Math.random() * 2 ** 31),
    ...(judge.trim() === '' ? {} : { judge: judge.trim() }),
  };
}

async function askNames(title: string, value: string): Promise<readonly string[] | undefined> {
  const split = (text: string) => text.split(',').flatMap((name) => name.trim() || []);
  const text = await window.showInputBox({
    ...{ title, value },
    validateInput: (typed) => {
      const names = split(typed);
      if (names.length === 0) return 'At least one name';
      return new Set(names).size < names.length ? 'Every name once' : undefined;
    },
  });
  return text === undefined ? undefined : split(text);
}

/** Tasks one after another, until a name stays empty. */
async function askTasks(): Promise<readonly TrialTask[] | undefined> {
  const tasks: TrialTask[] = [];
  for (;;) {
    const known = tasks.map(({ task }) => task);
    const task = await window.showInputBox({
      title: tasks.length === 0 ? 'Which task?' : 'A further task? (empty: go on)',
      placeHolder: 'stack the red cube on the blue cube',
      validateInput: (text) => {
        if (text.trim() === '') return tasks.length === 0 ? 'A name for the task' : undefined;
        return known.includes(text.trim()) ? 'This task is there already' : undefined;
      },
    });
    if (task === undefined) return undefined;
    if (task.trim() === '') return tasks;
    const criterion = await window.showInputBox({
      title: 'What counts as success?',
      placeHolder: 'The red cube rests on the blue one, and the gripper is away.',
    });
    if (criterion === undefined) return undefined;
    tasks.push({ task: task.trim(), criterion: criterion.trim() });
  }
}

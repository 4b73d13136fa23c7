import type { TrialPlan } from '../../protocol/trials';
import { isTrialPlan, parseTrialEntries, trialFiles } from '../../protocol/trials';
import { trialState } from '../rates/trials';
import type { Imported, ImportedEpisode } from './types';
import { refuse } from './types';

/** A series of trials on a robot that the panel recorded: its plan and its journal. */
export function readTrials(
  root: string,
  files: { readonly plan: string; readonly journal: string },
): Imported {
  const plan = parsePlan(files.plan);
  if (!plan) return refuse(`${root}/${trialFiles.plan} is no plan of trials`);
  const { done, planned, voided } = trialState(plan, parseTrialEntries(files.journal));
  if (done.length === 0) return refuse(`no trial of ${root} has been judged yet`);
  const numbers = new Map<string, number>();
  const episodes = done.map(({ trial, entry }): ImportedEpisode => {
    const { policy, task, start } = trial;
    const key = JSON.stringify([policy, task]);
    const episode = numbers.get(key) ?? 0;
    numbers.set(key, episode + 1);
    return {
      ...{ policy, task, episode, success: entry.outcome === 'success', seconds: entry.seconds },
      ...(plan.sharedStarts ? { seed: start } : {}),
      ...(entry.reason === '' ? {} : { reason: entry.reason }),
      ...(entry.note === '' ? {} : { note: entry.note }),
    };
  });
  const partial =
    done.length < planned
      ? { partial: `${String(done.length)} of ${String(planned)} trials were made` }
      : {};
  const { blind, sharedStarts, judge, tasks } = plan;
  const criteria = Object.fromEntries(tasks.map(({ task, criterion }) => [task, criterion]));
  const manual = { blind, sharedStarts, voided, criteria, ...(judge ? { judge } : {}) };
  return {
    run: { format: 'trials', file: root, episodes, counts: [], ...partial, manual, warnings: [] },
  };
}

function parsePlan(text: string): TrialPlan | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isTrialPlan(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

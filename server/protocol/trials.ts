import {
  arrayOf,
  isBoolean,
  isCount,
  isNumber,
  isString,
  linesThat,
  literal,
  object,
  oneOf,
  optional,
} from './shape';

/** What is tried on a robot, as `trials.json` keeps it. Everything else follows from it and the seed. */
export interface TrialPlan {
  readonly version: 1;
  readonly name: string;
  readonly tasks: readonly TrialTask[];
  readonly policies: readonly string[];
  /** Trials of each policy on each task. */
  readonly trials: number;
  /** The person who judges is not told which policy acts. */
  readonly blind: boolean;
  /** Every policy begins from the same start positions, so that outcomes are pairs. */
  readonly sharedStarts: boolean;
  /** Of the shuffle. */
  readonly seed: number;
  /** Offered as reasons of a failure. */
  readonly reasons: readonly string[];
  readonly judge?: string;
}

export interface TrialTask {
  readonly task: string;
  /** What counts as success, in a sentence. */
  readonly criterion: string;
}

/** A void trial was disturbed: it is repeated and never counted. */
export type TrialOutcome = 'success' | 'failure' | 'void';

/** One line of `trials.jsonl`. Nothing is ever taken out: an undo is a line of its own. */
export type TrialEntry =
  | {
      readonly outcome: TrialOutcome;
      readonly reason: string;
      readonly note: string;
      readonly seconds: number;
      /** ISO 8601 in UTC. */
      readonly time: string;
    }
  | { readonly undo: true; readonly time: string };

export const trialFiles = {
  plan: 'trials.json',
  journal: 'trials.jsonl',
  /** For whoever starts the policies. */
  order: 'order.csv',
} as const;

/** A person judges each of them, so more are a mistake. */
const mostTrials = 100_000;

const isName = (value: unknown): value is string => isString(value) && value.trim() !== '';
const isNames = (value: unknown): value is readonly string[] =>
  arrayOf(isName)(value) && value.length > 0 && new Set(value).size === value.length;

const isShape = object<TrialPlan>({
  version: literal(1),
  name: isName,
  tasks: arrayOf(object<TrialTask>({ task: isName, criterion: isString })),
  policies: isNames,
  trials: isCount,
  blind: isBoolean,
  sharedStarts: isBoolean,
  seed: isCount,
  reasons: arrayOf(isName),
  judge: optional(isString),
});

export function isTrialPlan(value: unknown): value is TrialPlan {
  if (!isShape(value) || !isNames(value.tasks.map(({ task }) => task))) return false;
  const planned = value.tasks.length * value.policies.length * value.trials;
  return value.trials > 0 && planned <= mostTrials;
}

const isTrialEntry = oneOf(
  object<Extract<TrialEntry, { outcome: unknown }>>({
    outcome: literal('success', 'failure', 'void'),
    reason: isString,
    note: isString,
    seconds: isNumber,
    time: isString,
  }),
  object<Extract<TrialEntry, { undo: unknown }>>({ undo: literal(true), time: isString }),
);

/** Entries of a journal; a line that a crash cut is left out. */
export function parseTrialEntries(text: string): readonly TrialEntry[] {
  return linesThat(isTrialEntry, text);
}

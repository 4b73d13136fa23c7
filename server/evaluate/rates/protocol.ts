import type { EvaluationRecord } from '../../protocol/evaluation-record';
import type { ManualFacts } from '../../protocol/import-facts';

/** What seeds of an evaluation are for, where that is not a table. */
export const seedsName = ({ range }: EvaluationRecord['settings']): string =>
  range === undefined ? 'seeds' : `${range} seeds`;

/** A policy whose figure is no result carries that in its name, wherever names stand alone. */
export const policyName = (
  policy: string,
  settings: Pick<EvaluationRecord['settings'], 'range'> | undefined,
): string => (settings?.range === undefined ? policy : `${policy} (${settings.range} seeds)`);

/** One line that says under which conditions the numbers hold. */
export function protocolLine({ settings, seeds }: EvaluationRecord): string {
  const { suite, shift, execute, max_steps: steps, routing } = settings;
  const parts = [
    suite,
    shift === 'colours' ? 'unseen cube colours' : 'scene as trained',
    `${seedsName(settings)} ${String(seeds.first)} to ${String(seeds.last)}`,
    execute === null ? 'whole chunks' : `${String(execute)} actions of each chunk`,
    steps === null ? '' : `at most ${String(steps)} steps`,
    settings.offset === 'stored' ? 'router scores divided by stored means (not in the paper)' : '',
    routing === 'episode' ? 'routed at the first observation' : `routed once a ${routing}`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

/** Names and values that belong beside numbers of a bench or a harness in print. */
export function benchFacts(record: EvaluationRecord): readonly (readonly [string, string])[] {
  const { settings, seeds, episodes, simulator, criteria } = record;
  const { execute, max_steps: steps, shift, command } = settings;
  return [
    ['suite', settings.suite],
    ['simulator', simulator],
    ['rollouts', `${String(episodes)} of each policy on each task`],
    [
      seedsName(settings),
      `${String(seeds.first)} to ${String(seeds.last)}, the same for every policy`,
    ],
    ['randomised', shift === 'colours' ? 'poses, and colours never trained on' : 'poses'],
    ['step limit', steps === null ? 'the suite’s own' : String(steps)],
    ['executed of a chunk', execute === null ? 'all actions' : `${String(execute)} actions`],
    ['routing', settings.routing === 'episode' ? 'at the first observation' : 'once a suite'],
    ...(command === null ? [] : [['harness', [command].flat().join(' ')] as const]),
    ...successCriteria(criteria),
    ['crashed rollouts', 'counted apart: neither success nor failure'],
  ];
}

/** The same for trials that a person judged. */
export function manualFacts(facts: ManualFacts): readonly (readonly [string, string])[] {
  const { blind, sharedStarts, voided, judge, criteria } = facts;
  return [
    ['order', blind ? 'blind, shuffled' : 'open'],
    ['start positions', sharedStarts ? 'the same for every policy' : 'free'],
    ['judged by', judge ?? 'a person'],
    ['void trials', `${String(voided)}, repeated and not counted`],
    ...successCriteria(criteria),
  ];
}

const successCriteria = (criteria: Readonly<Record<string, string>>) =>
  Object.entries(criteria)
    .filter(([, criterion]) => criterion !== '')
    .map(([task, criterion]) => [`success of ${task}`, criterion] as const);

import type { EpisodeLine } from '../../server/protocol/episode-line';
import { isActive } from '../../server/protocol/events';
import type { EvaluationRecord } from '../../server/protocol/evaluation-record';
import type { IntervalName, RateTable } from '../../server/protocol/panels/success-rates';
import type { ImportFacts } from '../../server/protocol/import-facts';
import { crossRow, policyRow } from './episode-view';
import type { RunSummary } from '../../server/protocol/methods';
import { paperGroup, paperTasks } from '../../server/evaluate/rates/paper';
import {
  benchFacts,
  manualFacts,
  policyName,
  protocolLine,
} from '../../server/evaluate/rates/protocol';
import {
  noRollouts,
  sumEpisodes,
  withCounts,
  type TaskRollouts,
} from '../../server/evaluate/rates/rollouts';
import type { PolicyRollouts } from '../../server/evaluate/rates/table';
import { successTable } from '../../server/evaluate/rates/table';

/** One run with the episodes that it has so far. */
export interface RunEpisodes {
  readonly run: Pick<RunSummary, 'path' | 'name' | 'state' | 'progress' | 'recipeHash'>;
  readonly lines: readonly EpisodeLine[];
  /** What is, or was, to be rolled out. */
  readonly plan?: EvaluationRecord;
  /** Imported results, and trials on a robot, are groups of their own. */
  readonly imported?: ImportFacts;
}

/** Order of the bench's policies: floor and ceiling first. */
const order = ['blind', 'experts', 'merged', 'masked', 'routed'];
const details: Readonly<Record<string, string>> = {
  blind: 'mean image',
  experts: 'each on its own task',
  merged: 'no masks',
  masked: 'task known',
  routed: 'task unknown',
};

/** Rows of all chosen runs, then the paper's. */
export function rateTable(
  runs: readonly RunEpisodes[],
  options: { readonly interval: IntervalName; readonly paper: string | undefined },
): { readonly table: RateTable; readonly policies: readonly PolicyRollouts[] } | undefined {
  const own = runs.filter((run) => !run.imported && !isTuning(run));
  const tuning = runs.filter(isTuning);
  const foreign = runs.filter(({ imported }) => imported && !imported.manual);
  const manual = runs.filter(({ imported }) => imported?.manual);
  const tasks = tasksOf(runs);
  const columns = tasks.length > 0 ? tasks : paperTasks(options.paper ?? '');
  const groups = [
    { title: 'This bench · successes / rollouts, rate, 95 % interval', policies: policiesOf(own) },
    { title: 'Validation seeds · for tuning, no results', policies: policiesOf(tuning) },
    { title: manualTitle(manual), policies: policiesOf(manual) },
    { title: 'Imported results', policies: policiesOf(foreign) },
  ].filter(({ policies }) => policies.length > 0);
  const paper =
    options.paper === undefined ? undefined : paperGroup(options.paper, columns, options.interval);
  if (groups.length === 0 && !paper) return undefined;
  const table = successTable(groups, {
    tasks: columns,
    interval: options.interval,
    protocol: protocolOf(runs),
    reporting: reportingOf(runs),
  });
  return {
    table: paper ? { ...table, groups: [...table.groups, paper] } : table,
    policies: groups.flatMap(({ policies }) => policies),
  };
}

/** Settings are chosen on such figures, so they stand in no group, mean or test with others. */
const isTuning = ({ plan }: RunEpisodes): boolean => plan?.settings.range === 'validation';

/** Who judged, and whether without knowing which policy acted, is part of such a result. */
function manualTitle(runs: readonly RunEpisodes[]): string {
  const facts = runs.flatMap(({ imported }) => imported?.manual ?? []);
  const order = facts.every(({ blind }) => blind) ? 'blind order' : 'not all in blind order';
  const judges = [...new Set(facts.flatMap(({ judge }) => judge ?? []))];
  const by = judges.length > 0 ? judges.join(', ') : 'a person';
  return `Manual trials · ${order} · judged by ${by}`;
}

/** The cross matrix: every expert on every task, where such episodes exist. */
export function crossTable(
  runs: readonly RunEpisodes[],
  interval: IntervalName,
): RateTable | undefined {
  const tested = runs.filter((run) => !isTuning(run));
  const shown = tested.length > 0 ? tested : runs;
  const lines = shown.flatMap((run) => run.lines).filter(({ policy }) => policy === 'experts');
  const experts = [...new Set(lines.map(({ expert, task }) => expert ?? task))];
  if (!lines.some(({ expert, task }) => expert !== undefined && expert !== task)) return undefined;
  const policies = experts.map((expert): PolicyRollouts => ({
    id: crossRow(expert),
    label: expert,
    detail: 'expert',
    tasks: sumEpisodes(lines.filter((line) => (line.expert ?? line.task) === expert)),
    state: 'done',
  }));
  return successTable([{ title: 'Every expert on every task', policies }], {
    tasks: tasksOf(shown),
    interval,
    protocol: protocolOf(shown),
    reporting: reportingOf(shown),
  });
}

/** Columns: the tasks of the plans in their order, then whatever else was found. */
export function tasksOf(runs: readonly RunEpisodes[]): readonly string[] {
  const planned = runs.flatMap(({ plan }) => plan?.tasks ?? []);
  const counted = runs.flatMap(({ imported }) => imported?.counts ?? []);
  const lines = runs.flatMap((run) => run.lines);
  return [...new Set([...planned, ...[...lines, ...counted].map(({ task }) => task)])];
}

function policiesOf(runs: readonly RunEpisodes[]): readonly PolicyRollouts[] {
  const many = runs.length > 1;
  return runs.flatMap((entry) => {
    const own = entry.lines.filter(
      ({ policy, expert, task }) => policy !== 'experts' || (expert ?? task) === task,
    );
    return namesOf(entry, own).map((name): PolicyRollouts => {
      const lines = own.filter(({ policy }) => policy === name);
      const { partial } = entry.imported ?? {};
      const tasks = entry.imported
        ? withCounts(sumEpisodes(lines), entry.imported, name)
        : withPlan(entry, sumEpisodes(lines));
      return {
        id: policyRow(entry.run.path, name),
        label: policyName(name, entry.plan?.settings),
        detail: many ? entry.run.name : (details[name] ?? ''),
        tasks,
        state: stateOf(entry, tasks),
        ...(partial === undefined ? {} : { note: partial }),
        ...timeLeft(entry),
      };
    });
  });
}

/** Policies that have results, and while a job runs those that will. */
function namesOf({ run, plan, imported }: RunEpisodes, own: readonly EpisodeLine[]) {
  const counted = imported?.counts ?? [];
  const planned = isActive(run) ? (plan?.policies ?? []) : [];
  const names = [...[...own, ...counted].map(({ policy }) => policy), ...planned];
  // The cross matrix is a view of its own.
  return [...new Set(names)].filter((name) => name !== 'cross').sort(byOrder);
}

/** While a job runs, every cell says how many rollouts it will have. */
function withPlan(
  { run, plan }: RunEpisodes,
  sums: ReadonlyMap<string, TaskRollouts>,
): ReadonlyMap<string, TaskRollouts> {
  if (!isActive(run) || !plan) return sums;
  const tasks = new Set([...plan.tasks, ...sums.keys()]);
  return new Map(
    [...tasks].map((task) => [task, { ...(sums.get(task) ?? noRollouts), planned: plan.episodes }]),
  );
}

function stateOf(
  { run, imported, plan }: RunEpisodes,
  tasks: ReadonlyMap<string, TaskRollouts>,
): PolicyRollouts['state'] {
  if (imported) return imported.partial === undefined ? 'done' : 'partial';
  const sums = [...tasks.values()];
  const tried = sums.map(({ trials, errors }) => trials + errors);
  const isWhole = plan ? tried.every((count) => count >= plan.episodes) : run.state === 'done';
  if (isWhole && tried.length > 0) return 'done';
  if (!isActive(run)) return run.state === 'done' ? 'done' : 'partial';
  return tried.some((count) => count > 0) ? 'running' : 'queued';
}

function timeLeft({ run }: RunEpisodes): { secondsLeft?: number } {
  const seconds = run.progress?.remainingSeconds;
  return seconds === undefined ? {} : { secondsLeft: seconds };
}

function byOrder(a: string, b: string): number {
  const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  return place(a) - place(b) || a.localeCompare(b);
}

function protocolOf(runs: readonly RunEpisodes[]): string {
  const lines = [...new Set(runs.flatMap(({ plan }) => (plan ? [protocolLine(plan)] : [])))];
  if (lines.length > 0) return lines.join(' · ');
  const suites = [...new Set(runs.flatMap((run) => run.lines).flatMap(({ suite }) => suite ?? []))];
  return suites.length > 0 ? suites.join(' · ') : runs.length > 0 ? '' : 'no results yet';
}

/** What belongs beside the numbers in print, run by run; runs under the same conditions together. */
function reportingOf(runs: readonly RunEpisodes[]): RateTable['reporting'] {
  const conditions = new Map<string, { names: string[]; facts: RateFacts }>();
  for (const entry of runs) {
    const facts = factsOf(entry);
    const key = JSON.stringify(facts);
    const known = conditions.get(key) ?? { names: [], facts };
    known.names.push(entry.run.name);
    conditions.set(key, known);
  }
  return [...conditions.values()].map(({ names, facts }) => ({ title: names.join(', '), facts }));
}

type RateFacts = RateTable['reporting'][number]['facts'];

function factsOf({ plan, imported }: RunEpisodes): RateFacts {
  if (imported?.manual) return manualFacts(imported.manual);
  if (plan) return benchFacts(plan);
  return [
    ['source', imported ? 'imported results of another harness' : 'not written down'],
    ...(imported?.partial === undefined ? [] : [['missing', imported.partial] as const]),
  ];
}

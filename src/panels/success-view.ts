import type { EpisodeLine } from '../../server/protocol/episode-line';
import type { IntervalName, RateTable } from '../../server/protocol/panels/success-rates';
import type { ImportFacts } from '../../server/protocol/import-facts';
import { crossRow, policyRow } from './episode-view';
import type { RunSummary } from '../../server/protocol/methods';
import { paperGroup, paperTasks } from '../../server/evaluate/rates/paper';
import { sumEpisodes, withCounts } from '../../server/evaluate/rates/rollouts';
import type { PolicyRollouts } from '../../server/evaluate/rates/table';
import { successTable } from '../../server/evaluate/rates/table';

/** One run with the episodes that it has so far. */
export interface RunEpisodes {
  readonly run: Pick<RunSummary, 'path' | 'name' | 'state' | 'progress'>;
  readonly lines: readonly EpisodeLine[];
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
  const own = runs.filter(({ imported }) => !imported);
  const foreign = runs.filter(({ imported }) => imported && !imported.manual);
  const manual = runs.filter(({ imported }) => imported?.manual);
  const tasks = tasksOf(runs);
  const columns = tasks.length > 0 ? tasks : paperTasks(options.paper ?? '');
  const groups = [
    { title: 'This bench · successes / rollouts, rate, 95 % interval', policies: policiesOf(own) },
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
  });
  return {
    table: paper ? { ...table, groups: [...table.groups, paper] } : table,
    policies: groups.flatMap(({ policies }) => policies),
  };
}

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
  const lines = runs.flatMap((run) => run.lines).filter(({ policy }) => policy === 'experts');
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
    tasks: tasksOf(runs),
    interval,
    protocol: protocolOf(runs),
  });
}

export function tasksOf(runs: readonly RunEpisodes[]): readonly string[] {
  const counted = runs.flatMap(({ imported }) => imported?.counts ?? []);
  const lines = runs.flatMap((run) => run.lines);
  return [...new Set([...lines, ...counted].map(({ task }) => task))];
}

function policiesOf(runs: readonly RunEpisodes[]): readonly PolicyRollouts[] {
  const many = runs.length > 1;
  return runs.flatMap((entry) => {
    const own = entry.lines.filter(
      ({ policy, expert, task }) => policy !== 'experts' || (expert ?? task) === task,
    );
    const counted = entry.imported?.counts ?? [];
    const names = [...new Set([...own, ...counted].map(({ policy }) => policy))].sort(byOrder);
    return names.map((name): PolicyRollouts => {
      const lines = own.filter(({ policy }) => policy === name);
      const partial = entry.imported?.partial;
      return {
        id: policyRow(entry.run.path, name),
        label: name,
        detail: many ? entry.run.name : (details[name] ?? ''),
        tasks: entry.imported
          ? withCounts(sumEpisodes(lines), entry.imported, name)
          : sumEpisodes(lines, plannedOf(entry, own)),
        state: stateOf(entry),
        ...(partial === undefined ? {} : { note: partial }),
        ...timeLeft(entry),
      };
    });
  });
}

function stateOf({ run, imported }: RunEpisodes): PolicyRollouts['state'] {
  if (imported) return imported.partial === undefined ? 'done' : 'partial';
  if (run.state === 'running' || run.state === 'cancelling') return 'running';
  return run.state === 'done' ? 'done' : 'partial';
}

/** Every policy runs the same number of rollouts on a task: what the fullest cell has, or will have. */
function plannedOf({ run }: RunEpisodes, lines: readonly EpisodeLine[]): number | undefined {
  const { progress } = run;
  if (run.state !== 'running' || progress?.unit !== 'episodes') return undefined;
  const cells = new Set(lines.map(({ policy, task }) => `${policy}\0${task}`)).size;
  return cells === 0 ? undefined : Math.max(1, Math.round(progress.total / cells));
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
  const lines = runs.flatMap((run) => run.lines);
  const suites = [...new Set(lines.flatMap(({ suite }) => suite ?? []))];
  const seeds = new Set(lines.map(({ seed }) => seed)).size;
  const most = lines.reduce((longest, { steps }) => Math.max(longest, steps), 0);
  if (lines.length === 0) return 'no results yet';
  return [...suites, `${String(seeds)} seeds`, `longest episode ${String(most)} steps`].join(' · ');
}

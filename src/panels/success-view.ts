import type { EpisodeLine } from '../../server/protocol/episode-line';
import type {
  EpisodeList,
  IntervalName,
  RateTable,
} from '../../server/protocol/panels/success-rates';
import type { RunSummary } from '../../server/protocol/methods';
import { paperGroup, paperTasks } from '../../server/evaluate/rates/paper';
import type { PolicyRollouts, TaskRollouts } from '../../server/evaluate/rates/table';
import { added } from '../../server/evaluate/rates/imported';
import type { ForeignCounts } from '../../server/evaluate/rates/imported';
import { successTable, sumEpisodes } from '../../server/evaluate/rates/table';

/** One run with the episodes that it has so far. */
export interface RunEpisodes {
  readonly run: Pick<RunSummary, 'path' | 'name' | 'state' | 'progress'>;
  readonly lines: readonly EpisodeLine[];
  /** Imported results are a group of their own; `partial` says what is missing. */
  readonly imported?: {
    readonly partial?: string;
    /** Without seeds of their own, episodes are no pairs. */
    readonly seeds: boolean;
    readonly counts: readonly ForeignCounts[];
  };
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
  const foreign = runs.filter(({ imported }) => imported);
  const tasks = tasksOf(runs);
  const columns = tasks.length > 0 ? tasks : paperTasks(options.paper ?? '');
  const groups = [
    { title: 'This bench · successes / rollouts, rate, 95 % interval', policies: policiesOf(own) },
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

/** The cross matrix: every expert on every task, where such episodes exist. */
export function crossTable(
  runs: readonly RunEpisodes[],
  interval: IntervalName,
): RateTable | undefined {
  const lines = runs.flatMap((run) => run.lines).filter(({ policy }) => policy === 'experts');
  const experts = [...new Set(lines.map(({ expert, task }) => expert ?? task))];
  if (!lines.some(({ expert, task }) => expert !== undefined && expert !== task)) return undefined;
  const policies = experts.map((expert): PolicyRollouts => ({
    id: `cross/${expert}`,
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
        id: `${entry.run.path}#${name}`,
        label: name,
        detail: many ? entry.run.name : (details[name] ?? ''),
        tasks: withCounts(entry, name, sumEpisodes(lines, plannedOf(entry, own))),
        state: stateOf(entry),
        ...(partial === undefined ? {} : { note: partial }),
        ...timeLeft(entry),
      };
    });
  });
}

/** Imported counts on top of imported episodes; pairs only where the file had seeds. */
function withCounts(
  { imported }: RunEpisodes,
  policy: string,
  sums: ReadonlyMap<string, TaskRollouts>,
): ReadonlyMap<string, TaskRollouts> {
  if (!imported) return sums;
  const tasks = new Map(sums);
  if (!imported.seeds)
    for (const [task, sum] of tasks) tasks.set(task, { ...sum, bySeed: new Map() });
  for (const count of imported.counts)
    if (count.policy === policy) tasks.set(count.task, added(tasks.get(count.task), count));
  return tasks;
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

/** Episodes of one cell; the row's identity is the run's path and the policy's name. */
export function episodeList(
  runs: readonly RunEpisodes[],
  row: string,
  task: string,
): EpisodeList | undefined {
  const cut = row.lastIndexOf('#');
  const entry = runs.find(({ run }) => run.path === row.slice(0, cut));
  const policy = row.slice(cut + 1);
  if (!entry) return undefined;
  const lines = entry.lines.filter(
    (line) =>
      line.policy === policy && line.task === task && (line.expert ?? line.task) === line.task,
  );
  return {
    row,
    task,
    label: `${policy} · ${task}`,
    items: lines
      .map((line) => ({
        id: episodeId(row, line),
        seed: line.seed,
        success: line.success,
        steps: line.steps,
        reason: line.reason ?? (line.success ? 'success' : 'failed'),
        ...(line.error === undefined ? {} : { error: line.error }),
        ...(line.routed === undefined ? {} : { routed: line.routed }),
        replay: line.replay !== undefined,
      }))
      .sort((a, b) => a.seed - b.seed),
  };
}

export function episodeId(row: string, { task, seed }: EpisodeLine): string {
  return `${row}#${task}#${String(seed)}`;
}

/** The run and the line that an identity of `episodeId` means. */
export function findEpisode(
  runs: readonly RunEpisodes[],
  id: string,
): { readonly run: RunEpisodes['run']; readonly line: EpisodeLine } | undefined {
  for (const { run, lines } of runs)
    for (const line of lines)
      if (line.replay !== undefined && episodeId(`${run.path}#${line.policy}`, line) === id)
        return { run, line };
  return undefined;
}

import type {
  Comparison,
  RateCell,
  RateRow,
  RateTable,
  RowLetters,
} from '../../protocol/panels/success-rates';
import { barnard, mcnemar, newcombe, pairedInterval } from './compare';
import type { Counts, IntervalKind } from './intervals';
import { meanInterval, rateInterval } from './intervals';
import { compactLetters, holm } from './letters';
import { routedRight, type TaskRollouts } from './rollouts';

/** One policy of one run, on any number of tasks. */
export interface PolicyRollouts {
  readonly id: string;
  readonly label: string;
  readonly detail: string;
  readonly tasks: ReadonlyMap<string, TaskRollouts>;
  readonly state: Exclude<RateRow['state'], 'paper'>;
  readonly note?: string;
  readonly secondsLeft?: number;
}

export interface TableOptions {
  readonly tasks: readonly string[];
  readonly interval: IntervalKind;
  readonly protocol: string;
  readonly reporting?: RateTable['reporting'];
}

/** A table of groups of policies. Letters compare all finished policies of the first group. */
export function successTable(
  groups: readonly { readonly title: string; readonly policies: readonly PolicyRollouts[] }[],
  options: TableOptions,
): RateTable {
  const finished = (groups[0]?.policies ?? []).filter(({ state }) => state === 'done');
  const { letters, test } = lettersAmong(finished);
  return {
    tasks: options.tasks,
    protocol: options.protocol,
    reporting: options.reporting ?? [],
    letterTest: test,
    groups: groups.map(({ title, policies }) => ({
      title,
      rows: policies.map((policy) => rowOf(policy, options, letters[policy.id])),
    })),
  };
}

function rowOf(
  policy: PolicyRollouts,
  options: TableOptions,
  letters: string | undefined,
): RateRow {
  const results = options.tasks.map((task) => policy.tasks.get(task));
  const done = results.filter((result) => result !== undefined);
  const whole = done.length === options.tasks.length && done.every(({ trials }) => trials > 0);
  const { mean, low, high } = meanInterval(done);
  const routed = routedRight(policy.tasks);
  return {
    id: policy.id,
    label: policy.label,
    detail: policy.detail,
    cells: results.map((result) => (result ? cellOf(result, options.interval) : null)),
    ...(whole && isFinished(policy) ? { mean: { value: mean, low, high } } : {}),
    ...(letters === undefined ? {} : { letters }),
    ...(routed ? { routed } : {}),
    state: policy.state,
    ...(policy.state === 'running' ? { progress: progressOf(policy, done) } : {}),
    ...(policy.note === undefined ? {} : { note: policy.note }),
  };
}

function progressOf(policy: PolicyRollouts, done: readonly TaskRollouts[]) {
  const seconds = policy.secondsLeft;
  return {
    done: done.reduce((sum, r) => sum + r.trials + r.errors, 0),
    total: done.reduce((sum, r) => sum + (r.planned ?? r.trials + r.errors), 0),
    ...(seconds === undefined ? {} : { seconds }),
  };
}

export function cellOf(result: TaskRollouts, interval: IntervalKind): RateCell {
  const { successes, trials, errors, planned } = result;
  const { low, high } = rateInterval(interval, result);
  return {
    successes,
    trials,
    low,
    high,
    errors,
    ...(planned === undefined ? {} : { planned }),
  };
}

/**
 * Letters by tests of all pairs with Holm's correction over these pairs: policies that share a letter
 * are not told apart. One that still runs waits, and a single policy gets no letter.
 */
export function lettersAmong(policies: readonly PolicyRollouts[]): RowLetters {
  const finished = policies.filter(isFinished);
  const tests = finished.flatMap((first, a) =>
    finished.slice(a + 1).map((second, i) => ({ a, b: a + 1 + i, ...testOf(first, second) })),
  );
  const rates = finished.map((policy) => meanInterval([...policy.tasks.values()], 1).mean);
  const order = finished.map((_, i) => i).sort((x, y) => (rates[y] ?? 0) - (rates[x] ?? 0));
  const letters = tests.length > 0 ? compactLetters(finished.length, holm(tests), order) : [];
  return {
    letters: Object.fromEntries(
      finished.flatMap(({ id }, i) => (letters[i] === undefined ? [] : [[id, letters[i]]])),
    ),
    test: `${testName(tests)}, Holm, 5 %`,
    waiting: policies.filter((policy) => !isFinished(policy)).map(nameOf),
  };
}

const isFinished = ({ state }: PolicyRollouts): boolean => state === 'done' || state === 'partial';

function testName(tests: readonly Test[]): string {
  const paired = tests.filter(({ test }) => test === 'mcnemar').length;
  if (paired === 0) return 'Barnard';
  return paired === tests.length
    ? 'McNemar on shared seeds'
    : 'McNemar on shared seeds, Barnard otherwise';
}

const nameOf = ({ label, detail }: PolicyRollouts): string =>
  detail === '' ? label : `${label} ${detail}`;

/** Outcomes on (task, seed) that both policies ran. */
function shared(
  first: PolicyRollouts,
  second: PolicyRollouts,
): readonly (readonly [boolean, boolean])[] {
  return [...first.tasks].flatMap(([task, { bySeed }]) => {
    const others = second.tasks.get(task)?.bySeed;
    return [...bySeed].flatMap(([seed, success]) => {
      const other = others?.get(seed);
      return other === undefined ? [] : [[success, other] as const];
    });
  });
}

type Test = Omit<Comparison, 'rows' | 'labels' | 'verdict'>;

/** Exact McNemar where all seeds are shared, Barnard on the pooled counts otherwise. */
function testOf(first: PolicyRollouts, second: PolicyRollouts): Test {
  const pairs = shared(first, second);
  const [a, b] = [pooled(first, second), pooled(second, first)];
  if (pairs.length === 0 || pairs.length < Math.min(a.trials, b.trials)) return independent(a, b);
  const among = (x: boolean, y: boolean) => pairs.filter(([p, q]) => p === x && q === y).length;
  const counts = {
    both: among(true, true),
    first: among(true, false),
    second: among(false, true),
    neither: among(false, false),
  };
  return {
    difference: (counts.first - counts.second) / pairs.length,
    ...pairedInterval(counts),
    test: 'mcnemar',
    pairs: { shared: pairs.length, first: counts.first, second: counts.second },
    p: mcnemar(counts.first, counts.second),
  };
}

function independent(a: Counts, b: Counts): Test {
  const rate = ({ successes, trials }: Counts) => (trials === 0 ? 0 : successes / trials);
  const interval = a.trials > 0 && b.trials > 0 ? newcombe(a, b) : { low: -1, high: 1 };
  return { difference: rate(a) - rate(b), ...interval, test: 'barnard', p: barnard(a, b) };
}

/** Counts over the tasks that both have. */
function pooled(policy: PolicyRollouts, other: PolicyRollouts): Counts {
  let successes = 0;
  let trials = 0;
  for (const [task, result] of policy.tasks) {
    if (!other.tasks.has(task)) continue;
    successes += result.successes;
    trials += result.trials;
  }
  return { successes, trials };
}

/** Two rows beside each other, told apart at 5 % once both are done. */
export function comparePolicies(first: PolicyRollouts, second: PolicyRollouts): Comparison {
  const test = testOf(first, second);
  const verdict = test.p > 0.05 ? 'not told apart' : test.difference > 0 ? 'better' : 'worse';
  const running = [first, second].filter((policy) => !isFinished(policy));
  const totals = running.map((policy) => progressOf(policy, [...policy.tasks.values()]).total);
  return {
    rows: [first.id, second.id],
    labels: [nameOf(first), nameOf(second)],
    ...test,
    verdict,
    ...(totals.length > 0 ? { after: Math.max(...totals) } : {}),
  };
}

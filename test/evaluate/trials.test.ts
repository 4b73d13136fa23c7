import { describe, expect, it } from 'vitest';
import { readTrials } from '../../server/evaluate/import/trials';
import { trialOrder, trialState } from '../../server/evaluate/rates/trials';
import type { TrialEntry, TrialPlan } from '../../server/protocol/trials';
import { isTrialPlan, parseTrialEntries } from '../../server/protocol/trials';

const plan: TrialPlan = {
  version: 1,
  name: 'cubes',
  tasks: [
    { task: 'stack', criterion: 'The red cube rests on the blue one.' },
    { task: 'push', criterion: 'The cube is in the zone.' },
  ],
  policies: ['merged', 'routed', 'experts'],
  trials: 4,
  blind: true,
  sharedStarts: true,
  seed: 7,
  reasons: ['slipped'],
};
const time = '2026-01-01T00:00:00.000Z';
const judged = (outcome: 'success' | 'failure' | 'void', note = ''): TrialEntry => ({
  ...{ outcome, note, reason: outcome === 'failure' ? 'slipped' : '', seconds: 3, time },
});
const undo: TrialEntry = { undo: true, time };

describe('the order of trials', () => {
  it('is fixed by the seed, and has every policy once at every start', () => {
    const order = trialOrder(plan);
    expect(order).toEqual(trialOrder(plan));
    expect(order).not.toEqual(trialOrder({ ...plan, seed: 8 }));
    expect(order.map(({ task }) => task)).toEqual([
      ...Array(12).fill('stack'),
      ...Array(12).fill('push'),
    ]);
    for (let at = 0; at < order.length; at += 3) {
      const turn = order.slice(at, at + 3);
      expect(new Set(turn.map(({ policy }) => policy)).size).toBe(3);
      expect(new Set(turn.map(({ start }) => start)).size).toBe(1);
    }
  });

  it('puts each policy about equally often in each place', () => {
    const order = trialOrder({ ...plan, trials: 3000 }).filter((_, i) => i % 3 === 0);
    for (const policy of plan.policies) {
      const first = order.filter((trial) => trial.policy === policy).length / order.length;
      expect(first).toBeGreaterThan(0.3);
      expect(first).toBeLessThan(0.37);
    }
  });

  it('shuffles all trials of a task where starts are free, and nothing where policies are named', () => {
    const free = trialOrder({ ...plan, sharedStarts: false });
    expect(free.slice(0, 3).map(({ start }) => start)).not.toEqual([1, 1, 1]);
    for (const policy of plan.policies)
      expect(free.filter((t) => t.policy === policy && t.task === 'stack')).toHaveLength(4);
    const open = trialOrder({ ...plan, blind: false });
    expect(open.slice(0, 3).map((t) => t.policy)).toEqual(plan.policies);
  });
});

describe('a journal of trials', () => {
  it('counts, repeats a void trial, and takes back whatever came last', () => {
    const [first, second] = trialOrder(plan);
    const states = [
      [],
      [judged('success')],
      [judged('success'), judged('void')],
      [judged('success'), judged('void'), undo],
      [judged('success'), judged('void'), undo, undo],
      [judged('success'), undo, undo, undo],
    ].map((entries) => trialState(plan, entries));
    expect(states.map(({ next }) => next)).toEqual([first, second, second, second, first, first]);
    expect(states.map(({ voided }) => voided)).toEqual([0, 0, 1, 0, 0, 0]);
    expect(states[1]?.done).toEqual([{ trial: first, entry: judged('success') }]);
  });

  it('ends with the plan', () => {
    const entries = Array.from({ length: 25 }, () => judged('success'));
    const state = trialState(plan, entries);
    expect([state.done.length, state.planned, state.next]).toEqual([24, 24, undefined]);
  });

  it('is read up to a line that a crash cut, and past one that is foreign', () => {
    const whole = [judged('success'), undo].map((entry) => JSON.stringify(entry)).join('\n');
    expect(parseTrialEntries(`${whole}\n{"outcome":"maybe"}\n{"outcome":"succ`)).toEqual([
      judged('success'),
      undo,
    ]);
  });
});

describe('a plan of trials', () => {
  it('is refused where it makes no sense', () => {
    expect(isTrialPlan(plan)).toBe(true);
    const bad: object[] = [
      { trials: 0 },
      { trials: 1.5 },
      { trials: 1e6 },
      { policies: [] },
      { policies: ['a', 'a'] },
      { policies: [' '] },
      { tasks: [] },
      { tasks: [plan.tasks[0], plan.tasks[0]] },
      { name: '' },
      { seed: -1 },
      { version: 2 },
      { blind: undefined },
    ];
    for (const change of bad) expect(isTrialPlan({ ...plan, ...change })).toBe(false);
    for (const value of [undefined, null, 'plan', []]) expect(isTrialPlan(value)).toBe(false);
  });
});

describe('import of trials', () => {
  const read = (value: unknown, entries: readonly TrialEntry[]) =>
    readTrials('trials-1', {
      plan: JSON.stringify(value),
      journal: entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''),
    });

  it('gives episodes with starts as seeds, marked as manual and partial', () => {
    const { run } = read(plan, [judged('success'), judged('void'), judged('failure', 'too fast')]);
    const [first, second] = trialOrder(plan);
    expect(run).toMatchObject({
      format: 'trials',
      partial: '2 of 24 trials were made',
      manual: {
        blind: true,
        sharedStarts: true,
        voided: 1,
        criteria: { push: 'The cube is in the zone.' },
      },
      episodes: [
        { policy: first?.policy, task: 'stack', seed: 1, success: true, seconds: 3 },
        { policy: second?.policy, seed: 1, success: false, reason: 'slipped', note: 'too fast' },
      ],
    });
    const free = read({ ...plan, sharedStarts: false }, [judged('success')]).run;
    expect(free?.episodes[0]).not.toHaveProperty('seed');
  });

  it('refuses a foreign plan, and a series in which nothing was judged', () => {
    expect(read({ version: 1 }, [judged('success')]).refusal).toContain('is no plan of trials');
    expect(read(plan, [judged('void')]).refusal).toContain('no trial of trials-1 has been judged');
    expect(readTrials('x', { plan: '{', journal: '' }).refusal).toContain('is no plan');
  });
});

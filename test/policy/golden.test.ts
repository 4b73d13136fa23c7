import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadPolicy } from '../../server/policy/policy';
import type { Policy } from '../../server/policy/types';
import { fixtures, golden, observation, readTensors, relativeError } from './golden';

const merged = join(fixtures, 'merged');
const base = join(fixtures, 'base');

/** Stages up to the language model's hidden states, then the head's (data set's own suggestion). */
const limits = { model: 1e-5, head: 5e-5, router: 1e-5 };

const open: Policy[] = [];
async function load(policy: string, compose?: boolean): Promise<[Policy, string]> {
  const [kind = '', task = ''] = policy.split(':');
  const source = kind === 'expert' ? join(fixtures, 'experts', task) : merged;
  const loaded = await loadPolicy(source, {
    ...(kind === 'expert' ? {} : { base }),
    ...(compose === undefined ? {} : { compose }),
  });
  open.push(loaded);
  return [loaded, task];
}
afterAll(() => Promise.all(open.map((policy) => policy.close())));

describe('the forward pass', () => {
  for (const run of golden.runs.filter(({ file }) => file !== null))
    for (const compose of run.policy.startsWith('merged') ? [true, false] : [true])
      it(`agrees with the reference at every stage of ${run.policy}${compose ? '' : ', masked in the graph'}`, async () => {
        const [policy, task] = await load(run.policy, compose);
        const stages = await policy.stages(observation(run.obs), task);
        const expected = await readTensors(run.file!);
        const faults: string[] = [];
        for (const [name, { shape, data }] of expected) {
          // The reference runs the towers' last block too, though nothing reads it.
          if (/^vision\.\w+\.block\.2(#1)?$/.test(name)) continue;
          const stage = stages.get(name);
          const limit = /^(head\.(?!input)|actions)/.test(name) ? limits.head : limits.model;
          const error = stage ? relativeError(stage.data, data) : Infinity;
          if (String(stage?.shape) !== String(shape))
            faults.push(`${name}: ${String(stage?.shape)} for ${String(shape)}`);
          else if (!(error <= limit)) faults.push(`${name}: ${error}`);
        }
        expect(faults).toEqual([]);
        expect(expected.size).toBeGreaterThan(20);
      });

  it('gives the reference actions for every policy on every observation', async () => {
    const policies = new Map<string, [Policy, string]>();
    for (const run of golden.runs) {
      const known = policies.get(run.policy) ?? (await load(run.policy));
      policies.set(run.policy, known);
      const chunk = await known[0].act(observation(run.obs), known[1]);
      const normalized = chunk.normalized.flatMap((row) => [...row]);
      const actions = chunk.actions.flatMap((row) => [...row]);
      expect(relativeError(normalized, run.actions_normalized.flat())).toBeLessThan(limits.head);
      expect(relativeError(actions, run.actions.flat())).toBeLessThan(limits.head);
    }
    expect(golden.runs.length).toBe(18);
  });
});

describe('the router', () => {
  for (const compose of [true, false])
    it(`gives the reference scores in both pairings ${compose ? 'with composed weights' : 'with one session'}`, async () => {
      const [policy] = await load('merged:', compose);
      expect(policy.tasks).toEqual(golden.tasks);
      for (const expected of golden.router) {
        const routing = await policy.route(observation(expected.obs));
        const { same, crossed } = routing.pairings;
        expect(relativeError(same.scores, expected.released.logits)).toBeLessThan(limits.router);
        expect(relativeError(crossed.scores, expected.crossed.logits)).toBeLessThan(limits.router);
        expect(relativeError(same.softmax, expected.released.softmax)).toBeLessThan(limits.router);
        expect(same.margin).toBeCloseTo(expected.released.margin, 4);
        expect(policy.tasks[same.chosen]).toBe(expected.released.chosen);
        expect(policy.tasks[crossed.chosen]).toBe(expected.crossed.chosen);
        expect(routing.chosen).toBe(expected.released.chosen);
      }
    });

  it('gives the norm of every token that entered the mean', async () => {
    const [policy] = await load('merged:');
    const energies = await readTensors('runs/router.safetensors');
    const { pairings } = await policy.route(observation(1));
    policy.tasks.forEach((task, index) => {
      const of = (name: string): Float32Array => energies.get(`obs1.${task}.energy.${name}`)!.data;
      expect(relativeError(pairings.same.tokens[index].action, of('A_ha'))).toBeLessThan(1e-5);
      expect(relativeError(pairings.same.tokens[index].task, of('T_ht'))).toBeLessThan(1e-5);
      expect(relativeError(pairings.crossed.tokens[index].action, of('T_ha'))).toBeLessThan(1e-5);
      expect(relativeError(pairings.crossed.tokens[index].task, of('A_ht'))).toBeLessThan(1e-5);
    });
  });

  it('gives the mean scores of several observations in both pairings', async () => {
    const [policy] = await load('merged:');
    const means = await policy.meanScores(golden.router.map(({ obs }) => observation(obs)));
    const mean = (kind: 'released' | 'crossed') =>
      golden.tasks.map(
        (_, task) =>
          golden.router.reduce((sum, scores) => sum + scores[kind].logits[task], 0) /
          golden.router.length,
      );
    expect(relativeError(means.same, mean('released'))).toBeLessThan(1e-5);
    expect(relativeError(means.crossed, mean('crossed'))).toBeLessThan(1e-5);
    expect((await policy.route(observation(0))).calibrated).toBe(false);
  });
});

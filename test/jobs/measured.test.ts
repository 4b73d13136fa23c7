import { describe, expect, it } from 'vitest';
import { unchangedSums } from '../../server/engine/metrics';
import type { MergePlan } from '../../server/engine/plan-types';
import { inNetworkOrder, Measured } from '../../server/jobs/measured';
import { unitsOf } from '../../server/jobs/passes';
import type { MergeResult } from '../../server/jobs/units';
import type { MeasuredParts } from '../../server/protocol/report';
import { writeZoo } from '../editor/zoo';
import { planText, temporaryFolder } from '../engine/driver';
import { recipeText } from '../engine/zoo';

const result: MergeResult = { kind: 'merge', sums: null, nonfinite: [], overflow: false };

/** Twelve blocks of two tensors: by name, block 10 comes before block 2. */
async function twelveBlocks() {
  const beside = temporaryFolder();
  writeZoo(beside, { experts: ['a', 'b'], blocks: 12, width: 4 });
  const plan = await planText(recipeText(['a', 'b'], { layout: 'generic' }), { beside });
  return { plan, units: unitsOf(plan, [...plan.jobs.keys()]) };
}

function follow(plan: MergePlan, units: ReturnType<typeof unitsOf>) {
  const told: MeasuredParts[] = [];
  const clock = { now: 0 };
  const measured = new Measured(
    {
      plan,
      units,
      outcomeOf: (i) => {
        const job = plan.jobs[i];
        if (!job) throw new Error('no such job');
        return { job, rule: 'task_arithmetic', sums: unchangedSums(plan, job.elements, 1) };
      },
      tell: (parts) => told.push(parts),
    },
    () => clock.now,
  );
  return { told, clock, measured };
}

const blocksOf = ({ blocks }: MeasuredParts) => blocks.map(({ block }) => block ?? -1);

describe('what a running merge has measured', () => {
  it('grows by whole blocks, from the first to the last', async () => {
    const { plan, units } = await twelveBlocks();
    const { told, clock, measured } = follow(plan, units);
    for (const unit of inNetworkOrder(plan, units)) {
      clock.now += 350;
      measured.note(unit, result);
    }
    expect(told.length).toBeGreaterThan(5);
    for (const parts of told) {
      const places = blocksOf(parts).sort((a, b) => a - b);
      expect(places).toEqual(places.map((_, i) => i));
      expect(parts.tensors.length).toBe(2 * places.length);
      expect(parts.blocks.every(({ elements }) => elements === 2 * 4 * 4)).toBe(true);
      expect(Object.keys(parts.components).length).toBe(places.length === 12 ? 1 : 0);
    }
    const all = measured.parts();
    expect(all.blocks.length).toBe(12);
    expect(Object.values(all.components).map(({ elements }) => elements)).toEqual([12 * 32]);
  });

  it('is told at most once a second, and less often where telling takes long', async () => {
    const { plan, units } = await twelveBlocks();
    const { told, clock, measured } = follow(plan, units);
    const [first] = units;
    if (!first) throw new Error('a plan has units');
    const after = (milliseconds: number) => {
      clock.now += milliseconds;
      measured.note(first, { ...result, election: { isNegative: false, balance: 0, ties: 1 } });
      return told.length;
    };
    expect([after(999), after(1), after(999), after(1)]).toEqual([0, 1, 1, 2]);
  });

  it('leaves out a block in which ties may be merged again', async () => {
    const { plan, units } = await twelveBlocks();
    const { measured } = follow(plan, units);
    const election = { isNegative: false, balance: 5, ties: 3 };
    for (const unit of units)
      measured.note(
        unit,
        plan.jobs[unit.job]?.place.block === 4 ? { ...result, election } : result,
      );
    const parts = measured.parts();
    expect(blocksOf(parts)).not.toContain(4);
    expect(parts.blocks.length).toBe(11);
    expect(parts.components).toEqual({});
  });
});

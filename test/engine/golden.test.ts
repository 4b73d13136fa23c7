import { describe, it } from 'vitest';
import { merge } from './driver';
import { goldenCases, recipeOf } from './golden-cases';
import { checkGolden } from './golden-checks';

// Adapters and random methods have tests of their own; test/cli/golden.test.ts runs every case by the command.
const cases = goldenCases.filter(({ method }) => !['lora_merge', 'dare'].includes(method));

describe.each(cases.map((item) => [item.id, item] as const))('golden %s', (_, item) => {
  it('keeps its tolerance', async () => {
    const { plan, ...merged } = await merge(recipeOf(item));
    checkGolden(item, { ...merged, form: plan.form, tasks: plan.tasks });
  });
});

import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { applyEdits } from '../../server/recipe/format';
import { parseRecipe } from '../../server/recipe/parse';
import { globOf } from '../../src/panels/mask-view';
import { writeZoo } from '../editor/zoo';
import { Client, until } from './client';

const text = `version: 1
base: zoo/base
experts: { a: zoo/a, b: zoo/b }
layout: generic
router: none
`;

let client: Client;
beforeAll(async () => {
  client = await Client.start();
  writeZoo(join(client.folder, 'zoo'), { experts: ['a', 'b'], blocks: 1000, width: 1 });
  client.write('recipe.mergevla.yaml', text);
});
afterAll(() => client.stop());

it('leaves 999 of 1,000 blocks out by a text that has no faults', async () => {
  const uri = await client.open(text);
  const tensors = Array.from({ length: 999 }, (_, block) =>
    ['self_attn.q_proj', 'mlp.up_proj'].map((part) => ({
      name: `model.layers.${String(block)}.${part}.weight`,
      block,
    })),
  ).flat();
  const exclude = globOf(tensors);
  const edits = await client.own('mergevla/recipe/edit', { uri, values: [], exclude });
  const changed = applyEdits(parseRecipe(text).value, edits);
  const { problems, value } = parseRecipe(changed);
  expect(problems).toEqual([]);
  expect(value.recipe.merge?.scope?.exclude?.length).toBeGreaterThan(1);
  await client.change(uri, changed);
  const left = await until(
    'the plan',
    async () => {
      const reply = await client.own('mergevla/masks/answer', { uri, n: 1 });
      const { tensors: count } = (reply.state === 'ready' ? reply.answer : reply).recipe;
      return count > 0 && count < tensors.length ? count : undefined;
    },
    60_000,
  );
  expect(left).toBe(2);
  const errors = (await client.diagnostics(uri)).filter(({ severity }) => severity === 1);
  expect(errors).toEqual([]);
});

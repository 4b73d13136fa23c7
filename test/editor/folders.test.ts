import * as assert from 'node:assert/strict';
import { activated, codes, openRecipe, until } from './support';

suite('two folders with the same recipe name', () => {
  test('each recipe is checked against its own folder', async () => {
    const first = await openRecipe('cubes.mergevla.yaml', 0);
    const second = await openRecipe('cubes.mergevla.yaml', 1);
    await until('findings of the second', () => codes(second.uri).includes('MV410'));
    const api = await activated();
    const { problems } = await api.server.request('mergevla/recipe/check', {
      uri: first.uri.toString(),
    });
    assert.ok(!problems.some(({ code }) => code === 'MV410'));
  });

  test('both are listed under the names of their folders', async () => {
    const api = await activated();
    const recipes = await api.server.request('mergevla/recipe/list', {});
    assert.deepEqual(
      recipes.map(({ label }) => label).filter((label) => label.endsWith('/cubes.mergevla.yaml')),
      ['first/cubes.mergevla.yaml', 'second/cubes.mergevla.yaml'],
    );
  });
});

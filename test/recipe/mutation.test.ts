import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatRecipe } from '../../server/recipe/format';
import { LineIndex } from '../../server/recipe/lines';
import { importMergekit } from '../../server/recipe/mergekit-import';
import { resolveRecipe } from '../../server/recipe/resolve';
import { checkRecipe } from '../../server/recipe/validate';
import { copies, mutateText } from '../tensors/mutate';
import { example } from './example';

const mergekit = resolve(__dirname, '../fixtures/recipe/mergekit');

describe('a damaged recipe', () => {
  it('gives a recipe as far as it goes and problems inside its text', () => {
    for (let seed = 0; seed < copies; seed++) {
      const text = mutateText(example, seed);
      const { value, problems } = checkRecipe(text);
      resolveRecipe(value);
      formatRecipe(text);
      const end = new LineIndex(text).position(text.length);
      for (const { message, range } of problems) {
        expect(message, text).not.toMatch(/\n/);
        expect(range.end.line, text).toBeLessThanOrEqual(end.line);
        expect(range.start.line, text).toBeLessThanOrEqual(range.end.line);
      }
    }
  });

  it.each(readdirSync(mergekit))('of mergekit is imported as far as it goes: %s', (name) => {
    const original = readFileSync(join(mergekit, name), 'utf8');
    for (let seed = 0; seed < copies / 5; seed++) {
      const { recipeText, problems } = importMergekit(mutateText(original, seed));
      const again = checkRecipe(recipeText);
      if (problems.every(({ severity }) => severity !== 'error'))
        expect(
          again.problems.filter(({ code }) => code.startsWith('MV1')),
          recipeText,
        ).toEqual([]);
    }
  });
});

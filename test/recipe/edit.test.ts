import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { removeKey, setValue } from '../../server/recipe/edit';
import { applyEdits, formatRecipe } from '../../server/recipe/format';
import { find, plainValue, type RecipePath } from '../../server/recipe/located';
import { parseRecipe, plainRecipe } from '../../server/recipe/parse';
import { renameTask } from '../../server/recipe/tasks';
import { recipeTemplate } from '../../server/recipe/template';
import { checkRecipe } from '../../server/recipe/validate';
import { example } from './example';

const comments = (text: string) => text.match(/#[^\n]*/g)?.map((comment) => comment.trimEnd());
const paths: RecipePath[] = [
  ['base'],
  ['name'],
  ['version'],
  ['layout'],
  ['merge', 'alpha'],
  ['merge', 'trim_scope'],
  ['merge', 'scope', 'blocks', 'to'],
  ['merge', 'scope', 'exclude'],
  ['masks', 'lambda', 'push_cube'],
  ['experts', 'pick_place', 'weight'],
  ['experts', 'push_cube', 'weight'],
  ['experts', 'fourth'],
  ['experts', 'stack_cube', 'adapter'],
  ['heads', 'per_task'],
  ['run', 'slurm', 'partition'],
  ['router'],
  ['evaluate', 'seed'],
];
const values = fc.oneof(
  fc.double({ noNaN: true }),
  fc.string(),
  fc.boolean(),
  fc.array(fc.integer(), { maxLength: 3 }),
  fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.string(), { maxKeys: 3 }),
);

describe('setValue', () => {
  it('gives the value at the path, keeps comments and touches nothing else', () => {
    const document = parseRecipe(example).value;
    fc.assert(
      fc.property(fc.constantFrom(...paths), values, (path, value) => {
        const text = applyEdits(document, setValue(document, path, value));
        const after = parseRecipe(text).value;
        const node = find(after.root, path)?.value;
        expect(node && plainValue(node)).toEqual(value);
        // A comment inside a value that is replaced goes with it; none of these holds one.
        expect(comments(text)?.filter((c) => comments(example)?.includes(c))).toEqual(
          comments(example),
        );
        const [top] = path;
        const others = (recipe: unknown) =>
          Object.fromEntries(Object.entries(recipe as object).filter(([key]) => key !== top));
        expect(others(plainRecipe(after))).toEqual(others(plainRecipe(document)));
      }),
      { numRuns: 300, seed: 3 },
    );
  });

  it.each([
    [
      'merge:\n  method: ties # x\nmasks: none\n',
      ['merge', 'density'],
      0.2,
      'merge:\n  method: ties # x\n  density: 0.2\nmasks: none\n',
    ],
    ['merge: {}', ['merge', 'alpha'], 2, 'merge: { alpha: 2 }'],
    ['merge:\n', ['merge', 'alpha'], 2, 'merge: { alpha: 2 }\n'],
    [
      'experts:\n  a: zoo/a\n',
      ['experts', 'a', 'weight'],
      2,
      'experts:\n  a: { path: zoo/a, weight: 2 }\n',
    ],
    ['masks: none', ['masks', 'lambda'], 0.4, 'masks: { lambda: 0.4 }'],
    ['', ['version'], 1, 'version: 1\n'],
    ['base: x', ['version'], 1, 'version: 1\nbase: x'],
    [
      'description: |\n  a\n  b\nbase: x\n',
      ['base'],
      'y z',
      'description: |\n  a\n  b\nbase: y z\n',
    ],
  ] as const)('%j %j', (text, path, value, expected) => {
    const document = parseRecipe(text).value;
    expect(applyEdits(document, setValue(document, path, value))).toBe(expected);
  });
});

describe('removeKey', () => {
  it('takes away what is named and nothing else', () => {
    const document = parseRecipe(example).value;
    for (const path of paths.filter((p) => find(document.root, p))) {
      const text = applyEdits(document, removeKey(document, path));
      const after = parseRecipe(text);
      expect(after.problems).toEqual([]);
      expect(find(after.value.root, path)).toBeUndefined();
    }
  });

  it('takes an emptied block along', () => {
    const document = parseRecipe('merge:\n  alpha: 2\nbase: x\n').value;
    expect(applyEdits(document, removeKey(document, ['merge', 'alpha']))).toBe('base: x\n');
  });
});

describe('renameTask', () => {
  it('renames a task wherever the recipe names it', () => {
    const text = `experts:
  pick: zoo/pick # pick
  push: zoo/push
merge: { keep_from: pick, rest: pick, scope: { components: [pick] } }
masks: { lambda: { pick: 0.4, push: 0.5 } }
sweep:
  experts.pick.weight: [1, 2]
  "masks.lambda.pick": [1, 2]
  merge.rest: [average, pick]
`;
    const document = parseRecipe(text).value;
    expect(applyEdits(document, renameTask(document, 'pick', 'grasp'))).toBe(`experts:
  grasp: zoo/pick # pick
  push: zoo/push
merge: { keep_from: grasp, rest: grasp, scope: { components: [pick] } }
masks: { lambda: { grasp: 0.4, push: 0.5 } }
sweep:
  experts.grasp.weight: [1, 2]
  "masks.lambda.grasp": [1, 2]
  merge.rest: [average, grasp]
`);
  });
});

describe('formatRecipe', () => {
  const format = (text: string) => applyEdits(parseRecipe(text).value, formatRecipe(text));

  it('gives the regular form', () => {
    const text = `version:   1
experts:
    # first
    a:   zoo/a   # why
    b: {path: zoo/b, weight: 2}


merge:
   scope:
         include:
         - '*x*'   
description: |
    hello
      there
`;
    expect(format(text)).toBe(`version: 1
experts:
  # first
  a: zoo/a # why
  b: {path: zoo/b, weight: 2}

merge:
  scope:
    include:
      - '*x*'
description: |
    hello
      there
`);
  });

  it('keeps meaning and comments and changes nothing the second time, whatever the layout', () => {
    const noise = fc.constantFrom('', ' ', '  ', '\n', '\n\n', ' # note\n', '\n    # far\n');
    const breaks = [...example.matchAll(/\n/g)].map((match) => match.index);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...breaks), noise), { maxLength: 6 }),
        (edits) => {
          let text = example;
          for (const [at, added] of edits.sort((a, b) => b[0] - a[0]))
            text = text.slice(0, at) + added + text.slice(at);
          if (parseRecipe(text).problems.length > 0) return;
          const once = format(text);
          expect(formatRecipe(once)).toEqual([]);
          expect(comments(once)).toEqual(comments(text));
          expect(plainRecipe(parseRecipe(once).value)).toEqual(
            plainRecipe(parseRecipe(text).value),
          );
        },
      ),
      { numRuns: 300, seed: 5 },
    );
  });

  it('leaves broken texts, CRLF and regular recipes alone', () => {
    expect(formatRecipe('merge: {')).toEqual([]);
    expect(formatRecipe(example)).toEqual([]);
    expect(formatRecipe(example.replaceAll('\n', '\r\n'))).toEqual([]);
    expect(formatRecipe(recipeTemplate())).toEqual([]);
  });
});

describe('recipeTemplate', () => {
  it('is a correct recipe', () => {
    expect(checkRecipe(recipeTemplate()).problems).toEqual([]);
    const text = recipeTemplate({ base: 'my zoo/base: 1', experts: { 'a b': 'x#y', yes: '~/1' } });
    const { value, problems } = checkRecipe(text);
    expect(problems).toEqual([]);
    expect(value.recipe.base).toBe('my zoo/base: 1');
    expect(value.recipe.experts).toEqual({ 'a b': 'x#y', yes: '~/1' });
  });
});

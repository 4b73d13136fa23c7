import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { globFault, matchesComponent, matchesGlob, splitGlob } from '../../server/recipe/globs';
import { resolveNumber } from '../../server/recipe/numbers';
import { parseRecipe } from '../../server/recipe/parse';
import { problemReference, recipeJsonSchema, recipeReference } from '../../server/recipe/reference';
import { resolveRecipe } from '../../server/recipe/resolve';
import { parseSize } from '../../server/recipe/sizes';
import { nearest } from '../../server/recipe/suggest';
import { expandSweep } from '../../server/recipe/sweep';
import { checkRecipe } from '../../server/recipe/validate';
import { validateAgainstTensors } from '../../server/recipe/validate-tensors';
import { flowText } from '../../server/recipe/write';

describe('globs', () => {
  it.each([
    ['*', 'a.b.c', true],
    ['*mlp*', 'model.layers.0.mlp.up.weight', true],
    ['model.*.weight', 'model.layers.0.weight', true],
    ['model.?.weight', 'model.0.weight', true],
    ['model.?.weight', 'model.10.weight', false],
    ['*.{q,k}_proj.*', 'x.k_proj.weight', true],
    ['*.{q,k}_proj.*', 'x.v_proj.weight', false],
    ['{a,{b,c}}', 'c', true],
    ['layers.[0-3].*', 'layers.3.x', true],
    ['layers.[!0-3].*', 'layers.3.x', false],
    ['a.b', 'aXb', false],
    ['**', '', true],
    ['', '', false],
  ])('%s on %s: %s', (glob, name, expected) => {
    expect(matchesGlob(glob, name)).toBe(expected);
  });

  it('splits long lists of alternatives into patterns that keep the limits', () => {
    const names = Array.from({ length: 1000 }, (_, i) => `norm_of_the_rest_number_${String(i)}`);
    for (const glob of [`model.{${names.join(',')}}`, `{${names.slice(0, 40).join(',')}}.**`]) {
      expect(globFault(glob)).toBeDefined();
      const parts = splitGlob(glob);
      expect(parts.map(globFault)).toEqual(parts.map(() => undefined));
      const tried = [...names.slice(0, 60), 'other'].flatMap((name) => [
        `model.${name}`,
        `${name}.w`,
      ]);
      const wanted = tried.filter((name) =>
        glob.startsWith('model.')
          ? name.startsWith('model.norm')
          : names.slice(0, 40).includes(name.slice(0, -2)),
      );
      expect(tried.filter((name) => parts.some((part) => matchesGlob(part, name)))).toEqual(wanted);
    }
    expect(splitGlob('a.{b,c}')).toEqual(['a.{b,c}']);
    expect(splitGlob('x'.repeat(2000))).toEqual(['x'.repeat(2000)]);
  });

  it('tells faulty ones and stays quick on hostile ones', () => {
    for (const glob of ['', '{a', 'a}', '[a', '{a,b}'.repeat(10), 'x'.repeat(2000)])
      expect(globFault(glob)).toBeDefined();
    expect(matchesGlob('*a'.repeat(40) + 'b', 'a'.repeat(5000))).toBe(false);
  });

  it('selects components by name, prefix and letter', () => {
    expect(matchesComponent('vision', 'vision.dino')).toBe(true);
    expect(matchesComponent('A', 'vision.dino')).toBe(true);
    expect(matchesComponent('C', 'lm.head')).toBe(false);
    expect(matchesComponent('vision_backbone', 'vision.siglip')).toBe(true);
    expect(matchesComponent('language_model', 'lm.head')).toBe(false);
    expect(matchesComponent('action_expert', 'expert.block')).toBe(true);
    expect(matchesComponent('lm.h', 'lm.head')).toBe(false);
    expect(matchesComponent('lm', 'lm.head')).toBe(true);
    expect(matchesComponent('nothing', 'lm.head')).toBe(false);
  });
});

describe('resolveNumber', () => {
  it.each([
    [0, 1],
    [1, 3],
    [2, 5],
    [null, 1],
  ])('interpolates from the first block to the last: block %s', (block, expected) => {
    expect(resolveNumber({ gradient: [1, 3, 5] }, { tensorName: 'x', block, blocks: 3 })).toBe(
      expected,
    );
  });
  it('takes the last value for a single block', () => {
    expect(resolveNumber({ gradient: [1, 5] }, { tensorName: 'x', block: 0, blocks: 1 })).toBe(5);
  });
  it("ends lists with the method's default", () => {
    const { value } = parseRecipe(
      'merge: {method: breadcrumbs, density: [{match: "*a*", value: 0.5}]}',
    );
    expect(resolveRecipe(value).merge.density).toEqual([
      { match: '*a*', value: 0.5 },
      { value: 0.9 },
    ]);
  });
});

describe('expandSweep', () => {
  const head = 'version: 1\nbase: zoo/base\nexperts: {10: zoo/a, 2: zoo/b}\n';
  const points = (text: string) => {
    const { value, problems } = checkRecipe(head + text);
    expect(problems).toEqual([]);
    return expandSweep(value).map((point) => {
      const checked = checkRecipe(point.text);
      expect(checked.problems).toEqual([]);
      return { ...point, recipe: resolveRecipe(checked.value) };
    });
  };

  it('walks the Cartesian product with the last key fastest', () => {
    const all = points('sweep: {merge.alpha: [1, 2], masks.lambda: [0.4, 0.6]}');
    expect(all.map(({ label }) => label)).toEqual([
      'alpha=1 lambda=0.4',
      'alpha=1 lambda=0.6',
      'alpha=2 lambda=0.4',
      'alpha=2 lambda=0.6',
    ]);
    expect(all[1]?.recipe).toMatchObject({
      merge: { alpha: 1 },
      masks: { lambda: { 2: 0.6, 10: 0.6 } },
    });
    expect(all[0]?.recipe.experts.map(({ task }) => task)).toEqual(['10', '2']);
  });

  it('walks zipped keys together, beside others', () => {
    const all = points(
      'sweep: {zip: {merge.alpha: [1, 2], masks.lambda: [0.4, 0.6]}, heads.unmerged_blocks: [1, 2]}',
    );
    expect(all.map(({ values }) => Object.values(values))).toEqual([
      [1, 0.4, 1],
      [1, 0.4, 2],
      [2, 0.6, 1],
      [2, 0.6, 2],
    ]);
  });

  it('opens short forms and drops parameters a swept method does not use', () => {
    const [ties, sum] = points(
      'merge: {method: ties, density: 0.2}\nmasks: {lambda: 0.5}\nsweep: {merge.method: [ties, task_arithmetic], zip: {experts.10.weight: [3], masks.lambda.2: [0.1]}}',
    );
    expect(ties?.recipe.merge.density).toBe(0.2);
    expect(sum?.text).not.toContain('density');
    expect(sum?.recipe.experts[0]).toMatchObject({ path: 'zoo/a', weight: 3 });
    expect(sum?.recipe.masks).toMatchObject({ lambda: { 10: 0.5, 2: 0.1 } });
  });

  it('is one point without a sweep', () => {
    expect(points('').map(({ label, index }) => [label, index])).toEqual([['', 0]]);
  });
});

describe('validateAgainstTensors', () => {
  const tensors = [0, 1, 2].flatMap((block) =>
    ['self_attn.q_proj', 'mlp.up_proj'].map((name) => ({
      name: `model.layers.${String(block)}.${name}.weight`,
      component: 'lm.block',
      block,
    })),
  );
  const codes = (text: string) =>
    validateAgainstTensors(parseRecipe(text).value, { tensors }).map(
      ({ code, message }) => `${code} ${message}`,
    );

  it.each([
    ["merge: {scope: {include: ['*self_atn*']}}", /MV401 .*did you mean `\*self_attn\*`/],
    ["merge: {alpha: [{match: '*.xyz', value: 1}]}", /MV401/],
    ['merge: {scope: {components: [ln.block]}}', /MV402 .*did you mean `lm.block`/],
    ['merge: {scope: {components: [projector]}}', /MV402 .*there are lm.block/],
    ['merge: {scope: {blocks: {from: 0, to: 4}}}', /MV403 block 4 .* 0 to 2/],
    ['merge: {scope: {blocks: {from: 3}}}', /MV403 block 3/],
    ['router: {rank: 4}', /MV404/],
    ["merge: {scope: {exclude: ['*']}}", /MV405/],
  ])('%s', (text, expected) => {
    expect(
      codes(text).some((line) => expected.test(line)),
      codes(text).join('\n'),
    ).toBe(true);
  });

  it('is quiet about selectors that fit', () => {
    expect(
      codes(
        "merge: {scope: {components: [C], blocks: {from: 0, to: 3}, include: ['*.mlp.*']}}\nrouter: none",
      ),
    ).toEqual([]);
  });
});

describe('small parts', () => {
  it('reads sizes', () => {
    expect(['2GiB', '500 MB', '1.5k', '10', 7, '5GB'].map(parseSize)).toEqual([
      2 ** 31,
      5e8,
      1500,
      10,
      7,
      5e9,
    ]);
    expect(['lots', '1XB', '-1'].map(parseSize)).toEqual([undefined, undefined, undefined]);
  });

  it('suggests what is near and nothing else', () => {
    expect(nearest('Densty', ['density', 'seed'])).toBe('density');
    expect(nearest('metohd', ['method', 'masks'])).toBe('method');
    expect(nearest('xyz', ['density', 'seed'])).toBeUndefined();
  });

  it('writes values that read back the same', () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.double({ noNaN: true }),
      fc.integer(),
      fc.boolean(),
      fc.constantFrom(
        'yes',
        '1e3',
        '.5',
        '~',
        'null',
        '0x1F',
        '- a',
        'a: b',
        '# c',
        '*a',
        '&b',
        '!c',
        'a #b',
        '\u2028',
      ),
    );
    fc.assert(
      fc.property(leaf, fc.array(leaf, { maxLength: 3 }), (one, list) => {
        const text = `name: ${flowText(one)}\nx: ${flowText({ list, inner: { one } })}\n`;
        const { value, problems } = parseRecipe(text);
        expect(problems.filter(({ code }) => code.startsWith('MV1') && code !== 'MV107')).toEqual(
          [],
        );
        const root = value.root?.kind === 'map' ? value.root.entries : [];
        const name = root[0]?.value;
        expect(name?.kind === 'scalar' && name.value).toEqual(Object.is(one, -0) ? -0 : one);
      }),
      { numRuns: 300, seed: 11 },
    );
  });
});

describe('generated files', () => {
  it.each([
    ['media/mergevla.schema.json', recipeJsonSchema],
    ['docs/recipe.md', recipeReference],
    ['docs/problems.md', problemReference],
  ])('%s is up to date; run npm run generate', (path, generate) => {
    expect(readFileSync(join(__dirname, '../..', path), 'utf8')).toBe(generate());
  });
});

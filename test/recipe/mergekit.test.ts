import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exportMergekit } from '../../server/recipe/mergekit-export';
import { importMergekit } from '../../server/recipe/mergekit-import';
import { toFilter, toGlob } from '../../server/recipe/mergekit-settings';
import { resolveNumber } from '../../server/recipe/numbers';
import { parseRecipe } from '../../server/recipe/parse';
import { resolveRecipe } from '../../server/recipe/resolve';
import { checkRecipe } from '../../server/recipe/validate';

const folder = join(__dirname, '../fixtures/recipe/mergekit');
const files = readdirSync(folder);

function imported(text: string) {
  const result = importMergekit(text);
  expect(result.problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  const { value, problems } = checkRecipe(result.recipeText);
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  return { ...result, recipe: resolveRecipe(value) };
}
const fixture = (name: string) => imported(readFileSync(join(folder, `${name}.yaml`), 'utf8'));

describe('recipes the peer has run', () => {
  it.each(files)('%s comes in, goes out and comes in as the same', (file) => {
    const { recipe } = imported(readFileSync(join(folder, file), 'utf8'));
    const baseDtype = recipe.output.dtype === 'same' ? 'float32' : recipe.output.dtype;
    const { text } = exportMergekit(recipe, { baseDtype });
    expect(imported(text ?? '').recipe).toEqual(recipe);
  });

  it('ties: each tensor by itself, mean of what agrees, plus on a tie', () => {
    const { recipe, lost } = fixture('ties-d0.2');
    expect(recipe.merge).toMatchObject({
      method: 'ties',
      density: 0.2,
      trim_scope: 'tensor',
      agree: 'mean',
      elect_tie: 'positive',
      alpha: 1,
    });
    expect(recipe.experts.map(({ task }) => task)).toEqual(['alpha', 'beta', 'gamma']);
    expect([recipe.masks, recipe.output.form, recipe.output.dtype]).toEqual([
      'none',
      'weights',
      'bfloat16',
    ]);
    expect(lost).toEqual([]);
    const sum = fixture('ties-weighted-sum').recipe;
    expect(sum.merge).toMatchObject({ agree: 'sum', alpha: 0.7, density: 0.5 });
    expect(sum.experts.map(({ weight }) => weight)).toEqual([0.5, 0.3, 0.2]);
  });

  it('averages with and without normalisation, and needs no base', () => {
    expect(fixture('linear-average').recipe).toMatchObject({
      base: null,
      merge: { method: 'average', normalize: true },
    });
    expect(fixture('linear-weighted-unnormalised').recipe.merge.normalize).toBe(false);
    expect(fixture('task-arithmetic-normalised').recipe.merge.normalize).toBe(true);
    expect(fixture('task-arithmetic-l0.4').recipe.merge).toMatchObject({
      alpha: 0.4,
      normalize: false,
    });
  });

  it('reads filters and gradients', () => {
    const weight = fixture('task-arithmetic-filters').recipe.experts[0]?.weight ?? 0;
    const at = (tensorName: string, block: number | null) =>
      resolveNumber(weight, { tensorName, block, blocks: 3 });
    expect(at('model.layers.1.mlp.up_proj.weight', 1)).toBeCloseTo(0.6, 12);
    expect(at('model.layers.2.mlp.up_proj.weight', 2)).toBe(0.2);
    expect(at('model.layers.2.self_attn.q_proj.weight', 2)).toBe(0);
    expect(at('model.embed_tokens.weight', null)).toBe(0.5);
    const slerp = fixture('slerp-gradient').recipe;
    expect(slerp.experts).toHaveLength(1);
    expect(slerp.merge.t).toEqual([
      { match: '*self_attn*', value: { gradient: [0, 0.5, 1] } },
      { match: '*mlp*', value: { gradient: [1, 0.25] } },
      { value: 0.5 },
    ]);
  });
});

describe('importMergekit', () => {
  const head = 'base_model: zoo/base\ndtype: float32\n';
  const models =
    'models:\n  - {model: zoo/a, parameters: {weight: 1}}\n  - {model: zoo/b, parameters: {weight: 2}}\n';

  it('goes from the model to the top level where no filter matches', () => {
    const { recipe } = imported(`${head}merge_method: task_arithmetic
models:
  - model: zoo/a
    parameters: { weight: [{ filter: mlp, value: 0.1 }] }
  - model: zoo/b
parameters: { weight: [{ filter: attn, value: 0.2 }, { value: 0.3 }] }
`);
    const weights = (name: string) =>
      recipe.experts.map(({ weight }) =>
        resolveNumber(weight, { tensorName: name, block: null, blocks: 0 }),
      );
    expect(weights('x.mlp.y')).toEqual([0.1, 0.3]);
    expect(weights('x.attn.y')).toEqual([0.2, 0.2]);
    expect(weights('x.norm')).toEqual([0.3, 0.3]);
  });

  it('divides by the sum of the weights where ours has no such switch', () => {
    const { recipe } = imported(
      `${head}merge_method: dare_linear\n${models}parameters: {normalize: true}\n`,
    );
    expect(recipe.experts.map(({ weight }) => weight)).toEqual([1 / 3, 2 / 3]);
    expect(recipe.merge.rescale).toBe('l1');
  });

  it('reads references with adapters and revisions', () => {
    const { recipe, lost } = imported(`${head}merge_method: task_arithmetic
models:
  - {model: zoo/base+lora/a, parameters: {weight: 1}}
  - {model: {model: {path: zoo/b, revision: v1}, lora: lora/b}, parameters: {weight: 1}}
  - {model: zoo/base}
`);
    expect(recipe.experts).toMatchObject([
      { task: 'a', path: null, adapter: 'lora/a' },
      { task: 'b', path: 'zoo/b', adapter: 'lora/b' },
    ]);
    expect(lost.join()).toContain('revisions');
  });

  it('turns slices that follow each other into values by block', () => {
    const slice = (from: number, to: number, t: string) =>
      `  - sources: [{model: zoo/base, layer_range: [${String(from)}, ${String(to)}]}, {model: zoo/a, layer_range: [${String(from)}, ${String(to)}]}]\n    parameters: {t: ${t}}\n`;
    const { recipe } = imported(
      `${head}merge_method: slerp\nslices:\n${slice(0, 2, '0.1')}${slice(2, 4, '[0, 1]')}`,
    );
    const at = (block: number) =>
      resolveNumber(recipe.merge.t, {
        tensorName: `model.layers.${String(block)}.mlp.x`,
        block,
        blocks: 4,
      });
    expect([0, 1, 2, 3].map(at)).toEqual([0.1, 0.1, 0, 1]);
  });

  it.each([
    [
      'merge_method: tis\nbase_model: b\n' + models,
      '`tis` has no counterpart; did you mean `ties`?',
    ],
    ['merge_method: passthrough\n' + models, 'no counterpart'],
    ['merge_method: ties\n' + models, 'needs a `base_model`'],
    ['merge_method: linear\nmodules: {x: {}}', '`modules` have no counterpart'],
    ['merge_method: linear', 'names no models'],
    ['merge_method: linear\ndtype: bf16\n' + models, '`bf16` cannot be written'],
    [
      `${head}merge_method: slerp\nslices:\n  - sources: [{model: a, layer_range: [4, 8]}]\n`,
      'skip, repeat or shift',
    ],
    ['[]', 'is a mapping'],
    ['a: [', ''],
  ])('%j is refused', (text, message) => {
    const { problems } = importMergekit(text);
    const errors = problems.filter(({ severity }) => severity === 'error');
    expect(errors.map((item) => item.message).join('\n')).toContain(message);
    expect(errors.length).toBeGreaterThan(0);
  });

  it('tells misspelled keys with a suggestion and lists what is lost', () => {
    const { problems, lost } = importMergekit(
      `${head}merge_method: ties\nbase_modle: x\ntokenizer_source: union\nmodels: [{model: a, parameters: {weight: 1, densty: 0.2}}]`,
    );
    expect(problems.map(({ message }) => message)).toEqual([
      'mergekit has no key `base_modle` here; did you mean `base_model`?',
      'mergekit has no key `densty` here; did you mean `density`?',
    ]);
    expect(lost.join('\n')).toContain('tokenizer_source');
  });
});

describe('exportMergekit', () => {
  const exported = (text: string) =>
    exportMergekit(
      resolveRecipe(parseRecipe(`base: zoo/base\nexperts: {a: zoo/a, b: zoo/b}\n${text}`).value),
    );

  it('lists what mergekit cannot say', () => {
    const { lost } = exported(
      `merge: {method: ties, density: 0.2, agree: max, alpha: [{match: 'a?b', value: 1}, {value: 2}], scope: {components: [vision]}}`,
    );
    for (const part of [
      'trim_scope: model',
      'agree: max',
      'elect_tie',
      'a?b',
      'merge.scope',
      'masks',
      'router',
    ])
      expect(lost.join('\n')).toContain(part);
  });

  it('has no text for methods mergekit does not know', () => {
    expect(exported('merge: {method: emr}')).toEqual({ text: null, lost: ['the method `emr`'] });
  });

  it('writes slerp of two experts with the first as base', () => {
    expect(exported('merge: {method: slerp, t: 0.3}').text).toContain('base_model: zoo/a\n');
  });
});

describe('toGlob', () => {
  it.each(['mlp', 'a*b', '[0]', '{x', 'q?'])('is undone by toFilter: %s', (text) => {
    expect(toFilter(toGlob(text))).toBe(text);
  });
  it('gives nothing for other globs', () => {
    expect(['mlp*', '*a*b*', '*[ab]*', '*{a,b}*'].map(toFilter)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(toFilter('*')).toBe('*');
  });
});

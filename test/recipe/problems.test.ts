import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { applyEdits } from '../../server/recipe/format';
import { formatProblem, problemTable } from '../../server/recipe/problems';
import { checkRecipe } from '../../server/recipe/validate';
import { fixtures, rest, spelt } from './problem-fixtures';

describe('every code', () => {
  for (const { code, marked, fixed } of fixtures)
    it(`${code}: ${marked.slice(0, 70).replaceAll('\n', '⏎')}`, () => {
      const { head, text, start, end } = spelt(marked);
      const { value, problems } = checkRecipe(text);
      const found = problems.filter((item) => item.code === code);
      expect(problems.map((item) => formatProblem(item, 'r'))).toHaveLength(problems.length);
      expect(found, problems.map((item) => formatProblem(item, 'r')).join('\n')).toHaveLength(1);
      expect(found[0]?.range).toEqual(value.lines.range(start, end));
      expect(found[0]?.message).not.toMatch(/[.\n]$/);
      if (fixed === undefined) return;
      const edited = applyEdits(value, found[0]?.fixes?.[0]?.edits ?? []);
      expect(edited).toBe(head + fixed);
      expect(checkRecipe(edited).problems.filter((item) => item.code === code)).toEqual([]);
    });

  it('MV101, MV103, MV104, MV108, MV109 and missing keys', () => {
    const codes = (text: string) => checkRecipe(text).problems.map((item) => item.code);
    expect(codes('merge: {method: ties')).toContain('MV101');
    expect(codes('['.repeat(50_000))).toContain('MV101');
    expect(codes(`${rest('')}---\n${rest('')}`)).toEqual(['MV103']);
    expect(codes('merge:\n\tmethod: ties')).toContain('MV104');
    expect(codes(`#${'x'.repeat(4_000_001)}`)).toEqual(['MV108']);
    for (const empty of ['', '\n', '# only a comment\n', '\uFEFF'])
      expect(codes(empty)).toEqual(['MV109']);
    expect(codes('name: x')).toEqual(['MV203', 'MV203', 'MV203']);
    expect(codes('- a')).toEqual(['MV202']);
  });

  it('adds missing keys by their fixes', () => {
    let text = 'name: x # mine\n';
    for (let round = 0; round < 3; round++) {
      const { value, problems } = checkRecipe(text);
      const fix = problems.find((item) => item.code === 'MV203')?.fixes?.[0];
      text = applyEdits(value, fix?.edits ?? []);
    }
    expect(checkRecipe(text).problems).toEqual([]);
    expect(text).toContain('name: x # mine');
    expect(text.startsWith('version: 1\n')).toBe(true);
  });

  it('is quiet about correct recipes', () => {
    const recipes = [
      'masks: {lambda: {pick: 0.4, push: 0.6}}',
      'merge: {method: ties, trim_scope: tensor, density: [{match: "*mlp*", value: {gradient: [0.2, 1]}}, {value: 0.5}]}',
      'merge: {method: knots, inner: ties, density: 0.3}',
      'merge: {method: emr}',
      'masks: none\nrouter: none',
      'merge: {method: ties, density: 0.2}\nsweep: {merge.method: [ties, task_arithmetic], "experts.pick.weight": [1, 2]}',
      'merge: &m {alpha: 1}\nmasks: {consensus: 2}',
      'evaluate: {suite: libero_spatial, command: [python, eval.py]}',
    ];
    for (const recipe of recipes) expect(checkRecipe(rest(recipe) + recipe).problems).toEqual([]);
    expect(
      checkRecipe('version: 1\nexperts: {a: x, b: y}\nmerge: {method: average}').problems,
    ).toEqual([]);
    expect(
      checkRecipe('version: 1\nexperts: {a: x, b: y}\nmerge: {method: slerp}').problems,
    ).toEqual([]);
  });

  it('of syntax, schema and meaning has a fixture or a test here', () => {
    const others = ['MV101', 'MV103', 'MV104', 'MV108', 'MV109', 'MV330'];
    const tested = new Set([...fixtures.map(({ code }) => code), ...others]);
    const mine = Object.keys(problemTable).filter((code) => /^MV[123]/.test(code));
    expect(mine.filter((code) => !tested.has(code))).toEqual([]);
  });

  it('has one meaning: no code stands in two tables', () => {
    const folder = resolve(__dirname, '../../server/recipe');
    const files = readdirSync(folder).filter((name) => /^problems-.*\.ts$/.test(name));
    const codes = files.flatMap((name) =>
      [...readFileSync(join(folder, name), 'utf8').matchAll(/^ {2}(MV\d{3}): \{$/gm)].map(
        ([, code]) => code,
      ),
    );
    expect(codes.length).toBeGreaterThan(100);
    expect(codes.filter((code, i) => codes.indexOf(code) !== i)).toEqual([]);
  });

  it('is printed for the problem matcher, counted from one', () => {
    const [item] = checkRecipe(`${rest('merge')}merge: {method: tise}`).problems;
    expect(item && formatProblem(item, 'a/b.mergevla.yaml')).toBe(
      'a/b.mergevla.yaml:4:17: error: `merge.method` has no value `tise`; did you mean `ties`? [MV204]',
    );
  });
});

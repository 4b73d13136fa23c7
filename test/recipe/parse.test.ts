import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineIndex } from '../../server/recipe/lines';
import { enclosingPath, placeAt } from '../../server/recipe/locate';
import { parseRecipe } from '../../server/recipe/parse';
import { resolveRecipe } from '../../server/recipe/resolve';
import { checkRecipe } from '../../server/recipe/validate';
import { example, longRecipe } from './example';

describe('parseRecipe', () => {
  it('reads anchors, aliases and merge keys', () => {
    const { value, problems } = checkRecipe(`version: 1
base: zoo/base
experts:
  pick: &common { path: zoo/pick, weight: 0.5 }
  push: { <<: *common, path: zoo/push }
`);
    expect(problems).toEqual([]);
    expect(resolveRecipe(value).experts).toEqual([
      { task: 'pick', path: 'zoo/pick', adapter: null, weight: 0.5 },
      { task: 'push', path: 'zoo/push', adapter: null, weight: 0.5 },
    ]);
  });

  it('keeps the order of tasks that look like numbers', () => {
    const { value } = parseRecipe('experts: {10: zoo/a, 2: zoo/b, 1: zoo/c}');
    expect(resolveRecipe(value).experts.map(({ task }) => task)).toEqual(['10', '2', '1']);
  });

  it('stops an alias bomb', () => {
    const levels = Array.from({ length: 30 }, (_, i) => {
      const item = i === 0 ? 'x' : `*a${String(i - 1)}`;
      return `a${String(i)}: &a${String(i)} [${Array(10).fill(item).join(', ')}]`;
    });
    const { problems } = parseRecipe(levels.join('\n'));
    expect(problems.filter(({ code }) => code === 'MV106')).toHaveLength(1);
  });

  it('does not touch prototypes', () => {
    parseRecipe('experts: {__proto__: {path: x}}\n__proto__: {polluted: 1}');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(checkRecipe('experts: {__proto__: zoo/a}').problems.map(({ code }) => code)).toContain(
      'MV305',
    );
  });

  it('gives half a recipe as far as it goes', () => {
    const { value } = parseRecipe(
      'version: 1\nmerge:\n  method: ties\n  al\nmasks: {lambda: 0.4, consensus: x}\n',
    );
    expect(value.recipe).toEqual({ version: 1, merge: { method: 'ties' }, masks: { lambda: 0.4 } });
  });

  it('reads CRLF and a byte order mark', () => {
    const { value, problems } = checkRecipe(`\uFEFF${example.replaceAll('\n', '\r\n')}`);
    expect(problems).toEqual([]);
    expect(resolveRecipe(value)).toEqual(resolveRecipe(parseRecipe(example).value));
  });

  it('never throws on random edits of a valid recipe', () => {
    const pieces = fc.constantFrom(
      ':',
      ' ',
      '\n',
      '\t',
      '*a',
      '&a ',
      '{',
      '}',
      '[',
      ']',
      '- ',
      '#',
      '"',
      "'",
      '|',
      '<<: ',
      '!!x ',
      '?',
      '\r',
      '\u0000',
      'merge:',
      '---',
      '%',
      '~',
      '.nan',
    );
    const edit = fc.tuple(fc.nat(example.length), fc.nat(30), fc.array(pieces, { maxLength: 4 }));
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 5 }), (edits) => {
        let text = example;
        for (const [at, cut, added] of edits)
          text = text.slice(0, at) + added.join('') + text.slice(at + cut);
        const { value, problems } = checkRecipe(text);
        resolveRecipe(value);
        for (const { range, message } of problems) {
          expect(message).not.toBe('');
          expect(value.lines.offset(range.start)).toBeLessThanOrEqual(
            value.lines.offset(range.end),
          );
          expect(range.end.line).toBeLessThan(value.lines.count);
        }
      }),
      { numRuns: 400, seed: 7 },
    );
  });

  it('reads 5,000 lines', () => {
    expect(checkRecipe(longRecipe(5000)).value.lines.count).toBeGreaterThan(4900);
  });
});

describe('placeAt', () => {
  it.each([
    ['mer|ge: {method: ties}', 'merge', 'key'],
    ['merge: {method: ti|es}', 'merge.method', 'value'],
    ['merge:\n  scope:\n    include:\n      - "*a|*"', 'merge.scope.include.0', 'value'],
    ['experts:\n  pick: zoo/p|ick', 'experts.pick', 'value'],
    ['merge: { | }', 'merge', 'gap'],
  ])('%s', (marked, path, part) => {
    const offset = marked.indexOf('|');
    const { value } = parseRecipe(marked.replace('|', ''));
    const place = placeAt(value, value.lines.position(offset));
    expect([place.path.join('.'), place.part]).toEqual([path, part]);
  });
});

describe('enclosingPath', () => {
  it.each([
    ['merge:\n  method: ties\n  |', 'merge'],
    ['merge:\n  scope:\n    components: [a]\n    bl|', 'merge.scope'],
    ['experts:\n  pick:\n    path: x\n    |', 'experts.pick'],
    ['merge:\n  alpha:\n    - match: x\n      |', 'merge.alpha'],
    ['merge:\n  method: ties\n|', ''],
  ])('%s', (marked, path) => {
    const offset = marked.indexOf('|');
    const text = marked.replace('|', '');
    const { value } = parseRecipe(text);
    expect(enclosingPath(value, new LineIndex(text).position(offset)).join('.')).toBe(path);
  });
});

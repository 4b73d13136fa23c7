import { z } from 'zod';
import type { Problem } from '../protocol/problem';
import { childKeys, describeKey, schemasAt } from './describe';
import { keyRange } from './locate';
import { find, plainValue, type RecipePath } from './located';
import type { RecipeDocument } from './parse';
import { at, atKey, replacement, type Rule } from './rule';
import { sweptKeys } from './rules-merge';
import { didYouMean, nearest } from './suggest';
import { countSweep, maxSweepPoints, splitDotted } from './sweep';

/** Keys that say what a recipe is, not what it does. */
const fixed = ['version', 'name', 'description', 'sweep', 'run', 'output.directory'];

export const sweepKeys: Rule = (document) => {
  const problems = sweptKeys(document).flatMap(({ dotted, path }) => [
    ...keyFaults(document, dotted, path),
    ...valueFaults(document, dotted, path),
  ]);
  return [...problems, ...zipLengths(document), ...tooMany(document)];
};

/** Every dotted key that a sweep may name, tasks filled in. */
export function sweepableKeys(tasks: readonly string[]): string[] {
  const walk = (path: RecipePath): string[] =>
    childKeys(path).flatMap(({ key }) => {
      const inside = [...path, key];
      return isFixed(inside.join('.')) ? [] : [inside.join('.'), ...walk(inside)];
    });
  return [
    ...walk([]),
    ...tasks.flatMap((task) => [
      `experts.${task}.weight`,
      `experts.${task}.path`,
      `masks.lambda.${task}`,
    ]),
  ];
}

function isFixed(dotted: string): boolean {
  return fixed.some((key) => dotted === key || dotted.startsWith(`${key}.`));
}

function keyFaults(document: RecipeDocument, dotted: string, place: RecipePath): Problem[] {
  const path = splitDotted(dotted, document.tasks);
  if (path && describeKey(path) && !isFixed(dotted)) return [];
  if (isFixed(dotted)) return [atKey(document, place, 'MV313', `\`${dotted}\` cannot be swept`)];
  const suggestion = nearest(dotted, sweepableKeys(document.tasks));
  const range = keyRange(document, place);
  const fix = suggestion === undefined || !range ? {} : replacement(range, suggestion);
  const message = `\`${dotted}\` is no key of a recipe${didYouMean(suggestion)}`;
  return [atKey(document, place, 'MV313', message, fix)];
}

function valueFaults(document: RecipeDocument, dotted: string, place: RecipePath): Problem[] {
  const path = splitDotted(dotted, document.tasks);
  const schemas = path ? schemasAt(path) : [];
  const list = find(document.root, place)?.value;
  if (list?.kind !== 'list' || schemas.length === 0) return [];
  return list.items.flatMap((item, index) => {
    const value = plainValue(item.value);
    if (value !== null && schemas.some((schema) => z.safeParse(schema, value).success)) return [];
    const choices = (path && describeKey(path)?.choices.map(String)) ?? [];
    const suggestion = typeof value === 'string' ? nearest(value, choices) : undefined;
    const message = `\`${dotted}\` cannot take the value ${JSON.stringify(value)}${didYouMean(suggestion)}`;
    return [at(document, [...place, index], 'MV315', message)];
  });
}

function zipLengths(document: RecipeDocument): Problem[] {
  const zip = find(document.root, ['sweep', 'zip'])?.value;
  if (zip?.kind !== 'map') return [];
  const lengths = zip.entries.map(({ key, value }) => ({
    key,
    length: value.kind === 'list' ? value.items.length : 1,
  }));
  const first = lengths[0];
  return lengths
    .filter(({ length }) => first && length !== first.length)
    .map(({ key, length }) =>
      atKey(
        document,
        ['sweep', 'zip', key],
        'MV314',
        `\`${key}\` has ${String(length)} values and \`${first?.key ?? ''}\` has ${String(first?.length)}; under \`zip\` they go together`,
      ),
    );
}

function tooMany(document: RecipeDocument): Problem[] {
  const points = countSweep(document);
  if (points <= maxSweepPoints) return [];
  return [
    atKey(
      document,
      ['sweep'],
      'MV329',
      `the sweep has ${String(points)} points, more than 100,000`,
    ),
  ];
}

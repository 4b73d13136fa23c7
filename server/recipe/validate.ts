import type { Checked, Problem } from '../protocol/problem';
import { parseRecipe, type RecipeDocument } from './parse';
import type { Rule } from './rule';
import { requiredKeys, sameCheckpoints, taskCount, taskNames, weights } from './rules-experts';
import { consensus, lambdas, maskRule, routerKeys } from './rules-masks';
import {
  densities,
  globs,
  idleKeys,
  scope,
  taskChoices,
  unusedParameters,
  usefulNumbers,
  valueLists,
} from './rules-merge';
import { evaluation, outputDirectory, plainPaths, policiesInVain, slurmKeys } from './rules-run';
import { sweepKeys } from './rules-sweep';

const rules: readonly Rule[] = [
  requiredKeys,
  taskCount,
  taskNames,
  sameCheckpoints,
  weights,
  unusedParameters,
  usefulNumbers,
  densities,
  valueLists,
  globs,
  scope,
  taskChoices,
  idleKeys,
  maskRule,
  lambdas,
  consensus,
  routerKeys,
  evaluation,
  policiesInVain,
  outputDirectory,
  plainPaths,
  slurmKeys,
  sweepKeys,
];

/** Everything that can be told from the recipe alone: parses, then applies all rules; in order of the text. */
export function checkRecipe(
  text: string,
  options: { readonly path?: string } = {},
): Checked<RecipeDocument> {
  const { value, problems } = parseRecipe(text, options);
  return { value, problems: inOrder([...problems, ...applyRules(value)]) };
}

/** The rules about meaning (MV3xx) and about required keys, over a recipe that has been parsed. */
export function applyRules(document: RecipeDocument): Problem[] {
  return document.root?.kind === 'map' ? rules.flatMap((rule) => rule(document)) : [];
}

/** Problems in the order of the text. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort(
    ({ range: { start: a } }, { range: { start: b } }) => a.line - b.line || a.column - b.column,
  );
}

import type { Problem } from '../protocol/problem';
import { compileGlob, compileGlobs, globFault, matchesComponent } from './globs';
import { findingRange } from './locate';
import { find, type RecipePath } from './located';
import { isGradient, type NumberSpec } from './numbers';
import type { RecipeDocument } from './parse';
import { at, atKey, replacement } from './rule';
import { didYouMean, nearest, nearestFew } from './suggest';
import { flowText } from './write';

/** What the rules need to know of a tensor. */
export interface TensorFact {
  readonly name: string;
  readonly component: string;
  readonly block: number | null;
}

/** What the headers of the checkpoints tell, as plain data. */
export interface TensorFacts {
  /** Tensors of the base, or of the first expert where there is no base. */
  readonly tensors: readonly TensorFact[];
}

/** Components that belong to an action expert, by prefix. */
const actionExpert = ['expert'];

/** Holds the selectors of a recipe against tensors that exist (MV401 to MV405). Pure and fast. */
export function validateAgainstTensors(document: RecipeDocument, facts: TensorFacts): Problem[] {
  if (facts.tensors.length === 0) return [];
  return [
    ...globsWithoutMatch(document, facts),
    ...unknownComponents(document, facts),
    ...blocksOutOfRange(document, facts),
    ...withoutActionExpert(document, facts),
    ...nothingInScope(document, facts),
  ];
}

/** Whether a tensor is in the scope that a recipe writes; what differs from the base is not asked here. */
export function inScope(document: RecipeDocument): (tensor: TensorFact) => boolean {
  const scope = document.recipe.merge?.scope ?? {};
  const included = scope.include && compileGlobs(scope.include);
  const excluded = compileGlobs(scope.exclude ?? []);
  const { from = 0, to = Infinity } = scope.blocks ?? {};
  return ({ name, component, block }) =>
    (scope.components?.some((selector) => matchesComponent(selector, component)) ?? true) &&
    (!scope.blocks || block === null || (block >= from && block < to)) &&
    (!included || included(name)) &&
    !excluded(name);
}

/** Every glob of a recipe with its path. */
export function globsOf(document: RecipeDocument): { path: RecipePath; glob: string }[] {
  const { merge, heads, experts = {} } = document.recipe;
  const listed = (path: RecipePath, globs: readonly string[] = []) =>
    globs.map((glob, index) => ({ path: [...path, index], glob }));
  const matched = (path: RecipePath, spec: NumberSpec | undefined) =>
    spec === undefined || typeof spec === 'number' || isGradient(spec)
      ? []
      : spec.flatMap(({ match }, index) =>
          match === undefined ? [] : [{ path: [...path, index, 'match'], glob: match }],
        );
  return [
    ...Object.entries(experts).flatMap(([task, expert]) =>
      matched(['experts', task, 'weight'], typeof expert === 'string' ? undefined : expert.weight),
    ),
    ...(['alpha', 'density', 'epsilon', 'gamma', 't'] as const).flatMap((key) =>
      matched(['merge', key], merge?.[key]),
    ),
    ...listed(['merge', 'scope', 'include'], merge?.scope?.include),
    ...listed(['merge', 'scope', 'exclude'], merge?.scope?.exclude),
    ...listed(['heads', 'per_task'], heads?.per_task),
  ];
}

function globsWithoutMatch(document: RecipeDocument, { tensors }: TensorFacts): Problem[] {
  return globsOf(document).flatMap(({ path, glob }) => {
    const matches = compileGlob(glob);
    if (globFault(glob) !== undefined || tensors.some(({ name }) => matches(name))) return [];
    const suggestion = nearestGlob(glob, tensors);
    const fix =
      suggestion === undefined
        ? {}
        : replacement(findingRange(document, path), flowText(suggestion));
    const message = `\`${glob}\` matches none of the ${String(tensors.length)} tensors${didYouMean(suggestion)}`;
    return [at(document, path, 'MV401', message, fix)];
  });
}

/** The glob with each word that no tensor name has replaced by the nearest one that does; it has to match. */
function nearestGlob(glob: string, tensors: readonly TensorFact[]): string | undefined {
  const words = [
    ...new Set(tensors.flatMap(({ name }) => [...name.split('.'), ...name.split(/[._]/)])),
  ];
  const guess = glob.replace(/[A-Za-z]\w*/g, (word) => nearest(word, words) ?? word);
  const matches = compileGlob(guess);
  if (guess !== glob && tensors.some(({ name }) => matches(name))) return guess;
  const names = tensors.map(({ name }) => name);
  return nearestFew(glob, names.slice(0, 5000), 1)[0];
}

function unknownComponents(document: RecipeDocument, { tensors }: TensorFacts): Problem[] {
  const components = [...new Set(tensors.map(({ component }) => component))];
  const written = document.recipe.merge?.scope?.components ?? [];
  return written.flatMap((selector, index) => {
    if (components.some((component) => matchesComponent(selector, component))) return [];
    const path = ['merge', 'scope', 'components', index];
    const prefixes = components.map((component) => component.split('.')[0] ?? component);
    const suggestion = nearest(selector, [...new Set([...components, ...prefixes])]);
    const fix =
      suggestion === undefined ? {} : replacement(findingRange(document, path), suggestion);
    const known = suggestion === undefined ? `; there are ${components.join(', ')}` : '';
    const message = `no tensor is of the component \`${selector}\`${didYouMean(suggestion)}${known}`;
    return [at(document, path, 'MV402', message, fix)];
  });
}

function blocksOutOfRange(document: RecipeDocument, { tensors }: TensorFacts): Problem[] {
  const blocks = document.recipe.merge?.scope?.blocks;
  if (!blocks) return [];
  const selectors = document.recipe.merge?.scope?.components;
  const most = tensors
    .filter(({ component }) => selectors?.some((s) => matchesComponent(s, component)) ?? true)
    .reduce((count, { block }) => Math.max(count, (block ?? -1) + 1), 0);
  return (['from', 'to'] as const).flatMap((key) => {
    const value = blocks[key];
    const limit = key === 'from' ? most - 1 : most;
    if (value === undefined || value <= limit) return [];
    const message =
      most === 0
        ? 'the components in scope have no blocks'
        : `block ${String(value)} does not exist; the components in scope have blocks 0 to ${String(most - 1)}`;
    return [at(document, ['merge', 'scope', 'blocks', key], 'MV403', message)];
  });
}

function withoutActionExpert(document: RecipeDocument, { tensors }: TensorFacts): Problem[] {
  const has = tensors.some(({ component }) =>
    actionExpert.some((selector) => matchesComponent(selector, component)),
  );
  if (has) return [];
  const { router } = document.recipe;
  return (['router', 'heads'] as const).flatMap((key) =>
    !find(document.root, [key]) || (key === 'router' && router === 'none')
      ? []
      : [
          atKey(
            document,
            [key],
            'MV404',
            `\`${key}\` has no effect: the checkpoints have no action expert`,
            {
              tag: 'unnecessary',
            },
          ),
        ],
  );
}

function nothingInScope(document: RecipeDocument, facts: TensorFacts): Problem[] {
  if (!document.recipe.merge?.scope || facts.tensors.some(inScope(document))) return [];
  return [atKey(document, ['merge', 'scope'], 'MV405', 'the scope leaves no tensor to merge')];
}

import type { Problem } from '../protocol/problem';
import { addKey, setValue } from './edit';
import { globFault } from './globs';
import { findingRange } from './locate';
import { find, type RecipePath } from './located';
import { isParameterName, methods, methodsUsing, type MethodName, parametersOf } from './methods';
import { isGradient, type NumberSpec, numbersIn, variesByTensor } from './numbers';
import type { RecipeDocument } from './parse';
import { at, atKey, isSwept, methodsInUse, removal, replacement, type Rule } from './rule';
import { didYouMean, nearest } from './suggest';

/** Parameters the method would ignore. With a swept method, one of the methods has to use them. */
export const unusedParameters: Rule = (document) => {
  const merge = find(document.root, ['merge'])?.value;
  const used = methodsInUse(document);
  const written = merge?.kind === 'map' ? merge.entries.map(({ key }) => ['merge', key]) : [];
  const swept = sweptKeys(document).filter(({ dotted }) => dotted.startsWith('merge.'));
  const paths = [...written, ...swept.map(({ path }) => path)];
  return paths.flatMap((path) => {
    const name = String(path.at(-1)).replace(/^merge\./, '');
    if (!isParameterName(name)) return [];
    const inner = document.recipe.merge?.inner;
    if (used.some((method) => name in parametersOf(method, inner))) return [];
    const others = methodsUsing(name)
      .map((method) => `\`${method}\``)
      .join(', ');
    const message = `\`${used.join('`, `')}\` does not use \`${name}\`; it belongs to ${others}`;
    return [
      atKey(document, path, 'MV301', message, { ...removal(document, path), tag: 'unnecessary' }),
    ];
  });
};

/** The keys of `sweep` with where they stand, those under `zip` included. */
export function sweptKeys(document: RecipeDocument): { dotted: string; path: RecipePath }[] {
  const keysAt = (path: RecipePath) => {
    const node = find(document.root, path)?.value;
    return node?.kind === 'map'
      ? node.entries.map(({ key, value }) => ({ dotted: key, path: [...path, key], value }))
      : [];
  };
  return [...keysAt(['sweep']), ...keysAt(['sweep', 'zip'])]
    .filter(({ dotted, value }) => !(dotted === 'zip' && value.kind === 'map'))
    .map(({ dotted, path }) => ({ dotted, path }));
}

const usefulAlpha = 10;

export const usefulNumbers: Rule = (document) => {
  const { merge } = document.recipe;
  const outside = (key: 'density' | 't', far: (value: number) => boolean, message: string) =>
    merge?.[key] !== undefined && numbersIn(merge[key]).some(far)
      ? [at(document, ['merge', key], 'MV303', message)]
      : [];
  return [
    ...usefulAlphas(document),
    ...outside(
      'density',
      (value) => value < 0.001,
      '`density` below 0.001 leaves almost nothing of the task vectors',
    ),
    ...outside(
      't',
      (value) => value < 0 || value > 1,
      '`t` outside 0 to 1 lies beyond the two models',
    ),
  ];
};

function usefulAlphas(document: RecipeDocument): Problem[] {
  const values = numbersIn(document.recipe.merge?.alpha ?? 1);
  const path = ['merge', 'alpha'];
  if (values.every((value) => value === 0))
    return [at(document, path, 'MV302', 'with `alpha: 0` the merged model is the base')];
  if (values.some((value) => value < 0))
    return [at(document, path, 'MV303', 'a negative `alpha` moves away from the experts')];
  const far = '`alpha` above 10 is far from anything that has worked; 0.3 to 2 is usual';
  return values.some((value) => value > usefulAlpha) ? [at(document, path, 'MV303', far)] : [];
}

export const densities: Rule = (document) => {
  const { merge } = document.recipe;
  return methodsInUse(document).flatMap((method) => {
    const own = parametersOf(method, merge?.inner);
    const density = merge?.density ?? own.density;
    if (density === undefined) return [];
    return [
      ...densityByTensor(document, density, own.trim_scope),
      ...densityWith(document, method, density),
    ];
  });
};

function densityByTensor(
  document: RecipeDocument,
  density: NumberSpec,
  trimScope: string | undefined,
): Problem[] {
  const scope = document.recipe.merge?.trim_scope ?? trimScope;
  if (scope !== 'model' || !variesByTensor(density)) return [];
  const path = ['merge', 'trim_scope'];
  const fixes = [{ title: 'Set `trim_scope: tensor`', edits: setValue(document, path, 'tensor') }];
  const message = 'a density that varies by tensor needs `trim_scope: tensor`';
  return [atKey(document, ['merge', 'density'], 'MV320', message, { fixes })];
}

function densityWith(document: RecipeDocument, method: MethodName, density: NumberSpec): Problem[] {
  const { epsilon, gamma } = methods[method].parameters;
  if (epsilon !== undefined) return densityAndEpsilon(document, density, epsilon);
  return gamma === undefined ? [] : densityAndGamma(document, density, gamma);
}

function densityAndEpsilon(
  document: RecipeDocument,
  density: NumberSpec,
  fallback: number,
): Problem[] {
  const written = document.recipe.merge?.epsilon;
  const epsilon = Math.max(...numbersIn(written ?? fallback));
  const least = Math.min(...numbersIn(density)) - epsilon;
  const most = Math.max(...numbersIn(density)) + epsilon;
  if (least > 0 && most < 1) return [];
  const path = ['merge', written === undefined ? 'density' : 'epsilon'];
  const message = `the keep probabilities density ± epsilon are ${round(least)} to ${round(most)}, and have to lie between 0 and 1`;
  return [at(document, path, 'MV322', message)];
}

function densityAndGamma(
  document: RecipeDocument,
  density: NumberSpec,
  fallback: number,
): Problem[] {
  const written = document.recipe.merge?.gamma;
  const gamma = Math.max(...numbersIn(written ?? fallback));
  const most = Math.max(...numbersIn(density));
  if (most + gamma <= 1) return [];
  const path = ['merge', written === undefined ? 'density' : 'gamma'];
  const message = `after dropping the share gamma = ${round(gamma)} there is less than density = ${round(most)} left`;
  return [at(document, path, 'MV323', message)];
}

function round(value: number): string {
  return String(Number(value.toFixed(4)));
}

/** Lists of values by tensor name: globs that can be read, no line behind the default. */
export const valueLists: Rule = (document) => {
  const numeric = ['alpha', 'density', 'epsilon', 'gamma', 't'] as const;
  const lists: [RecipePath, NumberSpec | undefined][] = [
    ...numeric.map((key): [RecipePath, NumberSpec | undefined] => [
      ['merge', key],
      document.recipe.merge?.[key],
    ]),
    ...document.tasks.map((task): [RecipePath, NumberSpec | undefined] => {
      const expert = document.recipe.experts?.[task];
      return [['experts', task, 'weight'], typeof expert === 'object' ? expert.weight : undefined];
    }),
  ];
  return lists.flatMap(([path, spec]) =>
    spec === undefined ? [] : listFaults(document, path, spec),
  );
};

function listFaults(document: RecipeDocument, path: RecipePath, spec: NumberSpec): Problem[] {
  if (typeof spec === 'number' || isGradient(spec)) return [];
  const globs = spec.flatMap((line, index) =>
    line.match === undefined ? [] : globProblems(document, [...path, index, 'match'], line.match),
  );
  const last = spec.findIndex((line) => line.match === undefined || /^\*+$/.test(line.match));
  if (last < 0 || last === spec.length - 1) return globs;
  const message = `the line before matches every tensor, so \`${path.join('.')}\` never gets here`;
  return [...globs, at(document, [...path, last + 1], 'MV321', message, { tag: 'unnecessary' })];
}

export const globs: Rule = (document) => {
  const scope = document.recipe.merge?.scope;
  const lists: [RecipePath, readonly string[]][] = [
    [['merge', 'scope', 'include'], scope?.include ?? []],
    [['merge', 'scope', 'exclude'], scope?.exclude ?? []],
    [['heads', 'per_task'], document.recipe.heads?.per_task ?? []],
  ];
  return lists.flatMap(([path, patterns]) =>
    patterns.flatMap((pattern, index) => globProblems(document, [...path, index], pattern)),
  );
};

function globProblems(document: RecipeDocument, path: RecipePath, pattern: string): Problem[] {
  const fault = globFault(pattern);
  return fault
    ? [at(document, path, 'MV210', `the glob \`${pattern}\` cannot be used: ${fault}`)]
    : [];
}

export const scope: Rule = (document) => {
  const written = document.recipe.merge?.scope;
  const empty = (['components', 'include'] as const)
    .filter((key) => written?.[key]?.length === 0)
    .map((key) =>
      at(document, ['merge', 'scope', key], 'MV302', `with an empty \`${key}\` nothing is merged`),
    );
  return [...empty, ...emptyBlocks(document)];
};

function emptyBlocks(document: RecipeDocument): Problem[] {
  const { from = 0, to = Infinity } = document.recipe.merge?.scope?.blocks ?? {};
  if (from < to) return [];
  const message = `blocks ${String(from)} up to but not including ${String(to)} are none; \`to\` has to be larger than \`from\``;
  return [atKey(document, ['merge', 'scope', 'blocks'], 'MV311', message)];
}

/** Names of tasks given to `keep_from` and `rest`. */
export const taskChoices: Rule = (document) => {
  const special = { keep_from: ['base'], rest: ['average', 'per_task'] } as const;
  return (['keep_from', 'rest'] as const).flatMap((key) => {
    const name = document.recipe.merge?.[key];
    const choices = [...special[key], ...document.tasks];
    return name === undefined || choices.includes(name)
      ? []
      : [unknownTask(document, ['merge', key], name, choices)];
  });
};

export function unknownTask(
  document: RecipeDocument,
  path: RecipePath,
  name: string,
  choices: readonly string[],
): Problem {
  const suggestion = nearest(name, choices);
  const range = findingRange(document, path);
  const fix = suggestion === undefined ? {} : replacement(range, suggestion);
  const message = `\`${path.join('.')}\` names \`${name}\`, which is no task${didYouMean(suggestion)}`;
  return at(document, path, 'MV307', message, fix);
}

/** `keep_from` only matters where something is out of scope. */
export const idleKeys: Rule = (document) => {
  const { merge } = document.recipe;
  if (merge?.keep_from === undefined || merge.keep_from === 'base') return [];
  if (
    merge.scope !== undefined ||
    sweptKeys(document).some(({ dotted }) => dotted.startsWith('merge.scope'))
  )
    return [];
  const fixes = [
    { title: 'Add a `scope`', edits: addKey(document, ['merge', 'scope'], { components: [] }) },
  ];
  const message = '`keep_from` has no effect without a `scope`, since nothing is left out';
  return isSwept(document, 'merge.scope')
    ? []
    : [atKey(document, ['merge', 'keep_from'], 'MV326', message, { fixes, tag: 'unnecessary' })];
};
